//! Opening, closing, declaring and watching; what all parts share.
//!
//! One writer connection per process, so that transactions of one process queue up in order instead of colliding; between
//! processes `BEGIN IMMEDIATE` and a busy timeout keep the peace. Readers never wait for writers (WAL).

use crate::{
    consumer::FileConsumer,
    fault::{closed, fault, is_busy},
    holder::{Deceased, Holder},
    rows::give_back,
    schema,
};
use async_trait::async_trait;
use loa_bus::{
    Administer, BusError, BusErrorKind, Clock, Consume, Consumer, DeadLetter, Health, Message, Queue, UNROUTED,
};
use sqlx::{
    Connection, Row, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::{Path, PathBuf},
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
/// Connections for looking; they cost a thread each.
const READERS_MAX: u32 = 2;
/// The shortest time between two looks at whether other processes have died.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Unsettled messages a consumer may have, as on a RabbitMQ quorum queue.
const PREFETCH_MAX: u16 = 2_000;

/// Durable queues in one file.
pub struct SqliteBus {
    pub(crate) shared: Arc<Shared>,
}

/// What the bus and its consumers have in common.
pub(crate) struct Shared {
    pub(crate) write: SqlitePool,
    pub(crate) read: SqlitePool,
    pub(crate) clock: Clock,
    pub(crate) holder: Holder,
    path: PathBuf,
    closed: AtomicBool,
    next_session: AtomicI64,
    /// Rung when a queue may have got something ready; one per [`Queue::ALL`]. Other processes' publishes are found by looking.
    bells: [Notify; Queue::ALL.len()],
    /// Consumers that were dropped and whose messages are still held.
    abandoned: Mutex<Vec<i64>>,
    swept: Mutex<Instant>,
    /// The last failure of writing and of reading, each until the same works again: a disk that is full can still be read.
    trouble: Mutex<[Option<Health>; 2]>,
}

impl SqliteBus {
    /// Opens the queues of a file, making it and its tables where they are missing. What processes that have died since
    /// had received and not settled is ready again. Several processes may have one file open.
    ///
    /// Opening makes no queues: [`Administer::declare`] does; without it publishing and consuming answer `Unroutable`.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be opened (its folder must exist) or stays locked by others; `Refused` when it
    /// may not be written, or is no queues' file of a version we know.
    pub async fn open(path: impl AsRef<Path>, clock: Clock) -> Result<Self, BusError> {
        let path = path.as_ref();
        let what = format!("open the queues {}", path.display());
        make_private_file(path).await.map_err(|error| fault(&what, sqlx::Error::Io(error)))?;
        // two processes that open a new file at once can collide while it is turned to WAL, where SQLite does not wait
        let mut tries = 0;
        let (write, holder) = loop {
            match open_writer(path).await {
                Ok(opened) => break opened,
                Err(error) if is_busy(&error) && tries < 20 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error @ sqlx::Error::Protocol(_)) => {
                    return Err(BusError::caused(BusErrorKind::Refused, format!("cannot {what}"), error));
                }
                Err(error) => return Err(fault(&what, error)),
            }
        };
        let read = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .test_before_acquire(false)
            .acquire_timeout(TURN_TIMEOUT)
            .connect_lazy_with(options(path));
        let shared = Shared {
            write,
            read,
            clock,
            holder,
            path: path.to_owned(),
            closed: AtomicBool::new(false),
            next_session: AtomicI64::new(1),
            bells: Default::default(),
            abandoned: Mutex::default(),
            swept: Mutex::new(Instant::now()),
            trouble: Mutex::default(),
        };
        let given_back = shared.bury_the_dead(true).await.map_err(|error| fault(&what, error))?;
        if given_back > 0 {
            tracing::info!(
                messages = given_back,
                "messages of a process that ended without settling them are ready again"
            );
        }
        Ok(Self { shared: Arc::new(shared) })
    }
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

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        // an acknowledgement follows each commit, so each commit is synced
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
}

async fn open_writer(path: &Path) -> sqlx::Result<(SqlitePool, Holder)> {
    let write = SqlitePoolOptions::new()
        .max_connections(1)
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
        .acquire_timeout(TURN_TIMEOUT)
        .connect_with(options(path))
        .await?;
    let mut transaction = write.begin_with("BEGIN IMMEDIATE").await?;
    schema::migrate(&mut transaction).await?;
    let id = sqlx::query("INSERT INTO holder DEFAULT VALUES").execute(&mut *transaction).await?.last_insert_rowid();
    let holder = Holder::take(path, id).map_err(sqlx::Error::Io)?;
    transaction.commit().await?;
    Ok((write, holder))
}

impl Shared {
    /// Fails once the bus is closed.
    pub(crate) fn open(&self) -> Result<(), BusError> {
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// A writing transaction.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.write.begin_with("BEGIN IMMEDIATE").await
    }

    /// Notes how a writing call went, for [`Administer::health`], and makes a door's error of it.
    pub(crate) fn outcome<T>(&self, what: &str, result: sqlx::Result<T>) -> Result<T, BusError> {
        self.note(0, what, result)
    }

    /// The same for a call that only reads.
    pub(crate) fn looked<T>(&self, what: &str, result: sqlx::Result<T>) -> Result<T, BusError> {
        self.note(1, what, result)
    }

    fn note<T>(&self, slot: usize, what: &str, result: sqlx::Result<T>) -> Result<T, BusError> {
        let result = result.map_err(|error| fault(what, error));
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)[slot] = match &result {
            Ok(_) => None,
            Err(error) => {
                let cause = error.source.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
                let words = format!("{}{cause}", error.what);
                Some(if error.kind == BusErrorKind::Blocked { Health::Blocked(words) } else { Health::Down(words) })
            }
        };
        result
    }

    /// The bell of a queue.
    pub(crate) fn bell(&self, queue: Queue) -> &Notify {
        let index = Queue::ALL.iter().position(|known| *known == queue).unwrap_or_default();
        &self.bells[index]
    }

    /// Rings for every queue.
    pub(crate) fn ring_all(&self) {
        for bell in &self.bells {
            bell.notify_waiters();
        }
    }

    /// Notes that a consumer was dropped; [`Self::release_abandoned`] gives back what it held.
    pub(crate) fn abandon(&self, session: i64) {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    /// Gives back what dropped consumers of this process held.
    pub(crate) async fn release_abandoned(&self) -> sqlx::Result<()> {
        let sessions = std::mem::take(&mut *self.abandoned.lock().unwrap_or_else(PoisonError::into_inner));
        for (index, session) in sessions.iter().enumerate() {
            if let Err(error) = self.release(*session).await {
                self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).extend(&sessions[index..]);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gives back what one consumer of this process holds.
    pub(crate) async fn release(&self, session: i64) -> sqlx::Result<()> {
        let mut transaction = self.begin().await?;
        let held: Vec<i64> = sqlx::query_scalar("SELECT position FROM entry WHERE holder = $1 AND session = $2")
            .bind(self.holder.id)
            .bind(session)
            .fetch_all(&mut *transaction)
            .await?;
        give_back(&mut transaction, &held, (self.clock)()).await?;
        transaction.commit().await?;
        self.ring_all();
        Ok(())
    }

    /// Gives back what dead processes held, at most once a [`SWEEP_EVERY`] unless `now`. Returns how many messages.
    pub(crate) async fn bury_the_dead(&self, now: bool) -> sqlx::Result<u64> {
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if !now && swept.elapsed() < SWEEP_EVERY {
                return Ok(0);
            }
            *swept = Instant::now();
        }
        let others: Vec<i64> = sqlx::query_scalar("SELECT id FROM holder WHERE id <> $1")
            .bind(self.holder.id)
            .fetch_all(&self.read)
            .await?;
        let mut given_back = 0;
        for deceased in others.into_iter().filter_map(|id| Deceased::find(&self.path, id)) {
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

    /// Gives everything back and takes this process off the list.
    async fn leave(&self) -> sqlx::Result<()> {
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

/// What is said of a queue that is not there.
pub(crate) fn missing(name: &str) -> BusError {
    BusError::new(BusErrorKind::Unroutable, format!("the queue {name} is missing; `loa migrate` makes it"))
}

/// Every name that `declare` makes.
fn names() -> impl Iterator<Item = &'static str> {
    Queue::ALL.into_iter().map(Queue::name).chain([UNROUTED])
}

#[async_trait]
impl Consume for SqliteBus {
    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<Box<dyn Consumer>, BusError> {
        self.shared.declared(queue.name()).await?;
        let session = self.shared.next_session.fetch_add(1, Ordering::Relaxed);
        let prefetch = usize::from(prefetch.clamp(1, PREFETCH_MAX));
        Ok(Box::new(FileConsumer::new(self.shared.clone(), queue, session, prefetch)))
    }
}

#[async_trait]
impl Administer for SqliteBus {
    async fn declare(&self) -> Result<Vec<String>, BusError> {
        self.shared.open()?;
        let declared = async {
            let mut transaction = self.shared.begin().await?;
            let mut lines = Vec::new();
            for name in names() {
                let made = sqlx::query("INSERT INTO queue (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
                    .bind(name)
                    .execute(&mut *transaction)
                    .await?
                    .rows_affected();
                lines.push(format!("queue {name}: {}", if made == 1 { "made" } else { "there already" }));
            }
            transaction.commit().await?;
            Ok(lines)
        };
        self.shared.outcome("make the queues", declared.await)
    }

    async fn check(&self) -> Result<(), BusError> {
        for name in names() {
            self.shared.declared(name).await?;
        }
        Ok(())
    }

    async fn depth(&self, queue: Queue) -> Result<(u64, u64), BusError> {
        self.shared.declared(queue.name()).await?;
        let counted = sqlx::query(
            "SELECT (SELECT count(*) FROM entry WHERE queue = $1 AND holder IS NULL) AS ready,
                    (SELECT count(*) FROM dead WHERE queue = $1) AS dead",
        )
        .bind(queue.name())
        .fetch_one(&self.shared.read)
        .await
        .and_then(|row| {
            Ok((row.try_get::<i64, _>("ready")?.cast_unsigned(), row.try_get::<i64, _>("dead")?.cast_unsigned()))
        });
        self.shared.looked("count a queue", counted)
    }

    async fn unrouted(&self) -> Result<u64, BusError> {
        self.shared.declared(UNROUTED).await?;
        let counted = sqlx::query_scalar("SELECT count(*) FROM entry WHERE queue = $1 AND holder IS NULL")
            .bind(UNROUTED)
            .fetch_one(&self.shared.read)
            .await;
        self.shared.looked("count a queue", counted.map(i64::cast_unsigned))
    }

    async fn dead_letters(&self, queue: Queue, max: usize) -> Result<Vec<DeadLetter>, BusError> {
        self.shared.declared(queue.name()).await?;
        self.shared.looked("read the dead letters", self.shared.dead_letters(queue, max).await)
    }

    async fn redrive(&self, queue: Queue, ids: &[String]) -> Result<u64, BusError> {
        self.shared.declared(queue.name()).await?;
        self.shared.outcome("redrive dead letters", self.shared.redrive(queue, ids).await)
    }

    async fn discard(&self, queue: Queue, ids: &[String]) -> Result<Vec<Message>, BusError> {
        self.shared.declared(queue.name()).await?;
        self.shared.outcome("discard dead letters", self.shared.discard(queue, ids).await)
    }

    fn health(&self) -> Health {
        if self.shared.open().is_err() {
            return Health::Down("the queues are closed".to_owned());
        }
        let trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.iter().flatten().next().cloned().unwrap_or(Health::Up)
    }

    async fn close(&self) {
        if self.shared.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        // consumers that wait must hear of it
        self.shared.ring_all();
        match self.shared.leave().await {
            Ok(()) => self.shared.holder.remove_file(),
            // nothing is lost: the lock ends with us, and whoever opens the file next gives the messages back
            Err(error) => tracing::warn!(%error, "the queues could not be left in order"),
        }
        self.shared.read.close().await;
        self.shared.write.close().await;
    }
}

impl std::fmt::Debug for SqliteBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteBus").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_bus::{Outgoing, Publish, Route};

    fn large(n: usize) -> Outgoing {
        let message = Message {
            id: n.to_string(),
            content_type: String::new(),
            headers: std::collections::BTreeMap::new(),
            body: vec![0; 200_000].into(),
        };
        Outgoing { route: Route::Queue(Queue::Feed), message }
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let bus =
            SqliteBus::open(folder.path().join("bus.db"), Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap();
        bus.declare().await.unwrap();
        // as if the disk ended here: SQLite answers SQLITE_FULL
        sqlx::query("PRAGMA max_page_count = 60").execute(&bus.shared.write).await.unwrap();
        let outcomes = bus.publish(vec![large(1), large(2)]).await;
        assert!(outcomes.iter().all(|o| o.as_ref().is_err_and(|e| e.kind == BusErrorKind::Blocked)), "{outcomes:?}");
        assert_eq!(bus.depth(Queue::Feed).await.unwrap(), (0, 0), "nothing is half there");
        assert!(matches!(bus.health(), Health::Blocked(_)), "{:?}", bus.health());

        sqlx::query("PRAGMA max_page_count = 100000").execute(&bus.shared.write).await.unwrap();
        bus.publish(vec![large(1)]).await.remove(0).unwrap();
        assert_eq!(bus.health(), Health::Up);
        assert_eq!(bus.depth(Queue::Feed).await.unwrap(), (1, 0));
    }

    #[tokio::test]
    async fn a_file_that_is_no_queues_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus.db");
        std::fs::write(&path, "this was a letter to the editor, and it is longer than a header".repeat(20)).unwrap();
        let error = SqliteBus::open(&path, Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap_err();
        assert_eq!(error.kind, BusErrorKind::Refused, "{error:?}");

        let path = folder.path().join("newer.db");
        drop(SqliteBus::open(&path, Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap());
        let newer = SqlitePool::connect_with(options(&path)).await.unwrap();
        sqlx::query("PRAGMA user_version = 99").execute(&newer).await.unwrap();
        newer.close().await;
        let error = SqliteBus::open(&path, Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap_err();
        assert_eq!(error.kind, BusErrorKind::Refused, "{error:?}");

        let error =
            SqliteBus::open(folder.path().join("no/such/folder/bus.db"), Arc::new(|| jiff::Timestamp::UNIX_EPOCH))
                .await
                .unwrap_err();
        assert_eq!(error.kind, BusErrorKind::Unavailable, "{error:?}");
    }
}
