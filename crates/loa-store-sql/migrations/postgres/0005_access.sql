-- Access: tokens of the API, by their hashes. Times are epoch milliseconds, UTC.

CREATE TABLE token (
    name        TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    scope       TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    revoked_at  BIGINT
);
