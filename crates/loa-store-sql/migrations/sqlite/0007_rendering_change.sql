-- Up to which change a rendering is surely true: one that is older than what is kept must not take its place, whichever
-- replica is the slower. Programs that do not know the column leave it as it is.
ALTER TABLE rendering ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
