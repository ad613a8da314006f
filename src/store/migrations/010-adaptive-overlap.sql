-- {threshold, cap}: an item whose answers do not settle it is put to one person more, up to the cap; null: overlap is all.
alter table campaigns add column adaptive jsonb;
