//! The door to the broker: publish, receive, settle. It carries bytes; `loa-event` knows what they
//! mean.
//!
//! Two adapters implement it: `loa-bus-sqlite` (a file) and `loa-bus-rabbitmq`. Both pass the suite
//! in `conformance` (a cargo feature), so a service cannot tell which one it has.
//!
//! Every adapter promises four things. A publish that returned `Ok` survives the death of any
//! process. A message that was received and not settled comes again. One queue keeps the order of
//! publishing among messages that no consumer had before. Nothing waits for ever.

#[cfg(feature = "conformance")]
pub mod conformance;
mod door;
mod error;
mod inspection;
pub mod limits;
mod message;
mod topology;

pub use door::{Administer, Bus, Clock, Connect, Consume, Consumer, Health, Measure, Publish};
pub use error::{BusError, BusErrorKind};
pub use inspection::{Declared, Finding};
pub use message::{
    Chosen, DeadLetter, DeadReason, Discarded, DiscardedLetter, HEARTBEAT, HEARTBEAT_BODY, HEARTBEAT_HOST,
    HEARTBEAT_INSTALLATION, HEARTBEAT_KEY, HEARTBEAT_KEYS, HEARTBEAT_SENT_AT, Message, OddHeaders, Outgoing, Past,
    Received, Redriven, Route, Settlement, Tag,
};
pub use topology::{
    ALONE_AFTER, DELIVERY_LIMIT, EVENTS_EXCHANGE, Place, Queue, UNROUTED, is_routed, routing_key_matches,
};
