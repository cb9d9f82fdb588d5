//! Feeds that readers put together: written when they are asked for, in the form asked for, and kept a while.
//!
//! There are more combinations than could be kept, and anybody can ask for another one. So nothing of them is stored in the
//! ledger, one is written at a time, and what is at hand is bounded by its bytes: the one not asked for the longest goes.
//! What `Last-Modified` says is made of what the ledger knows anyway (`dating.rs`).

use crate::{
    Service,
    dating::Dated,
    document::{Document, HTML},
    memory::AtHand,
    naming::Labels,
    publishing::{FeedError, assembled, chain},
    succession,
};
use jiff::Timestamp;
use loa_domain::{Combination, FeedName};
use loa_feed::{Feed, Format, discovery_link, render};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// Requests that wait for their turn to have one written; others are asked to come again.
const WAITING_MAX: usize = 32;

/// A combination in one form; `None` is the page.
type Key = (FeedName, Option<Format>);

/// What is at hand of combinations.
pub(crate) struct Combinations {
    /// Most bytes of documents at hand.
    bytes_max: usize,
    kept: Mutex<Kept>,
    writing: Semaphore,
    waiting: Semaphore,
}

#[derive(Default)]
struct Kept {
    documents: HashMap<Key, Written>,
    /// Keys by the tick of their last use, the oldest first.
    used: BTreeMap<u64, Key>,
    tick: u64,
    bytes: usize,
    /// The change number up to which what is at hand was compared with what changed.
    upto: i64,
}

/// A combination in one form, as it can be served.
#[derive(Clone)]
pub(crate) struct Combined {
    pub(crate) document: Arc<Document>,
    /// `None`: it changed while it was read. It is served so once, and not kept.
    pub(crate) dated: Option<Dated>,
}

struct Written {
    combined: Combined,
    /// The change number up to which it is surely true.
    change: i64,
    /// When an entry dated in the future is to appear.
    due_at: Option<Timestamp>,
    is_stale: bool,
    tick: u64,
}

impl Combinations {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let (writing, waiting) = (Semaphore::new(1), Semaphore::new(WAITING_MAX));
        Self { bytes_max, kept: Mutex::default(), writing, waiting }
    }

    pub(crate) fn at_hand(&self) -> AtHand {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        AtHand { count: kept.documents.len(), bytes: kept.bytes }
    }

    /// A document at hand, and whether it is true.
    fn get(&self, key: &Key, now: Timestamp) -> Option<(Combined, bool)> {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *guard;
        kept.tick += 1;
        let written = kept.documents.get_mut(key)?;
        kept.used.remove(&written.tick);
        kept.used.insert(kept.tick, key.clone());
        written.tick = kept.tick;
        let is_true = !written.is_stale && written.due_at.is_none_or(|at| at > now);
        Some((written.combined.clone(), is_true))
    }

    fn put(&self, key: Key, combined: Combined, change: i64, due_at: Option<Timestamp>) {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *guard;
        kept.remove(&key);
        kept.tick += 1;
        kept.bytes += combined.document.weight();
        kept.used.insert(kept.tick, key.clone());
        // a change may have been looked at while this was written, and not been in it
        let written = Written { combined, change, due_at, is_stale: change < kept.upto, tick: kept.tick };
        kept.documents.insert(key, written);
        while kept.bytes > self.bytes_max
            && let Some((_, oldest)) = kept.used.pop_first()
        {
            kept.remove(&oldest);
        }
    }

    /// Takes note that these feeds changed, up to this number.
    pub(crate) fn changed(&self, names: &[FeedName], number: i64) {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut *guard;
        kept.upto = kept.upto.max(number);
        if names.is_empty() {
            return;
        }
        let names: BTreeSet<&FeedName> = names.iter().collect();
        for ((name, _), written) in &mut kept.documents {
            let FeedName::Combined(combination) = name else { continue };
            written.is_stale |= written.change < number && combination.parts().iter().any(|part| names.contains(part));
        }
    }
}

impl Kept {
    fn remove(&mut self, key: &Key) {
        if let Some(written) = self.documents.remove(key) {
            self.used.remove(&written.tick);
            self.bytes -= written.combined.document.weight();
        }
    }
}

impl Service {
    /// A combination as it stands, in one form.
    ///
    /// # Errors
    /// As for every feed, and [`FeedError::Busy`] when too many wait already. While the ledger is away, the last good bytes
    /// are brought back, if they are at hand.
    pub(crate) async fn combined(
        &self,
        combination: &Combination,
        format: Option<Format>,
    ) -> Result<Combined, FeedError> {
        let combinations = &self.0.shelf.combinations;
        let key = (FeedName::Combined(combination.clone()), format);
        let at_hand = || combinations.get(&key, self.0.world.now());
        let last_good = match at_hand() {
            Some((combined, true)) => return Ok(combined),
            other => other.map(|(combined, _)| combined),
        };
        let Ok(_place) = combinations.waiting.try_acquire() else { return last_good.ok_or(FeedError::Busy) };
        // never closed; were it, writing without a permit is right as well
        let _permit = combinations.writing.acquire().await.ok();
        if let Some((combined, true)) = at_hand() {
            return Ok(combined);
        }
        match (self.write_combined(combination, &key).await, last_good) {
            (Err(error), Some(combined)) if error.may_pass() => {
                tracing::warn!(feed = %key.0, error = %chain(&error), "its last good form is served on");
                Ok(combined)
            }
            (written, _) => written,
        }
    }

    async fn write_combined(&self, combination: &Combination, key: &Key) -> Result<Combined, FeedError> {
        let inner = &self.0;
        let (name, format) = key;
        let changed_at = self.parts_changed_at(combination).await?;
        let read = inner.read(name).await?;
        let mut labels = Labels::new();
        for section in combination.sections() {
            if let FeedName::Category(slug) = &section {
                let newest = inner.ledger.entries(&section, None, 1).await?;
                labels.extend(inner.category_label(&section, &newest).await?.map(|label| (slug.clone(), label)));
            }
        }
        let head = inner.names.combined_head(combination, &labels);
        let (change, due_at, today, format) = (read.change, read.due_at, succession::day(read.now), *format);
        let (site, pages, names, window) = (inner.site.clone(), inner.pages.clone(), inner.names.clone(), inner.window);
        let written = tokio::task::spawn_blocking(move || -> Result<(Document, Feed), FeedError> {
            let feed = assembled(&site, &names, head, read, window);
            let document = match format {
                Some(format) => Document::new(format.content_type(), render(format, &site, &feed)?)
                    .with_link(discovery_link(&site, &feed, format)),
                None => Document::new(HTML, pages.feed(&names, &feed, &labels, today)?),
            };
            Ok((document, feed))
        });
        let (document, feed) = written.await??;
        let dated = self.dated(combination, changed_at, &feed).await?;
        let combined = Combined { document: Arc::new(document), dated };
        if combined.dated.is_some() {
            inner.shelf.combinations.put(key.clone(), combined.clone(), change, due_at);
        }
        Ok(combined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES_MAX: usize = 16 << 20;

    fn key(name: &str) -> Key {
        (FeedName::parse(name).unwrap(), None)
    }

    fn document(bytes: usize) -> Combined {
        Combined { document: Arc::new(Document::new(HTML, "x".repeat(bytes))), dated: Some(Dated::default()) }
    }

    fn is_true(combinations: &Combinations, name: &str) -> Option<bool> {
        combinations.get(&key(name), Timestamp::UNIX_EPOCH).map(|(_, is_true)| is_true)
    }

    #[test]
    fn what_changed_before_or_while_it_was_written_makes_it_stale_and_nothing_else_does() {
        let combinations = Combinations::new(BYTES_MAX);
        combinations.put(key("area-x+area-y"), document(1), 5, None);
        combinations.put(key("area-y+documents"), document(1), 5, None);
        combinations.changed(&[FeedName::parse("area-x").unwrap()], 5);
        assert_eq!(is_true(&combinations, "area-x+area-y"), Some(true), "it was in it");
        combinations.changed(&[FeedName::parse("area-x").unwrap(), FeedName::All], 6);
        assert_eq!(is_true(&combinations, "area-x+area-y"), Some(false));
        assert_eq!(is_true(&combinations, "area-y+documents"), Some(true));
        combinations.put(key("area-x+area-y"), document(1), 5, None);
        assert_eq!(is_true(&combinations, "area-x+area-y"), Some(false), "read before the change was looked at");
        combinations.put(key("area-x+area-y"), document(1), 6, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(is_true(&combinations, "area-x+area-y"), Some(false), "an entry is due");
    }

    #[test]
    fn what_was_not_asked_for_the_longest_goes_when_there_are_too_many_bytes() {
        let combinations = Combinations::new(BYTES_MAX);
        let name = |n: usize| format!("area-a+area-b{n}");
        for n in 0..200 {
            combinations.put(key(&name(n)), document(250_000), 0, None);
            assert_eq!(is_true(&combinations, &name(0)), Some(true), "always asked for, it stays");
        }
        assert_eq!(is_true(&combinations, &name(1)), None);
        assert_eq!(is_true(&combinations, &name(199)), Some(true));
        let kept = combinations.kept.lock().unwrap();
        assert!(kept.bytes <= BYTES_MAX && kept.documents.len() == kept.used.len());
        let sum: usize = kept.documents.values().map(|written| written.combined.document.weight()).sum();
        assert_eq!(kept.bytes, sum);
        let count = kept.documents.len();
        drop(kept);
        assert_eq!(combinations.at_hand(), AtHand { count, bytes: sum });
    }
}
