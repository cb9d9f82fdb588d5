//! The keeper of feeds: those that somebody reads, written in every form, swapped whole when they
//! change.
//!
//! A feed that nobody asked for yet is written at its first request, once however many ask. From
//! then on each step of the service writes it anew when it changed, off the request path, so
//! readers never wait and never see half of a change. What was read before something shown since is
//! never shown after it. Before a feed is shown its last good state is put on disk (`last_good/`).

use super::{
    OVERTAKEN_MAX,
    cache::{Cache, CacheFigures},
    changes::{Changes, Validity},
    flights::Flights,
    writer::{Writer, WrittenFeed},
};
use crate::{
    error::FeedError,
    last_good::{LastGood, LastGoodFeed},
    page::document::{Document, HTML},
};
use loa_domain::{FeedName, with_causes};
use loa_feed::{Feed, FeedHead, Format, discovery_link};
use loa_store::{StoreError, StoreErrorKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Semaphore;

/// Feeds written at a time because somebody asked for one that is not cached. Writing is work for the processor.
const WRITING_MAX: usize = 2;
/// Feeds looked at together when the last good state of a former life is gone through.
const SIFTED: u32 = 100;

/// The feeds in memory.
pub(crate) struct Feeds {
    writer: Arc<Writer>,
    changes: Arc<Changes>,
    last_good: Arc<LastGood>,
    cache: Cache<FeedName, WrittenFeed>,
    /// Somebody asked for them. Marked *before* their ledger rows are read: a change committed after the mark is seen by
    /// the next step, one committed before it by the reading itself. So none falls between.
    wanted: Mutex<BTreeSet<FeedName>>,
    /// The moment up to which a feed was shown as it stood then. Readings overlap, and one may be held up for long (the
    /// ledger cannot keep a date): what was read before something that was shown since is never shown after it.
    shown: Mutex<BTreeMap<FeedName, u64>>,
    /// Counts moments: what happens in this process, in its order.
    moments: AtomicU64,
    flights: Flights<FeedName, Result<Arc<WrittenFeed>, Arc<FeedError>>>,
    pub(super) writing: Semaphore,
}

/// When a feed's rows were read: after `began`, before `ended`.
#[derive(Debug, Clone, Copy)]
struct Reading {
    began: u64,
    ended: u64,
}

impl Feeds {
    /// `all` is never let go of: the list of all feeds is made of it, too.
    pub(crate) fn new(writer: Arc<Writer>, changes: Arc<Changes>, last_good: Arc<LastGood>, bytes_max: usize) -> Self {
        Self {
            writer,
            changes,
            last_good,
            cache: Cache::new(bytes_max).pinning(FeedName::All),
            wanted: Mutex::default(),
            shown: Mutex::default(),
            moments: AtomicU64::default(),
            flights: Flights::default(),
            writing: Semaphore::new(WRITING_MAX),
        }
    }

    /// A feed as it stands in the cache; written now, if nobody asked for it before.
    pub(crate) async fn get(&self, name: &FeedName) -> Result<Arc<WrittenFeed>, FeedError> {
        if let Some(feed) = self.cache.get(name) {
            if feed.is_read_back {
                self.want(name);
            }
            return Ok(feed);
        }
        let write = async {
            // the semaphore is never closed; were it, writing without a permit is right as well
            let _permit = self.writing.acquire().await.ok();
            if let Some(feed) = self.cache.get(name) {
                return Ok(feed);
            }
            self.want(name);
            match self.write(name, false).await {
                // it may have been read back meanwhile
                Err(error) if error.may_pass() => self.cache.get(name).ok_or_else(|| Arc::new(error)),
                written => written.map_err(Arc::new),
            }
        };
        Ok(self.flights.once(name, write).await?)
    }

    /// A feed, if it is in the cache; for nobody.
    pub(crate) fn peek(&self, name: &FeedName) -> Option<Arc<WrittenFeed>> {
        self.cache.peek(name)
    }

    /// Writes anew those of the changed feeds that somebody reads, and those in which an entry dated in the future is due.
    /// `is_back`: the ledger was away until now. How many were written comes back.
    ///
    /// # Errors
    /// When the ledger is away; the same call does the same work. A feed that cannot be written for another reason (a row
    /// that cannot be read, a defect) is logged and keeps its last good bytes; the others go through.
    pub(crate) async fn refresh(&self, changed: Vec<FeedName>, is_back: bool) -> Result<usize, FeedError> {
        self.forget_unread(&changed).await;
        let read_back = if is_back { self.to_write_anew() } else { Vec::new() };
        let now = self.writer.now();
        let mut feeds = self.wanted_of(changed);
        feeds.extend(self.cache.keys(|feed| feed.validity.due_at.is_some_and(|at| at <= now)));
        feeds.extend(read_back);
        for name in &feeds {
            match self.write(name, true).await {
                Ok(_) => {}
                Err(error) if error.may_pass() => return Err(error),
                Err(error) => error.report_defect(&name.to_string()),
            }
        }
        metrics::counter!("loa_feed_written_total").increment(feeds.len() as u64);
        Ok(feeds.len())
    }

    /// Says how many bytes of the budget the list of all feeds takes.
    pub(super) fn reserve(&self, bytes: usize) {
        self.cache.reserve(bytes);
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        self.cache.figures()
    }

    pub(crate) fn bytes_max(&self) -> usize {
        self.cache.cost_max()
    }

    /// Writes a feed until it is one that may be shown: never older than what was shown before. `must_keep`: fail when the
    /// ledger cannot keep `Last-Modified`; otherwise go without.
    async fn write(&self, name: &FeedName, must_keep: bool) -> Result<Arc<WrittenFeed>, FeedError> {
        for _ in 0..OVERTAKEN_MAX {
            match self.write_once(name, must_keep).await {
                Ok((feed, reading)) => {
                    // before anybody sees it: after a restart it is not older than what was seen
                    self.keep_last_good(&feed).await;
                    if self.show(&feed, reading) {
                        return Ok(feed);
                    }
                }
                // another replica has told readers of a later change meanwhile
                Err(FeedError::Ledger(error)) if error.kind == StoreErrorKind::Stale => {}
                Err(error) => return Err(error),
            }
            if let Some(standing) = self.cache.get(name).filter(|_| !must_keep) {
                return Ok(standing);
            }
        }
        let what = format!("the feed {name} was overtaken again and again while it was written");
        Err(StoreError::new(StoreErrorKind::Conflict, what).into())
    }

    async fn write_once(&self, name: &FeedName, must_keep: bool) -> Result<(Arc<WrittenFeed>, Reading), FeedError> {
        let began = self.moment();
        let rows = self.writer.rows(name).await?;
        let reading = Reading { began, ended: self.moment() };
        let feed = self.writer.feed(name, rows, self.cache.peek(name), must_keep).await?;
        Ok((Arc::new(feed), reading))
    }

    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Shows a feed, and caches it when its date is kept; `false`: something read later was shown already, so it must be read
    /// again.
    fn show(&self, feed: &Arc<WrittenFeed>, reading: Reading) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let upto = shown.entry(feed.name().clone()).or_default();
        if reading.began < *upto {
            return false;
        }
        *upto = (*upto).max(reading.ended);
        if feed.last_modified.is_some() {
            // under the lock of `shown`, so that what is put last was shown last
            let let_go = self.cache.put(feed.name().clone(), feed.clone());
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            for name in &let_go {
                wanted.remove(name);
            }
        }
        true
    }

    fn want(&self, name: &FeedName) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
    }

    fn wanted_of(&self, names: Vec<FeedName>) -> BTreeSet<FeedName> {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        names.into_iter().filter(|name| wanted.contains(name)).collect()
    }
}

/// The last good state.
impl Feeds {
    /// Puts what readers were shown before the start in its place, where nothing was shown since.
    pub(crate) fn read_back(&self, last_good: LastGoodFeed) {
        let feed = self.written_feed(last_good);
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // under the lock of `shown`, as above
        if !shown.contains_key(feed.name()) && self.cache.peek(feed.name()).is_none() {
            self.cache.put(feed.name().clone(), Arc::new(feed));
        }
    }

    fn written_feed(&self, last_good: LastGoodFeed) -> WrittenFeed {
        let LastGoodFeed { name, title, description, told_at, documents: [rss, atom, json], page } = last_good;
        let site = &self.writer.site;
        // its items stand in its documents alone
        let feed = Feed::assemble(site, FeedHead { name, title, description }, &[], &[], self.writer.window);
        let document = |format: Format, bytes| {
            Document::of(format.content_type(), bytes).with_link(discovery_link(site, &feed, format))
        };
        WrittenFeed {
            // before anything that is read from the ledger
            validity: Validity { as_of: i64::MIN, due_at: None },
            is_read_back: true,
            last_modified: Some(told_at),
            documents: [document(Format::Rss, rss), document(Format::Atom, atom), document(Format::Json, json)],
            page: Document::of(HTML, page),
            feed,
        }
    }

    async fn keep_last_good(&self, feed: &WrittenFeed) {
        // what has no date is not kept
        let Some(told_at) = feed.last_modified else { return };
        let head = feed.feed.head();
        let last_good = LastGoodFeed {
            name: head.name.clone(),
            title: head.title.clone(),
            description: head.description.clone(),
            told_at,
            documents: feed.documents.each_ref().map(Document::text),
            page: feed.page.text(),
        };
        self.last_good.keep_feed(last_good, feed.validity.as_of).await;
    }

    /// The ledger is back: what was read back and nobody asked for goes, the names of what somebody did ask for come back.
    fn to_write_anew(&self) -> Vec<FeedName> {
        let read_back = self.cache.keys(|feed| feed.is_read_back);
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked_for, unasked): (Vec<_>, Vec<_>) = read_back.into_iter().partition(|name| wanted.contains(name));
        unasked.iter().for_each(|name| self.cache.remove(name));
        asked_for
    }

    /// Forgets the last good state of feeds that changed and that nobody reads: it is kept up to date no more, and what was
    /// withdrawn must not come back.
    async fn forget_unread(&self, changed: &[FeedName]) {
        if !self.last_good.is_kept() {
            return;
        }
        let names = match self.changes.seen() {
            0 => match self.stale_last_good().await {
                Ok(names) => names,
                Err(error) => {
                    return tracing::warn!(error = %with_causes(&error), "the last good state cannot be gone through");
                }
            },
            _ => {
                let wanted = self.wanted_of(changed.to_vec());
                changed.iter().filter(|name| !wanted.contains(name)).cloned().collect()
            }
        };
        self.last_good.forget(&names).await;
    }

    /// The feeds whose last good state of a former life is not surely true any more, and that nobody reads.
    async fn stale_last_good(&self) -> Result<Vec<FeedName>, FeedError> {
        let true_until = self.last_good.as_of().await?;
        let mut stale = Vec::new();
        let Some(mut after) = true_until.values().min().copied() else { return Ok(stale) };
        loop {
            let (names, upto) = self.writer.ledger.changed(after, SIFTED).await?;
            let is_full_page = names.len() >= SIFTED as usize;
            let wanted = self.wanted_of(names.clone());
            let unread = names.into_iter().filter(|name| !wanted.contains(name));
            stale.extend(unread.filter(|name| true_until.get(&name.to_string()).is_some_and(|until| *until < upto)));
            if !is_full_page {
                return Ok(stale);
            }
            after = upto;
        }
    }
}
