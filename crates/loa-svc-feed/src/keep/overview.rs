//! The keeper of the list of all feeds: the page `/feeds`, `/feeds.opml`, and which names there are.
//!
//! There is one list. It is made when somebody first asks, and anew on each day. Writing it costs all
//! feeds, not those that changed, so the service does it less often than it writes feeds (`pacing.rs`).

use super::{
    OVERTAKEN_MAX,
    feeds::Feeds,
    writer::{OPML, Overview, Writer, parts_of},
};
use crate::{
    error::FeedError,
    last_good::{LastGood, LastGoodOverview},
    page::document::{Document, HTML},
};
use loa_domain::FeedName;
use loa_store::StoreErrorKind;
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

/// Latest entries shown on the page of all feeds.
const LATEST: usize = 10;

/// The list of all feeds in memory.
pub(crate) struct Overviews {
    writer: Arc<Writer>,
    last_good: Arc<LastGood>,
    /// For the latest entries.
    feeds: Arc<Feeds>,
    cached: RwLock<Option<Arc<Overview>>>,
    is_old: AtomicBool,
}

impl Overviews {
    pub(crate) fn new(writer: Arc<Writer>, last_good: Arc<LastGood>, feeds: Arc<Feeds>) -> Self {
        Self { writer, last_good, feeds, cached: RwLock::default(), is_old: AtomicBool::default() }
    }

    /// Today's overview; made now, if nobody asked before.
    pub(crate) async fn get(&self) -> Result<Arc<Overview>, FeedError> {
        if let Some(overview) = self.todays() {
            return Ok(overview);
        }
        // wanted, so that steps keep its latest entries up to date
        let written = match self.feeds.get(&FeedName::All).await {
            Ok(_) => self.write_for_today().await,
            Err(error) => Err(error),
        };
        // it may have been read back meanwhile; yesterday's is better than none
        written.or_else(|error| self.cached().ok_or(error))
    }

    /// Whether there is a feed of this name: known to the directory or the configuration, or it had an entry once.
    pub(crate) async fn knows(&self, name: &FeedName) -> Result<bool, FeedError> {
        let names = &self.writer.names;
        if names.knows(name) || self.feeds.peek(name).is_some() {
            return Ok(true);
        }
        let overview = self.get().await?;
        Ok(parts_of(name).iter().all(|part| names.knows(part) || overview.summaries.contains_key(part)))
    }

    /// Notes that something changed since the overview was written.
    pub(crate) fn grew_old(&self) {
        self.is_old.store(true, Ordering::Release);
    }

    /// Writes page and list anew, if somebody asked for them and something changed since.
    ///
    /// # Errors
    /// When the ledger is away; the same call does the same work.
    pub(crate) async fn refresh(&self) -> Result<(), FeedError> {
        // The mark stays while nothing is cached: a first writing that is under way may have read what was before the change.
        if self.cached().is_none() || !self.is_old.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        match self.write(true).await {
            Ok(overview) => self.put(overview),
            Err(error) if error.may_pass() => {
                self.grew_old();
                return Err(error);
            }
            Err(error) => error.report_defect("the list of feeds"),
        }
        Ok(())
    }

    /// Puts what readers were shown before the start in its place, where nothing is.
    pub(crate) fn read_back(&self, last_good: LastGoodOverview) {
        if self.cached().is_some() {
            return;
        }
        let LastGoodOverview { summaries, told_at, as_of, page, opml } = last_good;
        let day = self.writer.names.day(self.writer.now());
        self.put(Arc::new(Overview {
            day,
            listed: self.writer.names.listed(&summaries, day),
            // they stand in the page alone
            latest: Vec::new(),
            as_of,
            is_read_back: true,
            last_modified: Some(told_at),
            summaries,
            page: Document::of(HTML, page),
            opml: Document::of(OPML, opml),
        }));
    }

    /// Whether what is cached is from before the start.
    pub(crate) fn is_read_back(&self) -> bool {
        self.cached().is_some_and(|overview| overview.is_read_back)
    }

    fn cached(&self) -> Option<Arc<Overview>> {
        self.cached.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn todays(&self) -> Option<Arc<Overview>> {
        let today = self.writer.names.day(self.writer.now());
        self.cached().filter(|overview| overview.day >= today)
    }

    async fn write_for_today(&self) -> Result<Arc<Overview>, FeedError> {
        // one for all who ask at midnight; not held while a feed may want it
        let _permit = self.feeds.writing.acquire().await.ok();
        if let Some(overview) = self.todays() {
            return Ok(overview);
        }
        let overview = self.write(false).await?;
        self.put(overview.clone());
        Ok(overview)
    }

    /// Writes page and list until they are such that may be shown: never older than what another replica has shown.
    async fn write(&self, must_keep: bool) -> Result<Arc<Overview>, FeedError> {
        for _ in 1..OVERTAKEN_MAX {
            match self.write_once(must_keep).await {
                Err(FeedError::Ledger(error)) if error.kind == StoreErrorKind::Stale => {}
                written => return written,
            }
        }
        self.write_once(must_keep).await
    }

    async fn write_once(&self, must_keep: bool) -> Result<Arc<Overview>, FeedError> {
        let all = self.feeds.peek(&FeedName::All);
        let latest = all.iter().flat_map(|all| all.feed.entries().iter().take(LATEST)).cloned().collect();
        let overview = Arc::new(self.writer.overview(latest, self.cached(), must_keep).await?);
        if let Some(told_at) = overview.last_modified {
            self.last_good
                .keep_overview(LastGoodOverview {
                    summaries: overview.summaries.clone(),
                    told_at,
                    as_of: overview.as_of,
                    page: overview.page.text(),
                    opml: overview.opml.text(),
                })
                .await;
        }
        Ok(overview)
    }

    fn put(&self, overview: Arc<Overview>) {
        let mut place = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_none_or(|standing| standing.is_read_back || standing.as_of <= overview.as_of) {
            self.feeds.reserve(overview.cost());
            *place = Some(overview);
        }
    }
}
