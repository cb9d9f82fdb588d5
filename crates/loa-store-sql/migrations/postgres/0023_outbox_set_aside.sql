-- Intake: an event that the bus will never take as it is (larger than the broker allows) is set aside. Nothing waits behind it,
-- and it is tried again from time to time.

ALTER TABLE outbox ADD COLUMN set_aside_at BIGINT; -- since when; NULL: it is not
CREATE INDEX outbox_set_aside ON outbox (set_aside_at, sequence) WHERE set_aside_at IS NOT NULL;
