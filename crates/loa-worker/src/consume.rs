//! The consuming loop: receive a batch, decode, accept in one transaction, **then** acknowledge.
//!
//! This file opens a session with the broker, and opens it again when it ends. `consume/decide.rs` decides what becomes of each
//! message of a batch, `consume/heartbeats.rs` hears heartbeats. The loop knows neither what messages mean nor which broker and ledger there are.

mod decide;
mod heartbeats;

pub use heartbeats::HEARTBEAT_AGE;

use crate::{DependencyState, Handler, Status, completeness::outlet_of, trouble_of};
use decide::decide;
use loa_bus::{Bus, BusError, BusErrorKind, Consumer, Queue, Settlement};
use loa_domain::{Dependency, with_causes};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long settling may still take once `stop` has come; what is not settled by then comes again.
const SETTLE_AFTER_STOP: Duration = Duration::from_secs(5);

/// Messages unsettled at a time. A broker counts them and does not weigh them, so this is what bounds a service's memory: so
/// many of the largest articles (1 MiB) and what decoding a batch takes stay well under 256 MiB. More would gain little:
/// one commit and one acknowledgement for so many messages is thousands a second.
const PREFETCH: u16 = 64;

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
    /// Prefetch 64, batches up to that, back-off from 100 ms to 5 s.
    pub fn of(queue: Queue) -> Self {
        Self {
            queue,
            prefetch: PREFETCH,
            batch_max: PREFETCH.into(),
            wait: Duration::from_secs(1),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
        }
    }
}

/// Consumes until `stop`; then settles what is in hand, closes, and returns. A session that ends is opened again, at first
/// soon, and more slowly while nothing gets done.
pub async fn consume<H: Handler>(
    options: ConsumeOptions,
    bus: Arc<dyn Bus>,
    handler: Arc<H>,
    status: Arc<Status>,
    stop: CancellationToken,
) {
    let dependency = Dependency::Queue(outlet_of(options.queue));
    status.expect(dependency);
    let mut backoff = options.backoff_min;
    while !stop.is_cancelled() {
        let opened = tokio::select! {
            () = stop.cancelled() => return,
            opened = bus.consume(options.queue, options.prefetch) => opened,
        };
        let error = match opened {
            Ok(consumer) => {
                if status.report(dependency, DependencyState::Up) {
                    tracing::info!(queue = %options.queue, "consuming");
                }
                let mut settled = false;
                match session(&options, consumer, &handler, &status, &stop, &mut settled).await {
                    Ok(()) => return,
                    Err(error) => {
                        if settled {
                            // It did work. One that never settles must not be opened again at once: each session counts a
                            // delivery for everything in its prefetch, and the innocent would reach the delivery limit.
                            backoff = options.backoff_min;
                        }
                        error
                    }
                }
            }
            Err(error) => error,
        };
        metrics::counter!("loa_consume_sessions_ended_total", "queue" => options.queue.name(), "cause" => error.cause)
            .increment(1);
        if status.report(dependency, DependencyState::Down(trouble_of(&error))) {
            tracing::warn!(queue = %options.queue, kind = error.kind.as_str(), error = %with_causes(&error), "not consuming; trying again until it works");
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

/// Receives, decides and settles until `stop` (`Ok`) or until the consumer ends. `settled` is set once a batch was.
async fn session<H: Handler>(
    options: &ConsumeOptions,
    mut consumer: Box<dyn Consumer>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
    settled: &mut bool,
) -> Result<(), BusError> {
    loop {
        let batch = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            batch = consumer.receive(options.batch_max, options.wait) => batch?,
        };
        if batch.is_empty() {
            continue;
        }
        let queue = options.queue.name();
        metrics::counter!("loa_messages_received_total", "queue" => queue).increment(batch.len() as u64);
        let again = batch.iter().filter(|received| received.redelivered).count();
        metrics::counter!("loa_messages_redelivered_total", "queue" => queue).increment(again as u64);
        // `None`: the stop came while the ledger was away, and everything goes back
        let Some(decisions) = decide(options, batch, handler, status, stop).await else { break };
        let mut given_back = false;
        for (_, decision) in &decisions {
            let word = match decision {
                Settlement::Ack => "ack",
                Settlement::Retry => "retry",
                Settlement::Dead(_) => "dead",
            };
            given_back |= matches!(decision, Settlement::Retry);
            metrics::counter!("loa_messages_settled_total", "queue" => options.queue.name(), "as" => word).increment(1);
        }
        tokio::select! {
            outcome = consumer.settle(decisions) => outcome?,
            () = late(stop) => {
                tracing::warn!(queue = %options.queue, "stopped before the broker heard what became of a batch; it comes again");
                return Ok(());
            }
        }
        *settled = true;
        if given_back {
            // it comes again at once; whatever it is that fails may need a moment
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(options.backoff_min) => {}
            }
        }
    }
    consumer.close().await
}

/// Some time after `stop`.
async fn late(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(SETTLE_AFTER_STOP).await;
}
