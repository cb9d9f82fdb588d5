//! From the ledger's rows to bytes: a feed, an archive document, a combination, the list of all
//! feeds, and what `Last-Modified` says of each.
//!
//! Writing the same rows gives the same bytes, on every replica and after every restart. The writer
//! holds what everything is written with (site, names, pages, calendar) and the ledger; it knows no
//! cache and no HTTP, and decides nothing about who is shown what. Keepers ask it, and hand in what
//! stood there before, whose codings the next version is made in too.

mod archive;
mod combination;
mod feed;
mod overview;

pub(crate) use archive::{ArchiveDocument, ArchiveKey};
pub(crate) use combination::{CombinedDocument, CombinedKey};
pub(crate) use feed::WrittenFeed;
pub(crate) use overview::{OPML, Overview};

use crate::{
    error::FeedError,
    names::{Names, Summaries},
    page::pages::Pages,
};
use jiff::Timestamp;
use loa_domain::{
    AreaId, ArticleKey, Calendar, FeedName, PortalList, PortalSlug, shown_from, shown_until, with_causes,
};
use loa_feed::{AreaLabel, Entry, Feed, FeedHead, Site, Tombstone, Window};
use loa_store::{FeedEntry, FeedLedger, StoreError, StoreErrorKind};
use loa_worker::World;
use std::sync::Arc;

/// What everything is written with, and from.
pub(crate) struct Writer {
    pub(crate) ledger: Arc<dyn FeedLedger>,
    pub(crate) site: Arc<Site>,
    pub(crate) names: Arc<Names>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) window: Window,
    pub(crate) world: World,
}

/// What the ledger had of a feed.
pub(crate) struct FeedRows {
    /// When it was read.
    now: Timestamp,
    /// The change number up to which it is surely true.
    as_of: i64,
    standing: Vec<FeedEntry>,
    stones: Vec<Tombstone>,
    /// When it reads otherwise though nothing is changed: an entry dated in the future, an area's end.
    due_at: Option<Timestamp>,
}

impl Writer {
    pub(crate) fn now(&self) -> Timestamp {
        self.world.now()
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        self.names.calendar()
    }

    /// The change number up to which everything that is read from now on is true at least.
    async fn as_of(&self) -> Result<i64, StoreError> {
        let (_, number) = self.ledger.changed(i64::MAX, 1).await?;
        Ok(number)
    }

    /// What the ledger knows of each feed, as far as it is shown now.
    pub(crate) async fn summaries(&self) -> Result<Summaries, StoreError> {
        let summaries = self.ledger.summaries(shown_until(self.now())).await?;
        Ok(summaries.into_iter().map(|summary| (summary.feed.clone(), summary)).collect())
    }

    /// Reads what a feed is to be written from.
    pub(crate) async fn rows(&self, name: &FeedName) -> Result<FeedRows, FeedError> {
        let now = self.now();
        // asked before the rows are read
        let as_of = self.as_of().await?;
        let most = u32::try_from(self.window.entries_max).unwrap_or(u32::MAX);
        let shown_until = shown_until(now);
        // one more than is shown: whether there is more, and when it was published
        let standing = self.ledger.entries(name, older_than(shown_until), most.saturating_add(1)).await?;
        let next = self.next_in(name, shown_until).await?;
        let stones = match u32::try_from(self.window.tombstones_max).unwrap_or(u32::MAX) {
            0 => Vec::new(),
            most => self.ledger.tombstones(name, most).await?,
        };
        let stones = stones
            .into_iter()
            .map(|stone| Tombstone { tag: None, article: stone.article, at: stone.at, reason: stone.reason })
            .collect::<Vec<_>>();
        self.know_portals(standing.iter().map(|row| &row.article).chain(stones.iter().map(|stone| &stone.article)))
            .await?;
        let stones =
            stones.into_iter().map(|stone| Tombstone { tag: self.names.tag_of(&stone.article), ..stone }).collect();
        let changes = changes_due_at(&standing, now);
        let due_at = next.map(shown_from).into_iter().chain(changes).chain(self.names.farewell_due_at(name, now)).min();
        let stones = dated_by(stones, &standing, now);
        Ok(FeedRows { now, as_of, standing, stones, due_at })
    }

    /// Makes sure that whose these are is known: ids are made of it, and must never be another's.
    ///
    /// # Errors
    /// `Unavailable` when the list of portals does not have one of them yet.
    pub(crate) async fn know_portals(&self, keys: impl Iterator<Item = &ArticleKey>) -> Result<(), StoreError> {
        let portals = self.names.portals();
        let strangers =
            |list: &PortalList, keys: &[PortalSlug]| keys.iter().find(|slug| list.get(slug).is_none()).cloned();
        let mut slugs: Vec<PortalSlug> = keys.filter_map(ArticleKey::portal).collect();
        slugs.dedup();
        if strangers(&portals.list(), &slugs).is_some() {
            portals.refresh().await?;
        }
        match strangers(&portals.list(), &slugs) {
            None => Ok(()),
            Some(slug) => {
                let what = format!("the list of portals has no {slug}, whose articles stand here");
                Err(StoreError::new(StoreErrorKind::Unavailable, what))
            }
        }
    }

    /// When the next entry dated in the future was published; of a combination, the next in any of its parts.
    async fn next_in(&self, name: &FeedName, shown_until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut next: Option<Timestamp> = None;
        for part in &parts_of(name) {
            let (_, at) = self.ledger.around(part, Timestamp::MIN, shown_until).await?;
            next = next.into_iter().chain(at).min();
        }
        Ok(next)
    }

    /// What a category is called by the newest entry shown; when there is none, by what the ledger remembers.
    async fn category_label(&self, name: &FeedName, standing: &[FeedEntry]) -> Result<Option<String>, StoreError> {
        let FeedName::Category(slug) = name else { return Ok(None) };
        let shown = standing.first().and_then(|row| row.content.category()).filter(|category| category.slug == *slug);
        match shown {
            Some(category) => Ok(Some(category.label.clone())),
            None => Ok(self.summaries().await?.remove(name).map(|summary| summary.label)),
        }
    }

    /// What `Last-Modified` says of these bytes: kept by the ledger, so that it steps with each version and never goes back,
    /// on every replica and after every restart. `must_keep`: fail when the ledger cannot keep it; otherwise go without.
    ///
    /// # Errors
    /// `Stale` when another replica has told readers of a later change: read the rows again.
    async fn last_modified(
        &self,
        name: &str,
        fingerprint: &str,
        as_of: i64,
        now: Timestamp,
        must_keep: bool,
    ) -> Result<Option<Timestamp>, FeedError> {
        // Asked each time, though the cache may have the same bytes: another replica may have told them at another time.
        match self.ledger.rendered(name, fingerprint, as_of, now).await {
            Ok(rendered) => Ok(Some(rendered.last_modified)),
            Err(error) if must_keep || error.kind == StoreErrorKind::Stale => Err(error.into()),
            Err(error) => {
                tracing::warn!(document = name, error = %with_causes(&error), "Last-Modified could not be kept; it is served without");
                Ok(None)
            }
        }
    }
}

/// A feed of what was read.
fn assembled(site: &Site, names: &Names, head: FeedHead, rows: FeedRows, window: Window) -> Feed {
    let farewell = names.farewell(&head.name, names.day(rows.now));
    let feed = Feed::assemble(site, head, &entries_of(names, rows.standing, rows.now), &rows.stones, window);
    match farewell {
        Some(farewell) => feed.ended(site, &farewell),
        None => feed,
    }
}

/// Rows as entries, as they are shown at `now`: no change is dated in the future.
fn entries_of(names: &Names, rows: Vec<FeedEntry>, now: Timestamp) -> Vec<Entry> {
    let label = |id: &AreaId| AreaLabel { id: id.clone(), name: names.area(id) };
    rows.into_iter()
        .map(|row| Entry {
            portal: names.portal_of(&row.article),
            article: row.article,
            areas: row.content.areas().iter().map(label).collect(),
            content: row.content.dated_by(now),
        })
        .collect()
}

/// When the next change of these entries that is dated in the future gets its date.
fn changes_due_at(rows: &[FeedEntry], now: Timestamp) -> Option<Timestamp> {
    let ahead = rows.iter().map(|row| row.content.modified_at()).filter(|at| *at >= shown_until(now));
    ahead.map(shown_from).min()
}

/// Tombstones as they are shown at `now`: nothing was withdrawn in the future. One that says so has the date of the latest
/// thing beside it that is none; of nothing beside it, the first instant there is.
fn dated_by(stones: Vec<Tombstone>, beside: &[FeedEntry], now: Timestamp) -> Vec<Tombstone> {
    let is_past = |at: &Timestamp| *at < shown_until(now);
    let entries = beside.iter().flat_map(|row| [row.content.published_at(), row.content.modified_at()]);
    let latest =
        entries.chain(stones.iter().map(|stone| stone.at)).filter(is_past).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let dated = |stone: Tombstone| if is_past(&stone.at) { stone } else { Tombstone { at: latest, ..stone } };
    stones.into_iter().map(dated).collect()
}

/// The feeds that a feed is put together of; itself, when it is no combination.
pub(crate) fn parts_of(name: &FeedName) -> Vec<FeedName> {
    match name {
        FeedName::Combined(combination) => combination.parts(),
        one => vec![one.clone()],
    }
}

/// All entries published before an instant, as `FeedViews::entries` is asked for them.
fn older_than(until: Timestamp) -> Option<(Timestamp, ArticleKey)> {
    // the first of all ids there may be: none sorts before it
    Some((until, ArticleKey::first()))
}
