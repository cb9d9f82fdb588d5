//! What a step of the service does with feeds: it has those written anew that changed, falls back to what readers were shown
//! before the start when the ledger is away, and says what the caches hold.

use super::Inner;
use crate::{FeedError, keep::cache::CacheFigures, last_good::ReadBack};
use loa_worker::Progress;
use std::sync::atomic::Ordering;

/// Most changed feeds looked at in one step.
const CHANGED_MAX: u32 = 1_000;

impl Inner {
    /// Writes feeds anew; when the ledger is away, what readers were shown before the start is put where nothing is. How many
    /// were written comes back, and whether there may be more.
    pub(super) async fn refresh_feeds_or_fall_back(&self) -> Result<(usize, Progress), FeedError> {
        match self.refresh_feeds().await {
            Ok(done) => {
                self.is_away.store(false, Ordering::Release);
                Ok(done)
            }
            Err(error) if error.may_pass() => {
                if !self.is_away.swap(true, Ordering::AcqRel) && self.last_good.is_kept() {
                    self.fall_back().await;
                }
                Err(FeedError::LastGoodState { feeds: self.feeds.figures().entries, source: Box::new(error) })
            }
            Err(error) => Err(error),
        }
    }

    async fn refresh_feeds(&self) -> Result<(usize, Progress), FeedError> {
        let (names, number) = self.writer.ledger.changed(self.changes.seen(), CHANGED_MAX).await?;
        let progress = if names.len() >= CHANGED_MAX as usize { Progress::Worked } else { Progress::Idle };
        let has_changed = !names.is_empty();
        self.changes.note(&names, number);
        let written = self.feeds.refresh(names, self.is_away.load(Ordering::Acquire)).await?;
        if has_changed || written > 0 || self.overviews.is_read_back() {
            self.overviews.grew_old();
        }
        self.changes.has_seen(number);
        Ok((written, progress))
    }

    async fn fall_back(&self) {
        let newest = self.last_good.newest(self.feeds.bytes_max() / 3).await;
        let count = newest.len();
        for one in newest {
            match one {
                ReadBack::Feed(feed) => self.feeds.read_back(feed),
                ReadBack::Overview(overview) => self.overviews.read_back(overview),
            }
        }
        tracing::warn!(documents = count, "the ledger is away: feeds are served from the last good state");
    }

    /// Says what the caches hold, for `/metrics`.
    #[allow(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
    pub(super) fn report_caches(&self) {
        let kinds = [
            ("feeds", self.feeds.figures(), self.feeds.bytes_max()),
            ("archives", self.archives.figures(), self.archives.bytes_max()),
            ("combinations", self.combinations.figures(), self.combinations.bytes_max()),
        ];
        for (kind, CacheFigures { entries, bytes }, bytes_max) in kinds {
            metrics::gauge!("loa_feed_cache_entries", "kind" => kind).set(entries as f64);
            metrics::gauge!("loa_feed_memory_bytes", "kind" => kind).set(bytes as f64);
            metrics::gauge!("loa_feed_memory_bytes_max", "kind" => kind).set(bytes_max as f64);
        }
    }
}
