-- How much one person may give to a campaign: so many answers, and so large a share of all that it wants; null: as much as they
-- like. Gold is put to everybody and counts for neither.
alter table campaigns add column most_each integer check (most_each > 0);
alter table campaigns add column most_share double precision check (most_share > 0 and most_share < 1);
-- Nobody gets what a lead has not assigned to them.
alter table campaigns add column is_manual boolean not null default false;

-- Who a lead wants an item answered by: a place is kept for them until they have answered or skipped it.
create table assignments (
  item_id bigint not null references items,
  user_id uuid not null references users,
  campaign_id uuid not null references campaigns,
  assigned_by uuid not null references users,
  assigned_at timestamptz not null default now(),
  primary key (item_id, user_id)
);
create index assignments_by_person on assignments (campaign_id, user_id);
