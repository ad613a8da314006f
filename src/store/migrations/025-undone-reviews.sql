-- When its reviewer took a review back: it stays in the history, and what it was about waits for another one.
alter table reviews add column undone_at timestamptz;
alter table reviews drop constraint reviews_submission_id_key;
create unique index reviews_that_stand on reviews (submission_id) where undone_at is null;
create index reviews_by_person on reviews (user_id, reviewed_at);
