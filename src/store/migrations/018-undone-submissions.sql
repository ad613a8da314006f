-- `undone`: a submission taken back by its author before anybody reviewed it. What it followed is then back with its author, and
-- is followed by another one.
alter table submissions drop constraint submissions_state_check;
alter table submissions add constraint submissions_state_check
  check (state in ('waiting', 'accepted', 'returned', 'replaced', 'given-up', 'surplus', 'undone'));
alter table submissions drop constraint submissions_follows_key;
create unique index submissions_that_follow on submissions (follows) where state <> 'undone';
