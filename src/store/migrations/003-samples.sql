-- Fills: samples of one or two models on the prompts of a dataset, drawn a prompt at a time until all are there, and then
-- paired into a dataset of comparisons. Which model wrote which completion stays here.
create table fills (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  -- Of the dataset of comparisons that it becomes.
  name text not null,
  prompts text not null,
  prompts_version text not null,
  prompt_count integer not null check (prompt_count > 0),
  -- [{name, folder}]: one, held against itself, or two; with the hash of the weights once they were loaded.
  models jsonb not null check (jsonb_array_length(models) between 1 and 2),
  n integer not null check (n between 1 and 16),
  seed bigint not null,
  temperature real not null,
  top_p real not null,
  max_tokens integer not null,
  state text not null default 'waiting' check (state in ('waiting', 'drawing', 'done', 'failed', 'stopped')),
  problem text,
  result_version text,
  -- Whoever draws it says so again and again; when that stops, another goes on, and the first has no more say.
  leased_by uuid,
  leased_until timestamptz,
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (project_id, name)
);
create index fills_to_draw on fills (made_at) where state in ('waiting', 'drawing');

create table samples (
  fill_id uuid not null references fills,
  -- Of fills.models, from 0; of the prompts, from 0; of the n samples of that prompt, from 0.
  model smallint not null,
  row_number integer not null,
  sample smallint not null,
  completion text not null,
  finished boolean not null,
  tokens integer not null,
  logprob real not null,
  primary key (fill_id, model, row_number, sample)
);
