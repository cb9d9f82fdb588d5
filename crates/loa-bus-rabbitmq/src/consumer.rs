//! Receiving and settling over one channel.
//!
//! An ended stream, an ack that could not be sent, a closed channel: each ends this consumer with an error, and the caller
//! opens another on whatever connection there is then. Deliveries are acked in runs where they are contiguous, because one
//! `basic.ack` for a hundred is several times faster than a hundred.
//!
//! A dead letter that cannot be published (an alarm, an outage of the other connection) is held, unsettled, and tried again
//! from time to time while consuming goes on: one poisonous message must not stop an outlet for as long as an alarm lasts.

use crate::{
    carriage::{Arrived, Parcel, read},
    fault::{fault, late},
    flow::Flow,
    gauges,
    link::Session,
    publish::Publisher,
};
use async_trait::async_trait;
use lapin::{
    Acker,
    message::Delivery,
    options::{BasicAckOptions, BasicRejectOptions},
};
use loa_bus::{
    BusError, BusErrorKind, Clock, Consumer, DeadReason, Queue, Received, Settlement, Tag, limits::BATCH_BYTES_MAX,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// How long a dead letter is held for a broker that takes no publishes. Then it goes back to its queue, alone, and comes
/// again: below the broker's own limit for unsettled messages (30 min), which would end the whole consumer and count a
/// delivery for every innocent neighbour in its prefetch.
const DEAD_LETTER_PATIENCE: Duration = Duration::from_secs(20 * 60);
/// Between two tries to publish dead letters that are held.
const DEAD_LETTER_RETRY: Duration = Duration::from_secs(2);

/// What a consumer is opened with.
pub(crate) struct Opening {
    pub(crate) session: Session,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) clock: Clock,
    pub(crate) queue: Queue,
    pub(crate) prefetch: u16,
    pub(crate) answer_timeout: Duration,
}

/// One consumer on a channel of its own.
pub(crate) struct ChannelConsumer {
    flow: Flow,
    publisher: Arc<Publisher>,
    clock: Clock,
    queue: Queue,
    answer_timeout: Duration,
    /// Handed out and not settled, by delivery tag.
    unsettled: BTreeMap<u64, Held>,
    /// Dead letters that are not published yet; each is unsettled, too.
    dead: Vec<Dead>,
    bury_again_at: Instant,
    /// Whether a line was written about dead letters that are held.
    told: bool,
}

/// A dead letter to be.
struct Dead {
    tag: u64,
    reason: DeadReason,
    /// When patience ends.
    give_back_at: Instant,
}

/// A delivery in the caller's hands.
struct Held {
    acker: Acker,
    /// Kept for the dead letters; the body is shared with what was handed out.
    arrived: Arrived,
}

impl ChannelConsumer {
    /// Opens a channel and begins to consume.
    pub(crate) async fn open(opening: Opening) -> Result<Self, BusError> {
        let Opening { session, publisher, clock, queue, prefetch, answer_timeout } = opening;
        Ok(Self {
            flow: Flow::open(session, queue, prefetch, answer_timeout).await?,
            publisher,
            clock,
            queue,
            answer_timeout,
            unsettled: BTreeMap::new(),
            dead: Vec::new(),
            bury_again_at: Instant::now(),
            told: false,
        })
    }

    /// Hands out a delivery.
    fn hand_out(&mut self, delivery: Delivery) -> Received {
        let (tag, redelivered, acker) = (delivery.delivery_tag, delivery.redelivered, delivery.acker.clone());
        let arrived = read(delivery);
        let (message, routing_key) = (arrived.message.clone(), arrived.routing_key.clone());
        self.unsettled.insert(tag, Held { acker, arrived });
        Received { tag: Tag(tag), message, routing_key, redelivered }
    }

    /// One frame of settlement; whatever keeps it from being sent ends the session.
    async fn sent(&self, sending: impl Future<Output = lapin::Result<bool>>) -> Result<(), BusError> {
        match timeout(self.answer_timeout, sending).await {
            Ok(Ok(true)) => Ok(()),
            // not sent: the channel is gone, and the messages will come again
            Ok(Ok(false)) => Err(BusError::new(
                BusErrorKind::Unavailable,
                format!("cannot settle messages of {}: their channel is closed", self.queue),
            )
            .because("channel_closed")),
            Ok(Err(error)) => Err(fault("settle", error)),
            Err(_) => Err(late("settle")),
        }
    }

    /// Acks: everything up to the first delivery that stays unsettled in one frame, the others each.
    async fn ack(&mut self, mut tags: Vec<u64>) -> Result<(), BusError> {
        tags.sort_unstable();
        let contiguous = self.unsettled.keys().zip(&tags).take_while(|(held, acked)| held == acked).count();
        if contiguous > 1
            && let Some(held) = self.unsettled.get(&tags[contiguous - 1])
        {
            self.sent(held.acker.ack(BasicAckOptions { multiple: true })).await?;
            for tag in tags.drain(..contiguous) {
                self.unsettled.remove(&tag);
            }
        }
        for tag in tags {
            if let Some(held) = self.unsettled.get(&tag) {
                self.sent(held.acker.ack(BasicAckOptions::default())).await?;
                self.unsettled.remove(&tag);
            }
        }
        Ok(())
    }

    /// Gives back: `basic.reject` and not `basic.nack`, which RabbitMQ 4.3 no longer counts. Oldest first, because the broker
    /// delivers returned messages in the order of their return.
    async fn give_back(&mut self, mut tags: Vec<u64>) -> Result<(), BusError> {
        tags.sort_unstable();
        for tag in tags {
            if let Some(held) = self.unsettled.get(&tag) {
                self.sent(held.acker.reject(BasicRejectOptions { requeue: true })).await?;
                self.unsettled.remove(&tag);
            }
        }
        Ok(())
    }

    /// Publishes dead letters, with confirms, and acks what is safely there; the rest stays unsettled and is held. Cut in
    /// the middle, it may leave a dead letter twice, and none lost.
    async fn bury(&mut self) -> Result<(), BusError> {
        self.dead.retain(|dead| self.unsettled.contains_key(&dead.tag));
        if self.dead.is_empty() {
            return Ok(());
        }
        let at = (self.clock)();
        let pack = |dead: &Dead| {
            let held = self.unsettled.get(&dead.tag)?;
            Some(Parcel::dead(self.queue, held.arrived.clone(), &dead.reason, at))
        };
        let parcels: Vec<_> = self.dead.iter().filter_map(pack).collect();
        let outcomes = self.publisher.publish(&parcels).await;
        let mut failure = None;
        let (mut buried, mut impossible) = (Vec::new(), Vec::new());
        for (dead, outcome) in self.dead.iter().zip(outcomes) {
            match outcome {
                Ok(()) => buried.push(dead.tag),
                Err(error) if error.kind == BusErrorKind::Rejected => impossible.push((dead.tag, error)),
                Err(error) => failure = Some(error),
            }
        }
        self.ack(buried).await?;
        for (tag, error) in impossible {
            // this broker takes it from nobody again; it can still move it itself, without our reason
            tracing::warn!(queue = %self.queue, %error, "a dead letter cannot be published; the broker is told to move it");
            if let Some(held) = self.unsettled.get(&tag) {
                self.sent(held.acker.reject(BasicRejectOptions { requeue: false })).await?;
                self.unsettled.remove(&tag);
            }
        }
        self.hold_dead(failure).await
    }

    /// Holds what could not be buried, and gives back what was held for too long.
    async fn hold_dead(&mut self, failure: Option<BusError>) -> Result<(), BusError> {
        self.dead.retain(|dead| self.unsettled.contains_key(&dead.tag));
        gauges::held_dead_letters(self.queue.name(), self.dead.len());
        let Some(failure) = failure else {
            self.told = false;
            return Ok(());
        };
        if !self.flow.alive() {
            let what = format!("cannot publish a dead letter of {}; its message is left unsettled", self.queue);
            return Err(BusError::caused(failure.kind, what, failure).because("connection_lost"));
        }
        if !std::mem::replace(&mut self.told, true) {
            tracing::error!(queue = %self.queue, kind = failure.kind.as_str(), error = %failure, "a dead letter cannot be published; it is held until it can");
        }
        let now = Instant::now();
        self.bury_again_at = now + DEAD_LETTER_RETRY;
        let late = self.dead.iter().filter(|dead| dead.give_back_at <= now).map(|dead| dead.tag).collect();
        self.give_back(late).await
    }
}

impl Drop for ChannelConsumer {
    fn drop(&mut self) {
        if !self.dead.is_empty() {
            // the broker gives them back, and whoever receives them decides again
            gauges::held_dead_letters(self.queue.name(), 0);
        }
    }
}

#[async_trait]
impl Consumer for ChannelConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError> {
        if !self.dead.is_empty() && Instant::now() >= self.bury_again_at {
            self.bury().await?;
        }
        if !self.dead.is_empty() {
            // one that is held must not hold up what comes after it
            self.flow.widen().await?;
        }
        let room = self.flow.room(self.unsettled.len());
        if room == 0 {
            return self.flow.listen_only(wait).await.map(|()| Vec::new());
        }
        if !self.flow.first(wait).await? {
            return Ok(Vec::new());
        }
        // no await from here on: what was taken from the stream is handed out
        let (mut bytes, mut batch) = (0, Vec::new());
        while batch.len() < max.min(room) && bytes < BATCH_BYTES_MAX {
            let Some(delivery) = self.flow.next() else { break };
            bytes += delivery.data.len();
            batch.push(self.hand_out(delivery));
        }
        Ok(batch)
    }

    async fn settle(&mut self, decisions: Vec<(Tag, Settlement)>) -> Result<(), BusError> {
        let (mut acked, mut again, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        let give_back_at = Instant::now() + DEAD_LETTER_PATIENCE;
        for (Tag(tag), decision) in decisions {
            // a tag we do not know was settled before, or belongs to another consumer; a dead letter is decided already
            if !self.unsettled.contains_key(&tag) || self.dead.iter().any(|dead| dead.tag == tag) {
                continue;
            }
            match decision {
                Settlement::Ack => acked.push(tag),
                Settlement::Retry => again.push(tag),
                Settlement::Dead(reason) => dead.push(Dead { tag, reason, give_back_at }),
            }
        }
        // what comes again must be back in its place before an ack makes room for its successors
        self.give_back(again).await?;
        self.ack(acked).await?;
        if dead.is_empty() {
            return Ok(());
        }
        self.dead.extend(dead);
        self.bury().await
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        self.flow.close().await
    }
}
