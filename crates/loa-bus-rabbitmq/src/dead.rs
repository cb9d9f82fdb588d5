//! The dead letters: looking, second chances, burial.
//!
//! AMQP has no way to look without taking: messages are got, unsettled, and given back to their places. Two who look at
//! the same time see parts of the list each; nothing is lost by it, nor by a crash in between.

use crate::{
    carriage::{Parcel, read_dead},
    fault::{fault, late, missing},
    publish::Publisher,
    topology::depth,
};
use lapin::{
    Acker, Channel,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions},
};
use loa_bus::{BusError, BusErrorKind, DeadLetter, Queue};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// Dead letters moved before the next are got.
const MOVED_AT_ONCE: usize = 200;

/// How often, and after what pause, we look whether what was given back is there again.
const BACK_TRIES_MAX: u32 = 100;
const BACK_PAUSE: Duration = Duration::from_millis(20);

/// The dead letters of one queue, over a channel of their own.
pub(crate) struct Graveyard {
    channel: Channel,
    queue: Queue,
    answer_timeout: Duration,
    /// Letters got and not settled.
    held: AtomicU64,
}

impl Graveyard {
    pub(crate) fn new(channel: Channel, queue: Queue, answer_timeout: Duration) -> Self {
        Self { channel, queue, answer_timeout, held: AtomicU64::new(0) }
    }

    /// The oldest dead letters, left where they are.
    pub(crate) async fn look(self, max: usize) -> Result<Vec<DeadLetter>, BusError> {
        let mut letters = Vec::new();
        let result = loop {
            if letters.len() >= max {
                break Ok(());
            }
            match self.get().await {
                Ok(Some((_, letter))) => letters.push(letter),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.leave().await;
        result.map(|()| letters)
    }

    /// Publishes dead letters back to their queue and acks those that arrived; all of them when `ids` is empty.
    pub(crate) async fn redrive(self, ids: &[String], publisher: &Publisher) -> Result<u64, BusError> {
        let result = self.redrive_all(ids, publisher).await;
        self.leave().await;
        result
    }

    async fn redrive_all(&self, ids: &[String], publisher: &Publisher) -> Result<u64, BusError> {
        // those that die again while this runs come after these, and are left for another time
        let mut left = self.count().await?;
        let mut moved = 0;
        while left > 0 {
            let (mut ackers, mut parcels) = (Vec::new(), Vec::new());
            while left > 0 && parcels.len() < MOVED_AT_ONCE {
                let Some((acker, letter)) = self.get().await? else {
                    left = 0;
                    break;
                };
                left -= 1;
                // what is not meant stays unsettled, and goes back to its place when the channel closes
                if ids.is_empty() || ids.contains(&letter.message.id) {
                    ackers.push(acker);
                    parcels.push(Parcel::redriven(letter));
                }
            }
            let mut failure = None;
            for (acker, outcome) in ackers.iter().zip(publisher.publish(&parcels).await) {
                match outcome {
                    // what has arrived leaves the dead letters, whatever became of its neighbours
                    Ok(()) => {
                        self.forget(acker).await?;
                        moved += 1;
                    }
                    Err(error) => failure = Some(error),
                }
            }
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(moved)
    }

    /// Deletes dead letters by message id; returns them.
    pub(crate) async fn discard(self, ids: &[String]) -> Result<Vec<DeadLetter>, BusError> {
        let mut discarded = Vec::new();
        let result = async {
            for _ in 0..self.count().await? {
                let Some((acker, letter)) = self.get().await? else { break };
                if ids.contains(&letter.message.id) {
                    self.forget(&acker).await?;
                    discarded.push(letter);
                }
            }
            Ok(())
        }
        .await;
        self.leave().await;
        result.map(|()| discarded)
    }

    async fn count(&self) -> Result<u64, BusError> {
        depth(&self.channel, self.queue.dead_name(), self.answer_timeout).await
    }

    async fn get(&self) -> Result<Option<(Acker, DeadLetter)>, BusError> {
        let name = self.queue.dead_name();
        let get = self.channel.basic_get(name.into(), BasicGetOptions::default());
        match timeout(self.answer_timeout, get).await {
            Ok(Ok(got)) => Ok(got.map(|got| {
                self.held.fetch_add(1, Ordering::Relaxed);
                let acker = got.delivery.acker.clone();
                (acker, read_dead(self.queue, got.delivery))
            })),
            Ok(Err(error)) if crate::fault::is_not_found(&error) => Err(missing(&format!("the queue {name}"))),
            Ok(Err(error)) => Err(fault(&format!("read {name}"), error)),
            Err(_) => Err(late(&format!("read {name}"))),
        }
    }

    async fn forget(&self, acker: &Acker) -> Result<(), BusError> {
        match timeout(self.answer_timeout, acker.ack(BasicAckOptions::default())).await {
            Ok(Ok(true)) => {
                self.held.fetch_sub(1, Ordering::Relaxed);
                Ok(())
            }
            Ok(Ok(false)) => Err(BusError::new(
                BusErrorKind::Unavailable,
                format!("the channel to {} was closed in the middle", self.queue.dead_name()),
            )),
            Ok(Err(error)) => Err(fault(&format!("settle in {}", self.queue.dead_name()), error)),
            Err(_) => Err(late(&format!("settle in {}", self.queue.dead_name()))),
        }
    }

    /// Gives back what is unsettled, and waits until it is there again: whoever looks next sees all of it. (A quorum queue
    /// takes it back some moments after the channel has heard of it. Should somebody else have taken it meanwhile, we do
    /// not wait for ever.)
    async fn leave(self) {
        let held = self.held.load(Ordering::Relaxed);
        let leave = async {
            // tag 0 with `multiple`: everything got and not settled
            self.channel.basic_nack(0, BasicNackOptions { multiple: true, requeue: true }).await?;
            for _ in 0..BACK_TRIES_MAX {
                if self.count().await.is_ok_and(|ready| ready >= held) {
                    break;
                }
                tokio::time::sleep(BACK_PAUSE).await;
            }
            self.channel.close(200, "bye".into()).await
        };
        match timeout(self.answer_timeout, leave).await {
            Ok(Ok(())) => {}
            // the channel is closed with this value, and then the broker gives them back itself
            Ok(Err(error)) => tracing::debug!(%error, "the channel of dead letters could not be closed in order"),
            Err(_) => tracing::debug!("the broker did not answer the farewell"),
        }
    }
}
