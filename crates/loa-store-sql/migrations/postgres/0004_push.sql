-- Push: endpoints, what is owed to each, every attempt.
-- Times are epoch milliseconds, UTC. Numbers come from `counter`, so that they grow in the order of commits.

CREATE TABLE counter (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('event', 0), ('delivery', 0);

CREATE TABLE seen (
    event_source TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    article      TEXT COLLATE "C" NOT NULL,
    revision     BIGINT NOT NULL,
    withdrawn    BIGINT NOT NULL CHECK (withdrawn IN (0, 1)),
    stale        BIGINT NOT NULL CHECK (stale IN (0, 1)), -- a higher version had come before
    seen_at      BIGINT NOT NULL,
    PRIMARY KEY (event_source, event_id)
);
CREATE INDEX seen_article ON seen (article, seen_at);

CREATE TABLE endpoint (
    id          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    url         TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    filter      TEXT COLLATE "C" NOT NULL,
    disabled    TEXT COLLATE "C",           -- the reason; NULL: enabled
    created_at  BIGINT NOT NULL
);

CREATE TABLE endpoint_secret (
    endpoint TEXT COLLATE "C" NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    place    BIGINT NOT NULL, -- 0 = the newest
    secret   BYTEA NOT NULL,
    PRIMARY KEY (endpoint, place)
);

-- The frozen bytes, once however many endpoints. Only events that somebody is owed.
CREATE TABLE event (
    id           BIGINT PRIMARY KEY NOT NULL,
    event_source TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    event_type   TEXT COLLATE "C" NOT NULL,
    body         BYTEA NOT NULL,
    UNIQUE (event_source, event_id)
);

-- (revision, withdrawn, version_id) is the version, in the order of the domain. `tries` counts attempts since the
-- delivery was accepted or last redriven, `attempts` all of them. `ready_at`: when it may be claimed: due, or when its
-- lease ends; NULL at an end.
-- Rows come and go here all the time: what is dead is swept, and counted, early.
CREATE TABLE delivery (
    number     BIGINT PRIMARY KEY NOT NULL,
    endpoint   TEXT COLLATE "C" NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    event      BIGINT NOT NULL REFERENCES event (id),
    article    TEXT COLLATE "C" NOT NULL,
    revision   BIGINT NOT NULL,
    withdrawn  BIGINT NOT NULL CHECK (withdrawn IN (0, 1)),
    version_id TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    ready_at   BIGINT,
    holder     TEXT COLLATE "C",
    tries      BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (event, endpoint),
    CHECK ((ready_at IS NULL) = (state <> 'pending'))
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX delivery_ready ON delivery (endpoint, ready_at, number) WHERE ready_at IS NOT NULL;
CREATE INDEX delivery_held ON delivery (endpoint, ready_at) WHERE holder IS NOT NULL;
CREATE INDEX delivery_version ON delivery (endpoint, article, state, revision, withdrawn, version_id);
CREATE INDEX delivery_endpoint ON delivery (endpoint, number);
CREATE INDEX delivery_state ON delivery (state, number);
CREATE INDEX delivery_article ON delivery (article, number);

CREATE TABLE attempt (
    delivery    BIGINT NOT NULL REFERENCES delivery (number) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status      BIGINT,
    error_class TEXT COLLATE "C" NOT NULL,
    detail      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (delivery, number)
);
