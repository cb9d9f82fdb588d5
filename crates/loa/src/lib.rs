//! Loa as a library: the settings, the wiring, the commands and the life of a process.
//!
//! `main.rs` runs it as the program `loa`; tests and benchmarks build an [`App`] in their own
//! process, on a folder and a [`World`](loa_worker::World) of their own. This is the only crate
//! that knows all others, and the only one that touches clock, randomness, environment and process.
//! No other crate depends on it but the system tests.
//!
//! Begin at `cli.rs` for what can be asked, at `wire.rs` for where a door meets its adapter, at
//! `lifecycle.rs` for how a process starts and ends.

pub mod cli;
pub mod cmd;
pub mod config;
pub mod dispatch;
pub mod lifecycle;
pub mod output;
pub mod places;
pub mod wire;

mod access;
mod bare;
mod demo;
mod embedded;
mod fault_error;
mod http;
mod intake_door;
mod ops;
mod replays;
mod telemetry;
mod world;

pub use config::Config;
pub use wire::App;

/// Installs the TLS provider that outgoing connections use, once in a process and before an [`App`] is made. Returns
/// whether it was installed; false: another one was there before, which serves as well.
pub fn install_tls_provider() -> bool {
    rustls::crypto::ring::default_provider().install_default().is_ok()
}
