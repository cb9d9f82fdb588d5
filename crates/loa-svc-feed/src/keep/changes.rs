//! Which feeds changed, up to which change number: what tells whether something in a cache is still
//! true.
//!
//! The service's steps read the numbers from the ledger and note them here; keepers ask. Change
//! numbers are the ledger's own (`loa_store::FeedChanges::changed`). It knows no cache and keeps
//! nothing but numbers.

use jiff::Timestamp;
use loa_domain::FeedName;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

/// Up to when something written from the ledger is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    /// The change number up to which it surely is.
    pub(crate) as_of: i64,
    /// When it reads otherwise though nothing is changed: an entry dated in the future, an area's end.
    pub(crate) due_at: Option<Timestamp>,
}

/// The changes since the start.
#[derive(Default)]
pub(crate) struct Changes {
    /// A change number up to which each feed has changed, of those that changed since the start.
    by_feed: Mutex<BTreeMap<FeedName, i64>>,
    seen: AtomicI64,
}

impl Changes {
    /// Notes that these feeds changed, not later than with this number.
    pub(crate) fn note(&self, names: &[FeedName], number: i64) {
        let mut by_feed = self.by_feed.lock().unwrap_or_else(PoisonError::into_inner);
        by_feed.extend(names.iter().map(|name| (name.clone(), number)));
    }

    /// Whether what was written of these feeds is true: none of them changed since, and no time has come.
    pub(crate) fn is_current(&self, feeds: &[FeedName], validity: &Validity, now: Timestamp) -> bool {
        let by_feed = self.by_feed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_unchanged = |feed| by_feed.get(feed).is_none_or(|number| validity.as_of >= *number);
        validity.due_at.is_none_or(|at| at > now) && feeds.iter().all(is_unchanged)
    }

    /// The change number up to which every feed in the cache is true.
    pub(crate) fn seen(&self) -> i64 {
        self.seen.load(Ordering::Acquire)
    }

    pub(crate) fn has_seen(&self, number: i64) {
        self.seen.fetch_max(number, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_before_or_while_it_was_written_makes_it_stale_and_nothing_else_does() {
        let changes = Changes::default();
        let names = |text: &str| -> Vec<FeedName> { text.split('+').filter_map(FeedName::parse).collect() };
        let is_true = |feeds: &str, as_of: i64, due_at: Option<Timestamp>| {
            changes.is_current(&names(feeds), &Validity { as_of, due_at }, Timestamp::UNIX_EPOCH)
        };
        changes.note(&names("area-x"), 5);
        assert!(is_true("area-x+area-y", 5, None), "it was in it");
        changes.note(&names("area-x+all"), 6);
        assert!(!is_true("area-x+area-y", 5, None), "read before the change was looked at");
        assert!(is_true("area-y+documents", 5, None) && is_true("area-x+area-y", 6, None));
        assert!(!is_true("area-x+area-y", 6, Some(Timestamp::UNIX_EPOCH)), "an entry is due");
        changes.has_seen(6);
        changes.has_seen(5);
        assert_eq!(changes.seen(), 6);
    }
}
