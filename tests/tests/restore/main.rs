//! Restores yesterday's copy of a ledger after a day of news: it ends as the lost one stood.
//!
//! Nothing may go out twice. The outlets run on embedded ledgers, with a hand-wound clock, a mail
//! catcher and a portal (`town.rs`).

#![allow(clippy::unwrap_used, reason = "a panic is the failure message, in what the tests call too")]

mod digest;
mod push;
mod refusals;
mod town;
