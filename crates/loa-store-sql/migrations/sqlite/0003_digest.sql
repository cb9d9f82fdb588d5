-- Digest: subscriptions, what matches their wishes, runs with their frozen audience, what was sent.
-- Times are epoch milliseconds, UTC. Numbers come from `counter`, so that they grow in the order of commits.

CREATE TABLE counter (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, value) VALUES ('item', 0), ('run', 0), ('wish', 0);

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

-- The version that stands of each subject, and the last content known of it (of a withdrawn one too).
CREATE TABLE item (
    article          TEXT PRIMARY KEY NOT NULL,
    revision         INTEGER NOT NULL,
    withdrawn        INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    event_id         TEXT NOT NULL,
    content          TEXT,             -- NULL only while nothing but a withdrawal has come
    content_revision INTEGER NOT NULL, -- 0 without content
    content_event_id TEXT NOT NULL,
    category         TEXT NOT NULL,    -- slug; empty for a document
    published_at     INTEGER NOT NULL,
    reason           TEXT NOT NULL,
    accepted_at      INTEGER NOT NULL, -- the version that stands
    sequence         INTEGER NOT NULL UNIQUE,
    CHECK (withdrawn = 1 OR content IS NOT NULL)
) STRICT;
CREATE INDEX item_accepted ON item (accepted_at, sequence);
CREATE INDEX item_published ON item (published_at, article) WHERE withdrawn = 0;

CREATE TABLE item_reach (
    article TEXT NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    area    TEXT NOT NULL,
    PRIMARY KEY (article, area)
) STRICT, WITHOUT ROWID;

CREATE TABLE wish (
    id             INTEGER PRIMARY KEY NOT NULL,
    key            TEXT NOT NULL UNIQUE,
    every_area     INTEGER NOT NULL CHECK (every_area IN (0, 1)),
    every_category INTEGER NOT NULL CHECK (every_category IN (0, 1))
) STRICT;
CREATE INDEX wish_every_area ON wish (id) WHERE every_area = 1;

CREATE TABLE wish_area (
    area TEXT NOT NULL,
    wish INTEGER NOT NULL REFERENCES wish (id) ON DELETE CASCADE,
    PRIMARY KEY (area, wish)
) STRICT, WITHOUT ROWID;
CREATE INDEX wish_area_wish ON wish_area (wish);

CREATE TABLE wish_category (
    wish     INTEGER NOT NULL REFERENCES wish (id) ON DELETE CASCADE,
    category TEXT NOT NULL,
    PRIMARY KEY (wish, category)
) STRICT, WITHOUT ROWID;

-- Which standing item fits which wish. `sequence` is the item's.
CREATE TABLE matched (
    wish     INTEGER NOT NULL REFERENCES wish (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    article  TEXT NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    PRIMARY KEY (wish, sequence),
    UNIQUE (article, wish)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriber (
    id         TEXT PRIMARY KEY NOT NULL,
    email      TEXT NOT NULL,
    email_key  TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

-- `considered`: no item up to this sequence is owed by matching; what is owed from before stands in `carried`.
CREATE TABLE subscription (
    id         TEXT PRIMARY KEY NOT NULL,
    subscriber TEXT NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    frequency  TEXT NOT NULL,
    wish       INTEGER NOT NULL REFERENCES wish (id),
    state      TEXT NOT NULL,
    token      TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    since      INTEGER NOT NULL,
    considered INTEGER NOT NULL,
    UNIQUE (subscriber, frequency)
) STRICT;
CREATE INDEX subscription_wish ON subscription (wish);
CREATE INDEX subscription_audience ON subscription (frequency, state, id);
CREATE INDEX subscription_considered ON subscription (frequency, state, considered);

-- What a subscription was owed when its wish changed, and still wishes.
CREATE TABLE carried (
    subscription TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    article      TEXT NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    PRIMARY KEY (subscription, article)
) STRICT, WITHOUT ROWID;
CREATE INDEX carried_article ON carried (article);

-- Withdrawn items that a subscription was sent and has not been told of yet.
CREATE TABLE correction (
    subscription TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    article      TEXT NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    PRIMARY KEY (subscription, article)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_article ON correction (article);

CREATE TABLE confirmation (
    email_key TEXT NOT NULL,
    sent_at   INTEGER NOT NULL,
    place     INTEGER NOT NULL, -- tells several of one millisecond apart
    PRIMARY KEY (email_key, sent_at, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id         INTEGER PRIMARY KEY NOT NULL,
    frequency  TEXT NOT NULL,
    due_on     TEXT NOT NULL,
    slot       TEXT NOT NULL,
    zone       TEXT NOT NULL,
    cutoff     INTEGER NOT NULL,
    planned    INTEGER NOT NULL CHECK (planned IN (0, 1)),
    planned_to TEXT NOT NULL, -- subscriptions up to this id were considered
    paused     TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (frequency, due_on, slot, zone)
) STRICT;

-- `ready_at`: when it may be claimed: due, or when its lease ends; NULL at an end.
CREATE TABLE mail (
    run          INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    subscription TEXT NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    email_key    TEXT NOT NULL,
    state        TEXT NOT NULL,
    ready_at     INTEGER,
    holder       TEXT,
    attempts     INTEGER NOT NULL,
    orphaned     INTEGER NOT NULL CHECK (orphaned IN (0, 1)),
    detail       TEXT NOT NULL,
    changed_at   INTEGER,
    PRIMARY KEY (run, subscription),
    UNIQUE (run, email_key),
    CHECK ((ready_at IS NULL) = (state NOT IN ('planned', 'submitting')))
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_ready ON mail (run, ready_at, subscription) WHERE ready_at IS NOT NULL;
CREATE INDEX mail_state ON mail (run, state);
CREATE INDEX mail_subscription ON mail (subscription);

-- A line of a mail, and the reservation that keeps it out of every other mail to that subscription (promise 3).
-- `exposed`: 0 = nobody can have read it; 1 = in an SMTP dialogue now; 2 = went out, or may have.
CREATE TABLE mail_item (
    run          INTEGER NOT NULL,
    subscription TEXT NOT NULL,
    article      TEXT NOT NULL REFERENCES item (article),
    withdrawn    INTEGER NOT NULL CHECK (withdrawn IN (0, 1)), -- a correction
    revision     INTEGER NOT NULL,
    included     INTEGER NOT NULL CHECK (included IN (0, 1)), -- whether the last claim put it in
    exposed      INTEGER NOT NULL CHECK (exposed IN (0, 1, 2)),
    PRIMARY KEY (run, subscription, article, withdrawn),
    UNIQUE (subscription, article, withdrawn, revision),
    FOREIGN KEY (run, subscription) REFERENCES mail (run, subscription) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_item_article ON mail_item (article, run);
