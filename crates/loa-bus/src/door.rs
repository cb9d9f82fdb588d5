//! The traits of the bus, each for one kind of caller. An adapter implements [`Publish`],
//! [`Consume`], [`Administer`], [`Measure`] and [`Connect`], and gets [`Bus`] for free.
//!
//! Services hold them as `Arc<dyn …>`. Nothing here knows a broker or an event; bodies are bytes.

use crate::{
    BusError, Chosen, DeadLetter, Declared, Discarded, Finding, Outgoing, Place, Queue, Received, Redriven, Settlement,
    Tag,
};
use async_trait::async_trait;
use loa_domain::{BusReason, TopologyThing};
use std::{sync::Arc, time::Duration};

/// The clock, handed in; adapters never read the time themselves.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// The state of the connection to the broker, for readiness and metrics, at the moment of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Messages flow.
    Up,
    /// The first connection is being opened.
    Connecting,
    /// The broker takes nothing for now, and says why.
    Blocked(BusReason),
    /// The broker answers, but refuses our login or a right we need. An operator must act; the
    /// adapter goes on trying.
    Refused(BusReason),
    /// Not connected, and why. The adapter goes on trying.
    Down(BusReason),
}

impl Health {
    /// The word used in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Connecting => "connecting",
            Self::Blocked(_) => "blocked",
            Self::Refused(_) => "refused",
            Self::Down(_) => "down",
        }
    }
}

/// Publishes messages to the broker.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Publishes a batch. Returns for each message, in the same order, whether the broker has it
    /// safely.
    ///
    /// `Ok` only once every queue that the route leads to has the message on disk, and at least one
    /// queue (or `loa.unrouted`) took it. Returns within the adapter's deadline (default 10 s)
    /// whatever the broker does. Not cancel-safe: a dropped call leaves the outcome unknown.
    /// Publishing the same message again is harmless: receivers recognise its id.
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), BusError>>;

    /// Whether a publish can succeed just now. Never waits; `Ok` is no promise. The relay asks
    /// first, so that it claims nothing and counts no try while the broker takes nothing.
    ///
    /// # Errors The error that a publish would return: `Blocked`, `Refused`, `Unavailable`.
    fn takes(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// Opens consumers.
#[async_trait]
pub trait Consume: Send + Sync {
    /// Opens a consumer on a queue. At most `prefetch` messages are unsettled at a time (1 to 2,000).
    ///
    /// # Errors `Unavailable` when the broker cannot be reached (try again), `Unroutable` when the
    /// queue is missing, `Refused` when we lack the right.
    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<Box<dyn Consumer>, BusError>;
}

/// One open consumer. Dropping it gives back unsettled messages.
#[async_trait]
pub trait Consumer: Send {
    /// Waits up to `wait` for a first message, then takes what else is ready, up to `max` messages,
    /// and no more once their bodies together measure [`crate::limits::BATCH_BYTES_MAX`]. Empty:
    /// nothing came.
    ///
    /// Cancel-safe: a message not handed out is not lost.
    ///
    /// # Errors
    /// Any error ends this consumer (stream ended, channel closed, queue deleted): open another.
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError>;

    /// Settles received messages, each once. Unknown or stale tags are harmless: those messages come again.
    ///
    /// # Errors When the broker did not receive it. The messages will come again; open another
    /// consumer. A dead letter that cannot be published just now is no error: the consumer keeps
    /// its message unsettled and tries again.
    async fn settle(&mut self, decisions: Vec<(Tag, Settlement)>) -> Result<(), BusError>;

    /// Ends the consumer. Unsettled messages go back to their places.
    ///
    /// # Errors When the broker did not receive it; the messages come again all the same.
    async fn close(self: Box<Self>) -> Result<(), BusError>;
}

/// The operators' calls: the topology, and the letters that somebody has to look at.
#[async_trait]
pub trait Administer: Send + Sync {
    /// Makes exchanges, queues and bindings that are missing; idempotent. Returns what became of each thing.
    ///
    /// # Errors
    /// `Refused` when something of the name exists with other arguments, or when we lack the right to make what is missing;
    /// the sentence says which.
    async fn declare(&self) -> Result<Vec<Declared>, BusError>;

    /// Checks that the topology is there, changing nothing. Returns what we were not allowed to look at: it is not known to be
    /// missing, and consuming and publishing go on.
    ///
    /// # Errors
    /// `Unroutable`, naming what is missing.
    async fn check(&self) -> Result<Vec<TopologyThing>, BusError>;

    /// Holds all that can be asked about against what it should be: arguments, bindings, policies. Changes nothing. Empty:
    /// there is nothing that somebody else could have changed.
    ///
    /// # Errors
    /// `Unavailable`, `Refused` when there is no connection at all.
    async fn inspect(&self) -> Result<Vec<Finding>, BusError> {
        Ok(Vec::new())
    }

    /// The part of [`Self::inspect`] that any broker tells, whatever else may be asked: what an interrupted `declare` left
    /// behind. Empty: nothing is ever left behind.
    ///
    /// # Errors
    /// As [`Self::inspect`].
    async fn leftovers(&self) -> Result<Vec<Finding>, BusError> {
        Ok(Vec::new())
    }

    /// Looks at up to `max` letters of a place, oldest first, and leaves them there. A broker may have to go through all
    /// letters to find some of them. Bodies that together have no room in memory are left out
    /// ([`DeadLetter::lacks_its_body`]); that of the first is there.
    ///
    /// # Errors
    /// `Unavailable`, `Unroutable`.
    async fn dead_letters(&self, place: Place, chosen: &Chosen, max: usize) -> Result<Vec<DeadLetter>, BusError>;

    /// Redrives letters under their own ids, each with a confirm, and only then it leaves its place. A dead letter goes back to
    /// the one queue it died in. What no binding took goes to the exchange again, with `routing_key` instead of its own, so
    /// that every bound queue gets it. What cannot go as it is stays, and the others go on.
    ///
    /// # Errors
    /// `Rejected` for a `routing_key` that no binding takes, and for one with dead letters; `Unavailable`, `Unroutable`,
    /// before any letter was come to; afterwards see [`Redriven::unfinished`].
    async fn redrive(&self, place: Place, chosen: &Chosen, routing_key: Option<&str>) -> Result<Redriven, BusError>;

    /// Deletes letters for good, and returns their names.
    ///
    /// # Errors
    /// `Unavailable`, `Unroutable`, before anything was deleted; afterwards see [`Discarded::unfinished`].
    async fn discard(&self, place: Place, chosen: &Chosen) -> Result<Discarded, BusError>;
}

/// Counts messages.
#[async_trait]
pub trait Measure: Send + Sync {
    /// Messages in a queue that are ready, and in its dead letters.
    ///
    /// # Errors
    /// As [`Administer::check`].
    async fn depth(&self, queue: Queue) -> Result<(u64, u64), BusError>;

    /// The longest of the outlets' queues, and how many messages are ready in it. Cheaper than [`Self::depth`] of each: a queue
    /// may be counted no further than `enough`.
    ///
    /// # Errors
    /// As [`Administer::check`].
    async fn longest(&self, enough: u64) -> Result<(Queue, u64), BusError>;

    /// Messages in `loa.unrouted`, which no binding took. More than 0 means that a producer uses a
    /// routing key outside the contract.
    ///
    /// # Errors
    /// As [`Administer::check`].
    async fn unrouted(&self) -> Result<u64, BusError>;
}

/// How the connections to the broker are, and their end.
#[async_trait]
pub trait Connect: Send + Sync {
    /// The state of the connection: the worst of [`Self::connections`].
    fn health(&self) -> Health;

    /// Each connection to the broker by its name, with its state, for `/readyz`.
    fn connections(&self) -> Vec<(&'static str, Health)> {
        vec![("bus", self.health())]
    }

    /// Where the broker was reached, whether encrypted, and as whom, for people. `None`: there is no connection just now,
    /// or none is needed.
    fn reached(&self) -> Option<String> {
        None
    }

    /// Closes the connections once nothing is in flight. Later calls return `Unavailable`.
    /// Idempotent.
    async fn close(&self);
}

/// The whole door.
pub trait Bus: Publish + Consume + Administer + Measure + Connect {}
impl<T: Publish + Consume + Administer + Measure + Connect + ?Sized> Bus for T {}
