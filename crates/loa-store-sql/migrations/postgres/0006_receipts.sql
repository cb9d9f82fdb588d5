-- Receipts: what went out and what people decided, for a ledger that is restored from a copy.
-- Times are epoch milliseconds, UTC. Numbers come from `counter`, so that they grow in the order of commits; its row
-- `complete_since` (once there) says since when nothing is missing.

CREATE TABLE counter (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('receipt', 0);

CREATE TABLE receipt (
    sequence BIGINT PRIMARY KEY NOT NULL,
    book     TEXT COLLATE "C" NOT NULL, -- whose: digest, push
    noted_at BIGINT NOT NULL,
    body     TEXT COLLATE "C" NOT NULL  -- JSON
);
CREATE INDEX receipt_book ON receipt (book, sequence);
CREATE INDEX receipt_noted ON receipt (noted_at, sequence);
