//! The digest outlet on its embedded ledger, a mail catcher that misbehaves, and a clock wound by hand.

#![allow(clippy::unwrap_used, reason = "a panic is the failure message, in what the tests call too")]

mod api;
mod pages;
mod rig;
mod runs;
mod smtp;
mod upcoming;
mod withdrawal;
