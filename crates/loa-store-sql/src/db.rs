//! The one place that knows which engine is behind a ledger: an enum of typed pools, an enum of typed transactions, and
//! two macros that compile an expression once for each engine with its own native types.
//!
//! SQL is written once, portable: `$1`, `ON CONFLICT`, `RETURNING`, row values, times as `i64` milliseconds, no functions
//! of a dialect. When PostgreSQL joins, it is one variant more in `Db` and `Tx` and one arm more in each macro; nothing
//! outside this file and `schema.rs` changes, but the claims, which want `FOR UPDATE SKIP LOCKED` there.

use crate::fault::{Fault, Result, refuse};
use loa_store::StoreErrorKind;
use sqlx::{
    Connection, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, str::FromStr, time::Duration};

/// Reading connections of one process to one file: pages and metrics beside the service's own loop.
const READERS_MAX: u32 = 4;
/// How long a writer waits for another process's transaction. Ours last milliseconds; the longest (planning a chunk of a
/// big run) about a second.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection of this process before it is told "unavailable".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// The write-ahead log is cut back to this after a burst, in bytes.
const WAL_BYTES_MAX: &str = "67108864";

/// A ledger's connections.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    /// One writer, so that transactions of this process queue here and not in the file's lock; several readers.
    Sqlite { read: SqlitePool, write: SqlitePool },
}

/// A transaction. Dropped without [`Tx::commit`], it is rolled back.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
}

/// Reads outside a transaction: `read!(db, pool => query.fetch_all(pool).await?)`.
macro_rules! read {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite { read: $pool, .. } => $body,
        }
    };
}

/// One statement in a transaction: `on!(tx, c: D => query.execute(c).await?)`; `D` names the engine's type inside.
macro_rules! on {
    ($tx:expr, $c:ident : $D:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(transaction) => {
                #[allow(dead_code)]
                type $D = sqlx::Sqlite;
                let $c = &mut **transaction;
                $body
            }
        }
    };
}

impl Db {
    /// Opens a file; makes it, readable by its owner only, when `create` is set and it is not there.
    pub(crate) async fn file(path: &Path, create: bool) -> Result<Self> {
        if create {
            make_private_file(path).await?;
        }
        let common = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("journal_size_limit", WAL_BYTES_MAX);
        // The writer opens first: it turns the write-ahead log on and finishes what a crash left in it.
        let write = pool(1).connect_with(common.clone()).await?;
        let read = pool(READERS_MAX).connect_with(common.pragma("query_only", "ON")).await?;
        Ok(Self::Sqlite { read, write })
    }

    /// Opens what an address names: `sqlite:PATH`.
    pub(crate) async fn connect(url: &str, create: bool) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            let scheme = url.split(':').next().unwrap_or_default();
            let what = format!("no ledger can be kept at a {scheme:?} address; known: sqlite:PATH");
            return Err(refuse(StoreErrorKind::Rejected, what));
        }
        let path = SqliteConnectOptions::from_str(url)?.get_filename().to_owned();
        Self::file(&path, create).await
    }

    /// Begins a writing transaction that holds the write lock from its first moment: what it reads cannot change under it.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { write, .. } => Ok(Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?)),
        }
    }

    /// Begins a reading transaction: all of its statements see the same moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { read, .. } => Ok(Tx::Sqlite(read.begin().await?)),
        }
    }

    /// Closes all connections; the last one folds the log into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
        }
    }

    /// Proves that the ledger can be read.
    pub(crate) async fn ping(&self) -> Result<()> {
        let _: i64 = read!(self, pool => sqlx::query_scalar("SELECT COUNT(*) FROM migration").fetch_one(pool).await?);
        Ok(())
    }
}

impl Tx {
    /// Ends the transaction; what it wrote is on disk when this returns.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.commit().await?),
        }
    }
}

fn pool(connections_max: u32) -> SqlitePoolOptions {
    // Connections are kept for ever: opening one costs more than keeping it, and the last to close would fold the log.
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .test_before_acquire(false)
        // A full disk or an input/output error makes SQLite roll back by itself; sqlx's own rollback then fails, and its
        // connection counts itself inside a transaction for ever. Such a one is replaced. (The ping comes after the
        // rollback that a dropped transaction has queued.)
        .before_acquire(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Makes the file and its folder when they are not there. Ledgers hold addresses, tokens and secrets: nobody but the owner
/// may read them; the write-ahead log takes the file's permissions.
async fn make_private_file(path: &Path) -> Result<()> {
    let unavailable = |source: std::io::Error| {
        let what = format!("could not make the ledger {}", path.display());
        Fault::Known(loa_store::StoreError::caused(StoreErrorKind::Unavailable, what, source))
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        tokio::fs::create_dir_all(folder).await.map_err(unavailable)?;
    }
    let mut options = tokio::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await.map(drop).map_err(unavailable)
}

#[cfg(test)]
impl Db {
    /// How the engine would go about a statement, one line a step.
    pub(crate) async fn steps_of(&self, statement: &str) -> Vec<String> {
        use sqlx::Row;
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let Self::Sqlite { write, .. } = self;
        let rows = sqlx::query(explain).fetch_all(write).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail")).collect()
    }

    /// Holds that a statement is served by indexes: it walks through no table (but those named) and sorts nothing.
    pub(crate) async fn assert_served_by_indexes(&self, statement: &str, may_be_walked: &[&str]) {
        let steps = self.steps_of(statement).await;
        for step in &steps {
            let walks = step
                .strip_prefix("SCAN ")
                .is_some_and(|rest| !may_be_walked.iter().any(|table| rest.split(' ').next() == Some(table)));
            let sorts = step.contains("TEMP B-TREE") && may_be_walked.is_empty();
            assert!(!walks && !sorts, "{step:?} in {steps:#?} of {statement}");
        }
        assert!(steps.iter().any(|step| step.starts_with("SEARCH ")), "{steps:#?}");
    }
}
