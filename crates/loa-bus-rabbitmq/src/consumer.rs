//! Receiving and settling over one channel.
//!
//! An ended stream, an ack that could not be sent, a closed channel: each ends this consumer with an error, and the caller
//! opens another on whatever connection there is then. Deliveries are acked in runs where they are contiguous, because one
//! `basic.ack` for a hundred is several times faster than a hundred.
//!
//! A dead letter that cannot be published (an alarm, an outage of the other connection) is held, unsettled, and tried again
//! from time to time while consuming goes on: one poisonous message must not stop an outlet for as long as an alarm lasts.

use crate::{
    carriage::{Arrived, Parcel, deliveries_before, read},
    fault::{fault, is_not_found, late, missing},
    gauges,
    link::Session,
    publish::Publisher,
};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use lapin::{
    Acker, Channel,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions,
    },
    types::FieldTable,
};
use loa_bus::{
    ALONE_AFTER, BusError, BusErrorKind, Clock, Consumer, DeadReason, Queue, Received, Settlement, Tag,
    limits::BATCH_BYTES_MAX,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, error::Elapsed, timeout},
};

/// Unsettled messages that RabbitMQ allows on a quorum queue at most.
const PREFETCH_MAX: u16 = 2_000;
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
    channel: Channel,
    stream: lapin::Consumer,
    pace: Pace,
    /// Under way, when a `receive` was cancelled meanwhile.
    widening: Option<JoinHandle<Result<lapin::Result<lapin::Consumer>, Elapsed>>>,
    /// Taken from the stream and not handed out.
    waiting: VecDeque<Delivery>,
    /// Most that is in the caller's hands.
    prefetch: u16,
    session: Session,
    publisher: Arc<Publisher>,
    clock: Clock,
    queue: Queue,
    answer_timeout: Duration,
    /// Handed out and not settled, by delivery tag.
    unsettled: BTreeMap<u64, Held>,
    /// Seen at the end of a batch; told with the next `receive`.
    ended: Option<BusError>,
    /// Dead letters that are not published yet; each is unsettled, too.
    dead: Vec<Dead>,
    bury_again_at: Instant,
    /// Whether a line was written about dead letters that are held.
    told: bool,
}

/// How much the broker sends ahead.
///
/// A consumer begins with one message: whether this is a time to be careful, only its count of deliveries tells. One that
/// was delivered often may be what killed the process before, and then it must kill nobody else, so it comes alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// One at a time.
    Alone,
    /// The whole prefetch.
    Wide,
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
        let what = format!("consume {queue}");
        let open = async {
            let channel = session.connection.create_channel().await?;
            let stream = begin(&channel, queue, 1).await?;
            Ok((channel, stream))
        };
        let (channel, stream) = match timeout(answer_timeout, open).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) if is_not_found(&error) => return Err(missing(&format!("the queue {queue}"))),
            Ok(Err(error)) => return Err(fault(&what, error)),
            Err(_) => return Err(late(&what)),
        };
        Ok(Self {
            channel,
            stream,
            pace: if prefetch > 1 { Pace::Alone } else { Pace::Wide },
            widening: None,
            waiting: VecDeque::new(),
            prefetch: prefetch.clamp(1, PREFETCH_MAX),
            session,
            publisher,
            clock,
            queue,
            answer_timeout,
            unsettled: BTreeMap::new(),
            ended: None,
            dead: Vec::new(),
            bury_again_at: Instant::now(),
            told: false,
        })
    }

    /// Lets the broker send the whole prefetch ahead: `basic.qos` is for consumers to come, so this one is cancelled and
    /// another begun on the same channel. Only while the one message that it may have is unsettled: nothing is under way
    /// then. Cancel-safe: a task of its own does it, and the next call picks up its result.
    async fn widen(&mut self) -> Result<(), BusError> {
        let widening = self.widening.get_or_insert_with(|| {
            let (channel, tag, queue, prefetch) = (self.channel.clone(), self.stream.tag(), self.queue, self.prefetch);
            let wider = async move {
                channel.basic_cancel(tag, BasicCancelOptions::default()).await?;
                begin(&channel, queue, prefetch).await
            };
            tokio::spawn(timeout(self.answer_timeout, wider))
        });
        let joined = widening.await;
        self.widening = None;
        let what = format!("consume {}", self.queue);
        self.stream = match joined {
            Ok(Ok(Ok(stream))) => stream,
            Ok(Ok(Err(error))) if is_not_found(&error) => return Err(missing(&format!("the queue {}", self.queue))),
            Ok(Ok(Err(error))) => return Err(fault(&what, error)),
            Ok(Err(_)) => return Err(late(&what)),
            Err(error) => return Err(BusError::caused(BusErrorKind::Unavailable, "receiving was cut short", error)),
        };
        self.pace = Pace::Wide;
        Ok(())
    }

    /// What comes next; `None` when nothing does for so long.
    async fn arrival(&mut self, wait: Duration) -> Result<Option<Delivery>, BusError> {
        let next = tokio::select! {
            biased;
            next = timeout(wait, self.stream.next()) => next,
            // lapin ends the stream, too; this is for the case that it forgets
            () = self.session.ended.cancelled() => Ok(None),
        };
        match next {
            Ok(Some(Ok(delivery))) => Ok(Some(delivery)),
            Ok(Some(Err(error))) => Err(self.end(Some(error))),
            Ok(None) => Err(self.end(None)),
            Err(_) if !self.channel.status().connected() => Err(self.end(None)),
            Err(_) => Ok(None),
        }
    }

    /// Waits while the prefetch is in the caller's hands: nothing may be handed out, but an end must be heard.
    async fn listen_only(&mut self, wait: Duration) -> Result<(), BusError> {
        let until = Instant::now() + wait;
        while let Some(delivery) = self.arrival(until.saturating_duration_since(Instant::now())).await? {
            self.waiting.push_back(delivery);
        }
        Ok(())
    }

    /// What has come already; an end is told with the next `receive`.
    fn at_hand(&mut self) -> Option<Delivery> {
        match self.stream.next().now_or_never()? {
            Some(Ok(delivery)) => Some(delivery),
            Some(Err(error)) => {
                self.ended = Some(self.end(Some(error)));
                None
            }
            None => {
                self.ended = Some(self.end(None));
                None
            }
        }
    }

    /// Hands out a delivery.
    fn hand_out(&mut self, delivery: Delivery) -> Received {
        let (tag, redelivered, acker) = (delivery.delivery_tag, delivery.redelivered, delivery.acker.clone());
        let arrived = read(delivery);
        let (message, routing_key) = (arrived.message.clone(), arrived.routing_key.clone());
        self.unsettled.insert(tag, Held { acker, arrived });
        Received { tag: Tag(tag), message, routing_key, redelivered }
    }

    /// What the end of the stream means.
    fn end(&self, error: Option<lapin::Error>) -> BusError {
        match error {
            Some(error) if is_not_found(&error) => missing(&format!("the queue {}", self.queue)),
            Some(error) => fault(&format!("go on consuming {}", self.queue), error),
            None if !self.alive() => {
                let what = format!("cannot go on consuming {}: the connection to the broker was lost", self.queue);
                BusError::new(BusErrorKind::Unavailable, what).because("connection_lost")
            }
            // what a broker does when the queue was deleted
            None => {
                let what = format!("the broker ended the consumer of {}", self.queue);
                BusError::new(BusErrorKind::Unavailable, what).because("cancelled")
            }
        }
    }

    fn alive(&self) -> bool {
        !self.session.ended.is_cancelled() && self.channel.status().connected()
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
        if !self.alive() {
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

/// Begins to consume, with so much sent ahead.
async fn begin(channel: &Channel, queue: Queue, prefetch: u16) -> lapin::Result<lapin::Consumer> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    channel.basic_consume(queue.name().into(), "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
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
        if let Some(error) = self.ended.take() {
            return Err(error);
        }
        if !self.dead.is_empty() && Instant::now() >= self.bury_again_at {
            self.bury().await?;
        }
        // a dead letter that is held must not hold up what comes after it
        if self.pace == Pace::Alone && !self.dead.is_empty() {
            self.widen().await?;
        }
        // the broker counts the prefetch without the message that came alone
        let room = usize::from(self.prefetch).saturating_sub(self.unsettled.len());
        if room == 0 {
            return self.listen_only(wait).await.map(|()| Vec::new());
        }
        if self.waiting.is_empty() {
            let Some(first) = self.arrival(wait).await? else { return Ok(Vec::new()) };
            self.waiting.push_back(first);
        }
        if self.pace == Pace::Alone && self.waiting.front().is_some_and(|it| deliveries_before(it) < ALONE_AFTER) {
            self.widen().await?;
        }
        // no await from here on: what was taken from the stream is handed out
        let (mut bytes, mut batch) = (0, Vec::new());
        while batch.len() < max.min(room) && bytes < BATCH_BYTES_MAX {
            let Some(delivery) = self.waiting.pop_front().or_else(|| self.at_hand()) else { break };
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
        let close = async {
            self.channel.basic_cancel(self.stream.tag(), BasicCancelOptions::default()).await?;
            // tag 0 with `multiple`: everything delivered and not settled, handed out or not
            self.channel.basic_nack(0, BasicNackOptions { multiple: true, requeue: true }).await?;
            self.channel.close(200, "bye".into()).await
        };
        match timeout(self.answer_timeout, close).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(fault(&format!("close the consumer of {}", self.queue), error)),
            Err(_) => Err(late(&format!("close the consumer of {}", self.queue))),
        }
    }
}
