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
        atomic::{AtomicI64, Ordering},
    },
};

/// One feed, written in every form.
pub(crate) struct Snapshot {
    /// The change number up to which it is surely true.
    pub(crate) as_of: i64,
    pub(crate) feed: Feed,
    /// A mark of all its documents together.
    pub(crate) fingerprint: String,
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
    overview: RwLock<Option<Arc<Overview>>>,
    seen: AtomicI64,
}

impl Shelf {
    pub(crate) fn feed(&self, name: &FeedName) -> Option<Arc<Snapshot>> {
        self.feeds.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Puts a snapshot in its place, unless a later one stands there.
    pub(crate) fn put(&self, snapshot: Arc<Snapshot>) {
        let name = snapshot.feed.head().name.clone();
        let mut feeds = self.feeds.write().unwrap_or_else(PoisonError::into_inner);
        if feeds.get(&name).is_none_or(|standing| standing.as_of <= snapshot.as_of) {
            feeds.insert(name, snapshot);
        }
    }

    pub(crate) fn want(&self, name: &FeedName) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
    }

    pub(crate) fn wanted_of(&self, names: Vec<FeedName>) -> BTreeSet<FeedName> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        names.into_iter().filter(|name| wanted.contains(name)).collect()
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
