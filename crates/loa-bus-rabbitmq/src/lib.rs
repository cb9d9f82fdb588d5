//! The bus over RabbitMQ (3.10 and later): confirms, prefetch, quorum queues, dead letters, reconnection for ever.
//!
//! Two connections, each kept up by a supervisor of ours ([`RabbitBus::connect`] returns at once and never gives up): one
//! for publishing, which a resource alarm may block, and one for consuming and operating, which it does not. Every wait
//! has a deadline. lapin's own recovery stays off: every fault takes the one way of a fresh connection and fresh channels.
//!
//! What it measures is in `gauges.rs`. Knows nothing of events, reads no clock and makes no randomness: both are handed in.
//!
//! ```no_run
//! # async fn example() -> Result<(), loa_bus::BusError> {
//! use loa_bus::Administer;
//! use loa_bus_rabbitmq::{RabbitBus, RabbitConfig};
//! use std::sync::Arc;
//! let config = RabbitConfig::new("amqp://loa:secret@localhost:5672/%2f");
//! let bus = RabbitBus::connect(config, Arc::new(|| jiff::Timestamp::UNIX_EPOCH), Arc::new(|bytes| bytes.fill(7)))?;
//! bus.declare().await?;
//! # Ok(()) }
//! ```

mod bus;
mod carriage;
mod config;
mod consumer;
mod dead;
mod dial;
mod fault;
mod flow;
mod gauges;
mod link;
mod publish;
mod topology;

pub use bus::RabbitBus;
pub use config::{RabbitConfig, Random};
