-- Watch: sources that are looked at, and the articles that each has named. Times are epoch milliseconds, UTC.

CREATE TABLE watch_source (
    name          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    -- the portal whose articles it names; empty: the installation's own
    portal        TEXT COLLATE "C" NOT NULL,
    address       TEXT COLLATE "C" NOT NULL,
    -- asked one thing at a time
    host          TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    selectors     TEXT COLLATE "C" NOT NULL,
    since         BIGINT,
    every_seconds BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    state         TEXT COLLATE "C" NOT NULL,
    due_at        BIGINT NOT NULL,
    -- who looks at it now, and until when that counts
    holder        TEXT COLLATE "C",
    held_until    BIGINT NOT NULL
);
CREATE INDEX watch_source_due ON watch_source (due_at, name);
CREATE INDEX watch_source_host ON watch_source (host, held_until);

CREATE TABLE watch_item (
    source        TEXT COLLATE "C" NOT NULL REFERENCES watch_source (name),
    address       TEXT COLLATE "C" NOT NULL,
    title_key     TEXT COLLATE "C" NOT NULL,
    title         TEXT COLLATE "C" NOT NULL,
    listed_at     BIGINT,
    changed_at    BIGINT,
    state         TEXT COLLATE "C" NOT NULL,
    article       TEXT COLLATE "C",
    digest        TEXT COLLATE "C",
    -- whether its text was read from the source itself; then the digest of its page
    is_text_of_list BIGINT NOT NULL,
    page_digest   TEXT COLLATE "C",
    etag          TEXT COLLATE "C",
    last_modified TEXT COLLATE "C",
    first_seen_at BIGINT NOT NULL,
    looked_at     BIGINT,
    due_at        BIGINT,
    looks         BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    missing       BIGINT NOT NULL,
    missing_since BIGINT,
    error         TEXT COLLATE "C",
    PRIMARY KEY (source, address)
);
CREATE INDEX watch_item_due ON watch_item (source, due_at, address) WHERE due_at IS NOT NULL;
CREATE INDEX watch_item_title ON watch_item (source, title_key, first_seen_at);
