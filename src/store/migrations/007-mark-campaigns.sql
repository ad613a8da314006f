-- Campaigns that a run waits for: the fresh pairs of one of its marks. A mark follows from its checkpoint, so a run that
-- judges it again asks for the same pairs, known by their hash, and nobody is asked twice.
create table mark_campaigns (
  campaign_id uuid primary key references campaigns,
  run text not null,
  step integer not null,
  sha256 text not null,
  unique (run, step, sha256)
);
