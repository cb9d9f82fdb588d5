//! What becomes of each message of a batch.
//!
//! The decisions are the same for every service:
//!
//! * A message that cannot be decoded goes to the dead letters; its neighbours go through.
//! * A ledger that is away is nobody's fault: the batch is held and tried again in place, without end.
//! * A conflict is another replica at the same rows: the batch is tried again in place, [`CONFLICT_TRIES_MAX`] times.
//! * When accepting panics, or fails for any other reason, the batch is halved until the message at fault stands alone.
//!   That one is given back, so that the broker's delivery limit ends it in the dead letters.
//!
//! Nothing is discarded for an unknown error.

use super::heartbeats::hear;
use crate::{
    AcceptError, ConsumeOptions, DependencyState, Handler, Status,
    completeness::outlet_of,
    drive::panic_words,
    handler::{SOURCE, odd_attribute},
    trouble_of,
};
use loa_bus::{DeadReason, Received, Settlement, Tag};
use loa_domain::{Dependency, with_causes};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// How often a batch is tried that conflicts with another replica's. One further try sees what the other wrote; more are
/// needed only while several replicas accept the same messages at once.
const CONFLICT_TRIES_MAX: u32 = 8;

/// A decision for each message; `None` when `stop` came while the ledger was away (all go back).
pub(crate) async fn decide<H: Handler>(
    options: &ConsumeOptions,
    batch: Vec<Received>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
) -> Option<Vec<(Tag, Settlement)>> {
    let mut decisions = Vec::with_capacity(batch.len());
    let (heartbeats, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(Received::is_heartbeat);
    let good = decode_known(options, batch, handler, status, stop, &mut decisions).await?;
    accept(options, good, handler, status, stop, &mut decisions).await?;
    // only now: a heartbeat came through once the batch that it stands in did
    decisions.extend(hear(options.queue, heartbeats, status));
    Some(decisions)
}

/// Decodes a batch. Before a source counts as unknown, what is known of sources is brought up to date, once a batch: a portal
/// may have been added a moment ago. `None`: `stop` came while that could not be done.
async fn decode_known<H: Handler>(
    options: &ConsumeOptions,
    batch: Vec<Received>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
    decisions: &mut Vec<(Tag, Settlement)>,
) -> Option<Vec<(Tag, H::Item)>> {
    let placed = batch.into_iter().enumerate().collect();
    let decoded = decode(placed, handler, decisions).await;
    let is_unsure = |one: &Done<H::Item>| matches!(&one.outcome, Decoded::Dead(reason) if reason.position == SOURCE);
    let (unsure, mut decoded): (Vec<_>, Vec<_>) = decoded.into_iter().partition(is_unsure);
    if !unsure.is_empty() {
        refresh_held(options, handler, status, stop).await?;
        let again = unsure.into_iter().map(|one| (one.place, one.received)).collect();
        decoded.extend(decode(again, handler, decisions).await);
        decoded.sort_by_key(|one| one.place);
    }
    Some(sort_out(options, decoded, decisions))
}

/// Brings up to date by what messages are decoded, for as long as it takes. `None`: `stop` came meanwhile.
async fn refresh_held<H: Handler>(
    options: &ConsumeOptions,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
) -> Option<()> {
    let dependency = Dependency::Accepting(outlet_of(options.queue));
    let mut backoff = options.backoff_min;
    while let Err(error) = handler.refresh().await {
        let (AcceptError::Failed(cause) | AcceptError::Conflict(cause) | AcceptError::Unavailable(cause)) = &error;
        if status.report(dependency, DependencyState::Down(trouble_of(&**cause))) {
            tracing::warn!(queue = %options.queue, error = %with_causes(&error), "the list of portals cannot be read; the batch is held");
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = (backoff * 2).min(options.backoff_max);
    }
    if backoff > options.backoff_min {
        // there may be nothing to accept that would say so
        status.report(dependency, DependencyState::Up);
    }
    Some(())
}

/// A message of a batch, decoded.
struct Done<T> {
    /// Its place in the batch.
    place: usize,
    received: Received,
    outcome: Decoded<T>,
}

/// What decoding one message came to.
enum Decoded<T> {
    Item(T),
    Dead(DeadReason),
    Panicked(String),
}

/// Decodes messages, each with its place, off the async threads. A panic is a defect of ours and costs its own message only.
async fn decode<H: Handler>(
    batch: Vec<(usize, Received)>,
    handler: &Arc<H>,
    decisions: &mut Vec<(Tag, Settlement)>,
) -> Vec<Done<H::Item>> {
    if batch.is_empty() {
        return Vec::new();
    }
    let worker = handler.clone();
    let tags: Vec<Tag> = batch.iter().map(|(_, received)| received.tag).collect();
    let decoding = tokio::task::spawn_blocking(move || -> Vec<_> {
        let decode = |(place, received): (usize, Received)| {
            // the handler keeps no state that a torn decoding could spoil: decoding is pure
            let read = || match odd_attribute(&received) {
                Some(reason) => Err(reason),
                None => worker.decode(&received.message),
            };
            let outcome = match catch_unwind(AssertUnwindSafe(read)) {
                Ok(Ok(item)) => Decoded::Item(item),
                Ok(Err(reason)) => Decoded::Dead(reason),
                Err(panic) => Decoded::Panicked(panic_words(&*panic)),
            };
            Done { place, received, outcome }
        };
        batch.into_iter().map(decode).collect()
    });
    match decoding.await {
        Ok(decoded) => decoded,
        Err(error) => {
            // the runtime is shutting down
            tracing::debug!(%error, "decoding was cut short; the batch is given back");
            decisions.extend(tags.into_iter().map(|tag| (tag, Settlement::Retry)));
            Vec::new()
        }
    }
}

/// The messages that are events; what becomes of the others is decided.
fn sort_out<T>(
    options: &ConsumeOptions,
    decoded: Vec<Done<T>>,
    decisions: &mut Vec<(Tag, Settlement)>,
) -> Vec<(Tag, T)> {
    let mut good = Vec::with_capacity(decoded.len());
    for Done { received, outcome, .. } in decoded {
        let (tag, id) = (received.tag, received.message.id);
        match outcome {
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

/// Accepts, holding the batch while the ledger is away or another replica is at the same rows. `None`: `stop` came meanwhile.
async fn accept_held<H: Handler>(
    options: &ConsumeOptions,
    items: Vec<H::Item>,
    handler: &Arc<H>,
    status: &Status,
    stop: &CancellationToken,
) -> Option<Result<(), String>> {
    let dependency = Dependency::Accepting(outlet_of(options.queue));
    let (mut backoff, mut conflicts) = (options.backoff_min, 0);
    loop {
        match accept_once(handler, items.clone()).await {
            Ok(Ok(())) => {
                if status.report(dependency, DependencyState::Up) {
                    tracing::info!(queue = %options.queue, "accepting");
                }
                return Some(Ok(()));
            }
            Err(panic) => return Some(Err(panic)),
            Ok(Err(AcceptError::Failed(error))) => return Some(Err(with_causes(&*error))),
            Ok(Err(AcceptError::Conflict(error))) => {
                conflicts += 1;
                if conflicts == CONFLICT_TRIES_MAX {
                    return Some(Err(with_causes(&*error)));
                }
                tracing::debug!(queue = %options.queue, error = %with_causes(&*error), "another replica was first; the batch is tried again");
            }
            Ok(Err(AcceptError::Unavailable(error))) => {
                if status.report(dependency, DependencyState::Down(trouble_of(&*error))) {
                    tracing::warn!(queue = %options.queue, error = %with_causes(&*error), "the ledger is away; the batch is held");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = (backoff * 2).min(options.backoff_max);
    }
}

/// One try. `Err`: accepting panicked.
async fn accept_once<H: Handler>(handler: &Arc<H>, batch: Vec<H::Item>) -> Result<Result<(), AcceptError>, String> {
    let worker = handler.clone();
    // a task of its own, so that a panic ends there
    tokio::spawn(async move { worker.accept(batch).await }).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => format!("accepting panicked: a defect of ours: {}", panic_words(&*panic)),
        Err(error) => error.to_string(),
    })
}
