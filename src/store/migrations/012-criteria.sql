-- Questions beside the overall one: criteria of the objective, [{name, definition}], as they were when the work was ordered.
alter table campaigns add column criteria jsonb not null default '[]' check (jsonb_typeof(criteria) = 'array');
alter table evaluations add column criteria jsonb not null default '[]' check (jsonb_typeof(criteria) = 'array');
-- {name: {choice, strength}}: all that a person answers to an item is one answer, given and taken back whole.
alter table judgements add column by_criterion jsonb not null default '{}' check (jsonb_typeof(by_criterion) = 'object');
