-- Feed: when a feed last changed, in whole seconds (as epoch milliseconds), for the Last-Modified of what is put together of feeds.
-- Its counter never goes back and begins with this moment, so that a ledger made anew says nothing older than its predecessor
-- did. Programs that do not know the column leave it as it is.

INSERT INTO counter (name, value) VALUES ('changed_at', CAST(strftime('%s', 'now') AS INTEGER) * 1000);
ALTER TABLE feed ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE feed SET changed_at = (SELECT value FROM counter WHERE name = 'changed_at');
