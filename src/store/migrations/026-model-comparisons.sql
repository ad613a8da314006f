-- Finished comparisons of models of the annotators, each by the hash of the answers and settings that it was made from.
create table model_comparisons (
  campaign_id uuid not null references campaigns,
  sha256 text not null,
  method text not null,
  evidence jsonb not null,
  made_at timestamptz not null default now(),
  primary key (campaign_id, sha256)
);
