-- Push: endpoints, what is owed to each, every attempt.
-- Times are epoch milliseconds, UTC. Numbers come from `counter`, so that they grow in the order of commits.

CREATE TABLE counter (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, value) VALUES ('event', 0), ('delivery', 0);

CREATE TABLE seen (
    event_source TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    article      TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    withdrawn    INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    stale        INTEGER NOT NULL CHECK (stale IN (0, 1)), -- a higher version had come before
    seen_at      INTEGER NOT NULL,
    PRIMARY KEY (event_source, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_article ON seen (article, seen_at);

CREATE TABLE endpoint (
    id          TEXT PRIMARY KEY NOT NULL,
    url         TEXT NOT NULL,
    description TEXT NOT NULL,
    filter      TEXT NOT NULL,
    disabled    TEXT,           -- the reason; NULL: enabled
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE endpoint_secret (
    endpoint TEXT NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    place    INTEGER NOT NULL, -- 0 = the newest
    secret   BLOB NOT NULL,
    PRIMARY KEY (endpoint, place)
) STRICT, WITHOUT ROWID;

-- The frozen bytes, once however many endpoints. Only events that somebody is owed.
CREATE TABLE event (
    id           INTEGER PRIMARY KEY NOT NULL,
    event_source TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    event_type   TEXT NOT NULL,
    body         BLOB NOT NULL,
    UNIQUE (event_source, event_id)
) STRICT;

-- (revision, withdrawn, version_id) is the version, in the order of the domain. `tries` counts attempts since the
-- delivery was accepted or last redriven, `attempts` all of them. `ready_at`: when it may be claimed: due, or when its
-- lease ends; NULL at an end.
CREATE TABLE delivery (
    number     INTEGER PRIMARY KEY NOT NULL,
    endpoint   TEXT NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    event      INTEGER NOT NULL REFERENCES event (id),
    article    TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    withdrawn  INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    version_id TEXT NOT NULL,
    state      TEXT NOT NULL,
    ready_at   INTEGER,
    holder     TEXT,
    tries      INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (event, endpoint),
    CHECK ((ready_at IS NULL) = (state <> 'pending'))
) STRICT;
CREATE INDEX delivery_ready ON delivery (endpoint, ready_at, number) WHERE ready_at IS NOT NULL;
CREATE INDEX delivery_held ON delivery (endpoint, ready_at) WHERE holder IS NOT NULL;
CREATE INDEX delivery_version ON delivery (endpoint, article, state, revision, withdrawn, version_id);
CREATE INDEX delivery_endpoint ON delivery (endpoint, number);
CREATE INDEX delivery_state ON delivery (state, number);
CREATE INDEX delivery_article ON delivery (article, number);

CREATE TABLE attempt (
    delivery    INTEGER NOT NULL REFERENCES delivery (number) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status      INTEGER,
    error_class TEXT NOT NULL,
    detail      TEXT NOT NULL,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
