-- Overlap on a share of the items: drawn for each item by the campaign's seed, and the others are judged once.
alter table campaigns add column overlap_share double precision not null default 1
  check (overlap_share > 0 and overlap_share <= 1);
-- What was drawn of the item; kept, so that whoever makes it gold and no longer gold leaves the draw as it was.
alter table items add column is_overlapped boolean not null default true;

-- Whether a thing is drawn into a share, by hash: each purpose, seed and thing for itself, whatever else is there.
create function is_drawn(purpose text, seed bigint, thing text, share double precision) returns boolean
language sql immutable as $$
  select (get_byte(drawn, 0) * 16777216::bigint + get_byte(drawn, 1) * 65536 + get_byte(drawn, 2) * 256 + get_byte(drawn, 3))
    / 4294967296.0::double precision < share
  from sha256(convert_to(purpose || ' ' || seed || ' ' || thing, 'UTF8')) as drawn
$$;
