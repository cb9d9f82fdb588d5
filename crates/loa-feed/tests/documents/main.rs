//! Whole documents: snapshots of the seed article in each format, and the rules every document keeps, read back by
//! readers that are not ours (`feed-rs`, and a strict XML reader).

#![allow(clippy::unwrap_used, reason = "a panic is the failure message, in what the tests call too")]

mod reading;
mod rules;
mod seed;
mod snapshots;
