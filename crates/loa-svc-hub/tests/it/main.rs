//! The hub on its real ledger in a throw-away folder, with a clock wound by hand, and with a feed and subscribers that are
//! stand-ins. Every test steps the service itself; none sleeps.

// Helpers are no test functions, but they panic like them.
#![allow(clippy::unwrap_used)]

mod tokens;

mod api;
mod hub;
