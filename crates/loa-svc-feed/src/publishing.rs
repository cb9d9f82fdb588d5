//! From the ledger to bytes: what changed is written anew, off the request path, and swapped in whole.
//!
//! Safe to repeat at any point: a round that fails half-way is done again from the same change number, and writing the
//! same rows gives the same bytes.

use crate::{
    Service,
    document::Document,
    naming::{Labels, Names},
    service::Inner,
    shelf::Snapshot,
    succession,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use loa_domain::{AreaId, ArticleId, FeedName};
use loa_feed::{
    AreaLabel, Entry, Feed, FeedHead, Format, Position, RenderError, Tombstone, discovery_link, fingerprint, render,
};
use loa_store::{FeedEntry, StoreError, StoreErrorKind};
use loa_worker::Progress;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Most changed feeds looked at in one round.
const CHANGED_MAX: u32 = 1_000;
/// How far a portal's clock may be ahead of ours before its article counts as dated in the future.
pub(crate) const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How often something is written again because another writing overtook it, before the next round has to do it.
pub(crate) const OVERTAKEN_MAX: usize = 5;

/// Why a feed could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The ledger did not answer as it should: try again.
    #[error("the feed ledger could not be read")]
    Ledger(#[from] StoreError),
    /// A writer failed: a defect.
    #[error("the feed could not be written")]
    Render(#[from] RenderError),
    /// A page failed: a defect.
    #[error("the page could not be written")]
    Page(#[from] minijinja::Error),
    /// Compression failed: a defect.
    #[error("the document could not be compressed")]
    Compression(#[from] std::io::Error),
    /// The ledger is away, and readers get what they got before.
    #[error("feeds are served from the last good state ({feeds} of them at hand)")]
    LastGoodState {
        /// How many.
        feeds: usize,
        /// Why.
        source: Box<FeedError>,
    },
    /// Too many are waiting for a feed of their own choice to be written.
    #[error("too many feeds are being written")]
    Busy,
    /// Writing panicked: a defect.
    #[error("writing the feed panicked")]
    Panicked(#[from] tokio::task::JoinError),
    /// Whoever wrote it for several did not succeed.
    #[error(transparent)]
    Shared(#[from] Arc<FeedError>),
}

impl FeedError {
    /// Whether trying again may help: the ledger is away or was busy. A row that cannot be read, or a defect of ours, stays;
    /// it must not keep the other feeds from their readers.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Ledger(error) => {
                matches!(error.kind, StoreErrorKind::Unavailable | StoreErrorKind::Conflict | StoreErrorKind::Stale)
            }
            Self::Shared(error) => error.may_pass(),
            Self::LastGoodState { source, .. } => source.may_pass(),
            Self::Busy => true,
            _ => false,
        }
    }
}

fn report_defect(what: &str, error: &FeedError) {
    metrics::counter!("loa_feed_write_failures_total").increment(1);
    tracing::error!(feed = what, error = %chain(error), "could not be written; its last good form is served on");
}

/// What a round came to.
pub(crate) struct Round {
    pub(crate) feeds: usize,
    pub(crate) progress: Progress,
}

impl Service {
    /// Writes anew what changed since the last step, of the feeds that somebody reads, and the overview.
    ///
    /// # Errors
    /// When the ledger is away; the next step does the same work. A feed that cannot be written for another reason (a row
    /// that cannot be read, a defect) is logged and keeps its last good bytes; the others go through.
    pub async fn step(&self) -> Result<Progress, FeedError> {
        let progress = self.round_or_fall_back().await?.progress;
        self.keep_form_date().await;
        self.refresh_overview().await?;
        Ok(progress)
    }

    /// Writes page and list of all feeds anew, if they are at hand and something changed since. They cost all feeds, not those
    /// that changed.
    pub(crate) async fn refresh_overview(&self) -> Result<(), FeedError> {
        let inner = &self.0;
        if !inner.shelf.take_old_overview() {
            return Ok(());
        }
        match inner.write_overview(true).await {
            Ok(overview) => inner.shelf.put_overview(overview),
            Err(error) if error.may_pass() => {
                inner.shelf.overview_grew_old();
                return Err(error);
            }
            Err(error) => report_defect("the list of feeds", &error),
        }
        Ok(())
    }

    pub(crate) async fn round(&self) -> Result<Round, FeedError> {
        let inner = &self.0;
        let (names, number) = inner.ledger.changed(inner.shelf.seen(), CHANGED_MAX).await?;
        let full_page = names.len() >= CHANGED_MAX as usize;
        let moved = !names.is_empty();
        inner.shelf.have_changed(&names, number);
        inner.forget_sheets(&names).await;
        let fallen_back = inner.fallen_back.load(Ordering::Acquire);
        let read_back = if fallen_back { inner.shelf.to_write_anew() } else { Vec::new() };
        inner.shelf.combinations.changed(&names, number);
        let mut feeds = inner.shelf.wanted_of(names);
        feeds.extend(inner.shelf.due(inner.world.now()));
        feeds.extend(read_back);
        for name in &feeds {
            match inner.show(name, true).await {
                Ok(_) => {}
                Err(error) if error.may_pass() => return Err(error),
                Err(error) => report_defect(&name.to_string(), &error),
            }
        }
        if moved || !feeds.is_empty() || inner.shelf.overview().is_some_and(|overview| overview.read_back) {
            inner.shelf.overview_grew_old();
        }
        inner.shelf.has_seen(number);
        metrics::counter!("loa_feed_written_total").increment(feeds.len() as u64);
        let progress = if full_page { Progress::Worked } else { Progress::Idle };
        Ok(Round { feeds: feeds.len(), progress })
    }

    /// A feed as it stands at hand; written now, if nobody asked for it before.
    pub(crate) async fn snapshot(&self, name: &FeedName) -> Result<Arc<Snapshot>, FeedError> {
        let inner = &self.0;
        if let Some(snapshot) = inner.shelf.feed(name) {
            if snapshot.read_back {
                inner.shelf.want(name);
            }
            return Ok(snapshot);
        }
        let write = async {
            // the semaphore is never closed; were it, writing without a permit is right as well
            let _permit = inner.writing.acquire().await.ok();
            if let Some(snapshot) = inner.shelf.feed(name) {
                return Ok(snapshot);
            }
            inner.shelf.want(name);
            match inner.show(name, false).await {
                // it may have been read back meanwhile
                Err(error) if error.may_pass() => inner.shelf.feed(name).ok_or_else(|| Arc::new(error)),
                shown => shown.map_err(Arc::new),
            }
        };
        Ok(inner.flights.once(name, write).await?)
    }
}

impl Inner {
    /// Writes a feed until it is one that may be shown: never older than what was shown before.
    async fn show(&self, name: &FeedName, must_keep: bool) -> Result<Arc<Snapshot>, FeedError> {
        for _ in 0..OVERTAKEN_MAX {
            match self.write(name, must_keep).await {
                Ok(snapshot) => {
                    // before anybody sees it: after a restart it is not older than what was seen
                    self.keep_sheet(&snapshot).await;
                    if self.shelf.show(&snapshot) {
                        return Ok(snapshot);
                    }
                }
                // another replica has told readers of a later change meanwhile
                Err(FeedError::Ledger(error)) if error.kind == StoreErrorKind::Stale => {}
                Err(error) => return Err(error),
            }
            if let Some(standing) = self.shelf.feed(name).filter(|_| !must_keep) {
                return Ok(standing);
            }
        }
        let what = format!("the feed {name} was overtaken again and again while it was written");
        Err(StoreError::new(StoreErrorKind::Conflict, what).into())
    }

    /// Reads what a feed is to be written from.
    pub(crate) async fn read(&self, name: &FeedName) -> Result<Read, FeedError> {
        let now = self.world.now();
        let began = self.shelf.moment();
        // asked before the rows are read: they are true up to here at least
        let (_, change) = self.ledger.changed(i64::MAX, 1).await?;
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
            .map(|stone| Tombstone { article: stone.article, at: stone.at, reason: stone.reason })
            .collect();
        let due_at = next.and_then(|at| at.checked_sub(CLOCK_SKEW).ok());
        let due_at = due_at.into_iter().chain(self.names.farewell_due_at(name, now)).min();
        Ok(Read { now, began, read: self.shelf.moment(), change, standing, stones, due_at })
    }

    /// When the next entry dated in the future was published; of a combination, the next in any of its parts.
    async fn next_in(&self, name: &FeedName, shown_until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let parts = match name {
            FeedName::Combined(combination) => combination.parts(),
            one => vec![one.clone()],
        };
        let mut next: Option<Timestamp> = None;
        for part in &parts {
            let (_, at) = self.ledger.around(part, Timestamp::MIN, shown_until).await?;
            next = next.into_iter().chain(at).min();
        }
        Ok(next)
    }

    /// Reads and writes a feed. `must_keep`: fail when the ledger cannot keep `Last-Modified`; otherwise go without.
    async fn write(&self, name: &FeedName, must_keep: bool) -> Result<Arc<Snapshot>, FeedError> {
        let ledgers = self.read(name).await?;
        let Read { now, began, read, change, due_at, .. } = ledgers;
        let label = self.category_label(name, &ledgers.standing).await?;
        let head = self.names.head(name, label.as_deref());
        let rows = ledgers.standing.iter().map(|row| (row.content.published_at(), row.content.id().clone()));
        let rows: Vec<_> = rows.collect();
        let (site, names, window) = (self.site.clone(), self.names.clone(), self.window);
        let feed = tokio::task::spawn_blocking(move || assembled(&site, &names, head, ledgers, window)).await?;
        let previous = self.after_feed(name, &feed, &rows, shown_until(now)).await?;
        let feed = feed.at(Position { previous, ..Position::default() });
        let (site, pages, names) = (self.site.clone(), self.pages.clone(), self.names.clone());
        let before = self.shelf.looked_at(name);
        let written = tokio::task::spawn_blocking(move || {
            written(&site, &pages, &names, feed, succession::day(now), before.as_deref())
        })
        .await??;
        let last_modified = self.last_modified(&name.to_string(), &written.fingerprint, change, now, must_keep).await?;
        Ok(Arc::new(Snapshot {
            began,
            read,
            as_of: change,
            read_back: false,
            feed: written.feed,
            last_modified,
            due_at,
            documents: written.documents,
            page: written.page,
            used: AtomicU64::default(),
        }))
    }

    /// What a category is called by the newest entry shown; when there is none, by what the ledger remembers.
    pub(crate) async fn category_label(
        &self,
        name: &FeedName,
        standing: &[FeedEntry],
    ) -> Result<Option<String>, StoreError> {
        let FeedName::Category(slug) = name else { return Ok(None) };
        let shown = standing.first().and_then(|row| row.content.category()).filter(|category| category.slug == *slug);
        if let Some(category) = shown {
            return Ok(Some(category.label.clone()));
        }
        let summaries = self.ledger.summaries().await?;
        Ok(summaries.into_iter().find(|summary| summary.feed == *name).map(|summary| summary.label))
    }

    /// What `Last-Modified` says of these bytes: kept by the ledger, so that it steps with each version and never goes
    /// back, on every replica and after every restart.
    pub(crate) async fn last_modified(
        &self,
        name: &str,
        mark: &str,
        change: i64,
        now: Timestamp,
        must_keep: bool,
    ) -> Result<Option<Timestamp>, FeedError> {
        // Asked each time, though the shelf may have the same words: another replica may have told them at another time.
        match self.ledger.rendered(name, mark, change, now).await {
            Ok(rendered) => Ok(Some(rendered.last_modified)),
            Err(error) if must_keep || error.kind == StoreErrorKind::Stale => Err(error.into()),
            Err(error) => {
                tracing::warn!(document = name, error = %chain(&error), "Last-Modified could not be kept; it is served without");
                Ok(None)
            }
        }
    }
}

/// What the ledger had of a feed.
pub(crate) struct Read {
    pub(crate) now: Timestamp,
    /// See [`Snapshot`].
    began: u64,
    read: u64,
    /// The change number up to which it is surely true.
    pub(crate) change: i64,
    standing: Vec<FeedEntry>,
    stones: Vec<Tombstone>,
    /// When it reads otherwise though nothing is changed: an entry dated in the future, an area's end.
    pub(crate) due_at: Option<Timestamp>,
}

struct Written {
    feed: Feed,
    fingerprint: String,
    documents: [Document; 3],
    page: Document,
}

/// A feed of what was read.
pub(crate) fn assembled(
    site: &loa_feed::Site,
    names: &Names,
    head: FeedHead,
    read: Read,
    window: loa_feed::Window,
) -> Feed {
    let today = succession::day(read.now);
    let farewell = names.farewell(&head.name, today);
    let label = |id: &AreaId| AreaLabel { id: id.clone(), name: names.area(id) };
    let entries: Vec<Entry> = read
        .standing
        .into_iter()
        .map(|row| Entry { areas: row.content.areas().iter().map(label).collect(), content: row.content })
        .collect();
    let feed = Feed::assemble(site, head, &entries, &read.stones, window);
    match farewell {
        Some(farewell) => feed.ended(site, &farewell),
        None => feed,
    }
}

fn written(
    site: &loa_feed::Site,
    pages: &crate::pages::Pages,
    names: &Names,
    feed: Feed,
    today: Date,
    before: Option<&Snapshot>,
) -> Result<Written, FeedError> {
    let document = |format: Format| -> Result<Document, FeedError> {
        let before = before.map(|before| before.document(format));
        let document = Document::following(before, format.content_type(), render(format, site, &feed)?)?;
        Ok(document.with_link(discovery_link(site, &feed, format)))
    };
    let documents = [document(Format::Rss)?, document(Format::Atom)?, document(Format::Json)?];
    let page = pages.feed(names, &feed, &Labels::new(), today)?;
    let page = Document::following(before.map(|before| &before.page), crate::document::HTML, page)?;
    let marks = documents.iter().chain([&page]).map(|document| document.tag().as_bytes());
    Ok(Written { fingerprint: fingerprint(marks), documents, page, feed })
}

/// The first instant whose entries are not shown yet, because they are dated in the future. However many there are, they
/// take no room in a feed.
pub(crate) fn shown_until(now: Timestamp) -> Timestamp {
    after(now.checked_add(CLOCK_SKEW).unwrap_or(now))
}

/// The next instant that a ledger tells from this one: it keeps milliseconds.
pub(crate) fn after(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond().saturating_add(1)).unwrap_or(Timestamp::MAX)
}

/// All entries published before an instant, as [`loa_store::FeedLedger::entries`] is asked for them.
fn older_than(until: Timestamp) -> Option<(Timestamp, ArticleId)> {
    // the first of all ids there may be: none sorts before it
    ArticleId::new("!").ok().map(|first| (until, first))
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
