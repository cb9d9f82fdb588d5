-- Access: the portals beside the home portal, which the configuration describes; and the portals to which a token is bound.
-- A slug, a source, and a tag authority with its day are one portal's only: ids and keys are made of them.

CREATE TABLE portal (
    slug          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name          TEXT COLLATE "C" NOT NULL,
    url           TEXT COLLATE "C" NOT NULL,
    source        TEXT COLLATE "C" NOT NULL UNIQUE,
    tag_authority TEXT COLLATE "C" NOT NULL,
    tag_date      TEXT COLLATE "C" NOT NULL,
    area          TEXT COLLATE "C",
    added_at      BIGINT NOT NULL,
    retired_at    BIGINT,
    UNIQUE (tag_authority, tag_date)
);

-- No row for a token: it is bound to no portal. `home` is the home portal, which has no row in `portal`.
CREATE TABLE token_portal (
    token  TEXT COLLATE "C" NOT NULL REFERENCES token (name),
    portal TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (token, portal)
);
