//! The feed service on its embedded ledger, asked over its router: publish, step, look.

#![allow(clippy::unwrap_used, reason = "a panic is the failure message, in what the tests call too")]

mod archives;
mod behaviours;
mod combining;
mod former;
mod house;
mod last_good;
mod looking;
mod order;
mod outages;
mod pages;
mod publishing;
mod requests;
mod running;
mod throttle;
mod zones;
