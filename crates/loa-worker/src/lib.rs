//! The loops every service needs, and the few things handed to each of them.
//!
//! * [`consume`]: bus → decode → accept (one transaction) → ack. [`accept_error`] and [`decode_event`] are the same for all.
//! * [`drive`]: step until idle, then wait for a [`WakeUp`] or the next poll.
//! * [`InFlight`]: what a step has started and not recorded yet.
//! * [`Bounded`]: work that computes for a while, only so much of it at once. (What comes from a queue needs no such bound: of
//!   each queue one batch is decoded at a time, before the next is looked at.)
//! * [`completeness`]: what the audit's figures and heartbeats mean.
//! * [`Portals`]: the portals of the installation, as every process reads them.
//! * [`watch`]: look at the broker from time to time.
//!
//! A service gives the decisions; the loops handle outages, poison, panics and the stop in one way for all.

mod bounded;
pub mod completeness;
mod consume;
mod drive;
mod handler;
mod in_flight;
mod portals;
mod status;
mod trouble;
mod wake_up;
mod watch;
mod world;

pub use bounded::{AT_ONCE_MAX, Bounded};
pub use consume::{ConsumeOptions, HEARTBEAT_AGE, consume};
pub use drive::{DriveOptions, Progress, drive};
pub use handler::{AcceptError, Handler, REPLAY_HEADER, accept_error, as_portals, decode_event, decode_message};
pub use in_flight::{Ended, InFlight};
pub use portals::{PortalError, Portals};
pub use status::{DependencyState, Status};
pub use trouble::{trouble_of, trouble_of_bus};
pub use wake_up::WakeUp;
pub use watch::{Inspection, WatchOptions, topology_fault, unrouted, watch};
pub use world::{Clock, Random, World};
