-- Calibration rounds: everybody answers every item, and once the round is closed those who took part see all answers and talk.
alter table campaigns add column is_calibration boolean not null default false;
create table remarks (
  id uuid primary key default gen_random_uuid(),
  item_id bigint not null references items,
  user_id uuid not null references users,
  key uuid not null,
  text text not null check (text <> ''),
  made_at timestamptz not null default now(),
  unique (user_id, key)
);
create index remarks_by_item on remarks (item_id, made_at);

-- {items, below}: who has fewer right than that share of their gold answers, once they have given so many, is given nothing
-- more until a lead lets them go on; null: nobody is paused by itself.
alter table campaigns add column pause_rule jsonb;
-- Who was paused in a campaign, by the rule (paused_by is null) or by a lead. Rows are added, and each is ended once.
create table pauses (
  id uuid primary key default gen_random_uuid(),
  campaign_id uuid not null references campaigns,
  user_id uuid not null references users,
  paused_by uuid references users,
  -- By the rule: right answers, halves for ties, of how many.
  right_answers real,
  answers integer,
  reason text not null default '',
  paused_at timestamptz not null default now(),
  resumed_by uuid references users,
  resumed_at timestamptz,
  resumed_because text,
  check ((resumed_by is null) = (resumed_at is null) and (resumed_by is null) = (resumed_because is null)),
  check ((paused_by is null) = (right_answers is not null) and (paused_by is null) = (answers is not null))
);
create unique index pauses_that_hold on pauses (campaign_id, user_id) where resumed_at is null;

alter table campaigns add column closed_at timestamptz;
