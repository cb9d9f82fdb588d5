//! Receives and settles messages.
//!
//! Receiving writes the holder's name into rows and counts the delivery in the same transaction, so
//! that a message that kills the process is counted too. Settling deletes rows, frees them, or
//! moves them to the dead letters, one batch in one transaction.

use crate::{
    queue_file::{Ended, QueueFile},
    rows::{array, cause_of, forget_bodies, give_back, message, message_columns, set_aside},
};
use async_trait::async_trait;
use loa_bus::{
    ALONE_AFTER, BusError, BusErrorKind, Consumer, DeadReason, OddHeaders, Queue, Received, Settlement, Tag,
    limits::BATCH_BYTES_MAX,
};
use loa_domain::DeadCause;
use sqlx::{Row, SqliteConnection};
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

/// How often a waiting consumer looks for messages that another process published. This process's
/// own publishes wake it.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Most messages taken by one transaction: keeps other writers' wait short.
const CLAIM_MAX: usize = 500;

/// One consumer of one queue.
pub(crate) struct FileConsumer {
    shared: Arc<QueueFile>,
    queue: Queue,
    session: i64,
    prefetch: usize,
    next_tag: u64,
    /// Messages handed out and not settled, with their rows.
    unsettled: HashMap<Tag, i64>,
    /// Messages taken and not handed out, because a `receive` was cancelled meanwhile.
    waiting: VecDeque<Claimed>,
    /// A transaction that a cancelled `receive` left running.
    claiming: Option<JoinHandle<sqlx::Result<Vec<Claimed>>>>,
    /// Set when this consumer ends: a claim that has not begun by then takes nothing.
    ended: Arc<AtomicBool>,
    /// The file did not take what was decided.
    unsettled_by_file: bool,
}

/// How much a consumer can take.
#[derive(Clone, Copy)]
struct Wanted {
    max: usize,
    /// It holds nothing, so it can take a message that must be alone.
    alone: bool,
}

/// A message taken from its queue.
struct Claimed {
    position: i64,
    received: Received,
}

impl FileConsumer {
    pub(crate) fn new(shared: Arc<QueueFile>, queue: Queue, session: i64, prefetch: usize) -> Self {
        Self {
            shared,
            queue,
            session,
            prefetch,
            next_tag: 1,
            unsettled: HashMap::new(),
            waiting: VecDeque::new(),
            claiming: None,
            ended: Arc::default(),
            unsettled_by_file: false,
        }
    }

    /// Takes up to `room` messages into `waiting`. Cancel-safe: the transaction runs as a task of its own, and the next
    /// call picks up its result.
    async fn claim(&mut self, room: usize) -> Result<(), BusError> {
        let claiming = self.claiming.get_or_insert_with(|| {
            let (shared, ended) = (self.shared.clone(), self.ended.clone());
            let (queue, session) = (self.queue, self.session);
            let wanted = Wanted { max: room.min(CLAIM_MAX), alone: self.unsettled.is_empty() };
            tokio::spawn(async move { shared.claim(queue, session, wanted, &ended).await })
        });
        let joined = claiming.await;
        self.claiming = None;
        let claimed =
            joined.map_err(|error| BusError::caused(BusErrorKind::Unavailable, "receiving was cut short", error))?;
        self.waiting.extend(self.shared.outcome("receive", claimed)?);
        Ok(())
    }

    fn as_ended(&self) -> Ended {
        Ended { session: self.session, unsettled_by_file: self.unsettled_by_file }
    }

    /// Hands out up to `max` of what was taken.
    fn hand_out(&mut self, max: usize) -> Vec<Received> {
        let count = self.waiting.len().min(max);
        self.waiting
            .drain(..count)
            .map(|mut claimed| {
                claimed.received.tag = Tag(self.next_tag);
                self.next_tag += 1;
                self.unsettled.insert(claimed.received.tag, claimed.position);
                claimed.received
            })
            .collect()
    }
}

#[async_trait]
impl Consumer for FileConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError> {
        let deadline = Instant::now() + wait;
        let shared = self.shared.clone();
        loop {
            shared.open()?;
            // listen before looking, or a publish in between would wake nobody
            let wake_up = shared.wake_up(self.queue).notified();
            tokio::pin!(wake_up);
            wake_up.as_mut().enable();
            let room = self.prefetch.saturating_sub(self.unsettled.len() + self.waiting.len()).min(max);
            if self.claiming.is_some() || (self.waiting.is_empty() && room > 0) {
                self.claim(room).await?;
            }
            if !self.waiting.is_empty() {
                return Ok(self.hand_out(max));
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(Vec::new());
            }
            tokio::select! {
                () = wake_up => {}
                () = tokio::time::sleep_until(deadline.min(now + LOOK_EVERY)) => {}
            }
        }
    }

    async fn settle(&mut self, decisions: Vec<(Tag, Settlement)>) -> Result<(), BusError> {
        self.shared.open()?;
        let mut settling = Settling::default();
        let mut settled = Vec::with_capacity(decisions.len());
        for (tag, decision) in decisions {
            // a tag we do not know was settled before, or belongs to another consumer
            let Some(&position) = self.unsettled.get(&tag) else { continue };
            settled.push(tag);
            match decision {
                Settlement::Ack => settling.acked.push(position),
                Settlement::Retry => settling.again.push(position),
                Settlement::Dead(reason) => settling.dead.push((position, reason)),
            }
        }
        // on an error the caller ends this consumer, and that gives back everything it holds
        let outcome = self.shared.settle(self.session, &settling).await;
        self.unsettled_by_file = outcome.is_err();
        self.shared.outcome("settle", outcome)?;
        for tag in settled {
            self.unsettled.remove(&tag);
        }
        if !settling.again.is_empty() {
            self.shared.wake_up(self.queue).notify_waiters();
        }
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        self.shared.open()?;
        self.ended.store(true, Ordering::Release);
        let released = self.shared.release(self.as_ended()).await;
        if released.is_err() {
            // the next claim of this process tries again
            self.shared.abandon(self.as_ended());
        }
        self.shared.outcome("give messages back", released)
    }
}

impl Drop for FileConsumer {
    fn drop(&mut self) {
        if self.ended.swap(true, Ordering::AcqRel) || self.shared.open().is_err() {
            return;
        }
        if self.unsettled.is_empty() && self.waiting.is_empty() && self.claiming.is_none() {
            return;
        }
        // The next claim of this process does it, or the task below, or, when the process ends
        // first, the process that takes over its lock.
        self.shared.abandon(self.as_ended());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let shared = self.shared.clone();
            runtime.spawn(async move {
                if let Err(error) = shared.release_abandoned().await {
                    tracing::warn!(%error, "a dropped consumer's messages could not be given back yet");
                }
            });
        }
    }
}

/// A batch of decisions, by position.
#[derive(Default)]
struct Settling {
    acked: Vec<i64>,
    again: Vec<i64>,
    dead: Vec<(i64, DeadReason)>,
}

impl QueueFile {
    /// Takes the oldest ready messages of a queue, as many as are wanted.
    async fn claim(
        &self,
        queue: Queue,
        session: i64,
        wanted: Wanted,
        ended: &AtomicBool,
    ) -> sqlx::Result<Vec<Claimed>> {
        self.release_abandoned().await?;
        self.release_dead_holders(false).await?;
        // a look costs no lock; most looks at an idle queue end here
        let ready: i64 = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM entry WHERE queue = $1 AND holder IS NULL)")
            .bind(queue.name())
            .fetch_one(&self.read)
            .await?;
        if ready == 0 {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        // The consumer may have been dropped while this waited for its turn. Its release comes after this transaction or
        // came before it: there is one writer.
        if ended.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        let positions = array(self.batch(&mut transaction, queue, wanted).await?);
        let rows = sqlx::query(concat!(
            "SELECT e.position, e.deliveries, ",
            message_columns!(),
            " FROM entry e JOIN body b ON b.id = e.body_id
              WHERE e.position IN (SELECT value FROM json_each($1))
              ORDER BY e.position"
        ))
        .bind(&positions)
        .fetch_all(&mut *transaction)
        .await?;
        let (mut claimed, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in &rows {
            match read_claimed(row) {
                Ok(one) => claimed.push(one),
                Err(error) => {
                    let reason = DeadReason {
                        reason: format!("the file of queues holds what is no message any more ({error})"),
                        cause: Some(DeadCause::Unreadable { said: error.to_string().into() }),
                        position: String::new(),
                    };
                    unreadable.push((row.try_get("position")?, reason));
                }
            }
        }
        set_aside(&mut transaction, &unreadable, (self.clock)()).await?;
        sqlx::query(
            "UPDATE entry SET holder = $1, session = $2, deliveries = deliveries + 1
             WHERE position IN (SELECT value FROM json_each($3))",
        )
        .bind(self.holder.id)
        .bind(session)
        .bind(&positions)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(claimed)
    }

    /// The oldest ready messages, up to `max`, and no more once their bodies fill a batch. A
    /// message that was delivered too often comes alone, or not yet while its consumer holds
    /// others. SQLite tells a body's length without reading it.
    async fn batch(&self, connection: &mut SqliteConnection, queue: Queue, wanted: Wanted) -> sqlx::Result<Vec<i64>> {
        let ready: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT e.position, e.deliveries, length(b.body)
             FROM entry e JOIN body b ON b.id = e.body_id
             WHERE e.queue = $1 AND e.holder IS NULL
             ORDER BY e.position
             LIMIT $2",
        )
        .bind(queue.name())
        .bind(i64::try_from(wanted.max).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
        let must_be_alone = |deliveries: i64| deliveries >= i64::from(ALONE_AFTER);
        if let Some((position, deliveries, _)) = ready.first()
            && must_be_alone(*deliveries)
        {
            return Ok(wanted.alone.then_some(*position).into_iter().collect());
        }
        let mut bytes = 0_usize;
        let fits = ready.into_iter().take_while(|(_, deliveries, length)| {
            let room = bytes < BATCH_BYTES_MAX;
            bytes = bytes.saturating_add(usize::try_from(*length).unwrap_or(usize::MAX));
            room && !must_be_alone(*deliveries)
        });
        Ok(fits.map(|(position, ..)| position).collect())
    }

    /// Applies decisions in one transaction. Rows that are no longer held by this session are left alone.
    async fn settle(&self, session: i64, settling: &Settling) -> sqlx::Result<()> {
        if settling.acked.is_empty() && settling.again.is_empty() && settling.dead.is_empty() {
            return Ok(());
        }
        let now = (self.clock)();
        let mut transaction = self.begin().await?;
        let connection = &mut *transaction;
        for (position, reason) in &settling.dead {
            sqlx::query(
                "INSERT INTO dead (queue, body_id, reason, cause, position, dead_at, deaths, first_dead_at, buried_by)
                 SELECT queue, body_id, $4, $8, $5, $6, deaths + 1, coalesce(first_dead_at, $6), $7
                 FROM entry WHERE position = $1 AND holder = $2 AND session = $3",
            )
            .bind(position)
            .bind(self.holder.id)
            .bind(session)
            .bind(&reason.reason)
            .bind(&reason.position)
            .bind(now.as_millisecond())
            .bind(concat!("loa ", env!("CARGO_PKG_VERSION")))
            .bind(cause_of(reason))
            .execute(&mut *connection)
            .await?;
        }
        let finished = settling.acked.iter().copied().chain(settling.dead.iter().map(|(position, _)| *position));
        let bodies = self.delete_held(connection, session, array(finished)).await?;
        forget_bodies(connection, &bodies).await?;
        let again = self.still_held(connection, session, &settling.again).await?;
        give_back(connection, &again, now).await?;
        transaction.commit().await
    }

    /// Deletes rows held by a session; returns the bodies they pointed to.
    async fn delete_held(
        &self,
        connection: &mut SqliteConnection,
        session: i64,
        positions: String,
    ) -> sqlx::Result<Vec<i64>> {
        sqlx::query_scalar(
            "DELETE FROM entry
             WHERE position IN (SELECT value FROM json_each($1)) AND holder = $2 AND session = $3
             RETURNING body_id",
        )
        .bind(positions)
        .bind(self.holder.id)
        .bind(session)
        .fetch_all(connection)
        .await
    }

    /// Those of the positions that a session holds.
    async fn still_held(
        &self,
        connection: &mut SqliteConnection,
        session: i64,
        positions: &[i64],
    ) -> sqlx::Result<Vec<i64>> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query_scalar(
            "SELECT position FROM entry
             WHERE position IN (SELECT value FROM json_each($1)) AND holder = $2 AND session = $3",
        )
        .bind(array(positions.iter().copied()))
        .bind(self.holder.id)
        .bind(session)
        .fetch_all(connection)
        .await
    }
}

fn read_claimed(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Claimed> {
    let (message, routing_key) = message(row)?;
    let deliveries: i64 = row.try_get("deliveries")?;
    // the tag is given when the message is handed out
    let received =
        Received { tag: Tag(0), message, odd_headers: OddHeaders::new(), routing_key, redelivered: deliveries > 0 };
    Ok(Claimed { position: row.try_get("position")?, received })
}
