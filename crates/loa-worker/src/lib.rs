//! The loops every service needs, and the few things handed to each of them.
//!
//! *consume*: bus → decode → accept (one transaction) → ack. *drive*: woken by a bell or a sweep, step until idle. *watch*:
//! look at the broker from time to time.
//! A service gives the decisions; the loops keep order when the world does not: outages, poison, panics, stop.

mod access;
mod asker;
mod bell;
mod consume;
mod decide;
mod describe;
mod drive;
mod status;
mod watch;
mod world;

pub use access::{AccessUnavailable, Problem, TokenCheck, admit, bearer_token};
pub use asker::Asker;
pub use bell::Bell;
pub use consume::{AcceptError, ConsumeOptions, Handler, consume};
pub use decide::HEARTBEAT_AGE;
pub use describe::{Guarded, TakesJson, answers};
pub use drive::{DriveOptions, Progress, drive};
pub use status::{DoorState, Status};
pub use watch::{TOPOLOGY, WatchOptions, watch};
pub use world::{Clock, Random, World};
