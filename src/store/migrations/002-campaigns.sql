-- Guidelines, campaigns of blind pairs, and what people answer.
create table guidelines (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  number integer not null,
  text text not null,
  sha256 text not null,
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  unique (project_id, number)
);

create table campaigns (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  name text not null,
  -- The dataset version whose comparisons are judged, and its name then.
  dataset text not null,
  version text not null,
  guideline_id uuid not null references guidelines,
  overlap integer not null check (overlap between 1 and 9),
  seed bigint not null,
  lease_seconds integer not null default 900,
  state text not null default 'open' check (state in ('open', 'paused', 'closed')),
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  unique (project_id, name)
);

-- judged and claimed are counted here so that one row decides whether there is room: never more than wanted.
create table items (
  id bigint primary key generated always as identity,
  campaign_id uuid not null references campaigns,
  position integer not null,
  item text not null,
  prompt jsonb not null,
  a text not null,
  b text not null,
  wanted integer not null,
  judged integer not null default 0 check (judged >= 0),
  claimed integer not null default 0 check (claimed >= 0),
  check (judged + claimed <= wanted),
  unique (campaign_id, item),
  unique (campaign_id, position)
);
create index items_with_room on items (campaign_id, position) where judged + claimed < wanted;

-- Who is working on what: one thing at a time in a campaign, on lease.
create table claims (
  item_id bigint not null references items,
  user_id uuid not null references users,
  campaign_id uuid not null references campaigns,
  is_a_left boolean not null,
  claimed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (item_id, user_id),
  unique (campaign_id, user_id)
);
create index claims_by_expiry on claims (expires_at);

-- Only added to. `undone`: taken back by its author. `surplus`: came when the item had all it wanted, or after another
-- answer of the same person; kept, not counted.
create table judgements (
  id uuid primary key default gen_random_uuid(),
  item_id bigint not null references items,
  user_id uuid not null references users,
  -- Made by the client for each answer it means to give: the same answer sent again is the same answer.
  key uuid not null,
  is_a_left boolean not null,
  choice text not null check (choice in ('left', 'right', 'tie', 'both-bad', 'cannot-judge')),
  strength smallint check (strength between 1 and 4),
  reason text not null default '',
  active_seconds real not null check (active_seconds >= 0),
  guideline_id uuid not null references guidelines,
  state text not null default 'current' check (state in ('current', 'undone', 'surplus')),
  judged_at timestamptz not null default now(),
  check ((strength is not null) = (choice in ('left', 'right'))),
  unique (user_id, key)
);
create unique index judgements_current on judgements (item_id, user_id) where state = 'current';
create index judgements_by_person on judgements (user_id, judged_at);

create table skips (
  item_id bigint not null references items,
  user_id uuid not null references users,
  reason text not null default '',
  skipped_at timestamptz not null default now(),
  primary key (item_id, user_id)
);

create table flags (
  id bigint primary key generated always as identity,
  item_id bigint not null references items,
  user_id uuid not null references users,
  note text not null,
  flagged_at timestamptz not null default now()
);
create index flags_by_item on flags (item_id);

create table drafts (
  item_id bigint not null references items,
  user_id uuid not null references users,
  content jsonb not null,
  saved_at timestamptz not null default now(),
  primary key (item_id, user_id)
);

-- Which guideline a person has read to the end; a campaign asks once for each version.
create table readings (
  guideline_id uuid not null references guidelines,
  user_id uuid not null references users,
  read_at timestamptz not null default now(),
  primary key (guideline_id, user_id)
);

-- Whether completion a goes left for this person and item: a fair coin fixed by the campaign's seed.
create function is_a_left(seed bigint, item bigint, person uuid) returns boolean
language sql immutable as $$
  select get_byte(sha256(convert_to(seed || ' ' || item || ' ' || person, 'UTF8')), 0) % 2 = 0
$$;
