-- Campaigns of another kind than blind pairs: people write demonstrations. Claims, leases, drafts, skips, flags and readings
-- are those of all campaigns; an item is a prompt, its a the drafted answer to edit ('': an empty box), its b nothing.
alter table campaigns add column kind text not null default 'pairs' check (kind in ('pairs', 'demonstrations'));
-- What a kind needs besides. Of demonstrations {tokensBy: {name, folder}}: the model whose tokens are counted.
alter table campaigns add column asks jsonb not null default '{}';

-- Only added to, but for the state. `returned`: sent back to its author; `replaced`: by what the author then sent;
-- `given-up`: returned, and left to others by its author; `surplus`: kept, not counted.
create table submissions (
  id uuid primary key default gen_random_uuid(),
  item_id bigint not null references items,
  user_id uuid not null references users,
  key uuid not null,
  completion text not null check (completion <> ''),
  -- Words taken out and put in, against the drafted answer; null where the box was empty.
  edited_words integer,
  tokens integer,
  active_seconds real not null check (active_seconds >= 0),
  guideline_id uuid not null references guidelines,
  -- The returned one that this one answers.
  follows uuid unique references submissions,
  state text not null default 'waiting'
    check (state in ('waiting', 'accepted', 'returned', 'replaced', 'given-up', 'surplus')),
  submitted_at timestamptz not null default now(),
  unique (user_id, key)
);
create unique index submissions_standing on submissions (item_id, user_id)
  where state in ('waiting', 'accepted', 'returned');
create index submissions_to_review on submissions (item_id) where state = 'waiting';

-- A second person's word on a submission, once. `fixed`: accepted with the reviewer's own words in place of the author's.
create table reviews (
  id uuid primary key default gen_random_uuid(),
  submission_id uuid not null unique references submissions,
  user_id uuid not null references users,
  outcome text not null check (outcome in ('accepted', 'fixed', 'returned')),
  completion text check (completion <> ''),
  -- Words taken out and put in, against what was submitted.
  edited_words integer,
  reason text not null default '',
  reviewed_at timestamptz not null default now(),
  check ((completion is not null) = (outcome = 'fixed')),
  check ((edited_words is not null) = (outcome = 'fixed')),
  check (outcome <> 'returned' or reason <> '')
);
