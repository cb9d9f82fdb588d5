//! How often feeds and the list of all feeds are written.
//!
//! News goes out at once; an import of thousands of articles does not take the whole processor. Pure:
//! instants and lengths come in, rests come out. The clock is read by the service.

use std::time::Duration;
use tokio::time::Instant;

/// The shortest rest after a round that wrote feeds, which is as long as the round at least: an import of thousands of articles
/// writes each feed twenty times a second at most and takes half a processor, a single article goes out at once, and what comes
/// in between is seen within this and two rounds.
const COALESCE: Duration = Duration::from_millis(50);
/// The shortest rest between two writings of page and list of all feeds, which is ten times as long as the writing at least:
/// with ten thousand feeds it must not keep news from them.
const OVERVIEW_REST: Duration = Duration::from_secs(1);

/// When the list of all feeds may be written again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pacing {
    /// `None`: at any time.
    overview_from: Option<Instant>,
}

impl Pacing {
    pub(crate) fn overview_is_due(self, at: Instant) -> bool {
        self.overview_from.is_none_or(|from| from <= at)
    }

    /// After the list of all feeds was written, from `began` to `ended`.
    pub(crate) fn overview_written(self, began: Instant, ended: Instant) -> Self {
        let took = ended.saturating_duration_since(began);
        Self { overview_from: Some(began + OVERVIEW_REST.max(10 * took)) }
    }
}

/// How long to rest after a round that took so long and wrote so many feeds.
pub(crate) fn rest_after(feeds: usize, took: Duration) -> Duration {
    if feeds == 0 { Duration::ZERO } else { COALESCE.max(took) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_list_of_all_feeds_rests_a_second_or_ten_times_as_long_as_it_took() {
        let (start, millis) = (Instant::now(), Duration::from_millis);
        assert!(Pacing::default().overview_is_due(start));
        let quick = Pacing::default().overview_written(start, start + millis(5));
        assert!(!quick.overview_is_due(start + millis(999)) && quick.overview_is_due(start + millis(1_000)));
        let slow = quick.overview_written(start, start + millis(300));
        assert!(!slow.overview_is_due(start + millis(2_999)) && slow.overview_is_due(start + millis(3_000)));
    }

    #[test]
    fn a_round_is_followed_by_a_rest_as_long_as_it_took_unless_it_wrote_nothing() {
        let millis = Duration::from_millis;
        assert_eq!(rest_after(0, millis(700)), Duration::ZERO);
        assert_eq!(rest_after(1, millis(7)), millis(50));
        assert_eq!(rest_after(9, millis(700)), millis(700));
    }
}
