//! A feed's archive documents (RFC 5005 §4): everything that stands in it, month by month, however old.
//!
//! Which there are is computed from what stands, never kept: a month without entries has none. They are written when somebody
//! asks for one, once however many do, and kept at hand while memory allows. One that is at hand is true as long as its
//! feed has not changed; while the ledger is away it is served on. Each month has its page, too: people's way to older news.

use crate::{
    Service,
    document::{Document, HTML, Terms},
    flights::Flights,
    memory::AtHand,
    naming::Labels,
    publishing::{CLOCK_SKEW, FeedError, OVERTAKEN_MAX, after, shown_until},
    service::Inner,
    succession,
};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{AreaId, ArticleId, FeedName};
use loa_feed::{ArchiveName, AreaLabel, Entry, Feed, Format, Month, Position, render};
use loa_store::{StoreError, StoreErrorKind};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;

/// Most entries of an archive document: about 1 MB before compression. A month with more is in parts.
const PART_ENTRIES_MAX: u32 = 200;
/// Archive documents written at a time. Apart from the feeds' own: who walks through years of archives holds nobody up.
const WRITING_MAX: usize = 2;
/// A month is settled when it is over for this long: what was published in its last hours has come by then.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How long a settled month may be kept, in seconds. A late edit or a withdrawal still changes it, so whoever keeps it for
/// others (a cache in front) asks as often as for a feed.
const SETTLED_MAX_AGE: u32 = 86_400;
/// How long another month may be kept, in seconds: what falls out of the feed must be found here.
const OPEN_MAX_AGE: u32 = 60;

/// One archive document.
pub(crate) struct Archive {
    /// The change number up to which it is true.
    as_of: i64,
    /// When an entry dated in the future changes it.
    due_at: Option<Timestamp>,
    /// `None`: the ledger could not keep one; it is served without, and not kept.
    pub(crate) last_modified: Option<Timestamp>,
    /// From when on it changes only by late edits and withdrawals; `None`: its month is in parts, which move each other, or it
    /// is all there is, which the next month changes.
    settles_at: Option<Timestamp>,
    pub(crate) document: Document,
}

/// In one form; `None` is the page.
type Key = (FeedName, ArchiveName, Option<Format>);
type Written = Result<Option<Arc<Archive>>, Arc<FeedError>>;

/// Those at hand, and those being written.
pub(crate) struct Archives {
    /// Most bytes of those at hand.
    bytes_max: usize,
    kept: Mutex<Kept>,
    flights: Flights<Key, Written>,
    writing: Semaphore,
}

#[derive(Default)]
struct Kept {
    by_key: BTreeMap<Key, (u64, Arc<Archive>)>,
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
}

impl Kept {
    fn get(&mut self, key: &Key) -> Option<Arc<Archive>> {
        let (used, archive) = self.by_key.get_mut(key)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.by_use.insert(self.uses, key.clone());
        Some(archive.clone())
    }

    fn remove(&mut self, key: &Key) {
        if let Some((used, archive)) = self.by_key.remove(key) {
            self.by_use.remove(&used);
            self.bytes -= archive.document.weight();
        }
    }

    /// Keeps one; the longest unused make room.
    fn put(&mut self, key: Key, archive: Arc<Archive>, bytes_max: usize) {
        if self.by_key.get(&key).is_some_and(|(_, standing)| standing.as_of > archive.as_of) {
            return;
        }
        self.remove(&key);
        self.bytes += archive.document.weight();
        self.uses += 1;
        self.by_use.insert(self.uses, key.clone());
        self.by_key.insert(key, (self.uses, archive));
        while self.bytes > bytes_max
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.remove(&oldest);
        }
    }
}

impl Archives {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let (flights, writing) = (Flights::default(), Semaphore::new(WRITING_MAX));
        Self { bytes_max, kept: Mutex::default(), flights, writing }
    }

    pub(crate) fn at_hand(&self) -> AtHand {
        let kept = self.locked();
        AtHand { count: kept.by_key.len(), bytes: kept.bytes }
    }

    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// One of a feed's archive documents; `None` when nothing that stands was published then.
    pub(crate) async fn archive(&self, feed: &FeedName, name: ArchiveName, format: Option<Format>) -> Written {
        let inner = &self.0;
        let key = (feed.clone(), name, format);
        let kept = inner.archives.locked().get(&key);
        if let Some(kept) = kept.clone().filter(|kept| inner.is_true(feed, kept)) {
            return Ok(Some(kept));
        }
        let write = async {
            // the semaphore is never closed; were it, writing without a permit is right as well
            let _permit = inner.archives.writing.acquire().await.ok();
            let kept = inner.archives.locked().get(&key);
            match kept.filter(|kept| inner.is_true(feed, kept)) {
                Some(kept) => Ok(Some(kept)),
                None => self.write_archive(&key).await.map_err(Arc::new),
            }
        };
        match inner.archives.flights.once(&key, write).await {
            Err(error) if error.may_pass() && kept.is_some() => Ok(kept),
            written => written,
        }
    }

    /// How long it may be kept.
    pub(crate) fn archive_terms(&self, archive: &Archive, format: Option<Format>) -> Terms {
        // a page is for people: what was withdrawn is to be gone when they look again
        let settled = format.is_some() && archive.settles_at.is_some_and(|at| at <= self.0.world.now());
        Terms {
            max_age: if settled { SETTLED_MAX_AGE } else { OPEN_MAX_AGE },
            shared_max_age: settled.then_some(self.0.site.ttl_minutes * 60),
            shared_with_scripts: format.is_some(),
        }
    }

    async fn write_archive(&self, key: &Key) -> Result<Option<Arc<Archive>>, FeedError> {
        for _ in 1..OVERTAKEN_MAX {
            match self.write_archive_once(key).await {
                // another replica has told readers of a later change meanwhile
                Err(FeedError::Ledger(error)) if error.kind == StoreErrorKind::Stale => {}
                written => return written,
            }
        }
        self.write_archive_once(key).await
    }

    async fn write_archive_once(&self, key: &Key) -> Result<Option<Arc<Archive>>, FeedError> {
        let (inner, (feed, name, format)) = (&self.0, key);
        let now = inner.world.now();
        // asked before the rows are read: they are true up to here at least
        let (_, as_of) = inner.ledger.changed(i64::MAX, 1).await?;
        let shown_until = shown_until(now);
        let (from, until) = (name.month.begins(&inner.zone), name.month.ends(&inner.zone).min(shown_until));
        let parts = if from < until { parts_of(inner.ledger.counted(feed, from, until).await?) } else { 0 };
        if name.part > parts {
            inner.archives.locked().remove(key);
            return Ok(None);
        }
        let skip = u64::from(name.part - 1) * u64::from(PART_ENTRIES_MAX);
        let rows = inner.ledger.between(feed, from, until, skip, PART_ENTRIES_MAX).await?;
        let (older, newer) = inner.ledger.around(feed, from, until).await?;
        let part = |part: u32| Some(ArchiveName { part, ..*name });
        let previous = match older {
            _ if name.part > 1 => part(name.part - 1),
            Some(at) => Some(inner.last_part(feed, Month::of(at, &inner.zone), shown_until).await?),
            None => None,
        };
        let shown = newer.filter(|at| *at < shown_until);
        let next = match shown {
            _ if name.part < parts => part(name.part + 1),
            Some(at) => Some(ArchiveName { month: Month::of(at, &inner.zone), part: 1 }),
            None => None,
        };
        let position = Position { archive: Some(*name), previous, next };
        // what the feed is called now
        let head = self.snapshot(feed).await?.feed.head().clone();
        let (site, names, window, format) = (inner.site.clone(), inner.names.clone(), inner.window, *format);
        let (pages, today) = (inner.pages.clone(), succession::day(now));
        let before = inner.archives.locked().get(key);
        let document = tokio::task::spawn_blocking(move || -> Result<Document, FeedError> {
            let label = |id: &AreaId| AreaLabel { id: id.clone(), name: names.area(id) };
            let entries: Vec<Entry> = rows
                .into_iter()
                .map(|row| Entry { areas: row.content.areas().iter().map(label).collect(), content: row.content })
                .collect();
            let archive = Feed::archive(&site, head, &entries, window).at(position);
            let (content_type, text) = match format {
                Some(format) => (format.content_type(), render(format, &site, &archive)?),
                None => (HTML, pages.feed(&names, &archive, &Labels::new(), today)?),
            };
            Ok(Document::following(before.as_ref().map(|before| &before.document), content_type, text)?)
        })
        .await??;
        let told = format!("{feed}/{name}.{}", format.map_or("html", Format::extension));
        let last_modified = inner.last_modified(&told, document.tag(), as_of, now, false).await?;
        let archive = Arc::new(Archive {
            as_of,
            due_at: newer.filter(|at| *at >= shown_until).and_then(|at| at.checked_sub(CLOCK_SKEW).ok()),
            last_modified,
            settles_at: (parts == 1 && !position.is_complete())
                .then(|| name.month.ends(&inner.zone).checked_add(SETTLED_AFTER).ok())
                .flatten(),
            document,
        });
        if last_modified.is_some() {
            inner.archives.locked().put(key.clone(), archive.clone(), inner.archives.bytes_max);
        }
        metrics::counter!("loa_feed_archives_written_total").increment(1);
        Ok(Some(archive))
    }
}

impl Inner {
    fn is_true(&self, feed: &FeedName, archive: &Archive) -> bool {
        archive.as_of >= self.shelf.changed_at(feed) && archive.due_at.is_none_or(|at| at > self.world.now())
    }

    /// The archive document that follows the feed itself: the one with the newest entry that the feed does not show. So
    /// whoever reads both, and what each leads to, has everything. A feed that shows all it has leads to the newest month before
    /// its own, since that changes no more; if there is none, nowhere.
    pub(crate) async fn after_feed(
        &self,
        name: &FeedName,
        feed: &Feed,
        rows: &[(Timestamp, ArticleId)],
        shown_until: Timestamp,
    ) -> Result<Option<ArchiveName>, StoreError> {
        let Some(newest) = feed.entries().first() else { return Ok(None) };
        let unshown = rows.iter().filter(|(_, id)| feed.entries().iter().all(|item| item.article.as_ref() != Some(id)));
        if let Some(at) = unshown.map(|(at, _)| *at).max() {
            let month = Month::of(at, &self.zone);
            // up to the last of that instant
            let count = self.ledger.counted(name, month.begins(&self.zone), after(at)).await?;
            return Ok(Some(ArchiveName { month, part: parts_of(count).max(1) }));
        }
        let month = Month::of(newest.published_at, &self.zone);
        let (older, _) = self.ledger.around(name, month.begins(&self.zone), shown_until).await?;
        match older {
            Some(at) => Ok(Some(self.last_part(name, Month::of(at, &self.zone), shown_until).await?)),
            None => Ok(None),
        }
    }

    async fn last_part(
        &self,
        feed: &FeedName,
        month: Month,
        shown_until: Timestamp,
    ) -> Result<ArchiveName, StoreError> {
        let (from, until) = (month.begins(&self.zone), month.ends(&self.zone).min(shown_until));
        let count = self.ledger.counted(feed, from, until).await?;
        Ok(ArchiveName { month, part: parts_of(count).max(1) })
    }
}

/// How many documents so many entries take.
fn parts_of(count: u64) -> u32 {
    u32::try_from(count.div_ceil(u64::from(PART_ENTRIES_MAX))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(part: u32) -> Key {
        let month = Month::of(Timestamp::UNIX_EPOCH, &jiff::tz::TimeZone::UTC);
        (FeedName::All, ArchiveName { month, part }, Some(Format::Atom))
    }

    fn archive(as_of: i64) -> Arc<Archive> {
        let document = Document::new("text/plain", "x".repeat(10_000));
        Arc::new(Archive { as_of, due_at: None, last_modified: None, settles_at: None, document })
    }

    #[test]
    fn the_longest_unused_make_room_and_an_older_reading_takes_no_newer_ones_place() {
        let mut kept = Kept::default();
        let bytes_max = 3 * archive(1).document.weight();
        for part in 1..=3 {
            kept.put(key(part), archive(5), bytes_max);
        }
        assert!(kept.get(&key(1)).is_some());
        kept.put(key(4), archive(5), bytes_max);
        assert!(kept.get(&key(2)).is_none(), "the longest unused");
        assert!([1, 3, 4].iter().all(|part| kept.get(&key(*part)).is_some()));
        kept.put(key(4), archive(4), bytes_max);
        assert_eq!(kept.get(&key(4)).unwrap().as_of, 5);
        kept.put(key(4), archive(6), bytes_max);
        assert_eq!((kept.get(&key(4)).unwrap().as_of, kept.bytes), (6, bytes_max));
        kept.put(key(9), archive(1), 10);
        assert_eq!((kept.by_key.len(), kept.by_use.len(), kept.bytes), (0, 0, 0), "one too large for all is not kept");
    }
}
