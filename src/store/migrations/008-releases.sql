-- Releases: rules decide over evaluations, a second person signs, and a name then stands for these weights. What was asked,
-- what the rules said, who waived what and who signed is only added to.
create table candidacies (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  -- What clients will call it.
  release text not null check (release ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  model text not null,
  folder text not null,
  hash text not null,
  rules jsonb not null,
  -- [{hash, name, label}], of evaluation files.
  evaluations jsonb not null,
  -- [{name, passed, evidence, rule}] as decided when it was asked.
  gates jsonb not null,
  simulated boolean not null,
  asked_by uuid not null references users,
  asked_at timestamptz not null default now(),
  signed_by uuid references users,
  signed_at timestamptz,
  sign_off text check (sign_off in ('released', 'refused')),
  sign_reason text not null default '',
  check ((signed_at is null) = (signed_by is null) and (signed_at is null) = (sign_off is null)),
  -- Two persons: the one who asks does not sign.
  check (signed_by is distinct from asked_by)
);
create index candidacies_by_project on candidacies (project_id, asked_at desc);

create table waivers (
  id uuid primary key default gen_random_uuid(),
  candidacy_id uuid not null references candidacies,
  -- The rule that is waived.
  gate text not null,
  reason text not null,
  waived_by uuid not null references users,
  waived_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check (expires_at > waived_at)
);
create index waivers_by_candidacy on waivers (candidacy_id);

-- The newest row of a name is what it stands for; going back is another row.
create table releases (
  id bigint primary key generated always as identity,
  project_id uuid not null references projects,
  name text not null,
  candidacy_id uuid not null references candidacies,
  -- Of a rollback: the entry that it brings back, and why.
  back_to bigint references releases,
  reason text not null default '',
  made_by uuid not null references users,
  made_at timestamptz not null default now()
);
create index releases_by_name on releases (project_id, name, id desc);

-- Keys by which programs ask for completions: shown once, kept as a hash.
create table api_keys (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  name text not null,
  prefix text not null,
  key_hash bytea not null unique,
  scopes text[] not null check (scopes <@ array['models', 'completions'] and cardinality(scopes) > 0),
  per_minute integer not null check (per_minute between 1 and 10000),
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  used_at timestamptz
);
create index api_keys_by_project on api_keys (project_id);
