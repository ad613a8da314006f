-- What becomes of an item that somebody skips. `to-others`: others get it, and this person does not again. `back-to-me`: others
-- may get it, and this person does again when nothing else is left. `drop`: nobody more is asked about it.
alter table campaigns add column skip_policy text not null default 'to-others'
  check (skip_policy in ('to-others', 'back-to-me', 'drop'));
-- It wants no more than it had when it was skipped.
alter table items add column is_dropped boolean not null default false;
