//! Whether one version of an article may go out now: not yet, standing, superseded, withdrawn, or too old.
//!
//! The one place for this rule. Feeds, the front page, digests, webhooks and the hub obey it; SQL that cannot call it is
//! handed the instants computed here. It knows no clock and no outlet: whoever asks hands in the instant and the age rule.

use crate::{Content, Event, Version};
use jiff::{SignedDuration, Timestamp};

/// How far a portal's clock may be ahead of ours before its article counts as dated in the future. So an article appears this
/// much before the time it is dated at, on every outlet alike.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How one version of an article stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is dated in the future: nobody is shown it before `from`.
    NotYet {
        /// Its time.
        from: Timestamp,
    },
    /// It may go out.
    Stands,
    /// A higher version is known; that one may itself be dated in the future.
    Superseded,
    /// The article is withdrawn.
    Withdrawn,
    /// It is no news any more where an age rule says so.
    TooOld,
}

/// Which articles are too old to be news, by the time for which they could have gone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeRule {
    /// None ever is: feeds, pages and webhooks.
    Never,
    /// Those that could have gone out before this: digests.
    Before(Timestamp),
}

impl AgeRule {
    /// Whatever could have gone out more than so many days ago is too old.
    pub fn days(days: u32, now: Timestamp) -> Self {
        let span = SignedDuration::from_hours(24 * i64::from(days));
        Self::Before(now.saturating_sub(span).unwrap_or(Timestamp::MIN))
    }

    /// The first instant that is not too old.
    pub fn oldest(self) -> Timestamp {
        match self {
            Self::Never => Timestamp::MIN,
            Self::Before(at) => at,
        }
    }
}

/// One version of an article, as an outlet asks about it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Which version.
    pub version: &'a Version,
    /// The date that it carries.
    pub published_at: Timestamp,
    /// When the outlet took it in.
    pub accepted_at: Timestamp,
}

/// How a version stands at `now`. `highest` is the highest version that the outlet knows of the article.
///
/// Time alone changes the answer in one order: not yet, stands, too old. Nothing becomes too old before it could go out.
pub fn standing(candidate: Candidate<'_>, highest: &Version, ages: AgeRule, now: Timestamp) -> Standing {
    let highest = highest.max(candidate.version);
    let from = shown_from(candidate.published_at);
    if highest.withdrawn {
        Standing::Withdrawn
    } else if highest > candidate.version {
        Standing::Superseded
    } else if from > millisecond(now) {
        Standing::NotYet { from }
    } else if from.max(candidate.accepted_at) < ages.oldest() {
        Standing::TooOld
    } else {
        Standing::Stands
    }
}

/// How the version that an event brings would stand at `now` if no other were known. A withdrawal never waits: what is taken
/// back is gone at once.
pub fn standing_of(event: &Event, now: Timestamp) -> Standing {
    let version = event.version();
    let published_at = event.content().map_or(Timestamp::MIN, Content::published_at);
    let candidate = Candidate { version: &version, published_at, accepted_at: now };
    standing(candidate, &version, AgeRule::Never, now)
}

/// From when on an article dated so is shown, in whole milliseconds, which is what ledgers keep.
pub fn shown_from(published_at: Timestamp) -> Timestamp {
    millisecond(published_at).checked_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN)
}

/// The first date whose articles are not shown at `now`: the same rule as [`shown_from`], for those who look for articles by
/// their dates.
pub fn shown_until(now: Timestamp) -> Timestamp {
    let last = millisecond(now).checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
    last.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX)
}

impl Content {
    /// The same as followers are shown it at `now`: a change dated in the future has the date of publication until its time
    /// has come. Else one slip of a clock would make it, and every feed it stands in, the newest for years.
    pub fn dated_by(mut self, now: Timestamp) -> Self {
        if let Self::Article(article) = &mut self
            && article.modified_at >= shown_until(now)
        {
            article.modified_at = article.published_at;
        }
        self
    }
}

/// An instant as ledgers keep it.
fn millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn version(revision: u64, withdrawn: bool) -> Version {
        Version { revision, withdrawn, event_id: "e".into() }
    }

    fn check(published_at: &str, highest: &Version, ages: AgeRule, now: &str) -> Standing {
        let one = version(1, false);
        let published_at = at(published_at);
        standing(Candidate { version: &one, published_at, accepted_at: published_at }, highest, ages, at(now))
    }

    #[test]
    fn an_article_dated_in_the_future_is_shown_from_five_minutes_before_its_date() {
        let (date, one) = ("2026-11-30T08:00:00+07:00", version(1, false));
        let from = at("2026-11-30T07:55:00+07:00");
        let stands = |now| check(date, &one, AgeRule::Never, now);
        assert_eq!(stands("2026-11-29T08:00:00+07:00"), Standing::NotYet { from });
        assert_eq!(stands("2026-11-30T07:54:59.999+07:00"), Standing::NotYet { from });
        assert_eq!(stands("2026-11-30T07:55:00+07:00"), Standing::Stands);
    }

    #[test]
    fn the_latest_word_of_the_portal_comes_before_its_date() {
        let (future, now) = ("2026-12-30T08:00:00Z", "2026-11-29T08:00:00Z");
        assert_eq!(check(future, &version(2, false), AgeRule::Never, now), Standing::Superseded);
        assert_eq!(check(future, &version(2, true), AgeRule::Never, now), Standing::Withdrawn);
        assert_eq!(check(future, &version(1, true), AgeRule::Never, now), Standing::Withdrawn);
    }

    #[test]
    fn nothing_is_too_old_at_its_time_however_early_it_was_taken_in() {
        let one = version(1, false);
        let candidate =
            |published, accepted| Candidate { version: &one, published_at: at(published), accepted_at: at(accepted) };
        let now = at("2026-11-30T08:00:00Z");
        let ages = AgeRule::days(7, now);
        let early = candidate("2026-11-30T08:00:00Z", "2026-10-01T00:00:00Z");
        assert_eq!(standing(early, &one, ages, now), Standing::Stands);
        let old = candidate("2026-11-01T08:00:00Z", "2026-11-01T08:00:00Z");
        assert_eq!(standing(old, &one, ages, now), Standing::TooOld);
        let late = candidate("2026-11-01T08:00:00Z", "2026-11-29T08:00:00Z");
        assert_eq!(standing(late, &one, ages, now), Standing::Stands, "a late article is news when it comes");
        assert_eq!(standing(old, &one, AgeRule::Never, now), Standing::Stands);
    }

    #[test]
    fn instants_at_the_ends_of_time_have_an_answer() {
        for edge in [Timestamp::MIN, Timestamp::MAX] {
            assert!(shown_from(edge) <= edge && shown_until(edge) >= millisecond(edge));
            AgeRule::days(u32::MAX, edge);
        }
    }

    #[test]
    fn a_change_dated_in_the_future_has_the_date_of_publication_until_its_time() {
        let article = |modified_at: &str| {
            let article = serde_json::json!({ "content_type": "article", "id": "a", "revision": 1, "url": "https://a.vn/", "title": "T",
                "summary": "", "content_html": "", "language": "vi", "category": { "slug": "s", "label": "S" }, "areas": [],
                "source_name": "", "images": [], "attachments": [], "published_at": "2026-11-01T00:00:00Z", "modified_at": modified_at });
            serde_json::from_value::<Content>(article).unwrap()
        };
        let now = at("2026-11-29T08:00:00Z");
        for (modified_at, shown) in [
            ("2026-11-29T08:05:00Z", "2026-11-29T08:05:00Z"),
            ("2026-11-29T08:05:00.001Z", "2026-11-01T00:00:00Z"),
            ("2100-01-01T00:00:00Z", "2026-11-01T00:00:00Z"),
            ("2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z"),
        ] {
            assert_eq!(article(modified_at).dated_by(now).modified_at(), at(shown), "{modified_at}");
        }
    }

    proptest! {
        #[test]
        fn by_its_time_and_by_its_date_an_article_is_shown_alike(published in -1_000_000_i64..1_000_000, now in -1_000_000_i64..1_000_000) {
            let [published, now] = [published, now].map(|micros| Timestamp::from_microsecond(micros * 1_001).unwrap());
            let one = version(1, false);
            let candidate = Candidate { version: &one, published_at: published, accepted_at: now };
            let is_shown = standing(candidate, &one, AgeRule::Never, now) == Standing::Stands;
            prop_assert_eq!(is_shown, millisecond(published) < shown_until(now));
            prop_assert_eq!(is_shown, shown_from(published) <= millisecond(now));
        }

        #[test]
        fn time_alone_lets_a_version_wait_then_stand_then_age(published in 0_i64..100_000, accepted in 0_i64..100_000, days in 0_u32..2, now in 0_i64..300_000, later in 0_i64..300_000) {
            let [published_at, accepted_at, now] = [published, accepted, now].map(|second| Timestamp::from_second(second).unwrap());
            let later = now + SignedDuration::from_secs(later);
            let one = version(1, false);
            let rank = |now| match standing(Candidate { version: &one, published_at, accepted_at }, &one, AgeRule::days(days, now), now) {
                Standing::NotYet { .. } => 0,
                Standing::Stands => 1,
                Standing::TooOld => 2,
                Standing::Superseded | Standing::Withdrawn => unreachable!("no other version is known"),
            };
            prop_assert!(rank(now) <= rank(later));
        }

        #[test]
        fn whatever_the_date_only_the_highest_version_can_stand(revision in 1_u64..4, highest in 1_u64..4, gone in any::<bool>(), published in 0_i64..10_000) {
            let (asked, highest) = (version(revision, false), version(highest, gone));
            let at = Timestamp::from_second(published).unwrap();
            let answer = standing(Candidate { version: &asked, published_at: at, accepted_at: at }, &highest, AgeRule::Never, Timestamp::UNIX_EPOCH);
            let is_latest = asked >= highest;
            prop_assert_eq!(matches!(answer, Standing::Stands | Standing::NotYet { .. }), is_latest);
            prop_assert_eq!(answer == Standing::Withdrawn, !is_latest && gone);
        }
    }
}
