//! The door to the broker: publish, receive, settle. Bytes only; what they mean is `loa-event`'s business.
//!
//! Two adapters stand behind it: `loa-bus-sqlite` (a file) and `loa-bus-rabbitmq`. Both pass the suite in
//! `conformance` (a cargo feature), so a service cannot tell which one it has.
//!
//! What every adapter promises: a publish that returned `Ok` survives the death of any process; a message that was
//! received and not settled comes again; one queue keeps the order of publishing for what no consumer had before;
//! nothing waits for ever.

#[cfg(feature = "conformance")]
pub mod conformance;
mod door;
mod error;
pub mod limits;
mod message;
mod topology;

pub use door::{Administer, Bus, Clock, Consume, Consumer, Health, Publish};
pub use error::{BusError, BusErrorKind};
pub use message::{
    DeadLetter, DeadReason, HEARTBEAT, HEARTBEAT_KEY, HEARTBEAT_SENT_AT, Message, Outgoing, Past, Received, Route,
    Settlement, Tag,
};
pub use topology::{ALONE_AFTER, DELIVERY_LIMIT, EVENTS_EXCHANGE, Queue, UNROUTED, routing_key_matches};
