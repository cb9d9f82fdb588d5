-- Hub: what the last call came to, as a word and a status. `detail` holds the other side's own words from now on. NULL: there
-- was no call, or a program of before noted it, and its sentence stands where the words do.

ALTER TABLE hub_subscription ADD COLUMN reason TEXT;
ALTER TABLE hub_subscription ADD COLUMN status INTEGER;
