//! What becomes of each message of a batch.
//!
//! Decisions taken for every service alike: a message that cannot be decoded goes to the dead letters, its neighbours go
//! through; a ledger that is away is nobody's fault, so the batch is held and tried again in place; when accepting panics
//! or fails for any other reason, the batch is halved until the one at fault stands alone, and that one is given back, so
//! that the broker's delivery limit ends it in the dead letters. Nothing is discarded for an unknown error.

use crate::{
    AcceptError, ConsumeOptions, DoorState, Handler, Status,
    drive::{chain, panic_words},
};
use loa_bus::{DeadReason, HEARTBEAT, HEARTBEAT_SENT_AT, Received, Settlement, Tag};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// The age of the newest heartbeat that came through, for each queue.
pub const HEARTBEAT_AGE: &str = "loa_heartbeat_age_seconds";

/// A decision for each message; `None` when `stop` came while the ledger was away (all go back).
pub(crate) async fn decide<H: Handler>(
    options: &ConsumeOptions,
    batch: Vec<Received>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
) -> Option<Vec<(Tag, Settlement)>> {
    let mut decisions = Vec::with_capacity(batch.len());
    let (heartbeats, batch): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|received| received.message.content_type == HEARTBEAT);
    let good = decode(options, batch, handler, &mut decisions).await;
    accept(options, good, handler, status, stop, &mut decisions).await?;
    // only now: a heartbeat came through once the batch that it stands in did
    decisions.extend(hear(options, heartbeats, status));
    Some(decisions)
}

/// Counts heartbeats, and notes the newest: its age is how long ago the whole path, from publisher to outlet, last worked.
fn hear(options: &ConsumeOptions, heartbeats: Vec<Received>, status: &Status) -> Vec<(Tag, Settlement)> {
    let queue = options.queue.name();
    metrics::counter!("loa_heartbeats_total", "queue" => queue).increment(heartbeats.len() as u64);
    let sent_at = |received: &Received| received.message.headers.get(HEARTBEAT_SENT_AT)?.parse().ok();
    if let Some(newest) = heartbeats.iter().filter_map(sent_at).max()
        && status.noted(HEARTBEAT_AGE, queue).is_none_or(|known| known < newest)
    {
        status.note(HEARTBEAT_AGE, queue, newest);
    }
    heartbeats.into_iter().map(|received| (received.tag, Settlement::Ack)).collect()
}

/// What decoding one message came to.
enum Decoded<T> {
    Item(T),
    Dead(DeadReason),
    Panicked(String),
}

/// Decodes a batch off the async threads. A panic is a defect of ours and costs its own message only.
async fn decode<H: Handler>(
    options: &ConsumeOptions,
    batch: Vec<Received>,
    handler: &Arc<H>,
    decisions: &mut Vec<(Tag, Settlement)>,
) -> Vec<(Tag, H::Item)> {
    if batch.is_empty() {
        return Vec::new();
    }
    let tags: Vec<Tag> = batch.iter().map(|received| received.tag).collect();
    let worker = handler.clone();
    let decoding = tokio::task::spawn_blocking(move || -> Vec<_> {
        let decode = |received: Received| {
            // the handler keeps no state that a torn decoding could spoil: decoding is pure
            let decoded = match catch_unwind(AssertUnwindSafe(|| worker.decode(&received.message))) {
                Ok(Ok(item)) => Decoded::Item(item),
                Ok(Err(reason)) => Decoded::Dead(reason),
                Err(panic) => Decoded::Panicked(panic_words(&*panic)),
            };
            (received.tag, received.message.id, decoded)
        };
        batch.into_iter().map(decode).collect()
    });
    let decoded = match decoding.await {
        Ok(decoded) => decoded,
        Err(error) => {
            // the runtime is shutting down
            tracing::debug!(queue = %options.queue, %error, "decoding was cut short; the batch is given back");
            decisions.extend(tags.into_iter().map(|tag| (tag, Settlement::Retry)));
            return Vec::new();
        }
    };
    let mut good = Vec::with_capacity(decoded.len());
    for (tag, id, decoded) in decoded {
        match decoded {
            Decoded::Item(item) => good.push((tag, item)),
            Decoded::Dead(reason) => {
                tracing::warn!(queue = %options.queue, message = %id, reason = %reason.reason, position = %reason.position, "dead letter");
                decisions.push((tag, Settlement::Dead(reason)));
            }
            Decoded::Panicked(words) => {
                tracing::error!(queue = %options.queue, message = %id, panic = %words, "decoding panicked: a defect of ours; the message is given back");
                decisions.push((tag, Settlement::Retry));
            }
        }
    }
    good
}

/// Accepts a batch, or as much of it as can be, in the order given. `None`: `stop` came while the ledger was away.
async fn accept<H: Handler>(
    options: &ConsumeOptions,
    batch: Vec<(Tag, H::Item)>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
    decisions: &mut Vec<(Tag, Settlement)>,
) -> Option<()> {
    let mut ahead = vec![batch];
    while let Some(mut part) = ahead.pop() {
        if part.is_empty() {
            continue;
        }
        let items = part.iter().map(|(_, item)| item.clone()).collect();
        match accept_held(options, items, handler, status, stop).await? {
            Ok(()) => decisions.extend(part.into_iter().map(|(tag, _)| (tag, Settlement::Ack))),
            Err(error) if part.len() == 1 => {
                tracing::error!(queue = %options.queue, %error, "a message could not be accepted; it is given back");
                decisions.extend(part.into_iter().map(|(tag, _)| (tag, Settlement::Retry)));
            }
            Err(error) => {
                tracing::warn!(queue = %options.queue, %error, messages = part.len(), "a batch was not accepted; looking for the message at fault");
                let second_half = part.split_off(part.len() / 2);
                ahead.push(second_half);
                ahead.push(part);
            }
        }
    }
    Some(())
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
        // a task of its own, so that a panic ends there
        let outcome = match tokio::spawn(async move { worker.accept(batch).await }).await {
            Ok(outcome) => outcome,
            Err(error) => {
                return Some(Err(match error.try_into_panic() {
                    Ok(panic) => format!("accepting panicked: a defect of ours: {}", panic_words(&*panic)),
                    Err(error) => error.to_string(),
                }));
            }
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
