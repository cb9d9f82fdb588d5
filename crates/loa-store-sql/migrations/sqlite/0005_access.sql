-- Access: tokens of the API, by their hashes. Times are epoch milliseconds, UTC.

CREATE TABLE token (
    name        TEXT PRIMARY KEY NOT NULL,
    scope       TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
