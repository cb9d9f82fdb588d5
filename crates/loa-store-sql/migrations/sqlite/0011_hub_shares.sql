-- The hub: combinations of feeds have looks and a share of their own; subscribers are counted by the network they were called
-- in; and a clock that was set back is noticed by the last sweep's time.
INSERT INTO counter (name, value) VALUES ('hub_swept_at', 0);

ALTER TABLE hub_topic ADD COLUMN combination INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hub_subscription ADD COLUMN combination INTEGER NOT NULL DEFAULT 0;
-- Where it was when it was verified; empty: it was not, or it is not known.
ALTER TABLE hub_subscription ADD COLUMN network TEXT NOT NULL DEFAULT '';
UPDATE hub_topic SET combination = 1 WHERE topic LIKE '%/feeds/%+%';
UPDATE hub_subscription SET combination = 1 WHERE topic LIKE '%/feeds/%+%';

CREATE INDEX hub_topic_look ON hub_topic (combination, ready_at, topic);
CREATE INDEX hub_subscription_combination ON hub_subscription (host, number) WHERE combination = 1;
CREATE INDEX hub_subscription_network ON hub_subscription (network, number) WHERE network <> '';
