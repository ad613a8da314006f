-- Under which objective a version of the guideline was written, and models were put to the rules: SHA-256 of the objective's
-- canonical JSON, whether or not it is one of the project's saved versions. Null: there was none, or it is not known.
alter table guidelines add column objective_sha256 text check (objective_sha256 ~ '^[0-9a-f]{64}$');
alter table candidacies add column objective_sha256 text check (objective_sha256 ~ '^[0-9a-f]{64}$');
-- The sentence that says so, where evaluations, models or labels were of other objectives.
alter table candidacies add column objectives_differ text;
-- What is known of older ones: the newest version saved by then; before the first save the file as it was, which that save kept.
update guidelines set objective_sha256 = coalesce(
  (select o.sha256 from objectives as o where o.project_id = guidelines.project_id and o.made_at <= guidelines.made_at
   order by number desc limit 1),
  (select o.sha256 from objectives as o where o.project_id = guidelines.project_id and number = 1 and o.made_by is null));
update candidacies set objective_sha256 = coalesce(
  (select o.sha256 from objectives as o where o.project_id = candidacies.project_id and o.made_at <= asked_at
   order by number desc limit 1),
  (select o.sha256 from objectives as o where o.project_id = candidacies.project_id and number = 1 and o.made_by is null));
