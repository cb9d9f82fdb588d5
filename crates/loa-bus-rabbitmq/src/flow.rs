//! The messages that reach a consumer, and how many the broker sends ahead (prefetch).
//!
//! A consumer begins with one message, because only its delivery count says whether care is needed.
//! A message that was delivered often may have killed the process before. It comes alone then, so
//! that it takes no other with it.

use crate::{
    carriage::deliveries_before,
    fault::{fault, is_not_found, late, lost, missing_queue},
    link::Session,
};
use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions},
    types::FieldTable,
};
use loa_bus::{ALONE_AFTER, BusError, BusErrorKind, Queue};
use loa_domain::BusFact;
use std::{collections::VecDeque, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, error::Elapsed, timeout},
};

/// Unsettled messages that RabbitMQ allows on a quorum queue at most.
const PREFETCH_MAX: u16 = 2_000;

/// The deliveries of one queue, over their own channel.
pub(crate) struct Flow {
    pub(crate) channel: Channel,
    stream: lapin::Consumer,
    session: Session,
    queue: Queue,
    answer_timeout: Duration,
    /// Most unsettled messages of the caller.
    prefetch: u16,
    pace: Pace,
    /// A change of prefetch in progress whose caller was cancelled.
    widening: Option<JoinHandle<Result<lapin::Result<lapin::Consumer>, Elapsed>>>,
    /// Taken from the stream and not handed out.
    waiting: VecDeque<Delivery>,
    /// Seen while handing out; told with the next [`Self::first`].
    ended: Option<BusError>,
}

/// How many messages the broker sends ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// One at a time.
    Alone,
    /// The whole prefetch.
    Wide,
}

impl Flow {
    /// Opens a channel and begins to consume.
    pub(crate) async fn open(
        session: Session,
        queue: Queue,
        prefetch: u16,
        answer_timeout: Duration,
    ) -> Result<Self, BusError> {
        let open = async {
            let channel = session.connection.create_channel().await?;
            let stream = begin(&channel, queue, 1).await?;
            Ok((channel, stream))
        };
        let (channel, stream) = begun(queue, timeout(answer_timeout, open).await)?;
        Ok(Self {
            channel,
            stream,
            session,
            queue,
            answer_timeout,
            prefetch: prefetch.clamp(1, PREFETCH_MAX),
            pace: if prefetch > 1 { Pace::Alone } else { Pace::Wide },
            widening: None,
            waiting: VecDeque::new(),
            ended: None,
        })
    }

    /// How many more may be handed out while this many are unsettled. The broker does not count the
    /// one that came alone.
    pub(crate) fn room(&self, unsettled: usize) -> usize {
        usize::from(self.prefetch).saturating_sub(unsettled)
    }

    pub(crate) fn alive(&self) -> bool {
        !self.session.ended.is_cancelled() && self.channel.status().connected()
    }

    /// Waits until a message is ready. Returns whether one is. Cancel-safe.
    pub(crate) async fn first(&mut self, wait: Duration) -> Result<bool, BusError> {
        if let Some(error) = self.ended.take() {
            return Err(error);
        }
        if self.waiting.is_empty() {
            let Some(first) = self.arrival(wait).await? else { return Ok(false) };
            self.waiting.push_back(first);
        }
        if self.waiting.front().is_some_and(|first| deliveries_before(first) < ALONE_AFTER) {
            self.widen().await?;
        }
        Ok(true)
    }

    /// The next ready message, without waiting. The end of the stream is told by the next
    /// [`Self::first`].
    pub(crate) fn next(&mut self) -> Option<Delivery> {
        if let Some(delivery) = self.waiting.pop_front() {
            return Some(delivery);
        }
        let error = match self.stream.next().now_or_never()? {
            Some(Ok(delivery)) => return Some(delivery),
            Some(Err(error)) => Some(error),
            None => None,
        };
        self.ended = Some(self.end(error));
        None
    }

    /// Waits while the caller holds the whole prefetch. Nothing may be handed out then, but the end
    /// of the stream must be noticed.
    pub(crate) async fn listen_only(&mut self, wait: Duration) -> Result<(), BusError> {
        if let Some(error) = self.ended.take() {
            return Err(error);
        }
        let until = Instant::now() + wait;
        while let Some(delivery) = self.arrival(until.saturating_duration_since(Instant::now())).await? {
            self.waiting.push_back(delivery);
        }
        Ok(())
    }

    /// Lets the broker send the whole prefetch ahead, if it does not yet: `basic.qos` is for consumers to come, so this one
    /// is cancelled and another begun on the same channel. Only while the one message that it may have is unsettled:
    /// nothing is under way then. Cancel-safe: a task of its own does it, and the next call picks up its result.
    pub(crate) async fn widen(&mut self) -> Result<(), BusError> {
        if self.pace == Pace::Wide {
            return Ok(());
        }
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
        let joined =
            joined.map_err(|error| BusError::caused(BusErrorKind::Unavailable, "receiving was cut short", error))?;
        self.stream = begun(self.queue, joined)?;
        self.pace = Pace::Wide;
        Ok(())
    }

    /// Gives everything back that was delivered and not settled, and closes the channel.
    pub(crate) async fn close(&self) -> Result<(), BusError> {
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

    /// Closes the channel and begins anew on another one of the same session. What was delivered meanwhile comes again.
    ///
    /// # Errors
    /// The flow has ended then. So it has when the caller is cancelled.
    pub(crate) async fn renew(&mut self) -> Result<(), BusError> {
        self.close().await?;
        *self = Self::open(self.session.clone(), self.queue, self.prefetch, self.answer_timeout).await?;
        Ok(())
    }

    /// The next delivery; `None` when none comes within this time.
    async fn arrival(&mut self, wait: Duration) -> Result<Option<Delivery>, BusError> {
        let next = tokio::select! {
            biased;
            next = timeout(wait, self.stream.next()) => next,
            // lapin ends the stream, too; this covers the case that it does not
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

    /// The error that the end of the stream means.
    fn end(&self, error: Option<lapin::Error>) -> BusError {
        match error {
            Some(error) if is_not_found(&error) => missing_queue(self.queue.name()),
            Some(error) => fault(&format!("go on consuming {}", self.queue), error),
            None if !self.alive() => lost(&format!("go on consuming {}", self.queue)),
            // a broker cancels so when the queue was deleted
            None => {
                let what = format!("the broker ended the consumer of {}", self.queue);
                BusError::new(BusErrorKind::Unavailable, what)
                    .about(BusFact::ConsumerEnded { queue: self.queue.name().to_owned() })
                    .because("cancelled")
            }
        }
    }
}

/// Begins to consume, with so much sent ahead.
async fn begin(channel: &Channel, queue: Queue, prefetch: u16) -> lapin::Result<lapin::Consumer> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    channel.basic_consume(queue.name().into(), "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
}

fn begun<T>(queue: Queue, outcome: Result<lapin::Result<T>, Elapsed>) -> Result<T, BusError> {
    let what = format!("consume {queue}");
    match outcome {
        Ok(Ok(begun)) => Ok(begun),
        Ok(Err(error)) if is_not_found(&error) => Err(missing_queue(queue.name())),
        Ok(Err(error)) => Err(fault(&what, error)),
        Err(_) => Err(late(&what)),
    }
}
