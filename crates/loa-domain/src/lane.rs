//! Whether an event is news or belongs to a back-file: what a portal publishes as old news, by thousands.
//!
//! The one place for this rule. Intake decides by it which events go to the bus first, push which webhooks go first. It says
//! nothing of whether something goes out: that is `standing.rs`. It knows no clock: whoever asks hands in the instant.

use crate::Event;
use jiff::{SignedDuration, Timestamp};

/// In which lane an event waits. The order is that of going out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// News: it goes first.
    Live,
    /// A back-file: it goes when there is room.
    BackFile,
}

impl Lane {
    /// All, in the order of going out.
    pub const ALL: [Self; 2] = [Self::Live, Self::BackFile];

    /// Its word in metrics and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::BackFile => "back_file",
        }
    }

    /// Its number in ledgers, in the order of going out.
    pub fn number(self) -> i64 {
        match self {
            Self::Live => 0,
            Self::BackFile => 1,
        }
    }
}

/// How old news may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackFileRule {
    /// What was last published or changed longer ago than so many days belongs to a back-file; 0: nothing does.
    pub after_days: u32,
}

impl BackFileRule {
    /// The lane of an event that is taken in at `now`, by the later of its dates. A withdrawal is always live: what is taken
    /// back is gone at once. So is what is dated in the future.
    pub fn lane(self, event: &Event, now: Timestamp) -> Lane {
        event
            .content()
            .map_or(Lane::Live, |content| self.lane_of(content.published_at().max(content.modified_at()), now))
    }

    /// By when it was last published or changed.
    fn lane_of(self, last_at: Timestamp, now: Timestamp) -> Lane {
        let span = SignedDuration::from_hours(24 * i64::from(self.after_days));
        let oldest = now.saturating_sub(span).unwrap_or(Timestamp::MIN);
        if self.after_days > 0 && last_at < oldest { Lane::BackFile } else { Lane::Live }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: BackFileRule = BackFileRule { after_days: 2 };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_last_published_or_changed_long_ago_belongs_to_a_back_file() {
        let now = at("2026-11-30T08:00:00Z");
        for (last_at, lane) in [
            ("2026-11-30T07:59:00Z", Lane::Live),
            ("2026-11-28T08:00:00Z", Lane::Live), // to the instant
            ("2026-11-28T07:59:59.999Z", Lane::BackFile),
            ("1999-01-01T00:00:00Z", Lane::BackFile),
            ("2026-12-24T00:00:00Z", Lane::Live), // dated in the future
        ] {
            assert_eq!(RULE.lane_of(at(last_at), now), lane, "{last_at}");
            assert_eq!(BackFileRule { after_days: 0 }.lane_of(at(last_at), now), Lane::Live, "there are no back-files");
        }
        assert_eq!(RULE.lane_of(Timestamp::MIN, Timestamp::MIN), Lane::Live, "no subtraction leads out of time");
    }
}
