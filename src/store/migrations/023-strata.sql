-- What part of the domain the item belongs to, as its dataset's row says; null: none is named.
alter table items add column stratum text;
