-- Watch: sources that are looked at, and the articles that each has named. Times are epoch milliseconds, UTC.

CREATE TABLE watch_source (
    name          TEXT PRIMARY KEY NOT NULL,
    -- the portal whose articles it names; empty: the installation's own
    portal        TEXT NOT NULL,
    address       TEXT NOT NULL,
    -- asked one thing at a time
    host          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    selectors     TEXT NOT NULL,
    since         INTEGER,
    every_seconds INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    state         TEXT NOT NULL,
    due_at        INTEGER NOT NULL,
    -- who looks at it now, and until when that counts
    holder        TEXT,
    held_until    INTEGER NOT NULL
) STRICT;
CREATE INDEX watch_source_due ON watch_source (due_at, name);
CREATE INDEX watch_source_host ON watch_source (host, held_until);

CREATE TABLE watch_item (
    source        TEXT NOT NULL REFERENCES watch_source (name),
    address       TEXT NOT NULL,
    title_key     TEXT NOT NULL,
    title         TEXT NOT NULL,
    listed_at     INTEGER,
    changed_at    INTEGER,
    state         TEXT NOT NULL,
    article       TEXT,
    digest        TEXT,
    -- whether its text was read from the source itself; then the digest of its page
    is_text_of_list INTEGER NOT NULL,
    page_digest   TEXT,
    etag          TEXT,
    last_modified TEXT,
    first_seen_at INTEGER NOT NULL,
    looked_at     INTEGER,
    due_at        INTEGER,
    looks         INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    missing       INTEGER NOT NULL,
    missing_since INTEGER,
    error         TEXT,
    PRIMARY KEY (source, address)
) STRICT;
CREATE INDEX watch_item_due ON watch_item (source, due_at, address) WHERE due_at IS NOT NULL;
CREATE INDEX watch_item_title ON watch_item (source, title_key, first_seen_at);
