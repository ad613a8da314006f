-- People, who they are signed in as, what they may do in which project, and what each of them changed.
create table users (
  id uuid primary key default gen_random_uuid(),
  email text not null unique check (email = lower(email) and length(email) between 3 and 254),
  name text not null check (length(name) between 1 and 120),
  password_hash text not null,
  is_administrator boolean not null default false,
  disabled_at timestamptz,
  created_at timestamptz not null default now()
);

create table projects (
  id uuid primary key default gen_random_uuid(),
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  name text not null check (length(name) between 1 and 120),
  -- What its dataset files are called: the workspace's first project keeps plain names, others put their slug before.
  file_prefix text not null,
  created_at timestamptz not null default now()
);

create table members (
  project_id uuid not null references projects,
  user_id uuid not null references users,
  role text not null check (role in ('owner', 'lead', 'engineer', 'reviewer', 'annotator', 'viewer')),
  joined_at timestamptz not null default now(),
  primary key (project_id, user_id)
);
create index members_by_user on members (user_id);

-- Only hashes of what a holder shows are kept: a stolen copy of this table opens nothing.
create table sessions (
  id_hash bytea primary key,
  user_id uuid not null references users,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_by_user on sessions (user_id);

-- Links that a lead hands over: to join a project, or to choose a new password.
create table links (
  token_hash bytea primary key,
  kind text not null check (kind in ('invitation', 'password')),
  project_id uuid references projects,
  role text check (role in ('owner', 'lead', 'engineer', 'reviewer', 'annotator', 'viewer')),
  user_id uuid references users,
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  check ((kind = 'invitation') = (project_id is not null and role is not null)),
  check ((kind = 'password') = (user_id is not null))
);

-- Failed sign-ins, by account and address, hashed: enough to count, nothing to read.
create table sign_in_failures (
  who bytea not null,
  at timestamptz not null default now()
);
create index sign_in_failures_by_who on sign_in_failures (who, at);

-- Every write leaves a row, in the write's own transaction. Rows are sealed into a hash chain afterwards, so that writers
-- do not wait for each other: position and hash come with the seal.
create table audit (
  id bigint primary key generated always as identity,
  at timestamptz not null default clock_timestamp(),
  actor uuid references users,
  project_id uuid references projects,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}',
  position bigint unique,
  hash bytea
);
create index audit_unsealed on audit (id) where position is null;
create index audit_by_project on audit (project_id, id);
