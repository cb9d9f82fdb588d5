//! What goes through the door.

use crate::Queue;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The content type of the synthetic message that proves the whole path (`system.heartbeat`); services ack it.
pub const HEARTBEAT: &str = "application/x-heartbeat";
/// The routing key that brings it to every queue.
pub const HEARTBEAT_KEY: &str = "system.heartbeat";
/// The header that says when it was sent (RFC 3339).
pub const HEARTBEAT_SENT_AT: &str = "loa-sent-at";

/// A message: bytes, and what a broker carries beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// AMQP `message_id`: the event's id, or ours where a producer gave none. The same on every repeat.
    pub id: String,
    /// AMQP `content_type`; empty when a producer gave none.
    pub content_type: String,
    /// AMQP headers, as text: text and numbers as they are, `true` and `false`, instants as RFC 3339 has them. Values of
    /// other types are left out, and so is what a broker or an adapter adds on the way.
    pub headers: BTreeMap<String, String>,
    /// The body; at most 1 MiB by the contract, but a foreign producer may send more.
    pub body: Bytes,
}

/// Where a message is published to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The exchange `loa.events`, with this routing key: every queue bound to it gets a copy.
    Topic(String),
    /// One queue alone (replay, redrive).
    Queue(Queue),
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub route: Route,
    /// What.
    pub message: Message,
}

/// Names one received message within the consumer that received it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u64);

/// A message as received, to be settled by its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// For settling, with the consumer that received it and no other.
    pub tag: Tag,
    /// What.
    pub message: Message,
    /// The routing key it was published with; empty when it came straight to the queue.
    pub routing_key: String,
    /// Whether it may have been received before.
    pub redelivered: bool,
}

/// Why a message cannot be processed: what, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadReason {
    /// One sentence an operator can act on.
    pub reason: String,
    /// A JSON pointer, or `line 3, column 14`; empty when the whole message is at fault.
    pub position: String,
}

/// What becomes of a received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Processed: the broker may forget it.
    Ack,
    /// Again, at the place it had. Counted: after [`crate::DELIVERY_LIMIT`] deliveries it goes to the dead letters.
    Retry,
    /// To the dead letters with this reason (published there with a confirm, then acked).
    Dead(DeadReason),
}

/// A message in the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message as it was, its own headers and all.
    pub message: Message,
    /// The queue it could not be processed in.
    pub queue: Queue,
    /// The routing key it was first published with; empty when unknown.
    pub routing_key: String,
    /// Why.
    pub reason: DeadReason,
    /// Since when it is dead; `None` when the broker put it here itself (delivery limit) and gave no time.
    pub dead_at: Option<Timestamp>,
    /// What it went through before.
    pub past: Past,
    /// Who buried it (`loa 0.1.0`); empty where the broker moved it itself.
    pub buried_by: String,
}

/// What a message went through in the dead letters: carried along by a redrive, never part of the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// How often it died: each redrive that failed is one more.
    pub deaths: u32,
    /// When it died for the first time.
    pub first_dead_at: Option<Timestamp>,
}

impl Past {
    /// The same after one more death.
    pub fn died(self, at: Option<Timestamp>) -> Self {
        Self { deaths: self.deaths.saturating_add(1), first_dead_at: self.first_dead_at.or(at) }
    }
}
