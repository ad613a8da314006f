-- Evaluations: a candidate held against an opponent on the same prompts, blind. The fill draws, the campaign judges, and what
-- came of it is recorded once, as an artifact that names all its inputs by hash.
create table evaluations (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  name text not null,
  -- The candidate is its first model, the opponent its second.
  fill_id uuid not null unique references fills,
  overlap integer not null check (overlap between 1 and 9),
  -- Opened when the samples are there.
  campaign_id uuid unique references campaigns,
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  recorded_by uuid references users,
  recorded_at timestamptz,
  -- SHA-256 of the evaluation as a file, and its statistics.
  artifact text,
  statistics jsonb,
  unique (project_id, name),
  check ((recorded_at is null) = (artifact is null) and (recorded_at is null) = (statistics is null))
);
create index evaluations_to_open on evaluations (made_at) where campaign_id is null;
