-- Intake: what stands of each article, the archive of every event, and the outbox that owes some of them to the bus.
-- Times are epoch milliseconds, UTC. Numbers come from `counter`, so that they grow in the order of commits.

CREATE TABLE counter (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('archive', 0);

CREATE TABLE standing (
    article      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    revision     BIGINT NOT NULL,
    withdrawn    BIGINT NOT NULL CHECK (withdrawn IN (0, 1)),
    fingerprint  TEXT COLLATE "C" NOT NULL,
    event_source TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    category     TEXT COLLATE "C" NOT NULL
);

CREATE TABLE archive (
    sequence     BIGINT PRIMARY KEY NOT NULL,
    event_source TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    event_type   TEXT COLLATE "C" NOT NULL,
    article      TEXT COLLATE "C" NOT NULL,
    revision     BIGINT NOT NULL,
    routing_key  TEXT COLLATE "C" NOT NULL,
    body         BYTEA NOT NULL,
    archived_at  BIGINT NOT NULL,
    submitted    BIGINT NOT NULL CHECK (submitted IN (0, 1)), -- came in through intake, not from the bus
    confirmed_at BIGINT,                                      -- when the bus confirmed it; NULL: not (yet) ours to say
    UNIQUE (event_source, event_id)
);
CREATE INDEX archive_article ON archive (article, sequence);
CREATE INDEX archive_archived_at ON archive (archived_at, sequence);

-- One row for each event not yet confirmed. `ready_at`: 0 = ready now; otherwise when a lease or a back-off ends.
-- Rows come and go here all the time: what is dead is swept, and counted, early.
CREATE TABLE outbox (
    sequence     BIGINT PRIMARY KEY NOT NULL REFERENCES archive (sequence),
    article      TEXT COLLATE "C" NOT NULL,
    ready_at     BIGINT NOT NULL,
    holder       TEXT COLLATE "C",
    attempts     BIGINT NOT NULL,
    error        TEXT COLLATE "C" NOT NULL,
    submitted_at BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX outbox_ready ON outbox (ready_at, sequence);
CREATE INDEX outbox_article ON outbox (article, sequence);
