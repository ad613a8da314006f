-- Versions of a project's objective, none of which ever changes. What is in force is the file of the workspace; a file that
-- other hands changed becomes a version, by nobody, when somebody saves the next one.
create table objectives (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  number integer not null check (number > 0),
  content jsonb not null,
  -- Of its canonical JSON, as lineage names it.
  sha256 text not null,
  note text not null default '',
  made_by uuid references users,
  made_at timestamptz not null default now(),
  unique (project_id, number)
);
