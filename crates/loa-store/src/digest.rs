//! The digest outlet's ledger: subscriptions, what matches them, runs with their frozen audience,
//! sent mails.
//!
//! A digest is "matched and not yet delivered", never a window of time. A wish is stored once,
//! however many subscriptions share it; matching costs distinct wishes, not people.

mod mails;
mod runs;
mod subscriptions;
mod views;

pub use mails::{DigestItem, DueMail, MailBegun, MailLine, MailRecord, Mails};
pub use runs::{MAIL_MATCHES_MAX, Plan, Run, Runs};
pub use subscriptions::{Confirmations, Subscriber, Subscription, SubscriptionRequest, Subscriptions};
pub use views::{DigestViews, MailView};

use crate::{Arrivals, Receptions, Restorable};

/// The whole ledger, as an adapter keeps it. A service is handed [`crate::DigestDoors`], the console [`DigestViews`] alone.
///
/// Accepting an event makes a match for each *distinct wish* it fits (`Wish::matches` over its content and reach). Learning
/// from receipts about a run that the ledger does not know freezes the run's audience: whoever is still owed something gets
/// it with the next run.
pub trait DigestLedger:
    Arrivals + Subscriptions + Confirmations + Runs + Mails + DigestViews + Restorable + Receptions
{
}

impl<L: Arrivals + Subscriptions + Confirmations + Runs + Mails + DigestViews + Restorable + Receptions> DigestLedger
    for L
{
}
