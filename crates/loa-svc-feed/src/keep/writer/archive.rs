//! An archive document in one form: one month of a feed, or a part of it (RFC 5005 §4).
//!
//! Which documents there are, and which leads to which, is computed from the entries that stand and
//! never stored: a month without entries has none. Rows come from the ledger, bytes go to the keeper.

use super::{Writer, changes_due_at, entries_of};
use crate::{
    error::FeedError,
    keep::{cache::Cached, changes::Validity},
    names::Labels,
    page::document::{Document, HTML},
};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{ArticleKey, FeedName, Month, shown_from, shown_until};
use loa_feed::{ArchiveName, Feed, FeedHead, Format, Position, render};
use loa_store::{FeedEntry, StoreError};
use std::sync::Arc;

/// Most entries of an archive document: about 1 MB before compression. A month with more is in parts.
const PART_ENTRIES_MAX: u32 = 200;
/// A month is closed when it is over for this long: what was published in its last hours has come by then.
const CLOSED_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Which archive document, in which form; `None` is the page.
pub(crate) type ArchiveKey = (FeedName, ArchiveName, Option<Format>);

/// One archive document.
pub(crate) struct ArchiveDocument {
    pub(crate) validity: Validity,
    /// `None`: the ledger could not keep one; it is served without, and not cached.
    pub(crate) last_modified: Option<Timestamp>,
    /// From when on it changes only by late edits and withdrawals; `None`: its month is in parts, which move each other, or it
    /// is all there is, which the next month changes.
    pub(crate) closes_at: Option<Timestamp>,
    pub(crate) document: Document,
}

impl Cached for ArchiveDocument {
    fn cost(&self) -> usize {
        self.document.cost()
    }

    fn validity(&self) -> &Validity {
        &self.validity
    }
}

/// What the ledger had of a part of a month.
pub(crate) struct ArchiveRows {
    now: Timestamp,
    validity: Validity,
    entries: Vec<FeedEntry>,
    position: Position,
    closes_at: Option<Timestamp>,
}

impl Writer {
    /// Reads what an archive document is to be written from; `None` when nothing that stands was published then.
    pub(crate) async fn archive_rows(
        &self,
        feed: &FeedName,
        name: ArchiveName,
    ) -> Result<Option<ArchiveRows>, FeedError> {
        let now = self.now();
        // asked before the rows are read
        let as_of = self.as_of().await?;
        let shown_until = shown_until(now);
        let (from, until) =
            (self.calendar().month_begins(name.month), self.calendar().month_ends(name.month).min(shown_until));
        let parts = if from < until { parts_of(self.ledger.counted(feed, from, until).await?) } else { 0 };
        if name.part > parts {
            return Ok(None);
        }
        let skip = u64::from(name.part - 1) * u64::from(PART_ENTRIES_MAX);
        let entries = self.ledger.between(feed, from, until, skip, PART_ENTRIES_MAX).await?;
        self.know_portals(entries.iter().map(|entry| &entry.article)).await?;
        let (older, newer) = self.ledger.around(feed, from, until).await?;
        let part = |part: u32| Some(ArchiveName { part, ..name });
        let previous = match older {
            _ if name.part > 1 => part(name.part - 1),
            Some(at) => Some(self.last_part(feed, self.calendar().month(at), shown_until).await?),
            None => None,
        };
        let next = match newer.filter(|at| *at < shown_until) {
            _ if name.part < parts => part(name.part + 1),
            Some(at) => Some(ArchiveName { month: self.calendar().month(at), part: 1 }),
            None => None,
        };
        let position = Position { archive: Some(name), previous, next };
        let closes_at = (parts == 1 && !position.is_complete())
            .then(|| self.calendar().month_ends(name.month).checked_add(CLOSED_AFTER).ok())
            .flatten();
        let newer_due_at = newer.filter(|at| *at >= shown_until).map(shown_from);
        let due_at = newer_due_at.into_iter().chain(changes_due_at(&entries, now)).min();
        Ok(Some(ArchiveRows { now, validity: Validity { as_of, due_at }, entries, position, closes_at }))
    }

    /// Writes an archive document of what was read. `head`: what the feed is called now.
    pub(crate) async fn archive(
        &self,
        key: &ArchiveKey,
        head: FeedHead,
        rows: ArchiveRows,
        before: Option<Arc<ArchiveDocument>>,
    ) -> Result<ArchiveDocument, FeedError> {
        let (feed, name, format) = key;
        let ArchiveRows { now, validity, entries, position, closes_at } = rows;
        let (site, names, pages, window, form) =
            (self.site.clone(), self.names.clone(), self.pages.clone(), self.window, *format);
        let document = tokio::task::spawn_blocking(move || -> Result<Document, FeedError> {
            let archive = Feed::archive(&site, head, &entries_of(&names, entries, now), window).at(position);
            let (content_type, text) = match form {
                Some(format) => (format.content_type(), render(format, &site, &archive)?),
                None => (HTML, pages.feed(&names, &archive, &Labels::new(), names.day(now))?),
            };
            Ok(Document::following(before.as_ref().map(|before| &before.document), content_type, text)?)
        })
        .await??;
        let told = format!("{feed}/{name}.{}", format.map_or("html", Format::extension));
        let last_modified = self.last_modified(&told, document.tag(), validity.as_of, now, false).await?;
        metrics::counter!("loa_feed_archives_written_total").increment(1);
        Ok(ArchiveDocument { validity, last_modified, closes_at, document })
    }

    /// The archive document that follows the feed itself: the one with the newest entry that the feed does not show. So
    /// whoever reads both, and what each leads to, has everything. A feed that shows all it has leads to the newest month
    /// before its own, since that changes no more; if there is none, nowhere.
    pub(super) async fn after_feed(
        &self,
        name: &FeedName,
        feed: &Feed,
        rows: &[(Timestamp, ArticleKey)],
        shown_until: Timestamp,
    ) -> Result<Option<ArchiveName>, StoreError> {
        let Some(newest) = feed.entries().first() else { return Ok(None) };
        let unshown = rows.iter().filter(|(_, id)| feed.entries().iter().all(|item| item.article.as_ref() != Some(id)));
        if let Some(at) = unshown.map(|(at, _)| *at).max() {
            let month = self.calendar().month(at);
            // up to the last of that instant
            let count = self.ledger.counted(name, self.calendar().month_begins(month), after(at)).await?;
            return Ok(Some(ArchiveName { month, part: parts_of(count).max(1) }));
        }
        let month = self.calendar().month(newest.published_at);
        let (older, _) = self.ledger.around(name, self.calendar().month_begins(month), shown_until).await?;
        match older {
            Some(at) => Ok(Some(self.last_part(name, self.calendar().month(at), shown_until).await?)),
            None => Ok(None),
        }
    }

    async fn last_part(
        &self,
        feed: &FeedName,
        month: Month,
        shown_until: Timestamp,
    ) -> Result<ArchiveName, StoreError> {
        let (from, until) = (self.calendar().month_begins(month), self.calendar().month_ends(month).min(shown_until));
        let count = self.ledger.counted(feed, from, until).await?;
        Ok(ArchiveName { month, part: parts_of(count).max(1) })
    }
}

/// How many documents so many entries take.
fn parts_of(count: u64) -> u32 {
    u32::try_from(count.div_ceil(u64::from(PART_ENTRIES_MAX))).unwrap_or(u32::MAX)
}

/// The next instant that a ledger tells from this one: it keeps milliseconds.
fn after(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond().saturating_add(1)).unwrap_or(Timestamp::MAX)
}
