-- Completeness is counted: which archived events an outlet has not seen, and which heartbeats came through where.

-- Who this installation is: made once, carried by its heartbeats, so that a second one on the same broker is noticed.
CREATE TABLE installation (
    one     BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    id      TEXT COLLATE "C" NOT NULL
);
INSERT INTO installation (one, id) VALUES (1, replace(CAST(gen_random_uuid() AS TEXT), '-', ''));

-- How far each outlet was audited. It begins with what is archived from now on: years of archive are not read anew.
CREATE TABLE audit (
    outlet      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    reached     BIGINT NOT NULL,           -- everything up to this number was looked at
    asked_at    BIGINT,                    -- when the outlet's ledger last answered; NULL: never
    passed_at   BIGINT                     -- what was routed until then has passed the outlet's queue; NULL: not known
);
INSERT INTO audit (outlet, reached)
    SELECT names.outlet, counter.value
    FROM counter, (SELECT 'feed' AS outlet UNION ALL SELECT 'digest' UNION ALL SELECT 'push') AS names
    WHERE counter.name = 'archive';

-- What an outlet had not seen when it was last asked.
CREATE TABLE gap (
    outlet    TEXT COLLATE "C" NOT NULL,
    sequence  BIGINT NOT NULL REFERENCES archive (sequence),
    looked_at BIGINT NOT NULL,
    PRIMARY KEY (outlet, sequence)
);
CREATE INDEX gap_looked_at ON gap (outlet, looked_at, sequence);
CREATE INDEX gap_sequence ON gap (sequence);

-- The newest heartbeat of each installation that came through each binding of each queue.
CREATE TABLE heartbeat (
    queue        TEXT COLLATE "C" NOT NULL,
    binding      TEXT COLLATE "C" NOT NULL, -- empty: straight to the queue
    installation TEXT COLLATE "C" NOT NULL,
    host         TEXT COLLATE "C" NOT NULL,
    sent_at      BIGINT NOT NULL,
    first_at     BIGINT NOT NULL, -- heard for the first time
    heard_at     BIGINT NOT NULL,
    PRIMARY KEY (queue, binding, installation)
);
