//! The push outlet on its real ledger in a throw-away folder, with a clock wound by hand and receivers that misbehave.
//!
//! Every test steps the service itself; none sleeps.

// Stage and desk are no test functions, but they panic like them.
#![allow(clippy::unwrap_used)]

mod stage;

mod api;
mod crash;
mod delivery;
mod egress;
mod order;
mod receivers;
mod running;
mod secrets;
mod upcoming;
