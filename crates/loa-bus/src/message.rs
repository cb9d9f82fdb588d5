//! The values that cross the door: messages to publish, messages received, decisions about them,
//! dead letters.

use crate::{BusError, Place, Queue};
use bytes::Bytes;
use jiff::Timestamp;
use loa_domain::{DeadCause, HeaderType, StayReason};
use std::collections::{BTreeMap, BTreeSet};

/// The content type of the synthetic message that proves the whole path (`system.heartbeat`); services ack it.
pub const HEARTBEAT: &str = "application/x-heartbeat";
/// The routing key that reaches every queue.
pub const HEARTBEAT_KEY: &str = "system.heartbeat";
/// The routing keys of heartbeats: one for each binding, which no other binding takes.
pub const HEARTBEAT_KEYS: [&str; 3] = ["article.heartbeat", "document.heartbeat", HEARTBEAT_KEY];
/// The body of a heartbeat.
pub const HEARTBEAT_BODY: &str = "{}";
/// The header that says when it was sent (RFC 3339).
pub const HEARTBEAT_SENT_AT: &str = "loa-sent-at";
/// The header with the id of the installation that sent it; absent in heartbeats of older programs.
pub const HEARTBEAT_INSTALLATION: &str = "loa-installation";
/// The header with the name of the machine that sent it.
pub const HEARTBEAT_HOST: &str = "loa-host";

/// A message: bytes, and the properties that a broker carries with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// AMQP `message_id`: the event's id, or ours where a producer gave none. The same on every repeat.
    pub id: String,
    /// AMQP `content_type`; empty when a producer gave none.
    pub content_type: String,
    /// AMQP headers, as text: text and integers as they are, `true` and `false`, instants as RFC 3339 has them. Values of
    /// other types are left out (see [`Received::odd_headers`]), and so is what a broker or an adapter adds on the way.
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
    /// Names the message when it is settled, with the consumer that received it and no other.
    pub tag: Tag,
    /// What.
    pub message: Message,
    /// Headers that have no text, by name, with the type that they have. They are kept with the message.
    pub odd_headers: OddHeaders,
    /// The routing key it was published with; empty when it came straight to the queue.
    pub routing_key: String,
    /// Whether it may have been received before.
    pub redelivered: bool,
}

/// Headers that have no text, by name, with the type that they have.
pub type OddHeaders = BTreeMap<String, HeaderType>;

impl Received {
    /// Whether it is a heartbeat as we make them: by content type, by routing key (none: straight to the queue), and by a body
    /// that says nothing. Anything else with that content type may be news, and must be read.
    pub fn is_heartbeat(&self) -> bool {
        let key = self.routing_key.as_str();
        let body = self.message.body.trim_ascii();
        self.message.content_type == HEARTBEAT
            && (key.is_empty() || HEARTBEAT_KEYS.contains(&key))
            && (body.is_empty() || body == HEARTBEAT_BODY.as_bytes())
    }
}

/// Why a message cannot be processed: what, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadReason {
    /// One sentence an operator can act on, in English.
    pub reason: String,
    /// The same as a fact, for a sentence in another language; `None`: it is not known, or cannot be read.
    pub cause: Option<DeadCause>,
    /// A JSON pointer, or `line 3, column 14`; empty when the whole message is at fault.
    pub position: String,
}

/// The decision about a received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is processed; the broker may forget it.
    Ack,
    /// Deliver it again, at its place. Deliveries are counted: after [`crate::DELIVERY_LIMIT`] of
    /// them it goes to the dead letters.
    Retry,
    /// Move it to the dead letters with this reason (published there with a confirm, then acked).
    Dead(DeadReason),
}

/// A message that is kept for an operator: a dead letter, or one that no binding took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names it within its place, and stays the same while it is there, whatever happens to others: lower-case letters,
    /// digits and `-`. A message that dies again after a redrive is another letter.
    pub key: String,
    /// Where it is kept.
    pub place: Place,
    /// The message as it was, with its own headers. A look at many letters leaves bodies out (they are empty) once they
    /// together are larger than [`crate::limits::LIST_BYTES_MAX`].
    pub message: Message,
    /// The length of its body, also of one that is left out.
    pub bytes: usize,
    /// See [`Received::odd_headers`].
    pub odd_headers: OddHeaders,
    /// The routing key it was first published with; empty when unknown.
    pub routing_key: String,
    /// Why.
    pub reason: DeadReason,
    /// Since when it is dead; `None` when the broker put it here itself (delivery limit, no binding) and gave no time.
    pub dead_at: Option<Timestamp>,
    /// Its earlier deaths.
    pub past: Past,
    /// The program that moved it here (`loa 0.1.0`); empty where the broker moved it itself.
    pub buried_by: String,
}

impl DeadLetter {
    /// The name that an operator gives to name it: `feed/3f9a2c1b4d5e`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.place.word(), self.key)
    }

    /// Whether the look had no room for its body.
    pub fn lacks_its_body(&self) -> bool {
        self.message.body.len() < self.bytes
    }
}

/// Which letters of a place are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// All that are there when it begins.
    All,
    /// Those with these keys.
    Keys(BTreeSet<String>),
    /// All with these message ids.
    Ids(BTreeSet<String>),
}

impl Chosen {
    /// The letter with this key.
    pub fn key(key: impl Into<String>) -> Self {
        Self::Keys(BTreeSet::from([key.into()]))
    }

    /// All letters with this message id.
    pub fn id(id: impl Into<String>) -> Self {
        Self::Ids(BTreeSet::from([id.into()]))
    }

    /// Whether a letter is meant.
    pub fn takes(&self, letter: &DeadLetter) -> bool {
        match self {
            Self::All => true,
            Self::Keys(keys) => keys.contains(&letter.key),
            Self::Ids(ids) => ids.contains(&letter.message.id),
        }
    }

    /// Whether nothing can be meant.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::All => false,
            Self::Keys(names) | Self::Ids(names) => names.is_empty(),
        }
    }
}

/// What a redrive came to. What was moved is told whatever happened to the others.
#[derive(Debug, Default)]
pub struct Redriven {
    /// Letters on their way again.
    pub moved: u64,
    /// Letters that were meant and stay, because they cannot go as they are.
    pub stayed: u64,
    /// The key of some of these, and why each stays; at most [`Self::TOLD_MAX`].
    pub reasons: Vec<(String, StayReason)>,
    /// Where letters are named by key: those that were come to, and moved or stayed.
    pub met: BTreeSet<String>,
    /// Why not all letters that are meant were come to.
    pub unfinished: Option<BusError>,
}

impl Redriven {
    /// Most reasons that are told.
    pub const TOLD_MAX: usize = 20;

    /// Notes a letter that stays.
    pub fn stays(&mut self, key: &str, why: StayReason) {
        self.stayed += 1;
        if self.reasons.len() < Self::TOLD_MAX {
            self.reasons.push((key.to_owned(), why));
        }
    }

    /// Adds what came of the next letters.
    pub fn and(&mut self, next: Self) {
        self.moved += next.moved;
        self.stayed += next.stayed;
        self.reasons.extend(next.reasons);
        self.reasons.truncate(Self::TOLD_MAX);
        self.met.extend(next.met);
        self.unfinished = self.unfinished.take().or(next.unfinished);
    }

    /// The outcome, when an error may have ended it.
    ///
    /// # Errors
    /// The error, when no letter was come to before.
    pub fn ended(mut self, outcome: Result<(), BusError>) -> Result<Self, BusError> {
        match outcome {
            Err(error) if self.moved + self.stayed == 0 => Err(error),
            outcome => {
                self.unfinished = outcome.err();
                Ok(self)
            }
        }
    }
}

/// What a discard came to. What was deleted is told whatever happened to the others.
#[derive(Debug, Default)]
pub struct Discarded {
    /// The letters that are deleted for good.
    pub letters: Vec<DiscardedLetter>,
    /// Why not all letters that are meant were come to.
    pub unfinished: Option<BusError>,
}

/// A letter that was deleted; what it said is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscardedLetter {
    /// Where it was.
    pub place: Place,
    /// Its key there.
    pub key: String,
    /// The id of its message.
    pub message_id: String,
}

impl DiscardedLetter {
    /// The name that an operator gave to name it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.place.word(), self.key)
    }
}

impl From<DeadLetter> for DiscardedLetter {
    fn from(letter: DeadLetter) -> Self {
        Self { place: letter.place, key: letter.key, message_id: letter.message.id }
    }
}

/// The history of a message in the dead letters. A redrive carries it along; it is never part of
/// the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// How often it died; each failed redrive adds one.
    pub deaths: u32,
    /// When it died for the first time.
    pub first_dead_at: Option<Timestamp>,
    /// Headers that no frame had room for: how many, of how many bytes, and their names. Empty: none.
    pub headers_left_out: String,
}

impl Past {
    /// The same after one more death.
    pub fn died(self, at: Option<Timestamp>) -> Self {
        Self { deaths: self.deaths.saturating_add(1), first_dead_at: self.first_dead_at.or(at), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(content_type: &str, routing_key: &str, body: &'static str) -> Received {
        let message = Message {
            id: "a".to_owned(),
            content_type: content_type.to_owned(),
            headers: BTreeMap::new(),
            body: body.into(),
        };
        let routing_key = routing_key.to_owned();
        Received { tag: Tag(1), message, odd_headers: BTreeMap::new(), routing_key, redelivered: false }
    }

    #[test]
    fn a_heartbeat_is_known_by_content_type_key_and_body_together() {
        for key in HEARTBEAT_KEYS.into_iter().chain([""]) {
            assert!(received(HEARTBEAT, key, "{}").is_heartbeat(), "{key}");
            assert!(received(HEARTBEAT, key, " ").is_heartbeat(), "{key}");
            assert!(!received(HEARTBEAT, key, r#"{"specversion":"1.0"}"#).is_heartbeat(), "{key}: it may be news");
        }
        assert!(!received(HEARTBEAT, "article.published.tin-tuc", "{}").is_heartbeat());
        assert!(!received("application/json", HEARTBEAT_KEY, "{}").is_heartbeat());
    }
}
