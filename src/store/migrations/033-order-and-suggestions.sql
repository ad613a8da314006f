-- In what order people get the items of a campaign, the ones assigned to them first: as drawn by the seed; what is least certain
-- first; what others have begun first; what its rows say is most urgent first.
alter table campaigns add column item_order text not null default 'random'
  check (item_order in ('random', 'uncertainty', 'begun', 'priority'));
-- Of the rows that the items were made of: how urgent, the highest first; and by how much a model prefers a to b, in log-odds.
alter table items add column priority double precision;
alter table items add column margin double precision;
-- What stands before the order that the seed drew, the lowest first: 0 where nothing does.
alter table items add column rank double precision not null default 0;
drop index items_with_room;
create index items_with_room on items (campaign_id, rank, position)
  where judged + claimed < wanted and settled is null and gold is null;
create index items_begun on items (campaign_id)
  where judged + claimed > 0 and judged + claimed < wanted and settled is null and gold is null;

-- What a model says of a pair, put beside it: {hiddenShare, isAfter}; null: nothing is. From a share of the tasks, drawn by the
-- seed for each pair and person, it is hidden, so that there is something to hold the others against.
alter table campaigns add column suggestions jsonb;
-- {better: a or b, score: how probable, source: who says so}; null: nobody says anything.
alter table items add column suggestion jsonb;
-- What a person has been shown of the suggestion to a pair, noted when the pair is handed out. `after`: once they have answered;
-- from then on it is `before`, since whoever answers anew has seen it.
create table suggestions_shown (
  item_id bigint not null references items,
  user_id uuid not null references users,
  shown text not null check (shown in ('before', 'after', 'hidden')),
  primary key (item_id, user_id)
);
-- Of the suggestion as it was when the answer was given {choice, score, source, shown, agreed}, on the sides as shown.
alter table judgements add column suggestion jsonb;
