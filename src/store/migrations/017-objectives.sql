-- Which file of the workspace is the project's objective. The first project's is the workspace's own; so was everybody else's
-- until now, and of those that are there it stays.
alter table projects add column objective_file text not null default 'objective.json'
  check (objective_file ~ '^[a-z0-9][a-z0-9.-]{0,79}[.]json$');
