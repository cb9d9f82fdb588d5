-- The hub: tables, columns, indexes and counters bear the field's words (GLOSSARY.md). Programs of before cannot work with
-- them: they end before `loa migrate`.
--
-- `hub_topic.fetches` counts fetches since something may have changed: the place in the schedule. `call_class` is what a
-- subscription is ready for: 0 a delivery, 1 a request. `hub_host.openings` counts how often in a row its breaker opened.
-- `calls_from`: no delivery before, by the breaker or by what the host asked for. `requests_at`: when its allowance of requests
-- is whole again.

ALTER TABLE hub_topic RENAME COLUMN looked_at TO fetched_at;
ALTER TABLE hub_topic RENAME COLUMN looks TO fetches;
ALTER TABLE hub_subscription RENAME COLUMN lane TO call_class;
ALTER TABLE hub_host RENAME COLUMN rests TO openings;
ALTER TABLE hub_host RENAME COLUMN rest_until TO calls_from;
ALTER TABLE hub_host RENAME COLUMN wishes_at TO requests_at;
ALTER TABLE hub_wish RENAME TO hub_request;
UPDATE counter SET name = 'hub_request' WHERE name = 'hub_wish';
UPDATE counter SET name = 'hub_cleaned_up_at' WHERE name = 'hub_swept_at';

DROP INDEX hub_wish_asked;
CREATE INDEX hub_request_asked ON hub_request (asked_at, subscription);
DROP INDEX hub_topic_look;
CREATE INDEX hub_topic_fetch ON hub_topic (combination, ready_at, topic);
