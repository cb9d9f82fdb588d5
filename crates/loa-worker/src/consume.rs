//! The consuming loop: batch in, decode, accept in one transaction, **then** ack.
//!
//! Decisions it takes for every service alike: a message that cannot be decoded goes to the dead letters, its neighbours go
//! through; a ledger that is away is nobody's fault, so the batch is held and tried again in place; an accept that panics
//! or fails for any other reason is tried message by message, and the one at fault is given back, so that the broker's
//! delivery limit ends it in the dead letters. An ended session is opened again, for ever.

use crate::{DoorState, Status, drive::chain};
use async_trait::async_trait;
use loa_bus::{Bus, BusErrorKind, Consumer, DeadReason, HEARTBEAT, Message, Queue, Received, Settlement, Tag};
use std::{error::Error, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Why a batch was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The ledger is away: hold the batch, try again in place.
    #[error("the ledger is away")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else: find the message at fault and give it back.
    #[error("the batch was not accepted")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// What a service does with messages.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// A decoded message.
    type Item: Clone + Send + Sync + 'static;

    /// Decodes a message: pure. `Err` sends it to the dead letters.
    ///
    /// # Errors
    /// The reason and position, for an operator.
    fn decode(&self, message: &Message) -> Result<Self::Item, DeadReason>;

    /// Takes a batch into the ledger, in one transaction, in the given order. Repeats are no change.
    ///
    /// # Errors
    /// See [`AcceptError`]; nothing of the batch may have been kept.
    async fn accept(&self, batch: Vec<Self::Item>) -> Result<(), AcceptError>;
}

/// How a queue is consumed.
#[derive(Debug, Clone)]
pub struct ConsumeOptions {
    /// Which.
    pub queue: Queue,
    /// Most messages unsettled at a time (1 to 2,000).
    pub prefetch: u16,
    /// Most messages in one transaction.
    pub batch_max: usize,
    /// Longest wait for a first message before looking at `stop` again.
    pub wait: Duration,
    /// Shortest wait after a failure; doubles up to `backoff_max`.
    pub backoff_min: Duration,
    /// Longest wait after a failure.
    pub backoff_max: Duration,
}

impl ConsumeOptions {
    /// Prefetch 500, batches of 200, back-off from 100 ms to 5 s.
    pub fn of(queue: Queue) -> Self {
        Self {
            queue,
            prefetch: 500,
            batch_max: 200,
            wait: Duration::from_secs(1),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
        }
    }
}

/// Consumes until `stop`; then settles what is in hand, closes, and returns.
pub async fn consume<H: Handler>(
    options: ConsumeOptions,
    bus: Arc<dyn Bus>,
    handler: Arc<H>,
    status: Arc<Status>,
    stop: CancellationToken,
) {
    let door = format!("bus {}", options.queue);
    let mut backoff = options.backoff_min;
    while !stop.is_cancelled() {
        let error = match bus.consume(options.queue, options.prefetch).await {
            Ok(consumer) => {
                if status.report(&door, DoorState::Open) {
                    tracing::info!(queue = %options.queue, "consuming");
                }
                backoff = options.backoff_min;
                match session(&options, consumer, &handler, &status, &stop).await {
                    Ok(()) => return,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        metrics::counter!("loa_consume_sessions_ended_total", "queue" => options.queue.name(), "kind" => error.kind.as_str())
            .increment(1);
        if status.report(&door, DoorState::Shut(chain(&error))) {
            tracing::warn!(queue = %options.queue, kind = error.kind.as_str(), error = %chain(&error), "not consuming; trying again until it works");
        }
        if error.kind == BusErrorKind::Refused {
            // an operator must act; knocking faster helps nobody
            backoff = options.backoff_max;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = (backoff * 2).min(options.backoff_max);
    }
}

async fn session<H: Handler>(
    options: &ConsumeOptions,
    mut consumer: Box<dyn Consumer>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
) -> Result<(), loa_bus::BusError> {
    loop {
        let batch = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            batch = consumer.receive(options.batch_max, options.wait) => batch?,
        };
        if batch.is_empty() {
            continue;
        }
        metrics::counter!("loa_messages_received_total", "queue" => options.queue.name()).increment(batch.len() as u64);
        let Some(decisions) = decide(options, batch, handler, status, stop).await else { break };
        for (_, decision) in &decisions {
            let word = match decision {
                Settlement::Ack => "ack",
                Settlement::Retry => "retry",
                Settlement::Dead(_) => "dead",
            };
            metrics::counter!("loa_messages_settled_total", "queue" => options.queue.name(), "as" => word).increment(1);
        }
        consumer.settle(decisions).await?;
    }
    consumer.close().await
}

/// What becomes of each message of a batch; `None` when `stop` came while the ledger was away (all go back).
async fn decide<H: Handler>(
    options: &ConsumeOptions,
    batch: Vec<Received>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
) -> Option<Vec<(Tag, Settlement)>> {
    let mut decisions = Vec::with_capacity(batch.len());
    let mut good = Vec::with_capacity(batch.len());
    for received in batch {
        if received.message.content_type == HEARTBEAT {
            metrics::counter!("loa_heartbeats_total", "queue" => options.queue.name()).increment(1);
            decisions.push((received.tag, Settlement::Ack));
            continue;
        }
        // decoding is pure, but a bug in it must not take the neighbours down
        let (worker, message) = (handler.clone(), received.message);
        let id = message.id.clone();
        match tokio::task::spawn_blocking(move || worker.decode(&message)).await {
            Ok(Ok(item)) => good.push((received.tag, item)),
            Ok(Err(reason)) => {
                tracing::warn!(queue = %options.queue, message = %id, reason = %reason.reason, position = %reason.position, "dead letter");
                decisions.push((received.tag, Settlement::Dead(reason)));
            }
            Err(panic) => {
                tracing::error!(queue = %options.queue, message = %id, error = %panic, "decoding panicked: a defect of ours; the message is given back");
                decisions.push((received.tag, Settlement::Retry));
            }
        }
    }
    if good.is_empty() {
        return Some(decisions);
    }
    let items = good.iter().map(|(_, item)| item.clone()).collect();
    match accept_held(options, items, handler, status, stop).await? {
        Ok(()) => decisions.extend(good.into_iter().map(|(tag, _)| (tag, Settlement::Ack))),
        Err(_) => {
            for (tag, item) in good {
                let decision = match accept_held(options, vec![item], handler, status, stop).await? {
                    Ok(()) => Settlement::Ack,
                    Err(error) => {
                        tracing::error!(queue = %options.queue, %error, "a message could not be accepted; it is given back");
                        Settlement::Retry
                    }
                };
                decisions.push((tag, decision));
            }
        }
    }
    Some(decisions)
}

/// Accepts, holding the batch while the ledger is away. `None`: `stop` came meanwhile.
async fn accept_held<H: Handler>(
    options: &ConsumeOptions,
    items: Vec<H::Item>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
) -> Option<Result<(), String>> {
    let door = format!("accept {}", options.queue);
    let mut backoff = options.backoff_min;
    loop {
        let (worker, batch) = (handler.clone(), items.clone());
        let outcome = match tokio::spawn(async move { worker.accept(batch).await }).await {
            Ok(outcome) => outcome,
            Err(panic) => return Some(Err(panic.to_string())),
        };
        match outcome {
            Ok(()) => {
                if status.report(&door, DoorState::Open) {
                    tracing::info!(queue = %options.queue, "accepting");
                }
                return Some(Ok(()));
            }
            Err(AcceptError::Failed(error)) => return Some(Err(chain(&*error))),
            Err(AcceptError::Unavailable(error)) => {
                if status.report(&door, DoorState::Shut(chain(&*error))) {
                    tracing::warn!(queue = %options.queue, error = %chain(&*error), "the ledger is away; the batch is held");
                }
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = tokio::time::sleep(backoff) => {}
                }
                backoff = (backoff * 2).min(options.backoff_max);
            }
        }
    }
}
