-- What somebody knows enough of to be asked about it: found by whom, shown by what, until when. Rows are added; each is ended once.
create table credentials (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  user_id uuid not null references users,
  expertise text not null check (expertise ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  -- A licence, a course, an exam; for people.
  proof text not null default '',
  expires_at timestamptz,
  given_by uuid not null references users,
  given_at timestamptz not null default now(),
  ended_by uuid references users,
  ended_at timestamptz,
  check ((ended_by is null) = (ended_at is null))
);
create index credentials_that_hold on credentials (user_id, project_id, expertise) where ended_at is null;

-- Only people with this expertise are asked about the item; null: everybody.
alter table items add column expertise text check (expertise ~ '^[a-z0-9][a-z0-9-]{0,39}$');
