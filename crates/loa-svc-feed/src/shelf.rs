//! What is at hand: the written feeds, swapped whole, so that no reader ever sees half of a change.
//!
//! Locks are held for a look or a swap, never across an await.

use crate::{
    combining::Combinations,
    document::Document,
    memory::{AtHand, Shares},
    overview::Overview,
};
use jiff::Timestamp;
use loa_domain::FeedName;
use loa_feed::{Feed, Format};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

/// One feed, written in every form.
pub(crate) struct Snapshot {
    /// When its rows were read: after `began`, before `read`, as [`Shelf::moment`] counts.
    pub(crate) began: u64,
    pub(crate) read: u64,
    /// The change number up to which it is surely true.
    pub(crate) as_of: i64,
    /// It is from before the start, read back while the ledger is away: to be written anew as soon as it can be.
    pub(crate) read_back: bool,
    pub(crate) feed: Feed,
    /// `None`: the ledger could not keep one; it is served without, and not kept.
    pub(crate) last_modified: Option<Timestamp>,
    /// When it is to be written again though nothing changed.
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) documents: [Document; Format::ALL.len()],
    pub(crate) page: Document,
    /// When somebody last asked for it, as [`Shelf::moment`] counts.
    pub(crate) used: AtomicU64,
}

impl Snapshot {
    /// What it takes in memory, in bytes.
    fn weight(&self) -> usize {
        // the items are about as large as one of the documents
        self.documents.iter().chain([&self.page]).map(Document::weight).sum::<usize>() + self.documents[0].weight() / 2
    }

    pub(crate) fn document(&self, format: Format) -> &Document {
        match format {
            Format::Rss => &self.documents[0],
            Format::Atom => &self.documents[1],
            Format::Json => &self.documents[2],
        }
    }
}

/// The feeds at hand, and what they take.
#[derive(Default)]
struct Feeds {
    by_name: BTreeMap<FeedName, Arc<Snapshot>>,
    bytes: usize,
}

impl Feeds {
    /// Puts one in its place; the one that stood there comes back.
    fn put(&mut self, snapshot: Arc<Snapshot>) -> Option<Arc<Snapshot>> {
        self.bytes += snapshot.weight();
        let before = self.by_name.insert(snapshot.feed.head().name.clone(), snapshot);
        self.bytes -= before.as_ref().map_or(0, |before| before.weight());
        before
    }

    fn remove(&mut self, name: &FeedName) {
        self.bytes -= self.by_name.remove(name).map_or(0, |snapshot| snapshot.weight());
    }
}

/// All that is at hand.
pub(crate) struct Shelf {
    /// Most bytes of feeds. The longest unasked make room; they are written again when somebody asks.
    bytes_max: usize,
    feeds: RwLock<Feeds>,
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
    overview_is_old: AtomicBool,
    seen: AtomicI64,
    pub(crate) combinations: Combinations,
}

impl Shelf {
    pub(crate) fn new(shares: Shares) -> Self {
        Self {
            bytes_max: shares.feeds,
            feeds: RwLock::default(),
            wanted: Mutex::default(),
            shown: Mutex::default(),
            moments: AtomicU64::default(),
            changed: Mutex::default(),
            overview: RwLock::default(),
            overview_is_old: AtomicBool::default(),
            seen: AtomicI64::default(),
            combinations: Combinations::new(shares.combinations),
        }
    }

    /// A feed, for somebody who asked for it.
    pub(crate) fn feed(&self, name: &FeedName) -> Option<Arc<Snapshot>> {
        let snapshot = self.looked_at(name)?;
        snapshot.used.store(self.moment(), Ordering::Release);
        Some(snapshot)
    }

    /// A feed, for nobody.
    pub(crate) fn looked_at(&self, name: &FeedName) -> Option<Arc<Snapshot>> {
        self.feeds.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name).cloned()
    }

    /// Takes the longest unasked feeds off until the rest takes nine tenths of what it may. `all` stays: the list of all feeds
    /// is made of it, too.
    fn make_room(&self, feeds: &mut Feeds) {
        let overview = self.overview_bytes();
        if feeds.bytes + overview <= self.bytes_max {
            return;
        }
        let by_use = feeds.by_name.iter().filter(|(name, _)| **name != FeedName::All);
        let mut by_use: Vec<(u64, FeedName)> =
            by_use.map(|(name, snapshot)| (snapshot.used.load(Ordering::Acquire), name.clone())).collect();
        by_use.sort();
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, name) in by_use {
            if feeds.bytes + overview <= self.bytes_max / 10 * 9 {
                break;
            }
            feeds.remove(&name);
            wanted.remove(&name);
        }
    }

    /// Most bytes that feeds may take.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Feeds at hand, and with them the list of all feeds.
    pub(crate) fn at_hand(&self) -> AtHand {
        let overview = self.overview_bytes();
        let feeds = self.feeds.read().unwrap_or_else(PoisonError::into_inner);
        AtHand { count: feeds.by_name.len(), bytes: feeds.bytes + overview }
    }

    fn overview_bytes(&self) -> usize {
        self.overview().map_or(0, |overview| overview.page.weight() + overview.opml.weight())
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
            // one that grew with its news makes room as a further one does
            let used = match feeds.put(snapshot.clone()) {
                Some(before) => before.used.load(Ordering::Acquire),
                None => self.moment(),
            };
            snapshot.used.store(used, Ordering::Release);
            self.make_room(&mut feeds);
        }
        true
    }

    /// Puts what was shown before the start in its place, where nothing was shown since.
    pub(crate) fn read_back(&self, snapshot: Arc<Snapshot>) {
        let name = &snapshot.feed.head().name;
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if !shown.contains_key(name) {
            // under the lock of `shown`, as above
            let mut feeds = self.feeds.write().unwrap_or_else(PoisonError::into_inner);
            if !feeds.by_name.contains_key(name) {
                feeds.put(snapshot);
            }
        }
    }

    /// The ledger is back: what was read back and nobody asked for goes, the names of what somebody did ask for come back.
    pub(crate) fn to_write_anew(&self) -> Vec<FeedName> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut feeds = self.feeds.write().unwrap_or_else(PoisonError::into_inner);
        let read_back = feeds.by_name.iter().filter(|(_, snapshot)| snapshot.read_back).map(|(name, _)| name.clone());
        let (asked_for, unasked): (Vec<_>, Vec<_>) = read_back.partition(|name| wanted.contains(name));
        unasked.iter().for_each(|name| feeds.remove(name));
        asked_for
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
        feeds
            .by_name
            .iter()
            .filter(|(_, s)| s.due_at.is_some_and(|at| at <= now))
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(crate) fn overview(&self) -> Option<Arc<Overview>> {
        self.overview.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn put_overview(&self, overview: Arc<Overview>) {
        let mut place = self.overview.write().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_none_or(|standing| standing.read_back || standing.as_of <= overview.as_of) {
            *place = Some(overview);
        }
    }

    /// Notes that something changed since the overview was written.
    pub(crate) fn overview_grew_old(&self) {
        self.overview_is_old.store(true, Ordering::Release);
    }

    /// Whether there is an overview to be written anew; once for each time that it grew old.
    pub(crate) fn take_old_overview(&self) -> bool {
        self.overview_is_old.swap(false, Ordering::AcqRel) && self.overview().is_some()
    }

    /// The change number up to which everything at hand is true.
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
    use loa_feed::{FeedHead, Site, TagAuthority, Window};

    fn snapshot(name: &str, began: u64) -> Arc<Snapshot> {
        let site = Site {
            tag: TagAuthority::new("loa.example.vn", jiff::civil::date(2026, 1, 1)).unwrap(),
            base: "https://loa.example.vn/".parse().unwrap(),
            title: String::new(),
            publisher: String::new(),
            language: "vi".into(),
            ttl_minutes: 15,
            hub: None,
        };
        let head = FeedHead { name: FeedName::parse(name).unwrap(), title: String::new(), description: String::new() };
        let document = || Document::new("text/plain", "x".repeat(10_000));
        Arc::new(Snapshot {
            began,
            read: began,
            as_of: 1,
            read_back: false,
            feed: Feed::assemble(&site, head, &[], &[], Window::default()),
            last_modified: Some(Timestamp::UNIX_EPOCH),
            due_at: None,
            documents: [document(), document(), document()],
            page: document(),
            used: AtomicU64::default(),
        })
    }

    #[test]
    fn the_longest_unasked_feeds_make_room_and_are_not_kept_up_to_date_any_more() {
        let shelf = Shelf::new(Shares::of(16 * snapshot("all", 0).weight() as u64));
        let names: Vec<String> = ["all".to_owned()].into_iter().chain((0..11).map(|n| format!("area-a{n}"))).collect();
        let mut asked_often = None;
        for name in &names {
            let snapshot = snapshot(name, shelf.moment());
            let name = snapshot.feed.head().name.clone();
            shelf.want(&name);
            assert!(shelf.show(&snapshot));
            asked_often = asked_often.or(Some(name).filter(|name| *name != FeedName::All));
            assert!(asked_often.iter().all(|name| shelf.feed(name).is_some()), "it is asked for again and again");
        }
        let there = |name: &String| shelf.looked_at(&FeedName::parse(name).unwrap()).is_some();
        let left: Vec<&String> = names.iter().filter(|name| there(name)).collect();
        assert!(left.len() <= 10 && left.len() >= 8, "{left:?}");
        assert!(there(&names[0]) && there(&names[1]) && there(&names[11]) && !there(&names[2]), "{left:?}");
        let weight = snapshot("all", 0).weight();
        assert_eq!(shelf.at_hand(), AtHand { count: left.len(), bytes: left.len() * weight });
        let wanted = shelf.wanted_of(names.iter().filter_map(|name| FeedName::parse(name)).collect());
        assert_eq!(wanted.len(), left.len());
    }
}
