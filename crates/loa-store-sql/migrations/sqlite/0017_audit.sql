-- Completeness is counted: which archived events an outlet has not seen, and which heartbeats came through where.

-- Who this installation is: made once, carried by its heartbeats, so that a second one on the same broker is noticed.
CREATE TABLE installation (
    one     INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    id      TEXT NOT NULL
) STRICT;
INSERT INTO installation (one, id) VALUES (1, lower(hex(randomblob(16))));

-- How far each outlet was audited. It begins with what is archived from now on: years of archive are not read anew.
CREATE TABLE audit (
    outlet      TEXT PRIMARY KEY NOT NULL,
    reached     INTEGER NOT NULL,           -- everything up to this number was looked at
    asked_at    INTEGER,                    -- when the outlet's ledger last answered; NULL: never
    passed_at   INTEGER                     -- what was routed until then has passed the outlet's queue; NULL: not known
) STRICT;
INSERT INTO audit (outlet, reached)
    SELECT names.outlet, counter.value
    FROM counter, (SELECT 'feed' AS outlet UNION ALL SELECT 'digest' UNION ALL SELECT 'push') AS names
    WHERE counter.name = 'archive';

-- What an outlet had not seen when it was last asked.
CREATE TABLE gap (
    outlet    TEXT NOT NULL,
    sequence  INTEGER NOT NULL REFERENCES archive (sequence),
    looked_at INTEGER NOT NULL,
    PRIMARY KEY (outlet, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX gap_looked_at ON gap (outlet, looked_at, sequence);
CREATE INDEX gap_sequence ON gap (sequence);

-- The newest heartbeat of each installation that came through each binding of each queue.
CREATE TABLE heartbeat (
    queue        TEXT NOT NULL,
    binding      TEXT NOT NULL, -- empty: straight to the queue
    installation TEXT NOT NULL,
    host         TEXT NOT NULL,
    sent_at      INTEGER NOT NULL,
    first_at     INTEGER NOT NULL, -- heard for the first time
    heard_at     INTEGER NOT NULL,
    PRIMARY KEY (queue, binding, installation)
) STRICT, WITHOUT ROWID;
