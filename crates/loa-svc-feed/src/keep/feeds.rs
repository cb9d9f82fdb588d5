//! The keeper of feeds: those that somebody reads, written in every form, swapped whole when they
//! change.
//!
//! A feed that nobody asked for yet is written at its first request, once however many ask. From
//! then on each step of the service writes it anew when it changed, off the request path, so
//! readers never wait and never see half of a change. What was read before something shown since is
//! never shown after it. Before a feed is shown its last good state is put on disk (`last_good.rs`).

mod last_good;

use super::{
    OVERTAKEN_MAX,
    cache::{Cache, CacheFigures},
    changes::Changes,
    flights::Flights,
    writer::{Writer, WrittenFeed},
};
use crate::{error::FeedError, last_good::LastGood};
use loa_domain::FeedName;
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
