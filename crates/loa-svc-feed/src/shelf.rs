//! What is at hand: the written feeds, swapped whole, so that no reader ever sees half of a change.
//!
//! Locks are held for a look or a swap, never across an await.

use crate::{document::Document, overview::Overview};
use jiff::Timestamp;
use loa_domain::FeedName;
use loa_feed::{Feed, Format};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

/// One feed, written in every form.
pub(crate) struct Snapshot {
    /// When its rows were read: after `began`, before `read`, as [`Shelf::moment`] counts.
    pub(crate) began: u64,
    pub(crate) read: u64,
    pub(crate) feed: Feed,
    /// `None`: the ledger could not keep one; it is served without, and not kept.
    pub(crate) last_modified: Option<Timestamp>,
    /// When an entry dated in the future is to appear.
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) documents: [Document; Format::ALL.len()],
    pub(crate) page: Document,
}

impl Snapshot {
    pub(crate) fn document(&self, format: Format) -> &Document {
        match format {
            Format::Rss => &self.documents[0],
            Format::Atom => &self.documents[1],
            Format::Json => &self.documents[2],
        }
    }
}

/// All that is at hand.
#[derive(Default)]
pub(crate) struct Shelf {
    feeds: RwLock<BTreeMap<FeedName, Arc<Snapshot>>>,
    /// Somebody asked for them. Marked *before* their ledger rows are read: a change committed after the mark is seen by
    /// the next step, one committed before it by the reading itself. So none falls between.
    wanted: Mutex<BTreeSet<FeedName>>,
    /// The moment up to which a feed was shown as it stood then. Readings overlap, and one may be held up for long (the
    /// ledger cannot keep a date): what was read before something that was shown since is never shown after it.
    shown: Mutex<BTreeMap<FeedName, u64>>,
    moments: AtomicU64,
    /// A change number up to which each feed has changed, of those that changed since the start.
    changed: Mutex<BTreeMap<FeedName, i64>>,
    overview: RwLock<Option<Arc<Overview>>>,
    seen: AtomicI64,
}

impl Shelf {
    pub(crate) fn feed(&self, name: &FeedName) -> Option<Arc<Snapshot>> {
        self.feeds.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Counts moments: what happens in this process, in its order.
    pub(crate) fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Shows a snapshot, and puts it in its place when its date is kept; `false`: something read later was shown already, so
    /// it must be read again.
    pub(crate) fn show(&self, snapshot: &Arc<Snapshot>) -> bool {
        let name = &snapshot.feed.head().name;
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let upto = shown.entry(name.clone()).or_default();
        if snapshot.began < *upto {
            return false;
        }
        *upto = (*upto).max(snapshot.read);
        if snapshot.last_modified.is_some() {
            // under the lock of `shown`, so that what is put last was shown last
            let mut feeds = self.feeds.write().unwrap_or_else(PoisonError::into_inner);
            feeds.insert(name.clone(), snapshot.clone());
        }
        true
    }

    pub(crate) fn want(&self, name: &FeedName) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
    }

    pub(crate) fn wanted_of(&self, names: Vec<FeedName>) -> BTreeSet<FeedName> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        names.into_iter().filter(|name| wanted.contains(name)).collect()
    }

    /// Notes that these feeds changed, not later than with this number.
    pub(crate) fn have_changed(&self, names: &[FeedName], number: i64) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.extend(names.iter().map(|name| (name.clone(), number)));
    }

    /// The number up to which a feed has changed; 0: not since the start.
    pub(crate) fn changed_at(&self, name: &FeedName) -> i64 {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or_default()
    }

    /// Feeds in which something dated in the future is to appear by now.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<FeedName> {
        let feeds = self.feeds.read().unwrap_or_else(PoisonError::into_inner);
        feeds.iter().filter(|(_, s)| s.due_at.is_some_and(|at| at <= now)).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn overview(&self) -> Option<Arc<Overview>> {
        self.overview.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn put_overview(&self, overview: Arc<Overview>) {
        let mut place = self.overview.write().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_none_or(|standing| standing.as_of <= overview.as_of) {
            *place = Some(overview);
        }
    }

    /// The change number up to which everything at hand is true.
    pub(crate) fn seen(&self) -> i64 {
        self.seen.load(Ordering::Acquire)
    }

    pub(crate) fn has_seen(&self, number: i64) {
        self.seen.fetch_max(number, Ordering::AcqRel);
    }
}
