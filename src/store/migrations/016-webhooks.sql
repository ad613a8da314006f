-- Webhooks: what a project tells other programs, by the actions of its audit log. A delivery is written in the transaction of
-- what it tells, and tried until somebody took it: it is sent at least once, each time under the same id.
create table webhooks (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  name text not null,
  url text not null,
  events text[] not null check (cardinality(events) > 0),
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  removed_at timestamptz
);
create index webhooks_by_project on webhooks (project_id) where removed_at is null;

create table deliveries (
  id uuid primary key default gen_random_uuid(),
  webhook_id uuid not null references webhooks,
  event text not null,
  subject text not null,
  detail jsonb not null,
  happened_at timestamptz not null default now(),
  attempts integer not null default 0,
  -- When it is sent next; while it is being sent, when it counts as not sent.
  due_at timestamptz not null default now(),
  outcome text check (outcome in ('delivered', 'failed')),
  settled_at timestamptz,
  -- Of the last attempt: what was answered, or why nothing was.
  status integer,
  problem text not null default '',
  check ((outcome is null) = (settled_at is null))
);
create index deliveries_due on deliveries (due_at) where settled_at is null;
create index deliveries_by_webhook on deliveries (webhook_id, happened_at desc);
