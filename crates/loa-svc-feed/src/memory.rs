//! What is at hand takes memory: one budget, `feed.memory_bytes_max`, in three shares, so that none pushes another out. Who walks
//! through years of archives, or asks for a thousand combinations, takes no feed away from its readers.
//!
//! Counted is what a document takes once readers have asked for every coding of it: twice its bytes, and a frame. That is about
//! what feeds take that everybody reads; one that is read in one coding takes half of it.

use crate::service::Inner;

/// How a budget is divided, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Feeds with their pages, and the list of all feeds.
    pub(crate) feeds: usize,
    pub(crate) archives: usize,
    pub(crate) combinations: usize,
}

impl Shares {
    /// Five eighths, two eighths, one eighth.
    pub(crate) fn of(bytes_max: u64) -> Self {
        let eighth = usize::try_from(bytes_max).unwrap_or(usize::MAX) / 8;
        Self { feeds: 5 * eighth, archives: 2 * eighth, combinations: eighth }
    }
}

/// Documents at hand of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AtHand {
    /// Feeds, of which each is four documents; archive documents; documents of combinations.
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

impl Inner {
    /// Says what is at hand, for `/metrics`.
    #[allow(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
    pub(crate) fn report_memory(&self) {
        let kinds = [
            ("feeds", self.shelf.at_hand(), self.shares.feeds),
            ("archives", self.archives.at_hand(), self.shares.archives),
            ("combinations", self.shelf.combinations.at_hand(), self.shares.combinations),
        ];
        for (kind, at_hand, bytes_max) in kinds {
            metrics::gauge!("loa_feed_at_hand", "kind" => kind).set(at_hand.count as f64);
            metrics::gauge!("loa_feed_memory_bytes", "kind" => kind).set(at_hand.bytes as f64);
            metrics::gauge!("loa_feed_memory_bytes_max", "kind" => kind).set(bytes_max as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_together_what_may_be_taken_and_never_more() {
        for bytes_max in [0, 7, 10_000_000, 201_326_592, u64::MAX] {
            let Shares { feeds, archives, combinations } = Shares::of(bytes_max);
            let sum = feeds as u64 + archives as u64 + combinations as u64;
            assert!(sum <= bytes_max && bytes_max - sum < 8, "{bytes_max}");
        }
    }
}
