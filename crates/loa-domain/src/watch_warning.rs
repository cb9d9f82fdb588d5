//! What is odd about a source that is watched, as facts. The watch's ledger keeps them as JSON; earlier versions noted sentences in
//! some of them.

use crate::{WatchFailure, watch_failure::noted};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is odd about a source that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WatchWarning {
    /// It names nothing, since then.
    Empty {
        /// When that was first seen.
        since: Timestamp,
    },
    /// It cannot be read as what it was any more.
    FormChanged {
        /// When that was first seen.
        since: Timestamp,
        /// Why it cannot.
        #[serde(deserialize_with = "noted")]
        why: WatchFailure,
    },
    /// None of what it names is known, and it was looked through as far as is allowed: articles in between may be missed.
    NoneKnown {
        /// How many articles it names.
        items: u32,
        /// On how many pages.
        pages: u32,
    },
    /// Nobody has looked at it for long after it was due: no process watches, or one has too much to do.
    Overdue {
        /// When it was due.
        since: Timestamp,
    },
    /// It names more than is read of it.
    TooLong {
        /// How many articles are read.
        items: u32,
    },
    /// Its newest article is older than is usual for it.
    Late {
        /// When that was published.
        newest_at: Timestamp,
        /// How long it usually takes until the next, at most.
        usual_seconds: u64,
    },
    /// It has moved for good.
    Moved {
        /// Where to.
        to: String,
    },
    /// Most of its articles' pages cannot be read.
    PagesRefused {
        /// How many of those looked at.
        refused: u32,
        /// Of how many.
        looked_at: u32,
        /// Why the last was not.
        #[serde(deserialize_with = "noted")]
        why: WatchFailure,
    },
    /// So many pages are missing at once that it looks like a fault of the site; nothing is withdrawn for it.
    ManyMissing {
        /// How many of those looked at.
        missing: u32,
        /// Of how many.
        looked_at: u32,
    },
}
