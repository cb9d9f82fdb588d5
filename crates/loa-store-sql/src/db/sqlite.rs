//! SQLite: a file for each ledger, one writer for each process, several readers.

use super::{Found, Tx, files_of};
use crate::fault::{Fault, InPlace, Result, is_busy};
use loa_domain::TroubleKind;
use sqlx::{
    ConnectOptions, Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Reading connections of one process to one file: pages and metrics beside the service's own loop.
const READERS_MAX: u32 = 4;
/// How long a writer waits for another process's transaction. Ours last milliseconds; the longest (planning a chunk of a
/// big run) about a second.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection of this process before it is told "unavailable".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often opening a locked file is tried again, and how long after.
const OPENING_TRIES_MAX: u32 = 40;
const OPENING_PAUSE: Duration = Duration::from_millis(50);
/// The write-ahead log is cut back to this after a burst, in bytes.
const WAL_BYTES_MAX: &str = "67108864";

/// How much of a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Examination {
    Beginning,
    /// Every page: its cost grows with the file.
    Whole,
    /// Every page, and whether it takes writes.
    WholeAndWritten,
}

/// A ledger's file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Readers; they cannot write.
    read: SqlitePool,
    /// The one writer, so that transactions of this process queue here and not in the file's lock.
    pub(crate) write: SqlitePool,
    whereabouts: Arc<Whereabouts>,
    /// Held while all of the file is examined.
    examining: Arc<tokio::sync::Mutex<()>>,
}

impl File {
    /// Opens a file; makes it, readable by its owner only, when `create` is set and it is not there.
    pub(crate) async fn open(path: &Path, create: bool) -> Result<Self> {
        if create {
            make_private_file(path).await?;
        }
        let common = options(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", WAL_BYTES_MAX);
        let whereabouts = Arc::new(Whereabouts::of(path));
        // The writer opens first: it turns the write-ahead log on and finishes what a crash left in it.
        let write = connect(1, common.clone(), &whereabouts).await?;
        let read = connect(READERS_MAX, common.pragma("query_only", "ON"), &whereabouts).await?;
        Ok(Self { read, write, whereabouts, examining: Arc::default() })
    }

    /// Begins a writing transaction that holds the write lock from its first moment: what it reads cannot change under it.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        self.whereabouts.still()?;
        Ok(Tx::Sqlite(self.write.begin_with("BEGIN IMMEDIATE").await?, self.whereabouts.clone()))
    }

    /// Begins a reading transaction: all of its statements see the same moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        Ok(Tx::Sqlite(self.reader()?.begin().await?, self.whereabouts.clone()))
    }

    /// The readers of the file that is there now.
    pub(crate) fn reader(&self) -> Result<&SqlitePool> {
        self.whereabouts.still()?;
        Ok(&self.read)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.whereabouts.path
    }

    /// What the engine found wrong with it.
    pub(crate) fn found(&self) -> &Found {
        &self.whereabouts.found
    }

    /// Brings what stands in a log that was deleted into the file: our writer has it open still. Then all connections are made
    /// anew, and with them a log. `false`: the log is where it was.
    pub(crate) async fn save_deleted_log(&self) -> Result<bool> {
        if !self.whereabouts.log_is_gone() {
            return Ok(false);
        }
        let mut writer = self.write.acquire().await?;
        let (is_busy, ..): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *writer).await?;
        if is_busy == 0 {
            tracing::warn!(file = %self.path().display(), "the log of a ledger was deleted while it was in use; what stood in it is in the file now");
            self.whereabouts.begin_anew();
        }
        Ok(true)
    }

    /// Whose turn it is to examine all of the file.
    pub(crate) fn examining(&self) -> Arc<tokio::sync::Mutex<()>> {
        self.examining.clone()
    }

    /// Reads the file's beginning by a connection that remembers nothing.
    pub(crate) async fn examine(&self, how: Examination) -> Result<()> {
        self.whereabouts.still()?;
        let mut connection = options(self.path()).connect().await?;
        let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'migration'")
            .fetch_one(&mut connection)
            .await?;
        if tables == 0 {
            let says = format!(
                "the file {} has no ledger in it any more: was it emptied, or exchanged for another one? Stop every `loa` that \
                 uses it and bring the ledger back from its copy with `loa restore` (docs/operating/backup-and-restore.md); \
                 until then what comes in waits",
                self.path().display()
            );
            return Err(in_place(TroubleKind::NotALedger, self.path(), says, String::new()));
        }
        if how == Examination::WholeAndWritten {
            // a full disk, or one without rights, can be read
            sqlx::query("UPDATE migration SET name = name WHERE version = (SELECT MIN(version) FROM migration)")
                .execute(&mut connection)
                .await?;
        }
        if how != Examination::Beginning {
            let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
            if verdict != "ok" {
                let says = format!(
                    "the file {} is damaged: stop every `loa` that uses it and bring the ledger back from its copy with \
                     `loa restore` (docs/operating/backup-and-restore.md); until then what comes in waits",
                    self.path().display()
                );
                let found = verdict.lines().collect::<Vec<_>>().join(" ");
                return Err(in_place(TroubleKind::Damaged, self.path(), says, found));
            }
        }
        Ok(connection.close().await?)
    }

    /// Closes all connections; the last one folds the log into the file.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).create_if_missing(false).foreign_keys(true).busy_timeout(BUSY_TIMEOUT)
}

/// Where a file is to be, and which one it is: a file that is deleted or moved away while it is open goes on taking what is
/// written, and all of that is gone when it is closed.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    path: PathBuf,
    log: PathBuf,
    found: Found,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    file: Option<Identity>,
    /// Its log, from the first time that it was seen.
    log: Option<Identity>,
    /// Since when it is that file: older connections have another one open.
    since: Option<Instant>,
}

/// Device and number of a file.
type Identity = (u64, u64);

impl Whereabouts {
    /// What the engine found wrong with the file.
    pub(crate) fn found(&self) -> &Found {
        &self.found
    }

    fn of(path: &Path) -> Self {
        let [_, log, _] = files_of(path);
        Self { path: path.to_owned(), log, found: Found::default(), known: Mutex::default() }
    }

    /// That there is a file in the place. Another one than before is taken for the ledger from now on: connections to the
    /// one before are given up. (A look at a name costs a microsecond: less than handing it to another thread.)
    pub(crate) fn still(&self) -> Result<()> {
        let there = identity(&self.path).map_err(|error| {
            let says = format!(
                "the file {} was deleted or moved away while it was in use: stop every `loa` that uses it and \
                 bring the ledger back from its copy with `loa restore` (docs/operating/backup-and-restore.md); until then \
                 what comes in waits",
                self.path.display()
            );
            in_place(TroubleKind::FileGone, &self.path, says, error.to_string())
        })?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.file.is_some_and(|file| file != there) {
            tracing::warn!(file = %self.path.display(), "another file is in the ledger's place; it is opened anew");
            known.since = Some(Instant::now());
            known.log = None;
        }
        known.file = Some(there);
        let log = identity(&self.log).ok();
        if known.log.is_some() && known.log != log {
            let says = format!(
                "the log {} was deleted while it was in use; what stands in it is being brought into the file, and then it goes \
                 on by itself. Whoever deletes such files must stop doing so",
                self.log.display()
            );
            return Err(in_place(TroubleKind::LogDeleted, &self.log, says, String::new()));
        }
        known.log = log;
        Ok(())
    }

    /// Whether the log is not the one that connections have open.
    fn log_is_gone(&self) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.log.is_some() && known.log != identity(&self.log).ok() && known.file == identity(&self.path).ok()
    }

    fn forget_log(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).log = None;
    }

    /// Gives up all connections, and the log they know.
    fn begin_anew(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.log, known.since) = (None, Some(Instant::now()));
    }

    /// Whether a connection of this age is to the file that is there now, and remembers no page from before trouble was met.
    fn is_fresh(&self, age: Duration) -> bool {
        let since = self.known.lock().unwrap_or_else(PoisonError::into_inner).since;
        [since, self.found.met_at()].into_iter().flatten().all(|at| at.elapsed() > age)
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}

/// Opens a pool and its first connection. Processes that open a new file at once collide while it is turned to the
/// write-ahead log, where SQLite does not wait for its lock: a short while later one of them has done it.
async fn connect(
    connections_max: u32,
    options: SqliteConnectOptions,
    whereabouts: &Arc<Whereabouts>,
) -> Result<SqlitePool> {
    let mut tries = 0;
    loop {
        match pool(connections_max, whereabouts.clone()).connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && tries < OPENING_TRIES_MAX => {
                tries += 1;
                tokio::time::sleep(OPENING_PAUSE).await;
            }
            opened => return Ok(opened?),
        }
    }
}

fn pool(connections_max: u32, whereabouts: Arc<Whereabouts>) -> SqlitePoolOptions {
    // Connections are kept for ever: opening one costs more than keeping it, and the last to close would fold the log.
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .test_before_acquire(false)
        // A full disk or an input/output error makes SQLite roll back by itself; sqlx's own rollback then fails, and its
        // connection counts itself inside a transaction for ever. Such a one is replaced. (The ping comes after the
        // rollback that a dropped transaction has queued.)
        .before_acquire(move |connection, about| {
            let is_fresh = whereabouts.is_fresh(about.age);
            if !is_fresh {
                // the last one of all that is given up takes the log with it
                whereabouts.forget_log();
            }
            Box::pin(async move {
                connection.ping().await?;
                Ok(is_fresh && !connection.is_in_transaction())
            })
        })
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// What is wrong with a file, for whoever keeps Loa running.
fn in_place(kind: TroubleKind, file: &Path, says: String, detail: String) -> Fault {
    Fault::InPlace(InPlace { kind, place: file.display().to_string(), says, detail })
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
