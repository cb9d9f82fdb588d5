//! The keeper of combinations, the feeds that readers put together: written when they are asked
//! for, in the form asked for, and cached a while.
//!
//! There are more combinations than could be kept, and anybody can ask for another one. So nothing
//! of them is stored in the ledger, one is written at a time, and what is cached is bounded by its
//! bytes. While the ledger is away, the last good bytes are served on, if they are cached.

use super::{
    cache::{Cache, CacheFigures},
    changes::Changes,
    writer::{CombinedDocument, CombinedKey, Writer},
};
use crate::error::FeedError;
use jiff::{SignedDuration, Timestamp};
use loa_domain::with_causes;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Requests that wait for their turn to have one written; others are asked to come again.
const WAITING_MAX: usize = 32;
/// How long after its second a date is told: longer than the clocks of replicas are apart. A change within the same second
/// has the same date, so none is told before that second is surely over.
const SECOND_IS_OVER: SignedDuration = SignedDuration::from_secs(5);
/// Under what the ledger keeps the form that this program gives to feeds. No feed and no document is called so.
const FORM: &str = "+form";

/// The combinations in memory.
pub(crate) struct Combinations {
    writer: Arc<Writer>,
    changes: Arc<Changes>,
    cache: Cache<CombinedKey, CombinedDocument>,
    writing: Semaphore,
    waiting: Semaphore,
    /// When the form that this program gives to feeds was first told; nothing until the ledger has said so.
    form_told_at: OnceLock<Timestamp>,
}

impl Combinations {
    pub(crate) fn new(writer: Arc<Writer>, changes: Arc<Changes>, bytes_max: usize) -> Self {
        let (writing, waiting) = (Semaphore::new(1), Semaphore::new(WAITING_MAX));
        Self { writer, changes, cache: Cache::new(bytes_max), writing, waiting, form_told_at: OnceLock::new() }
    }

    /// A combination as it stands, in one form.
    ///
    /// # Errors
    /// As for every feed, and [`FeedError::Busy`] when too many wait already.
    pub(crate) async fn get(&self, key: &CombinedKey) -> Result<Arc<CombinedDocument>, FeedError> {
        let (combination, _) = key;
        let last_good = match self.cached(key) {
            Some((cached, true)) => return Ok(cached),
            other => other.map(|(cached, _)| cached),
        };
        let Ok(_place) = self.waiting.try_acquire() else { return last_good.ok_or(FeedError::Busy) };
        // never closed; were it, writing without a permit is right as well
        let _permit = self.writing.acquire().await.ok();
        if let Some((cached, true)) = self.cached(key) {
            return Ok(cached);
        }
        match (self.write(key).await, last_good) {
            (Err(error), Some(cached)) if error.may_pass() => {
                tracing::warn!(feed = %combination, error = %with_causes(&error), "its last good form is served on");
                Ok(cached)
            }
            (written, _) => written,
        }
    }

    /// What `Last-Modified` says now of a combination.
    pub(crate) fn last_modified(&self, of: &CombinedDocument) -> Option<Timestamp> {
        told(of.changed_at?, *self.form_told_at.get()?, self.writer.now())
    }

    /// Has the ledger keep since when feeds have the form that this program and its settings give them. Once; while it cannot,
    /// combinations go without a date.
    pub(crate) async fn keep_form_date(&self) {
        if self.form_told_at.get().is_some() {
            return;
        }
        let kept = match self.writer.form() {
            Ok(form) => self.writer.ledger.rendered(FORM, &form, 0, self.writer.now()).await.map_err(FeedError::from),
            Err(error) => Err(error),
        };
        match kept {
            // false: another task was first, with the same words
            Ok(kept) => drop(self.form_told_at.set(kept.last_modified)),
            Err(error) => {
                tracing::warn!(error = %with_causes(&error), "what feeds look like could not be noted; combinations go without Last-Modified");
            }
        }
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        self.cache.figures()
    }

    pub(crate) fn bytes_max(&self) -> usize {
        self.cache.cost_max()
    }

    /// A cached document, and whether it is true.
    fn cached(&self, key: &CombinedKey) -> Option<(Arc<CombinedDocument>, bool)> {
        let cached = self.cache.get(key)?;
        let is_true = self.changes.is_current(&key.0.parts(), &cached.validity, self.writer.now());
        Some((cached, is_true))
    }

    async fn write(&self, key: &CombinedKey) -> Result<Arc<CombinedDocument>, FeedError> {
        let combined = Arc::new(self.writer.combination(key).await?);
        if combined.changed_at.is_some() {
            self.cache.put(key.clone(), combined.clone());
        }
        Ok(combined)
    }
}

/// When something last changed, or the form in which it is shown did; nothing before that second is over.
fn told(changed_at: Timestamp, form_told_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let at = changed_at.max(form_told_at);
    at.checked_add(SECOND_IS_OVER).is_ok_and(|over| over <= now).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::FeedName;

    #[test]
    fn a_date_is_told_when_its_second_is_over_and_a_form_is_a_change() {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (before, over) = (at - SECOND_IS_OVER, at + SECOND_IS_OVER);
        assert_eq!(told(at, before, at), None);
        assert_eq!(told(at, before, over), Some(at));
        assert_eq!(told(before, at, over), Some(at), "a new form is a change");
        assert!(FeedName::parse(FORM).is_none());
    }
}
