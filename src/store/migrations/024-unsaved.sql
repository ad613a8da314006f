-- What somebody has begun to write in an editor and not saved as a version: one for each person, project and editor.
create table unsaved (
  project_id uuid not null references projects,
  user_id uuid not null references users,
  editor text not null check (editor in ('objective', 'guideline')),
  -- As the editor has it, and what was there when it was begun.
  content jsonb not null,
  saved_at timestamptz not null default now(),
  primary key (project_id, user_id, editor)
);
