-- Feed: what stands in which feed, what is gone, and what readers were last told.
-- Times are epoch milliseconds, UTC. `feed.change` comes from `counter`, so that it grows in the order of commits.

CREATE TABLE counter (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, value) VALUES ('change', 0);

CREATE TABLE seen (
    event_source TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    article      TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    withdrawn    INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    stale        INTEGER NOT NULL CHECK (stale IN (0, 1)), -- a higher version stood when it came
    seen_at      INTEGER NOT NULL,
    PRIMARY KEY (event_source, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_article ON seen (article, seen_at);

-- The version that stands of each subject. `content` is NULL for a withdrawal.
CREATE TABLE item (
    article      TEXT PRIMARY KEY NOT NULL,
    revision     INTEGER NOT NULL,
    withdrawn    INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    event_id     TEXT NOT NULL,
    event_source TEXT NOT NULL,
    content      TEXT,
    label        TEXT NOT NULL,    -- of the category; empty for a document
    reason       TEXT NOT NULL,
    sort_at      INTEGER NOT NULL, -- published, or withdrawn
    CHECK ((content IS NULL) = (withdrawn = 1))
) STRICT;

-- Every feed that any publication of a subject belonged to: where its tombstone goes.
CREATE TABLE stood (
    article TEXT NOT NULL,
    feed    TEXT NOT NULL,
    PRIMARY KEY (article, feed)
) STRICT, WITHOUT ROWID;

-- Where a subject is to be read now: as an entry (gone = 0) or as a tombstone (gone = 1).
CREATE TABLE place (
    feed    TEXT NOT NULL,
    gone    INTEGER NOT NULL CHECK (gone IN (0, 1)),
    sort_at INTEGER NOT NULL,
    article TEXT NOT NULL,
    PRIMARY KEY (feed, gone, sort_at, article),
    UNIQUE (article, feed)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed (
    name    TEXT PRIMARY KEY NOT NULL,
    change  INTEGER NOT NULL,
    entries INTEGER NOT NULL CHECK (entries >= 0),
    entered INTEGER NOT NULL CHECK (entered IN (0, 1)), -- whether any publication ever belonged to it
    -- What its category was last called, by the newest publication that ever belonged to it, standing or not: its name
    -- while nothing stands in it. Empty for other feeds.
    label          TEXT NOT NULL DEFAULT '',
    label_at       INTEGER NOT NULL DEFAULT -9223372036854775808,
    label_revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX feed_change ON feed (change);

CREATE TABLE rendering (
    feed          TEXT PRIMARY KEY NOT NULL,
    fingerprint   TEXT NOT NULL,
    last_modified INTEGER NOT NULL
) STRICT;
