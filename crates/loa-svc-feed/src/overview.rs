//! All feeds at a glance: the page `/feeds` and the list `/feeds.opml`, and which names there are.

use crate::{
    Service,
    document::Document,
    naming::Lists,
    publishing::{FeedError, OVERTAKEN_MAX},
    service::Inner,
    succession::day,
    words,
};
use jiff::{Timestamp, civil::Date};
use loa_domain::FeedName;
use loa_feed::{Item, Outline, OutlineGroup, fingerprint, opml};
use loa_store::{FeedSummary, StoreErrorKind};
use std::{collections::BTreeMap, sync::Arc};

/// The name under which the ledger keeps when page and list last changed; no feed's.
pub(crate) const KEPT_AS: &str = "feeds";
/// The content type of the list.
pub(crate) const OPML: &str = "text/x-opml; charset=utf-8";
/// Latest entries shown on the page of all feeds.
const LATEST: usize = 10;

/// Everything about all feeds together.
pub(crate) struct Overview {
    pub(crate) as_of: i64,
    /// As for a feed.
    pub(crate) read_back: bool,
    /// `None`: the ledger could not keep one.
    pub(crate) last_modified: Option<Timestamp>,
    /// The day on which it was true: areas end at midnight.
    pub(crate) day: Date,
    pub(crate) summaries: BTreeMap<FeedName, FeedSummary>,
    pub(crate) listed: Lists,
    pub(crate) latest: Vec<Item>,
    pub(crate) page: Document,
    pub(crate) opml: Document,
}

impl Service {
    /// The overview at hand; made now, if nobody asked before.
    pub(crate) async fn overview(&self) -> Result<Arc<Overview>, FeedError> {
        match self.0.shelf.overview() {
            Some(overview) if overview.day >= day(self.0.world.now()) => Ok(overview),
            _ => self.fresh_overview().await,
        }
    }

    async fn fresh_overview(&self) -> Result<Arc<Overview>, FeedError> {
        // wanted, so that steps keep its latest entries up to date
        let written = match self.snapshot(&FeedName::All).await {
            Ok(_) => self.todays_overview().await,
            Err(error) => Err(error),
        };
        // it may have been read back meanwhile; yesterday's is better than none
        written.or_else(|error| self.0.shelf.overview().ok_or(error))
    }

    async fn todays_overview(&self) -> Result<Arc<Overview>, FeedError> {
        // one for all who ask at midnight; not held while a snapshot may want it
        let _permit = self.0.writing.acquire().await.ok();
        if let Some(overview) = self.0.shelf.overview().filter(|overview| overview.day >= day(self.0.world.now())) {
            return Ok(overview);
        }
        let overview = self.0.write_overview(false).await?;
        self.0.shelf.put_overview(overview.clone());
        Ok(overview)
    }

    /// Whether there is a feed of this name: known to the directory or the configuration, or it had an entry once.
    pub(crate) async fn exists(&self, name: &FeedName) -> Result<bool, FeedError> {
        if self.0.names.knows(name) || self.0.shelf.feed(name).is_some() {
            return Ok(true);
        }
        Ok(self.unknown_parts(name).await?.is_empty())
    }

    /// The parts of a feed (itself, when it is no combination) that there are not.
    pub(crate) async fn unknown_parts(&self, name: &FeedName) -> Result<Vec<FeedName>, FeedError> {
        let mut parts = match name {
            FeedName::Combined(combination) => combination.parts(),
            part => vec![part.clone()],
        };
        parts.retain(|part| !self.0.names.knows(part));
        if !parts.is_empty() {
            let overview = self.overview().await?;
            parts.retain(|part| !overview.summaries.contains_key(part));
        }
        Ok(parts)
    }
}

impl Inner {
    /// Writes page and list until they are such that may be shown: never older than what another replica has shown.
    /// `must_keep`: as for a feed.
    pub(crate) async fn write_overview(&self, must_keep: bool) -> Result<Arc<Overview>, FeedError> {
        for _ in 1..OVERTAKEN_MAX {
            match self.write_overview_once(must_keep).await {
                Err(FeedError::Ledger(error)) if error.kind == StoreErrorKind::Stale => {}
                written => return written,
            }
        }
        self.write_overview_once(must_keep).await
    }

    async fn write_overview_once(&self, must_keep: bool) -> Result<Arc<Overview>, FeedError> {
        // asked before the rest is read: that is true up to here at least
        let (_, as_of) = self.ledger.changed(i64::MAX, 1).await?;
        let summaries: BTreeMap<FeedName, FeedSummary> =
            self.ledger.summaries().await?.into_iter().map(|summary| (summary.feed.clone(), summary)).collect();
        let latest: Vec<Item> = match self.shelf.looked_at(&FeedName::All) {
            Some(all) => all.feed.entries().iter().take(LATEST).cloned().collect(),
            None => Vec::new(),
        };
        let (site, pages, names) = (self.site.clone(), self.pages.clone(), self.names.clone());
        let (before, today) = (self.shelf.overview(), day(self.world.now()));
        let written = tokio::task::spawn_blocking(move || -> Result<Overview, FeedError> {
            let listed = names.listed(&summaries, today);
            let before = before.as_deref();
            let page = pages.feeds(&listed, &latest)?;
            let page = Document::following(before.map(|before| &before.page), crate::document::HTML, page)?;
            let outlines = |names: &[crate::naming::Listed]| -> Vec<Outline> {
                names.iter().map(|feed| Outline { name: feed.name.clone(), title: feed.title.clone() }).collect()
            };
            let groups = [
                OutlineGroup { title: String::new(), outlines: outlines(&listed.general) },
                OutlineGroup { title: words::CATEGORIES.to_owned(), outlines: outlines(&listed.categories) },
                OutlineGroup { title: words::AREAS.to_owned(), outlines: outlines(&listed.outlined) },
            ];
            let opml = opml(&site, &groups)?;
            let opml = Document::following(before.map(|before| &before.opml), OPML, opml)?;
            Ok(Overview {
                as_of,
                read_back: false,
                last_modified: None,
                day: today,
                page,
                opml,
                latest,
                listed,
                summaries,
            })
        })
        .await??;
        let mark = fingerprint([written.page.tag().as_bytes(), written.opml.tag().as_bytes()]);
        let last_modified = self.last_modified(KEPT_AS, &mark, as_of, self.world.now(), must_keep).await?;
        let overview = Arc::new(Overview { last_modified, ..written });
        self.keep_overview(&overview).await;
        Ok(overview)
    }
}
