-- One run takes the place of another, however often and by whomever it is asked for.
create unique index jobs_superseding on jobs ((ordered #>> '{supersedes,run}'));
