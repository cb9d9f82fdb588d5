//! Receives and settles over one channel.
//!
//! An ended stream, an ack that could not be sent and a closed channel each end this consumer with
//! an error. The caller then opens another, on whatever connection exists. Contiguous deliveries
//! are acked together, because one `basic.ack` for a hundred is several times faster than a
//! hundred.
//!
//! A dead letter that cannot be published (an alarm, an outage of the other connection) is held
//! unsettled and tried again now and then while consuming goes on: one poisonous message must not
//! stop an outlet as long as an alarm lasts.

use crate::{
    carriage::{Arrived, Burial, Parcel, new_key, read},
    config::Random,
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
use loa_domain::BusFact;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// How long a dead letter is held for a broker that takes no publishes. Then it goes back to its queue, alone, and comes
/// again: below the broker's own limit for unsettled messages (30 min), which would end the whole consumer and count a
/// delivery for every innocent neighbour in its prefetch.
const DEAD_LETTER_PATIENCE: Duration = Duration::from_secs(20 * 60);
/// After so long without a message, while none is held, the channel is opened anew. A queue that is deleted and made anew
/// under its consumer, by hand or by an import of definitions, may take the old consumer for its own: RabbitMQ 3.10 then
/// gives it messages that never leave the broker, until its channel closes, and tells nobody. From outside this looks like
/// silence.
const RENEW_AFTER: Duration = Duration::from_secs(20);
/// Between two tries to publish dead letters that are held.
const DEAD_LETTER_RETRY: Duration = Duration::from_secs(2);

/// What a consumer is opened with.
pub(crate) struct Opening {
    pub(crate) session: Session,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) queue: Queue,
    pub(crate) prefetch: u16,
    pub(crate) answer_timeout: Duration,
}

/// One consumer on a channel of its own.
pub(crate) struct ChannelConsumer {
    flow: Flow,
    publisher: Arc<Publisher>,
    clock: Clock,
    random: Random,
    queue: Queue,
    answer_timeout: Duration,
    /// Since when nothing has come.
    silent_since: Instant,
    /// Handed out and not settled, by delivery tag.
    unsettled: BTreeMap<u64, Held>,
    /// Dead letters that are not published yet; each is unsettled, too.
    dead: Vec<Dead>,
    dead_letters_due_at: Instant,
    /// Whether a line was written about dead letters that are held.
    told: bool,
}

/// A dead letter to be.
struct Dead {
    tag: u64,
    reason: DeadReason,
    /// What the letter is called.
    key: String,
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
        let Opening { session, publisher, clock, random, queue, prefetch, answer_timeout } = opening;
        Ok(Self {
            flow: Flow::open(session, queue, prefetch, answer_timeout).await?,
            publisher,
            clock,
            random,
            queue,
            answer_timeout,
            silent_since: Instant::now(),
            unsettled: BTreeMap::new(),
            dead: Vec::new(),
            dead_letters_due_at: Instant::now(),
            told: false,
        })
    }

    /// Hands out a delivery.
    fn hand_out(&mut self, delivery: Delivery) -> Received {
        let (tag, redelivered, acker) = (delivery.delivery_tag, delivery.redelivered, delivery.acker.clone());
        let arrived = read(delivery);
        let (message, routing_key) = (arrived.message.clone(), arrived.routing_key.clone());
        let odd_headers = arrived.odd.clone();
        self.unsettled.insert(tag, Held { acker, arrived });
        Received { tag: Tag(tag), message, odd_headers, routing_key, redelivered }
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
            .about(BusFact::ConnectionLost)
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

    /// Publishes dead letters, with confirms, and acks those that arrived. The others stay
    /// unsettled and are held. Cancelled in the middle, it may leave a dead letter twice, but loses
    /// none.
    async fn publish_dead_letters(&mut self) -> Result<(), BusError> {
        self.dead.retain(|dead| self.unsettled.contains_key(&dead.tag));
        if self.dead.is_empty() {
            return Ok(());
        }
        let at = (self.clock)();
        let pack = |dead: &Dead| {
            let held = self.unsettled.get(&dead.tag)?;
            let arrived = held.arrived.clone();
            Some(Parcel::dead(self.queue, Burial { arrived, reason: &dead.reason, at, key: &dead.key }))
        };
        let parcels: Vec<_> = self.dead.iter().filter_map(pack).collect();
        let outcomes = self.publisher.publish_letters(&parcels).await;
        let mut failure = None;
        let (mut published, mut impossible) = (Vec::new(), Vec::new());
        for (dead, outcome) in self.dead.iter().zip(outcomes) {
            match outcome {
                Ok(()) => published.push(dead.tag),
                Err(error) if error.kind == BusErrorKind::Rejected => impossible.push((dead.tag, error)),
                Err(error) => failure = Some(error),
            }
        }
        self.ack(published).await?;
        for (tag, error) in impossible {
            // the broker will never take this publish; it can still move the message itself,
            // without our reason
            tracing::warn!(queue = %self.queue, %error, "a dead letter cannot be published; the broker is told to move it");
            if let Some(held) = self.unsettled.get(&tag) {
                self.sent(held.acker.reject(BasicRejectOptions { requeue: false })).await?;
                self.unsettled.remove(&tag);
            }
        }
        self.hold_dead(failure).await
    }

    /// Holds dead letters that could not be published, and gives back those held for too long.
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
        self.dead_letters_due_at = now + DEAD_LETTER_RETRY;
        let late = self.dead.iter().filter(|dead| dead.give_back_at <= now).map(|dead| dead.tag).collect();
        self.give_back(late).await
    }
}

impl Drop for ChannelConsumer {
    fn drop(&mut self) {
        if !self.dead.is_empty() {
            // the broker gives them back, and their next receiver decides again
            gauges::held_dead_letters(self.queue.name(), 0);
        }
    }
}

#[async_trait]
impl Consumer for ChannelConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError> {
        if !self.dead.is_empty() && Instant::now() >= self.dead_letters_due_at {
            self.publish_dead_letters().await?;
        }
        if !self.dead.is_empty() {
            // a held message must not delay the next ones
            self.flow.widen().await?;
        }
        let room = self.flow.room(self.unsettled.len());
        if room == 0 {
            return self.flow.listen_only(wait).await.map(|()| Vec::new());
        }
        if !self.flow.first(wait).await? {
            if self.unsettled.is_empty() && self.silent_since.elapsed() >= RENEW_AFTER {
                self.flow.renew().await?;
                self.silent_since = Instant::now();
            }
            return Ok(Vec::new());
        }
        self.silent_since = Instant::now();
        // no await from here on: every message taken from the stream must be handed out
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
                Settlement::Dead(reason) => {
                    // the same on every try to publish it
                    dead.push(Dead { tag, reason, key: new_key(&self.random), give_back_at });
                }
            }
        }
        // returned messages must be in their places before an ack makes room for their successors
        self.give_back(again).await?;
        self.ack(acked).await?;
        if dead.is_empty() {
            return Ok(());
        }
        self.dead.extend(dead);
        self.publish_dead_letters().await
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        self.flow.close().await
    }
}
