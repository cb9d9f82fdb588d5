//! The feed service on its embedded ledger, asked over its router: publish, step, look.

#![allow(clippy::unwrap_used, reason = "a panic is the failure message, in what the tests call too")]

mod archives;
mod behaviours;
mod combining;
mod falling_back;
mod former;
mod house;
mod looking;
mod order;
mod outages;
mod pages;
mod publishing;
mod repeats;
mod requests;
mod running;
