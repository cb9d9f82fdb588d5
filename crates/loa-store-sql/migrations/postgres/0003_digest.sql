-- Digest: subscriptions, what matches their wishes, runs with their frozen audience, what was sent.
-- Times are epoch milliseconds, UTC. Numbers come from `counter`, so that they grow in the order of commits.

CREATE TABLE counter (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('item', 0), ('run', 0), ('wish', 0);

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

-- The version that stands of each subject, and the last content known of it (of a withdrawn one too).
CREATE TABLE item (
    article          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    revision         BIGINT NOT NULL,
    withdrawn        BIGINT NOT NULL CHECK (withdrawn IN (0, 1)),
    event_id         TEXT COLLATE "C" NOT NULL,
    content          TEXT COLLATE "C",             -- NULL only while nothing but a withdrawal has come
    content_revision BIGINT NOT NULL, -- 0 without content
    content_event_id TEXT COLLATE "C" NOT NULL,
    category         TEXT COLLATE "C" NOT NULL,    -- slug; empty for a document
    published_at     BIGINT NOT NULL,
    reason           TEXT COLLATE "C" NOT NULL,
    accepted_at      BIGINT NOT NULL, -- the version that stands
    sequence         BIGINT NOT NULL UNIQUE,
    CHECK (withdrawn = 1 OR content IS NOT NULL)
);
CREATE INDEX item_accepted ON item (accepted_at, sequence);
CREATE INDEX item_published ON item (published_at, article) WHERE withdrawn = 0;

CREATE TABLE item_reach (
    article TEXT COLLATE "C" NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    area    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (article, area)
);

CREATE TABLE wish (
    id             BIGINT PRIMARY KEY NOT NULL,
    key            TEXT COLLATE "C" NOT NULL UNIQUE,
    every_area     BIGINT NOT NULL CHECK (every_area IN (0, 1)),
    every_category BIGINT NOT NULL CHECK (every_category IN (0, 1))
);
CREATE INDEX wish_every_area ON wish (id) WHERE every_area = 1;

CREATE TABLE wish_area (
    area TEXT COLLATE "C" NOT NULL,
    wish BIGINT NOT NULL REFERENCES wish (id) ON DELETE CASCADE,
    PRIMARY KEY (area, wish)
);
CREATE INDEX wish_area_wish ON wish_area (wish);

CREATE TABLE wish_category (
    wish     BIGINT NOT NULL REFERENCES wish (id) ON DELETE CASCADE,
    category TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (wish, category)
);

-- Which standing item fits which wish. `sequence` is the item's.
CREATE TABLE matched (
    wish     BIGINT NOT NULL REFERENCES wish (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    article  TEXT COLLATE "C" NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    PRIMARY KEY (wish, sequence),
    UNIQUE (article, wish)
);

CREATE TABLE subscriber (
    id         TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    email      TEXT COLLATE "C" NOT NULL,
    email_key  TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- `considered`: no item up to this sequence is owed by matching; what is owed from before stands in `carried`.
CREATE TABLE subscription (
    id         TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    subscriber TEXT COLLATE "C" NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    frequency  TEXT COLLATE "C" NOT NULL,
    wish       BIGINT NOT NULL REFERENCES wish (id),
    state      TEXT COLLATE "C" NOT NULL,
    token      TEXT COLLATE "C" NOT NULL,
    token_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    since      BIGINT NOT NULL,
    considered BIGINT NOT NULL,
    UNIQUE (subscriber, frequency)
);
CREATE INDEX subscription_wish ON subscription (wish);
CREATE INDEX subscription_audience ON subscription (frequency, state, id);
CREATE INDEX subscription_considered ON subscription (frequency, state, considered);

-- What a subscription was owed when its wish changed, and still wishes.
CREATE TABLE carried (
    subscription TEXT COLLATE "C" NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    article      TEXT COLLATE "C" NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    PRIMARY KEY (subscription, article)
);
CREATE INDEX carried_article ON carried (article);

-- Withdrawn items that a subscription was sent and has not been told of yet.
CREATE TABLE correction (
    subscription TEXT COLLATE "C" NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    article      TEXT COLLATE "C" NOT NULL REFERENCES item (article) ON DELETE CASCADE,
    PRIMARY KEY (subscription, article)
);
CREATE INDEX correction_article ON correction (article);

CREATE TABLE confirmation (
    email_key TEXT COLLATE "C" NOT NULL,
    sent_at   BIGINT NOT NULL,
    place     BIGINT NOT NULL, -- tells several of one millisecond apart
    PRIMARY KEY (email_key, sent_at, place)
);

CREATE TABLE run (
    id         BIGINT PRIMARY KEY NOT NULL,
    frequency  TEXT COLLATE "C" NOT NULL,
    due_on     TEXT COLLATE "C" NOT NULL,
    slot       TEXT COLLATE "C" NOT NULL,
    zone       TEXT COLLATE "C" NOT NULL,
    cutoff     BIGINT NOT NULL,
    planned    BIGINT NOT NULL CHECK (planned IN (0, 1)),
    planned_to TEXT COLLATE "C" NOT NULL, -- subscriptions up to this id were considered
    paused     TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    UNIQUE (frequency, due_on, slot, zone)
);

-- `ready_at`: when it may be claimed: due, or when its lease ends; NULL at an end.
-- Rows come and go here all the time: what is dead is swept, and counted, early.
CREATE TABLE mail (
    run          BIGINT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    subscription TEXT COLLATE "C" NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    email_key    TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    ready_at     BIGINT,
    holder       TEXT COLLATE "C",
    attempts     BIGINT NOT NULL,
    orphaned     BIGINT NOT NULL CHECK (orphaned IN (0, 1)),
    detail       TEXT COLLATE "C" NOT NULL,
    changed_at   BIGINT,
    PRIMARY KEY (run, subscription),
    UNIQUE (run, email_key),
    CHECK ((ready_at IS NULL) = (state NOT IN ('planned', 'submitting')))
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX mail_ready ON mail (run, ready_at, subscription) WHERE ready_at IS NOT NULL;
CREATE INDEX mail_state ON mail (run, state);
CREATE INDEX mail_subscription ON mail (subscription);

-- A line of a mail, and the reservation that keeps it out of every other mail to that subscription (promise 3).
-- `exposed`: 0 = nobody can have read it; 1 = in an SMTP dialogue now; 2 = went out, or may have.
CREATE TABLE mail_item (
    run          BIGINT NOT NULL,
    subscription TEXT COLLATE "C" NOT NULL,
    article      TEXT COLLATE "C" NOT NULL REFERENCES item (article),
    withdrawn    BIGINT NOT NULL CHECK (withdrawn IN (0, 1)), -- a correction
    revision     BIGINT NOT NULL,
    included     BIGINT NOT NULL CHECK (included IN (0, 1)), -- whether the last claim put it in
    exposed      BIGINT NOT NULL CHECK (exposed IN (0, 1, 2)),
    PRIMARY KEY (run, subscription, article, withdrawn),
    UNIQUE (subscription, article, withdrawn, revision),
    FOREIGN KEY (run, subscription) REFERENCES mail (run, subscription) ON DELETE CASCADE
);
CREATE INDEX mail_item_article ON mail_item (article, run);
