-- Feed: what tells two contents under one event's id apart. The second has the key `id hash`. NULL: a program of before
-- noted the event; then the same revision and kind count as the same content.

ALTER TABLE seen ADD COLUMN content_hash TEXT;
