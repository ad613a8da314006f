-- Answers that no longer count: somebody's, of a span of time, under a version of the guideline. Rows are only added: a
-- withdrawal is taken back by a row of its own, and the answers stay where they are.
create table withdrawals (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references projects,
  -- Whose answers, given when, under which guideline; null asks nothing.
  user_id uuid references users,
  given_from timestamptz,
  given_until timestamptz,
  guideline_id uuid references guidelines,
  reason text not null,
  made_by uuid not null references users,
  made_at timestamptz not null default now(),
  judgements uuid[] not null,
  -- The one that this row takes back; its judgements are those that count again.
  undoes uuid unique references withdrawals,
  check (num_nonnulls(user_id, given_from, given_until, guideline_id, undoes) > 0)
);
create index withdrawals_by_project on withdrawals (project_id, made_at);

alter table judgements drop constraint judgements_state_check;
alter table judgements add constraint judgements_state_check
  check (state in ('current', 'undone', 'surplus', 'withdrawn'));
