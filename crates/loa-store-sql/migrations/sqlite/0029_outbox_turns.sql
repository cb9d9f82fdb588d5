-- Intake: the outbox is claimed by turns of portals, news before back-files. All rows of one article are in one lane.

ALTER TABLE outbox ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;   -- 0: news; 1: a back-file
ALTER TABLE outbox ADD COLUMN portal TEXT NOT NULL DEFAULT ''; -- its slug; empty: the home portal
UPDATE outbox SET portal = substr(article, 1, instr(article, ' ') - 1) WHERE instr(article, ' ') > 0;
CREATE INDEX outbox_turns ON outbox (lane, portal, sequence) WHERE ready_at = 0;
CREATE INDEX outbox_lane ON outbox (lane, sequence);
