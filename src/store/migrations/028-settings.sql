-- How each person has the judging screen. A row holds what was chosen; who chose nothing has none.
create table settings (
  user_id uuid primary key references users,
  content jsonb not null check (jsonb_typeof(content) = 'object'),
  saved_at timestamptz not null default now()
);
