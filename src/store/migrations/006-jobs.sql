-- Jobs: what the trainer is to run. The run itself lies in files (runs/<run>), which say how far it is; this says whose
-- turn it is. One trainer at a time works on a job, on lease.
create table jobs (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  -- The folder under the workspace's runs/.
  run text not null unique,
  recipe text not null,
  -- What was ordered; null for a run that was begun elsewhere and is gone on with here.
  ordered jsonb,
  state text not null default 'queued'
    check (state in ('queued', 'running', 'waiting', 'paused', 'stopped', 'failed', 'done')),
  -- What somebody asked of a running job and the trainer has yet to do.
  wish text check (wish in ('stop', 'pause')),
  reason text not null default '',
  -- Starts in all; and deaths since the run last got further than `reached`, its newest checkpoint then.
  attempts integer not null default 0,
  deaths integer not null default 0,
  reached integer not null default -1,
  ready_at timestamptz not null default now(),
  trainer uuid,
  lease_until timestamptz,
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  queued_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  check ((state = 'running') = (trainer is not null and lease_until is not null)),
  check (wish is null or state = 'running')
);
create index jobs_to_do on jobs (queued_at) where state in ('queued', 'running');
create index jobs_by_project on jobs (project_id, made_at);
