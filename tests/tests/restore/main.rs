//! Yesterday's copy of one ledger, a day of news, the ledger lost, the copy restored: it must end as the lost one stood, and
//! nothing may go out twice. The outlets with their embedded ledgers, a clock wound by hand, a mail catcher and a portal.

#![allow(clippy::unwrap_used, reason = "a panic is the failure message, in what the tests call too")]

mod digest;
mod push;
mod refusals;
mod town;
