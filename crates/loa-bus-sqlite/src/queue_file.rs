//! One process's hold on the file: its two pools of connections, its turn at writing, its wake-ups.
//!
//! Bus, publisher and consumers share it; it knows none of them. One writer connection per process puts the
//! transactions of a process in a queue. `BEGIN IMMEDIATE` and a busy timeout order the processes. Readers
//! never wait for writers (WAL). Opening, giving back and leaving fail with the door's errors (`fault.rs`).

use crate::{
    condition::{Call, Condition},
    fault::{closed, fault, is_busy},
    holder::{Deceased, Holder},
    rows::give_back,
    schema,
};
use loa_bus::{BusError, BusErrorKind, Clock, Queue};
use loa_domain::{BusFact, TopologyThing};
use sqlx::{
    Connection, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// How long SQLite itself waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call waits for its turn at the one writer; with [`BUSY_TIMEOUT`] within the 10 s the door promises.
const TURN_TIMEOUT: Duration = Duration::from_secs(8);
/// Reading connections; each costs a thread.
const READERS_MAX: u32 = 2;
/// Shortest time between two checks whether other processes have died.
const RECLAIM_EVERY: Duration = Duration::from_secs(1);

/// The state that the bus and its consumers share.
pub(crate) struct QueueFile {
    pub(crate) write: SqlitePool,
    pub(crate) read: SqlitePool,
    pub(crate) clock: Clock,
    pub(crate) holder: Holder,
    pub(crate) condition: Arc<Condition>,
    pub(crate) closed: AtomicBool,
    pub(crate) next_session: AtomicI64,
    /// Wakes consumers when a queue may have something ready; one per [`Queue::ALL`]. Other
    /// processes' publishes are found by looking.
    wake_ups: [Notify; Queue::ALL.len()],
    /// Consumers that were dropped and whose messages are still held.
    abandoned: Mutex<Vec<Ended>>,
    reclaimed_at: Mutex<Instant>,
}

/// A consumer of this process that has ended.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) session: i64,
    /// The file did not take what was decided: the delivery is not counted, since no message is at fault.
    pub(crate) unsettled_by_file: bool,
}

/// Makes the file when it is not there. Events are read by their owner alone; the write-ahead log takes the file's permissions.
async fn make_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    match options.open(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        // an acknowledgement follows each commit, so each commit is synced
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
}

fn pool(connections_max: u32, condition: &Arc<Condition>) -> SqlitePoolOptions {
    let condition = condition.clone();
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .test_before_acquire(false)
        // A full disk or an input/output error makes SQLite roll back by itself; sqlx's own rollback then fails, and its
        // connection counts itself inside a transaction for ever. Such a one is replaced. (The ping comes after the
        // rollback that a dropped transaction has queued.)
        .before_acquire(move |connection, about| {
            let is_fresh = condition.is_fresh(about.age);
            Box::pin(async move {
                connection.ping().await?;
                Ok(is_fresh && !connection.is_in_transaction())
            })
        })
        .acquire_timeout(TURN_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
}

async fn open_writer(condition: &Arc<Condition>) -> sqlx::Result<(SqlitePool, Holder)> {
    let path = condition.path();
    let write = pool(1, condition).connect_with(options(path)).await?;
    let mut transaction = write.begin_with("BEGIN IMMEDIATE").await?;
    schema::migrate(&mut transaction).await?;
    let id = sqlx::query("INSERT INTO holder DEFAULT VALUES").execute(&mut *transaction).await?.last_insert_rowid();
    let holder = Holder::take(path, id).map_err(sqlx::Error::Io)?;
    transaction.commit().await?;
    Ok((write, holder))
}

impl QueueFile {
    /// Opens the file, makes what is missing, and gives back what dead processes held.
    pub(crate) async fn of_file(path: &Path, clock: Clock) -> Result<Self, BusError> {
        let what = format!("open the queues {}", path.display());
        make_private_file(path).await.map_err(|error| fault(&what, path, sqlx::Error::Io(error)))?;
        let condition = Arc::new(Condition::of(path));
        // two processes that open a new file at once can collide while it is turned to WAL, where SQLite does not wait
        let mut tries = 0;
        let (write, holder) = loop {
            match open_writer(&condition).await {
                Ok(opened) => break opened,
                Err(error) if is_busy(&error) && tries < 20 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error @ sqlx::Error::Protocol(_)) => {
                    return Err(BusError::caused(BusErrorKind::Refused, format!("cannot {what}"), error));
                }
                Err(error) => return Err(fault(&what, path, error)),
            }
        };
        let read = pool(READERS_MAX, &condition).connect_lazy_with(options(path));
        condition.is_open();
        let shared = Self {
            write,
            read,
            clock,
            holder,
            condition,
            closed: AtomicBool::new(false),
            next_session: AtomicI64::new(1),
            wake_ups: Default::default(),
            abandoned: Mutex::default(),
            reclaimed_at: Mutex::new(Instant::now()),
        };
        let given_back = shared.release_dead_holders(true).await.map_err(|error| fault(&what, path, error))?;
        if given_back > 0 {
            tracing::info!(
                messages = given_back,
                "messages of a process that ended without settling them are ready again"
            );
        }
        Ok(shared)
    }

    /// Fails once the bus is closed.
    pub(crate) fn open(&self) -> Result<(), BusError> {
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// A writing transaction.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.write.begin_with("BEGIN IMMEDIATE").await
    }

    /// Notes the outcome of a writing call for [`Connect::health`], and turns its error into a
    /// `BusError`.
    pub(crate) fn outcome<T>(&self, what: &str, result: sqlx::Result<T>) -> Result<T, BusError> {
        self.condition.note(Call::Writes, what, result)
    }

    /// The same for a call that only reads.
    pub(crate) fn looked<T>(&self, what: &str, result: sqlx::Result<T>) -> Result<T, BusError> {
        self.condition.note(Call::Reads, what, result)
    }

    /// The wake-up of a queue.
    pub(crate) fn wake_up(&self, queue: Queue) -> &Notify {
        let index = Queue::ALL.iter().position(|known| *known == queue).unwrap_or_default();
        &self.wake_ups[index]
    }

    /// Wakes the consumers of every queue.
    pub(crate) fn ring_all(&self) {
        for wake_up in &self.wake_ups {
            wake_up.notify_waiters();
        }
    }

    /// Notes that a consumer was dropped; [`Self::release_abandoned`] gives back what it held.
    pub(crate) fn abandon(&self, ended: Ended) {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
    }

    /// Gives back what dropped consumers of this process held.
    pub(crate) async fn release_abandoned(&self) -> sqlx::Result<()> {
        let ended = std::mem::take(&mut *self.abandoned.lock().unwrap_or_else(PoisonError::into_inner));
        for (index, one) in ended.iter().enumerate() {
            if let Err(error) = self.release(*one).await {
                self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).extend(&ended[index..]);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gives back what one consumer of this process holds.
    pub(crate) async fn release(&self, ended: Ended) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        if ended.unsettled_by_file {
            sqlx::query(
                "UPDATE entry SET deliveries = deliveries - 1 WHERE holder = $1 AND session = $2 AND deliveries > 0",
            )
            .bind(self.holder.id)
            .bind(ended.session)
            .execute(&mut *transaction)
            .await?;
        }
        let held: Vec<i64> = sqlx::query_scalar("SELECT position FROM entry WHERE holder = $1 AND session = $2")
            .bind(self.holder.id)
            .bind(ended.session)
            .fetch_all(&mut *transaction)
            .await?;
        give_back(&mut transaction, &held, (self.clock)()).await?;
        transaction.commit().await?;
        self.ring_all();
        Ok(())
    }

    /// Gives back what dead processes held, at most once a [`RECLAIM_EVERY`] unless `now`. Returns how many messages.
    pub(crate) async fn release_dead_holders(&self, now: bool) -> sqlx::Result<u64> {
        {
            let mut reclaimed_at = self.reclaimed_at.lock().unwrap_or_else(PoisonError::into_inner);
            if !now && reclaimed_at.elapsed() < RECLAIM_EVERY {
                return Ok(0);
            }
            *reclaimed_at = Instant::now();
        }
        let others: Vec<i64> = sqlx::query_scalar("SELECT id FROM holder WHERE id <> $1")
            .bind(self.holder.id)
            .fetch_all(&self.read)
            .await?;
        let mut given_back = 0;
        for deceased in others.into_iter().filter_map(|id| Deceased::find(self.condition.path(), id)) {
            let mut transaction = self.begin().await?;
            let held: Vec<i64> = sqlx::query_scalar("SELECT position FROM entry WHERE holder = $1")
                .bind(deceased.id)
                .fetch_all(&mut *transaction)
                .await?;
            given_back += give_back(&mut transaction, &held, (self.clock)()).await?;
            sqlx::query("DELETE FROM holder WHERE id = $1").bind(deceased.id).execute(&mut *transaction).await?;
            transaction.commit().await?;
            deceased.remove_file();
        }
        if given_back > 0 {
            self.ring_all();
        }
        Ok(given_back)
    }

    /// Gives everything back and removes this process's row.
    pub(crate) async fn leave(&self) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        let held: Vec<i64> = sqlx::query_scalar("SELECT position FROM entry WHERE holder = $1")
            .bind(self.holder.id)
            .fetch_all(&mut *transaction)
            .await?;
        give_back(&mut transaction, &held, (self.clock)()).await?;
        sqlx::query("DELETE FROM holder WHERE id = $1").bind(self.holder.id).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    /// Fails unless `declare` made the queue.
    pub(crate) async fn declared(&self, name: &'static str) -> Result<(), BusError> {
        self.open()?;
        let found: Option<i64> = self.looked(
            "look for a queue",
            sqlx::query_scalar("SELECT 1 FROM queue WHERE name = $1").bind(name).fetch_optional(&self.read).await,
        )?;
        match found {
            Some(_) => Ok(()),
            None => Err(missing(name)),
        }
    }
}

/// The error for a queue that does not exist.
pub(crate) fn missing(name: &str) -> BusError {
    BusError::new(BusErrorKind::Unroutable, format!("the queue {name} is missing; `loa migrate` makes it"))
        .about(BusFact::Missing { thing: TopologyThing::Queue { name: name.to_owned() } })
}
