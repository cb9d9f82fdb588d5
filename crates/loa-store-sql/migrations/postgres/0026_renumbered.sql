-- Intake: after a slip, an operator lets a producer's revisions of an article begin at 1 again. They are counted on from here.

ALTER TABLE standing ADD COLUMN counted_from BIGINT NOT NULL DEFAULT 0;
