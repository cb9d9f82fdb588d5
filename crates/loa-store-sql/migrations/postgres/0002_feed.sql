-- Feed: what stands in which feed, what is gone, and what readers were last told.
-- Times are epoch milliseconds, UTC. `feed.change` comes from `counter`, so that it grows in the order of commits.

CREATE TABLE counter (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('change', 0);

CREATE TABLE seen (
    event_source TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    article      TEXT COLLATE "C" NOT NULL,
    revision     BIGINT NOT NULL,
    withdrawn    BIGINT NOT NULL CHECK (withdrawn IN (0, 1)),
    stale        BIGINT NOT NULL CHECK (stale IN (0, 1)), -- a higher version stood when it came
    seen_at      BIGINT NOT NULL,
    PRIMARY KEY (event_source, event_id)
);
CREATE INDEX seen_article ON seen (article, seen_at);

-- The version that stands of each subject. `content` is NULL for a withdrawal.
CREATE TABLE item (
    article      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    revision     BIGINT NOT NULL,
    withdrawn    BIGINT NOT NULL CHECK (withdrawn IN (0, 1)),
    event_id     TEXT COLLATE "C" NOT NULL,
    event_source TEXT COLLATE "C" NOT NULL,
    content      TEXT COLLATE "C",
    label        TEXT COLLATE "C" NOT NULL,    -- of the category; empty for a document
    reason       TEXT COLLATE "C" NOT NULL,
    sort_at      BIGINT NOT NULL, -- published, or withdrawn
    CHECK ((content IS NULL) = (withdrawn = 1))
);

-- Every feed that any publication of a subject belonged to: where its tombstone goes.
CREATE TABLE stood (
    article TEXT COLLATE "C" NOT NULL,
    feed    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (article, feed)
);

-- Where a subject is to be read now: as an entry (gone = 0) or as a tombstone (gone = 1).
CREATE TABLE place (
    feed    TEXT COLLATE "C" NOT NULL,
    gone    BIGINT NOT NULL CHECK (gone IN (0, 1)),
    sort_at BIGINT NOT NULL,
    article TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (feed, gone, sort_at, article),
    UNIQUE (article, feed)
);

CREATE TABLE feed (
    name    TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    change  BIGINT NOT NULL,
    entries BIGINT NOT NULL CHECK (entries >= 0),
    entered BIGINT NOT NULL CHECK (entered IN (0, 1)), -- whether any publication ever belonged to it
    -- What its category was last called, by the newest publication that ever belonged to it, standing or not: its name
    -- while nothing stands in it. Empty for other feeds.
    label          TEXT COLLATE "C" NOT NULL DEFAULT '',
    label_at       BIGINT NOT NULL DEFAULT -9223372036854775808,
    label_revision BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX feed_change ON feed (change);

CREATE TABLE rendering (
    feed          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    fingerprint   TEXT COLLATE "C" NOT NULL,
    last_modified BIGINT NOT NULL
);
