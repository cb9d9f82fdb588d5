//! The suite every adapter must pass: one function for each rule of the doors, named for the rule.
//!
//! A rule is handed a way to *open* the ledger: every call gives a new store on the same, at first empty, place. Dropping
//! a store without closing it and opening another is what a crash looks like from here; two open stores are two processes.
//! Time is handed in by the rules, never read. An adapter's tests run each rule as a test of its own, by the lists
//! [`access_rules`](crate::access_rules), [`intake_rules`](crate::intake_rules), [`feed_rules`](crate::feed_rules),
//! [`digest_rules`](crate::digest_rules) and [`push_rules`](crate::push_rules).
#![allow(clippy::unwrap_used, missing_docs)] // a rule that panics has said which rule was broken

pub mod access;
pub mod build;
pub mod digest;
pub mod digest_runs;
pub mod feed;
pub mod intake;
pub mod push;
