-- When a campaign closes by itself; null: a lead closes it.
alter table campaigns add column deadline timestamptz;
create index campaigns_by_deadline on campaigns (deadline) where state <> 'closed';
