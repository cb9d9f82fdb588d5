//! The traits. An adapter implements [`Publish`], [`Consume`] and [`Administer`], and has [`Bus`] for free.

use crate::{BusError, DeadLetter, Message, Outgoing, Queue, Received, Settlement, Tag};
use async_trait::async_trait;
use std::{fmt, sync::Arc, time::Duration};

/// Says what time it is; adapters never look for themselves.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// How the connection to the broker is, for readiness and metrics. Truth at the moment of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Messages flow.
    Up,
    /// Being opened for the first time.
    Connecting,
    /// The broker takes nothing for now; its words.
    Blocked(String),
    /// The broker is there and knows us not, or forbids what we need: an operator must act. Tried again all the same.
    Refused(String),
    /// Not there; why. Somebody is trying again.
    Down(String),
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

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("messages flow"),
            Self::Connecting => f.write_str("connecting: the broker has not answered yet"),
            Self::Blocked(why) => write!(f, "the broker takes nothing for now: {why}"),
            Self::Refused(why) => write!(f, "the broker refuses us: {why}"),
            Self::Down(why) => write!(f, "no connection to the broker: {why}"),
        }
    }
}

/// Brings messages to the broker.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Publishes a batch and says for each message, in the same order, whether it is safely in the broker's hands.
    ///
    /// `Ok` only once every queue that the route leads to has the message on disk, and at least one queue (or
    /// `loa.unrouted`) took it. Returns within the adapter's deadline (default 10 s) whatever the broker does. Not
    /// cancel-safe: a dropped call leaves the outcome unknown. Publishing the same message again is harmless:
    /// receivers go by its id.
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), BusError>>;

    /// Whether a publish has a chance just now. Never waits; `Ok` promises nothing. Who has work in a ledger asks first,
    /// so that nothing is claimed and counted as tried while the broker takes nothing anyway.
    ///
    /// # Errors
    /// What a publish would answer: `Blocked`, `Refused`, `Unavailable`.
    fn takes(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// Opens consumers.
#[async_trait]
pub trait Consume: Send + Sync {
    /// Opens a consumer on a queue. At most `prefetch` messages are unsettled at a time (1 to 2,000).
    ///
    /// # Errors
    /// `Unavailable` when the broker is not there (try again), `Unroutable` when the queue is missing, `Refused` when
    /// we may not.
    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<Box<dyn Consumer>, BusError>;
}

/// One open consumer. Dropping it gives back what was not settled.
#[async_trait]
pub trait Consumer: Send {
    /// Waits up to `wait` for a first message, then takes what else is there, up to `max` messages, and no more once their
    /// bodies together measure [`crate::limits::BATCH_BYTES_MAX`]. Empty: nothing came.
    ///
    /// Cancel-safe: a message not handed out is not lost.
    ///
    /// # Errors
    /// Any error ends this consumer (stream ended, channel closed, queue deleted): open another.
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError>;

    /// Settles received messages, each once. Unknown or stale tags are harmless: those messages come again.
    ///
    /// # Errors
    /// When the broker did not hear it: the messages will come again; open another consumer. A dead letter that cannot be
    /// published just now is no error: its message stays unsettled in this consumer's hands, which tries again.
    async fn settle(&mut self, decisions: Vec<(Tag, Settlement)>) -> Result<(), BusError>;

    /// Ends the consumer: no new messages; what was not settled goes back to its place.
    ///
    /// # Errors
    /// When the broker did not hear it; the messages come again all the same.
    async fn close(self: Box<Self>) -> Result<(), BusError>;
}

/// What operators do.
#[async_trait]
pub trait Administer: Send + Sync {
    /// Makes exchanges, queues and bindings; idempotent. Returns one line per thing, for people.
    ///
    /// # Errors
    /// `Refused` when something of the name exists with other arguments; the sentence says which.
    async fn declare(&self) -> Result<Vec<String>, BusError>;

    /// Checks that the topology is there, changing nothing.
    ///
    /// # Errors
    /// `Unroutable`, naming what is missing.
    async fn check(&self) -> Result<(), BusError>;

    /// Messages in a queue that are ready, and in its dead letters.
    ///
    /// # Errors
    /// As [`Self::check`].
    async fn depth(&self, queue: Queue) -> Result<(u64, u64), BusError>;

    /// Messages that no binding took and that wait in `loa.unrouted`: more than none means a producer uses a routing key
    /// outside the contract.
    ///
    /// # Errors
    /// As [`Self::check`].
    async fn unrouted(&self) -> Result<u64, BusError>;

    /// Looks at up to `max` dead letters of a queue, oldest first, and leaves them there.
    ///
    /// # Errors
    /// `Unavailable`, `Unroutable`.
    async fn dead_letters(&self, queue: Queue, max: usize) -> Result<Vec<DeadLetter>, BusError>;

    /// Gives dead letters a second chance: those whose message id is in `ids`, or all when `ids` is empty. Each goes back
    /// to the one queue it died in, under its own id, with a confirm, and only then leaves the dead letters. Returns how
    /// many did.
    ///
    /// # Errors
    /// `Unavailable`, `Unroutable`; what was moved before stays moved.
    async fn redrive(&self, queue: Queue, ids: &[String]) -> Result<u64, BusError>;

    /// Deletes dead letters for good, by message id; never all at once by accident: empty `ids` deletes none.
    ///
    /// # Errors
    /// `Unavailable`, `Unroutable`.
    async fn discard(&self, queue: Queue, ids: &[String]) -> Result<Vec<Message>, BusError>;

    /// How the connection is: the worst of [`Self::doors`].
    fn health(&self) -> Health;

    /// Each way to the broker by its name, and how it is: for readiness, which says which one is shut and why.
    fn doors(&self) -> Vec<(&'static str, Health)> {
        vec![("bus", self.health())]
    }

    /// Closes connections after what is in flight; later calls answer `Unavailable`. Idempotent.
    async fn close(&self);
}

/// The whole door.
pub trait Bus: Publish + Consume + Administer {}
impl<T: Publish + Consume + Administer + ?Sized> Bus for T {}
