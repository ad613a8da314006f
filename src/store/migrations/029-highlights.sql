-- Stretches of the two completions that the author of the answer marked, with a reason each: [{side, start, end, quote, reason}],
-- sides as they were shown, places in UTF-16 code units.
alter table judgements add column highlights jsonb not null default '[]' check (jsonb_typeof(highlights) = 'array');
