-- The WebSub hub: topics that somebody wants, subscriptions, wishes that are not settled yet, hosts of callbacks.
INSERT INTO counter (name, value) VALUES ('hub_subscription', 0), ('hub_wish', 0), ('hub_rows', 0);

-- `version` 0: never read. `looks` counts looks since something may have changed: the place in the schedule.
CREATE TABLE hub_topic (
    topic        TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    version      BIGINT NOT NULL,
    missing      TEXT COLLATE "C",             -- why there is no such topic; NULL: there is, as far as we know
    etag         TEXT COLLATE "C",
    modified_at  BIGINT,
    changed_at   BIGINT,
    looked_at    BIGINT,
    looks        BIGINT NOT NULL,
    ready_at     BIGINT NOT NULL, -- when to look, or when the lease of who looks ends
    holder       TEXT COLLATE "C",
    content_type TEXT COLLATE "C" NOT NULL,
    body         BYTEA NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX hub_topic_ready ON hub_topic (ready_at, topic);

-- What was verified. `ends_at` NULL: nothing yet. `version`: the newest that was taken or given up. `due_at`: a newer one is
-- owed, from then on. `ready_at`: when it may be claimed, for a wish or a delivery, or when its lease ends; NULL: nothing to do.
CREATE TABLE hub_subscription (
    number        BIGINT PRIMARY KEY NOT NULL,
    topic         TEXT COLLATE "C" NOT NULL,
    callback_form TEXT COLLATE "C" NOT NULL,
    host          TEXT COLLATE "C" NOT NULL,
    callback      TEXT COLLATE "C" NOT NULL,
    secret        BYTEA,
    algorithm     TEXT COLLATE "C" NOT NULL,
    ends_at       BIGINT,
    version       BIGINT NOT NULL,
    due_at        BIGINT,
    tries         BIGINT NOT NULL,
    lane          BIGINT NOT NULL, -- what it is ready for: 0 a delivery, 1 a wish
    ready_at      BIGINT,
    holder        TEXT COLLATE "C",
    created_at    BIGINT NOT NULL,
    delivered_at  BIGINT,
    detail        TEXT COLLATE "C" NOT NULL,
    UNIQUE (topic, callback_form)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX hub_subscription_ready ON hub_subscription (host, lane, ready_at, number) WHERE ready_at IS NOT NULL;
CREATE INDEX hub_subscription_held ON hub_subscription (host, lane, ready_at) WHERE holder IS NOT NULL;
CREATE INDEX hub_subscription_host ON hub_subscription (host);
CREATE INDEX hub_subscription_end ON hub_subscription (ends_at, number) WHERE ends_at IS NOT NULL;

-- What was asked for and is not settled; a later wish takes the place and a further number. `due_at` NULL: it waits for the
-- first look at its topic.
CREATE TABLE hub_wish (
    subscription  BIGINT PRIMARY KEY NOT NULL REFERENCES hub_subscription (number) ON DELETE CASCADE,
    number        BIGINT NOT NULL,
    mode          TEXT COLLATE "C" NOT NULL,   -- subscribe, unsubscribe, denied
    topic_written TEXT COLLATE "C" NOT NULL,
    callback      TEXT COLLATE "C" NOT NULL,
    secret        BYTEA,
    algorithm     TEXT COLLATE "C" NOT NULL,
    lease_seconds BIGINT NOT NULL,
    token         TEXT COLLATE "C",
    reason        TEXT COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL, -- the topic's when it was asked for
    asked_at      BIGINT NOT NULL,
    due_at        BIGINT,
    tries         BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX hub_wish_asked ON hub_wish (asked_at, subscription);

-- `deliver_at`, `verify_at`: when one of its callbacks may be called, in either lane: strangers who are asked never delay
-- subscribers who are told. `wishes_at`: when its allowance of wishes is whole again.
CREATE TABLE hub_host (
    host       TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    deliver_at BIGINT,
    verify_at  BIGINT,
    failures   BIGINT NOT NULL,
    rests      BIGINT NOT NULL,
    rest_until BIGINT,
    wishes_at  BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX hub_host_deliver ON hub_host (deliver_at, host) WHERE deliver_at IS NOT NULL;
CREATE INDEX hub_host_verify ON hub_host (verify_at, host) WHERE verify_at IS NOT NULL;
CREATE INDEX hub_host_idle ON hub_host (wishes_at, host) WHERE deliver_at IS NULL AND verify_at IS NULL;
