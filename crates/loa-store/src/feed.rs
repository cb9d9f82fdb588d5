//! The feed outlet's ledger: what stands in which feed, what is gone, and what readers were last told.

mod changes;
mod views;

pub use changes::{FeedArrival, FeedChanges, Rendered};
pub use views::{FeedEntry, FeedSummary, FeedViews, Tombstone};

use crate::Receptions;

/// The whole ledger: the feed service uses all of it, the console [`FeedViews`] alone.
pub trait FeedLedger: FeedChanges + FeedViews + Receptions {}

impl<L: FeedChanges + FeedViews + Receptions> FeedLedger for L {}
