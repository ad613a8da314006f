-- Gold: items whose answer was known beforehand. Rows are only added: the newest of an item holds, and none is "gold no more".
create table gold (
  id bigint primary key generated always as identity,
  item_id bigint not null references items,
  user_id uuid not null references users,
  better text check (better in ('a', 'b')),
  -- Why it is better, for who got it wrong.
  note text not null,
  marked_at timestamptz not null default now()
);
create index gold_by_item on gold (item_id, id desc);

-- What holds of an item now. A gold one is put to everybody once, mixed in among the others.
alter table items add column gold text check (gold in ('a', 'b'));
drop index items_with_room;
create index items_with_room on items (campaign_id, position)
  where judged + claimed < wanted and settled is null and gold is null;
create index items_gold on items (campaign_id) where gold is not null;

alter table campaigns add column gold_rate real not null default 0 check (gold_rate between 0 and 0.5);
-- {items, mark: {right} or {low}, mayRetry}: what stands before the first task; null is nothing.
alter table campaigns add column qualification jsonb;

alter table readings add column reread_at timestamptz;

-- Each concluded round of qualification of a person; the answers it was made of stand in judgements.
create table qualifications (
  campaign_id uuid not null references campaigns,
  user_id uuid not null references users,
  attempt integer not null,
  passed boolean not null,
  -- Right answers, halves for ties, of how many, and the 95% Wilson bound of the share.
  right_answers real not null,
  answers integer not null,
  low real not null,
  judgements uuid[] not null,
  concluded_at timestamptz not null default now(),
  primary key (campaign_id, user_id, attempt)
);

-- Whether this person's next task, after so many answers, is a gold one: drawn by the campaign's seed.
create function is_gold_turn(seed bigint, person uuid, answers bigint, rate real) returns boolean
language sql immutable as $$
  select (get_byte(drawn, 0) * 256 + get_byte(drawn, 1)) / 65536.0 < rate
  from sha256(convert_to('gold ' || seed || ' ' || person || ' ' || answers, 'UTF8')) as drawn
$$;
