//! SQLite: a file for each ledger, one writer for each process, several readers.

use super::Tx;
use crate::fault::{Fault, Result};
use sqlx::{
    Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// Reading connections of one process to one file: pages and metrics beside the service's own loop.
const READERS_MAX: u32 = 4;
/// How long a writer waits for another process's transaction. Ours last milliseconds; the longest (planning a chunk of a
/// big run) about a second.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection of this process before it is told "unavailable".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// The write-ahead log is cut back to this after a burst, in bytes.
const WAL_BYTES_MAX: &str = "67108864";

/// A ledger's file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Readers; they cannot write.
    pub(crate) read: SqlitePool,
    /// The one writer, so that transactions of this process queue here and not in the file's lock.
    pub(crate) write: SqlitePool,
}

impl File {
    /// Opens a file; makes it, readable by its owner only, when `create` is set and it is not there.
    pub(crate) async fn open(path: &Path, create: bool) -> Result<Self> {
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
        Ok(Self { read, write })
    }

    /// Begins a writing transaction that holds the write lock from its first moment: what it reads cannot change under it.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(Tx::Sqlite(self.write.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Begins a reading transaction: all of its statements see the same moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        Ok(Tx::Sqlite(self.read.begin().await?))
    }

    /// Closes all connections; the last one folds the log into the file.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
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
        Fault::Known(loa_store::StoreError::caused(loa_store::StoreErrorKind::Unavailable, what, source))
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
