//! Opens, declares, counts, redrives and closes: the calls of the door.
//!
//! Each call is a few lines over [`QueueFile`], which holds the file, and `dead.rs`, which holds the
//! dead letters. A call fails with the door's errors. [`Connect::health`] tells the last error
//! that stands.

use crate::{consumer::FileConsumer, queue_file::QueueFile};
use async_trait::async_trait;
use loa_bus::{
    Administer, BusError, Chosen, Clock, Connect, Consume, Consumer, DeadLetter, Declared, Discarded, Health, Measure,
    Place, Queue, Redriven, UNROUTED, limits,
};
use loa_domain::{BusFact, BusReason, TopologyOutcome, TopologyThing};
use sqlx::Row;
use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};

/// Unsettled messages a consumer may have, as on a RabbitMQ quorum queue.
const PREFETCH_MAX: u16 = 2_000;

/// Durable queues in one file.
pub struct SqliteBus {
    pub(crate) shared: Arc<QueueFile>,
}

impl SqliteBus {
    /// Opens the queues of a file, making it and its tables where they are missing. Messages that
    /// dead processes had received and not settled are ready again. Several processes may have one
    /// file open.
    ///
    /// Opening makes no queues: [`Administer::declare`] does; without it publishing and consuming answer `Unroutable`.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be opened (its folder must exist) or stays locked by others; `Refused` when it
    /// may not be written, or is no queues' file of a version we know.
    pub async fn open(path: impl AsRef<Path>, clock: Clock) -> Result<Self, BusError> {
        Ok(Self { shared: Arc::new(QueueFile::of_file(path.as_ref(), clock).await?) })
    }
}

/// Every name that `declare` makes.
fn names() -> impl Iterator<Item = &'static str> {
    Queue::ALL.into_iter().map(Queue::name).chain([UNROUTED])
}

impl SqliteBus {
    /// Fails unless `declare` made what keeps the letters of a place.
    async fn declared_place(&self, place: Place) -> Result<(), BusError> {
        self.shared
            .declared(match place {
                Place::Dead(queue) => queue.name(),
                Place::Unrouted => UNROUTED,
            })
            .await
    }
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
    async fn declare(&self) -> Result<Vec<Declared>, BusError> {
        self.shared.open()?;
        let declared = async {
            let mut transaction = self.shared.begin().await?;
            let mut things = Vec::new();
            for name in names() {
                let made = sqlx::query("INSERT INTO queue (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
                    .bind(name)
                    .execute(&mut *transaction)
                    .await?
                    .rows_affected();
                let outcome = if made == 1 { TopologyOutcome::Made } else { TopologyOutcome::There };
                let thing = TopologyThing::Queue { name: name.to_owned() };
                things.push(Declared { thing, outcome, of: Queue::parse(name) });
            }
            transaction.commit().await?;
            Ok(things)
        };
        self.shared.outcome("make the queues", declared.await)
    }

    async fn check(&self) -> Result<Vec<TopologyThing>, BusError> {
        for name in names() {
            self.shared.declared(name).await?;
        }
        Ok(Vec::new())
    }

    async fn dead_letters(&self, place: Place, chosen: &Chosen, max: usize) -> Result<Vec<DeadLetter>, BusError> {
        self.declared_place(place).await?;
        self.shared.looked("read the dead letters", self.shared.dead_letters(place, chosen, max).await)
    }

    async fn redrive(&self, place: Place, chosen: &Chosen, routing_key: Option<&str>) -> Result<Redriven, BusError> {
        limits::check_redrive(place, routing_key)?;
        self.declared_place(place).await?;
        let mut redriven = Redriven::default();
        let outcome = self.shared.redrive(place, chosen, routing_key, &mut redriven).await;
        redriven.ended(self.shared.outcome("redrive dead letters", outcome))
    }

    async fn discard(&self, place: Place, chosen: &Chosen) -> Result<Discarded, BusError> {
        self.declared_place(place).await?;
        let mut letters = Vec::new();
        let outcome = self.shared.discard(place, chosen, &mut letters).await;
        match self.shared.outcome("discard dead letters", outcome) {
            Err(error) if letters.is_empty() => Err(error),
            outcome => Ok(Discarded { letters, unfinished: outcome.err() }),
        }
    }
}

#[async_trait]
impl Measure for SqliteBus {
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

    async fn longest(&self, enough: u64) -> Result<(Queue, u64), BusError> {
        self.shared.open()?;
        let mut longest = (Queue::Archive, 0);
        for queue in Queue::ALL {
            let counted = sqlx::query_scalar(
                "SELECT count(*) FROM (SELECT 1 FROM entry WHERE queue = $1 AND holder IS NULL LIMIT $2)",
            )
            .bind(queue.name())
            .bind(i64::try_from(enough).unwrap_or(i64::MAX))
            .fetch_one(&self.shared.read)
            .await;
            let ready = self.shared.looked("count a queue", counted.map(i64::cast_unsigned))?;
            if ready > longest.1 {
                longest = (queue, ready);
            }
        }
        Ok(longest)
    }

    async fn unrouted(&self) -> Result<u64, BusError> {
        self.shared.declared(UNROUTED).await?;
        let counted = sqlx::query_scalar("SELECT count(*) FROM entry WHERE queue = $1 AND holder IS NULL")
            .bind(UNROUTED)
            .fetch_one(&self.shared.read)
            .await;
        self.shared.looked("count a queue", counted.map(i64::cast_unsigned))
    }
}

#[async_trait]
impl Connect for SqliteBus {
    fn health(&self) -> Health {
        if self.shared.open().is_err() {
            return Health::Down(BusReason::of(BusFact::ClosedByUs));
        }
        self.shared.condition.health()
    }

    async fn close(&self) {
        if self.shared.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        // consumers that wait must hear of it
        self.shared.ring_all();
        match self.shared.leave().await {
            Ok(()) => self.shared.holder.remove_file(),
            // nothing is lost: the lock ends with this process, and the next one to open the file
            // gives the messages back
            Err(error) => tracing::warn!(%error, "the queues could not be left in order"),
        }
        self.shared.read.close().await;
        self.shared.write.close().await;
    }
}

impl std::fmt::Debug for SqliteBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteBus").field("path", &self.shared.condition.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue_file::options;
    use loa_bus::{BusErrorKind, Message, Outgoing, Publish, Route};
    use sqlx::SqlitePool;

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
    async fn a_message_that_cannot_be_read_back_is_a_dead_letter_of_its_own_and_the_others_go_through() {
        let folder = tempfile::tempdir().unwrap();
        let bus =
            SqliteBus::open(folder.path().join("bus.db"), Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap();
        bus.declare().await.unwrap();
        for outcome in bus.publish(vec![large(1), large(2)]).await {
            outcome.unwrap();
        }
        sqlx::query("UPDATE body SET headers = '{\"loa' WHERE message_id = '1'")
            .execute(&bus.shared.write)
            .await
            .unwrap();
        let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
        let received = consumer.receive(10, std::time::Duration::from_millis(10)).await.unwrap();
        assert_eq!(received.iter().map(|one| one.message.id.as_str()).collect::<Vec<_>>(), ["2"]);
        let dead = bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].message.id.as_str()), (1, "1"));
        assert!(dead[0].reason.reason.contains("body.headers"), "{:?}", dead[0].reason);
        assert_eq!(
            bus.discard(Queue::Feed.into(), &Chosen::Ids(["1".to_owned()].into())).await.unwrap().letters.len(),
            1
        );
    }

    #[tokio::test]
    async fn what_the_file_does_not_settle_is_no_delivery_of_the_message() {
        let folder = tempfile::tempdir().unwrap();
        let bus =
            SqliteBus::open(folder.path().join("bus.db"), Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap();
        bus.declare().await.unwrap();
        bus.publish(vec![large(1)]).await.remove(0).unwrap();
        // every delete fails, as on a damaged list of free pages
        let refuse = "CREATE TRIGGER refuse BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'damaged'); END";
        sqlx::query(refuse).execute(&bus.shared.write).await.unwrap();
        for _ in 0..loa_bus::DELIVERY_LIMIT + 5 {
            let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
            let received = consumer.receive(10, std::time::Duration::from_secs(5)).await.unwrap();
            consumer.settle(vec![(received[0].tag, loa_bus::Settlement::Ack)]).await.unwrap_err();
            consumer.close().await.unwrap();
        }
        assert_eq!(bus.depth(Queue::Feed).await.unwrap(), (1, 0), "it waits, and is no dead letter");
    }

    #[tokio::test]
    async fn a_file_that_was_deleted_takes_no_messages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus.db");
        let bus = SqliteBus::open(&path, Arc::new(|| jiff::Timestamp::UNIX_EPOCH)).await.unwrap();
        bus.declare().await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = bus.publish(vec![large(1)]).await.remove(0).unwrap_err();
        assert_eq!(error.kind, BusErrorKind::Refused);
        assert!(error.to_string().contains("bus.db was deleted"), "{error}");
        assert!(matches!(bus.health(), Health::Down(_)));
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
