-- Access: the portals beside the home portal, which the configuration describes; and the portals to which a token is bound.
-- A slug, a source, and a tag authority with its day are one portal's only: ids and keys are made of them.

CREATE TABLE portal (
    slug          TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    url           TEXT NOT NULL,
    source        TEXT NOT NULL UNIQUE,
    tag_authority TEXT NOT NULL,
    tag_date      TEXT NOT NULL,
    area          TEXT,
    added_at      INTEGER NOT NULL,
    retired_at    INTEGER,
    UNIQUE (tag_authority, tag_date)
) STRICT;

-- No row for a token: it is bound to no portal. `home` is the home portal, which has no row in `portal`.
CREATE TABLE token_portal (
    token  TEXT NOT NULL REFERENCES token (name),
    portal TEXT NOT NULL,
    PRIMARY KEY (token, portal)
) STRICT, WITHOUT ROWID;
