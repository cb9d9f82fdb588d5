//! The bus on RabbitMQ (3.10 and later): confirms, prefetch, quorum queues, dead letters,
//! reconnection for ever.
//!
//! There are two connections. One publishes; a resource alarm may block it. The other consumes and
//! operates; an alarm does not block it. A supervisor keeps each up ([`RabbitBus::connect`] returns
//! at once and never gives up). Every wait has a deadline. lapin's own recovery is off: every fault
//! ends in a fresh connection and fresh channels (`docs/adr/0002`).
//!
//! `gauges.rs` lists its metrics. It knows nothing of events. Clock and randomness are handed in.
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

mod asking;
mod bus;
mod carriage;
mod config;
mod consumer;
mod dead;
mod dial;
mod fault;
mod flow;
mod gauges;
mod headers;
mod inspection;
mod keeping;
mod link;
mod management;
mod plan;
mod policies;
mod publish;
mod refusals;
mod rights;
mod runtime;
mod server;
mod tls;
mod topology;
mod wire;

pub use bus::RabbitBus;
pub use config::{ManagementAt, Mechanism, RabbitConfig, Random, TlsFiles};
pub use plan::definitions;
