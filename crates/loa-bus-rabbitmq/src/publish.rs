//! Publishes in windows: it sends up to 256 messages, waits until every confirm of the window is
//! in, and only then judges.
//!
//! It waits for the whole window because lapin hands a returned message to whichever confirm is
//! completed next. So a plain ack says nothing about its own message until all are in. Then each
//! return has been handed out, and is matched to its message by exchange, routing key and message
//! id.

use crate::{
    carriage::{Parcel, returned_key},
    fault::{closed, fault, is_not_found, kind_of, late, lost, missing, missing_queue},
    gauges::{self, InFlight},
    link::{Link, Session},
    refusals::Refusals,
};
use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use loa_bus::{BusError, BusErrorKind};
use loa_domain::{BusFact, BusReason, NotCarried, TopologyThing};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

/// Messages sent before their confirms are waited for: throughput grows little beyond.
const WINDOW: usize = 256;
/// From this size of body on, in bytes, a letter is sent alone: a broker that refuses one message for its size closes the channel
/// over it, and which others of the window have arrived is not known then.
const ALONE_FROM: usize = 16 * 1024;
/// Publishes at a time; each has a channel of its own, so that one's failure is not another's.
const CHANNELS_MAX: u32 = 8;

/// Publishes parcels over the publishing link.
pub(crate) struct Publisher {
    link: Arc<Link>,
    confirm_timeout: Duration,
    turns: Semaphore,
    /// Channels in good order, with the number of their session.
    idle: Mutex<Vec<(u64, Channel)>>,
    refusals: Mutex<Refusals>,
}

/// The outcome of one message, before it becomes an error of `loa-bus`.
type Outcome = Result<(), BusError>;

impl Publisher {
    pub(crate) fn new(link: Arc<Link>, confirm_timeout: Duration) -> Self {
        Self {
            link,
            confirm_timeout,
            turns: Semaphore::new(CHANNELS_MAX as usize),
            idle: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    /// Why the broker refuses our publishes, if it refused some routing key and has not taken that key since.
    pub(crate) fn refusal(&self) -> Option<BusReason> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).reason()
    }

    /// Publishes parcels in order; one outcome each, within the confirm timeout. Beside one that is refused for its size, others may
    /// arrive twice; receivers recognise that.
    pub(crate) async fn publish(&self, parcels: &[Parcel]) -> Vec<Outcome> {
        self.publish_and_note(parcels, usize::MAX).await
    }

    /// The same for letters, which nobody recognises: they would be there twice.
    pub(crate) async fn publish_letters(&self, parcels: &[Parcel]) -> Vec<Outcome> {
        self.publish_and_note(parcels, ALONE_FROM).await
    }

    async fn publish_and_note(&self, parcels: &[Parcel], alone_from: usize) -> Vec<Outcome> {
        let outcomes = self.publish_all(parcels, alone_from).await;
        self.note(parcels, &outcomes);
        outcomes
    }

    /// Counts outcomes, and remembers what is refused.
    fn note(&self, parcels: &[Parcel], outcomes: &[Outcome]) {
        let mut counts = BTreeMap::<&'static str, u64>::new();
        for outcome in outcomes {
            *counts.entry(outcome.as_ref().map_or_else(|error| error.cause, |()| "confirmed")).or_default() += 1;
        }
        for (outcome, count) in &counts {
            gauges::published(outcome, *count);
        }
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        for (parcel, outcome) in parcels.iter().zip(outcomes) {
            refusals.note((parcel.exchange, parcel.routing_key.as_str()), outcome.as_ref().err());
        }
    }

    async fn publish_all(&self, parcels: &[Parcel], alone_from: usize) -> Vec<Outcome> {
        let deadline = Instant::now() + self.confirm_timeout;
        let _turn = match timeout_at(deadline, self.turns.acquire()).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) => return parcels.iter().map(|_| Err(closed())).collect(),
            Err(_) => return parcels.iter().map(|_| Err(late("publish"))).collect(),
        };
        let mut outcomes = Vec::with_capacity(parcels.len());
        let is_small = |parcel: &Parcel| parcel.body.len() < alone_from;
        let together = parcels.chunk_by(|one, next| is_small(one) && is_small(next));
        for window in together.flat_map(|parcels| parcels.chunks(WINDOW)) {
            let judged = self.window(window, deadline).await;
            let spoilt = window.len() > 1
                && judged.iter().any(|outcome| matches!(outcome, Err(e) if e.kind == BusErrorKind::Rejected));
            if spoilt {
                // the broker closed the channel over one message it cannot take; which one is found by sending each alone
                for parcel in window {
                    outcomes.extend(self.window(std::slice::from_ref(parcel), deadline).await);
                }
            } else {
                outcomes.extend(judged);
            }
        }
        outcomes
    }

    /// Takes no more messages, and waits until those in flight are decided.
    pub(crate) async fn close(&self) {
        let deadline = Instant::now() + self.confirm_timeout;
        // every publish ends by its own deadline, so this wait ends, too
        let _ = timeout_at(deadline, self.turns.acquire_many(CHANNELS_MAX)).await;
        self.turns.close();
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Channel)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a window's worth and judges it.
    async fn window(&self, parcels: &[Parcel], deadline: Instant) -> Vec<Outcome> {
        let every = |error: &dyn Fn() -> BusError| parcels.iter().map(|_| Err(error())).collect();
        if let Some(words) = self.link.blocked() {
            return every(&|| blocked(&words));
        }
        let (session, channel) = match self.channel(deadline).await {
            Ok(opened) => opened,
            Err(error) => return every(&|| error.again()),
        };
        let (_in_flight, begun) = (InFlight::of(parcels.len()), Instant::now());
        // dropping an unfinished window drops its channel, never to be used again: what was sent may still arrive
        tokio::select! {
            biased;
            sent = timeout_at(deadline, send(&channel, parcels, session.frame_max())) => match sent {
                Ok(confirmations) => {
                    gauges::window(begun.elapsed());
                    let outcomes = judge(parcels, confirmations);
                    if channel.status().connected() {
                        self.idle().push((session.number, channel));
                    }
                    outcomes
                }
                Err(_) => every(&|| late("publish")),
            },
            () = session.ended.cancelled() => every(&|| lost("publish")),
            words = self.link.becomes_blocked() => every(&|| blocked(&words)),
        }
    }

    /// A channel in confirm mode on the current session.
    async fn channel(&self, deadline: Instant) -> Result<(Session, Channel), BusError> {
        let session = self.link.session(deadline).await?;
        let idle = {
            let mut idle = self.idle();
            idle.retain(|(number, channel)| *number == session.number && channel.status().connected());
            idle.pop()
        };
        if let Some((_, channel)) = idle {
            return Ok((session, channel));
        }
        let open = async {
            let channel = session.connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(channel)
        };
        match timeout_at(deadline, open).await {
            Ok(Ok(channel)) => Ok((session, channel)),
            Ok(Err(error)) => Err(fault("open a channel", error)),
            Err(_) => Err(late("open a channel")),
        }
    }
}

/// Sends all, then waits for all.
async fn send(channel: &Channel, parcels: &[Parcel], frame_max: u32) -> Vec<lapin::Result<Confirmation>> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut confirms = Vec::with_capacity(parcels.len());
    for parcel in parcels {
        let exchange = parcel.exchange.into();
        let key = parcel.routing_key.clone();
        confirms.push(channel.basic_publish(exchange, key, options, &parcel.body, parcel.properties(frame_max)).await);
    }
    let mut confirmations = Vec::with_capacity(confirms.len());
    for confirm in confirms {
        confirmations.push(match confirm {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        });
    }
    confirmations
}

/// The outcome of each message of a finished window.
fn judge(parcels: &[Parcel], confirmations: Vec<lapin::Result<Confirmation>>) -> Vec<Outcome> {
    let returned: HashSet<_> = confirmations
        .iter()
        .filter_map(|confirmation| match confirmation {
            Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned))) => Some(returned_key(returned)),
            _ => None,
        })
        .collect();
    // what the broker closed the channel over, when it did; the other errors only say that it is closed
    let verdict = confirmations
        .iter()
        .filter_map(|confirmation| confirmation.as_ref().err())
        .find(|error| kind_of(error) != BusErrorKind::Unavailable)
        .cloned();
    let torn = confirmations.iter().any(Result::is_err);
    parcels
        .iter()
        .zip(confirmations)
        .map(|(parcel, confirmation)| match confirmation {
            Ok(_) if returned.contains(&parcel.key()) => Err(unroutable(parcel)),
            Ok(Confirmation::Ack(_)) if !torn => Ok(()),
            // its return may have been lost with the channel
            Ok(Confirmation::Ack(_)) => Err(BusError::new(
                BusErrorKind::Unavailable,
                "cannot publish: the channel was closed before the outcome was certain",
            )
            .about(BusFact::ConnectionLost)
            .because("uncertain")),
            Ok(Confirmation::Nack(_)) => {
                let what = "a queue is at its limit and takes no more for now";
                Err(BusError::new(BusErrorKind::Blocked, what).about(BusFact::QueueFull).because("nacked"))
            }
            Ok(Confirmation::NotRequested) => {
                Err(BusError::new(BusErrorKind::Unavailable, "the channel does not confirm"))
            }
            Err(error) => Err(match &verdict {
                // the default exchange always exists, so this message only shared a window with the
                // bad one
                Some(verdict) if is_not_found(verdict) && parcel.exchange.is_empty() => fault("publish", error),
                Some(verdict) if is_not_found(verdict) => {
                    missing(TopologyThing::Exchange { name: parcel.exchange.to_owned() })
                }
                // the one thing about our messages that a broker refuses with its own words alone
                Some(verdict) if kind_of(verdict) == BusErrorKind::Rejected => too_large(parcel, verdict.clone()),
                Some(verdict) => fault("publish", verdict.clone()),
                None => fault("publish", error),
            }),
        })
        .collect()
}

fn unroutable(parcel: &Parcel) -> BusError {
    let (exchange, key) = (parcel.exchange, parcel.routing_key.as_str());
    if exchange.is_empty() {
        return missing_queue(key).because("returned");
    }
    let what =
        format!("a queue behind the exchange {exchange} for the routing key {key} is missing; `loa migrate` makes it");
    BusError::new(BusErrorKind::Unroutable, what)
        .about(BusFact::NoQueueFor { exchange: exchange.into(), key: key.into() })
        .because("returned")
}

/// The broker's `max_message_size` is smaller than this message; it says nothing of its limit before.
fn too_large(parcel: &Parcel, error: lapin::Error) -> BusError {
    let what = format!(
        "the broker refuses this message of {} bytes; `max_message_size` of the broker must be larger",
        parcel.body.len()
    );
    let why = NotCarried::TooLargeForBroker { bytes: parcel.body.len(), said: error.to_string().into() };
    BusError::caused(BusErrorKind::Rejected, what, error).because("too_large").not_carried(why)
}

fn blocked(reason: &BusReason) -> BusError {
    BusError::new(BusErrorKind::Blocked, format!("the broker takes nothing for now: {}", reason.said))
        .with(reason.clone())
}
