//! The tables of the queues' file. Opening the file makes them; `declare` writes which queues
//! exist.
//!
//! Statements stand in the order in which they were added. A new version appends to [`VERSIONS`]
//! and never edits what landed.

use sqlx::SqliteConnection;

/// One text per version of the schema; `PRAGMA user_version` says how many are in a file.
const VERSIONS: &[&str] = &[
    "
-- the queues that `declare` made; a file without them is an empty topology
CREATE TABLE queue (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- a message, once, however many queues it is in; deleted with the last row that points to it
CREATE TABLE body (
    id           INTEGER PRIMARY KEY,
    message_id   TEXT NOT NULL,
    content_type TEXT NOT NULL,
    headers      TEXT NOT NULL, -- a JSON object of text
    routing_key  TEXT NOT NULL, -- empty when it went straight to a queue
    body         BLOB NOT NULL
) STRICT;

-- a message's place in one queue; AUTOINCREMENT, so that a place is never given twice
CREATE TABLE entry (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    queue      TEXT NOT NULL,
    body_id    INTEGER NOT NULL REFERENCES body (id),
    deliveries INTEGER NOT NULL DEFAULT 0,
    holder     INTEGER, -- who has received and not settled it; NULL: ready
    session    INTEGER  -- which consumer of that holder
) STRICT;
CREATE INDEX entry_ready ON entry (queue, position) WHERE holder IS NULL;
CREATE INDEX entry_held ON entry (holder, session) WHERE holder IS NOT NULL;
CREATE INDEX entry_body ON entry (body_id);

-- a message that could not be processed in one queue
CREATE TABLE dead (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    queue    TEXT NOT NULL,
    body_id  INTEGER NOT NULL REFERENCES body (id),
    reason   TEXT NOT NULL,
    position TEXT NOT NULL, -- where in the message
    dead_at  INTEGER NOT NULL -- milliseconds since 1970
) STRICT;
CREATE INDEX dead_queue ON dead (queue, id);
CREATE INDEX dead_body ON dead (body_id);

-- an open file: a process that may hold messages, see holder.rs
CREATE TABLE holder (
    id INTEGER PRIMARY KEY AUTOINCREMENT
) STRICT;
",
    "
-- what a message went through in the dead letters; a redrive carries it along
ALTER TABLE entry ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN first_dead_at INTEGER; -- milliseconds since 1970
ALTER TABLE dead ADD COLUMN deaths INTEGER NOT NULL DEFAULT 1;
ALTER TABLE dead ADD COLUMN first_dead_at INTEGER;
ALTER TABLE dead ADD COLUMN buried_by TEXT NOT NULL DEFAULT ''; -- empty: the delivery limit did
UPDATE dead SET first_dead_at = dead_at;
",
    "
-- the reason as a fact, in JSON; empty: not known
ALTER TABLE dead ADD COLUMN cause TEXT NOT NULL DEFAULT '';
UPDATE dead SET cause = '{\"cause\":\"delivery_limit\"}' WHERE buried_by = '' AND reason LIKE '%: the delivery limit';
",
];

/// Brings the schema up to date; the caller has begun an immediate transaction.
///
/// # Errors
/// SQLite's; and a file that a later version of Loa wrote is refused as a protocol error.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let have: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    let have = usize::try_from(have).unwrap_or(usize::MAX);
    if have > VERSIONS.len() {
        return Err(sqlx::Error::Protocol(format!(
            "the file has version {have} of the queues' schema, and this program knows {}; use a newer one",
            VERSIONS.len()
        )));
    }
    for text in &VERSIONS[have..] {
        sqlx::raw_sql(*text).execute(&mut *connection).await?;
    }
    // a pragma takes no bound value; the number is ours
    let version = format!("PRAGMA user_version = {}", VERSIONS.len());
    sqlx::raw_sql(sqlx::AssertSqlSafe(version)).execute(&mut *connection).await?;
    Ok(())
}
