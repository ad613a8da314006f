-- Two more kinds of campaigns. Ratings: an item is one completion (a; b is nothing), and asks.questions says what is asked of
-- it. Rankings: an item is the completions that were given to one prompt, to be put in order.
alter table campaigns drop constraint campaigns_kind_check;
alter table campaigns add constraint campaigns_kind_check
  check (kind in ('pairs', 'demonstrations', 'ratings', 'rankings'));
alter table items add column completions jsonb
  check (jsonb_typeof(completions) = 'array' and jsonb_array_length(completions) between 2 and 9);

-- Only added to, but for the state, as with judgements.
create table answers (
  id uuid primary key default gen_random_uuid(),
  item_id bigint not null references items,
  user_id uuid not null references users,
  key uuid not null,
  -- Of ratings {values: {question: value}}. Of rankings {places, shown}, both by the order of items.completions: from 1, the
  -- best, equal ones sharing a place; and where each stood on the screen, from 0.
  content jsonb not null,
  reason text not null default '',
  active_seconds real not null check (active_seconds >= 0),
  guideline_id uuid not null references guidelines,
  state text not null default 'current' check (state in ('current', 'undone', 'surplus')),
  answered_at timestamptz not null default now(),
  unique (user_id, key)
);
create unique index answers_current on answers (item_id, user_id) where state = 'current';
create index answers_by_person on answers (user_id, answered_at);
