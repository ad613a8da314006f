-- What reviewers and leads say of items on which people disagree. Rows are only added: the newest of an item holds.
create table first_looks (
  item_id bigint not null references items,
  user_id uuid not null references users,
  -- Given before the others' answers were shown.
  choice text not null check (choice in ('left', 'right', 'tie', 'both-bad', 'cannot-judge')),
  strength smallint check (strength between 1 and 4),
  is_a_left boolean not null,
  looked_at timestamptz not null default now(),
  check ((strength is not null) = (choice in ('left', 'right'))),
  primary key (item_id, user_id)
);

create table adjudications (
  id uuid primary key default gen_random_uuid(),
  position bigint not null generated always as identity,
  item_id bigint not null references items,
  user_id uuid not null references users,
  key uuid not null,
  -- decided: choice holds. subjective: the shares of the answers hold. excluded: the item is wrong. reopened: none of these.
  outcome text not null check (outcome in ('decided', 'subjective', 'excluded', 'reopened')),
  is_a_left boolean not null,
  choice text check (choice in ('left', 'right', 'tie', 'both-bad')),
  strength smallint check (strength between 1 and 4),
  reason text not null,
  settled_at timestamptz not null default now(),
  check ((choice is not null) = (outcome = 'decided')),
  check (strength is null or choice in ('left', 'right')),
  unique (user_id, key)
);
create index adjudications_by_item on adjudications (item_id, position desc);

-- What holds of an item now; a settled one is put to nobody any more.
alter table items add column settled text check (settled in ('decided', 'subjective', 'excluded'));
drop index items_with_room;
create index items_with_room on items (campaign_id, position) where judged + claimed < wanted and settled is null;
