-- Intake: what stands of each article, the archive of every event, and the outbox that owes some of them to the bus.
-- Times are epoch milliseconds, UTC. Numbers come from `counter`, so that they grow in the order of commits.

CREATE TABLE counter (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, value) VALUES ('archive', 0);

CREATE TABLE standing (
    article      TEXT PRIMARY KEY NOT NULL,
    revision     INTEGER NOT NULL,
    withdrawn    INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    fingerprint  TEXT NOT NULL,
    event_source TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    category     TEXT NOT NULL
) STRICT;

CREATE TABLE archive (
    sequence     INTEGER PRIMARY KEY NOT NULL,
    event_source TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    event_type   TEXT NOT NULL,
    article      TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    routing_key  TEXT NOT NULL,
    body         BLOB NOT NULL,
    archived_at  INTEGER NOT NULL,
    submitted    INTEGER NOT NULL CHECK (submitted IN (0, 1)), -- came in through intake, not from the bus
    confirmed_at INTEGER,                                      -- when the bus confirmed it; NULL: not (yet) ours to say
    UNIQUE (event_source, event_id)
) STRICT;
CREATE INDEX archive_article ON archive (article, sequence);
CREATE INDEX archive_archived_at ON archive (archived_at, sequence);

-- One row for each event not yet confirmed. `ready_at`: 0 = ready now; otherwise when a lease or a back-off ends.
CREATE TABLE outbox (
    sequence     INTEGER PRIMARY KEY NOT NULL REFERENCES archive (sequence),
    article      TEXT NOT NULL,
    ready_at     INTEGER NOT NULL,
    holder       TEXT,
    attempts     INTEGER NOT NULL,
    error        TEXT NOT NULL,
    submitted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_ready ON outbox (ready_at, sequence);
CREATE INDEX outbox_article ON outbox (article, sequence);
