-- Releases whose rules rest on a waiver that has expired while their name stood for them: each such moment once, when it was
-- told. A waiver that is renewed and expires again is another moment.
create table lapses (
  release_id bigint not null references releases,
  lapsed_at timestamptz not null,
  told_at timestamptz not null default now(),
  primary key (release_id, lapsed_at)
);
