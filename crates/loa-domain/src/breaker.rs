//! A circuit breaker: after failures in a row a receiver is left alone for a while, then one call tries it again.
//!
//! Pure: every question brings the instant along, and who keeps the state is the caller's business (a map in memory, a row
//! of a ledger). The breaker is *closed* while calls go through, *open* while nobody calls, and *half-open* when one call may
//! go first: its success closes the breaker, its failure opens it for twice as long. A receiver that asks to be left
//! alone (`Retry-After`) pauses the breaker, whatever its failures.
//!
//! ```
//! use loa_domain::{Breaker, BreakerRule, BreakerState};
//! use std::time::Duration;
//! let minute = Duration::from_secs(60);
//! let rule = BreakerRule { failures: 1, open: minute, open_max: 10 * minute };
//! let (mut breaker, now) = (Breaker::default(), "2026-11-29T08:00:00Z".parse()?);
//! let until = breaker.fail(&rule, now).expect("one failure opens it");
//! assert_eq!(breaker.state(now), BreakerState::Open);
//! assert_eq!(breaker.state(until), BreakerState::HalfOpen);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use jiff::Timestamp;
use std::time::Duration;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRule {
    /// Failures in a row that open it (at least one).
    pub failures: u32,
    /// For how long at first; doubles with each further opening in a row.
    pub open: Duration,
    /// For how long at most.
    pub open_max: Duration,
}

/// Whether a receiver may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// As much as otherwise.
    Closed,
    /// By one call, no more.
    HalfOpen,
    /// By nobody.
    Open,
}

/// What is known of one receiver. The default is closed. Public fields, so that a ledger can keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaker {
    /// Failures in a row.
    pub failures: u32,
    /// Openings in a row.
    pub openings: u32,
    /// Open until then, half-open afterwards; `None` while closed.
    pub open_until: Option<Timestamp>,
    /// The one call of the half-open breaker is under way.
    pub is_trying: bool,
    /// The receiver's own wish: nobody calls until then.
    pub paused_until: Option<Timestamp>,
}

impl Breaker {
    /// Whether the receiver may be called now.
    pub fn state(&self, now: Timestamp) -> BreakerState {
        if self.is_paused(now) {
            return BreakerState::Open;
        }
        match self.open_until {
            None => BreakerState::Closed,
            Some(until) if now < until || self.is_trying => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// A call begins.
    pub fn begin(&mut self) {
        self.is_trying = self.open_until.is_some();
    }

    /// A call was answered, if only by a refusal: the breaker closes. A pause goes on.
    pub fn succeed(&mut self, now: Timestamp) {
        *self = Self { paused_until: self.paused_until.filter(|until| now < *until), ..Self::default() };
    }

    /// A call failed. Returns until when the breaker is open, when this failure opened it. A call that began before the
    /// breaker opened changes nothing but the count.
    pub fn fail(&mut self, rule: &BreakerRule, now: Timestamp) -> Option<Timestamp> {
        self.failures = self.failures.saturating_add(1);
        let opens = match self.open_until {
            Some(_) => self.is_trying,
            None => self.failures >= rule.failures,
        };
        if !opens {
            return None;
        }
        let length = rule.open.saturating_mul(1 << self.openings.min(16)).min(rule.open_max);
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        *self = Self { openings: self.openings.saturating_add(1), open_until: Some(until), is_trying: false, ..*self };
        Some(until)
    }

    /// The receiver asks to be left alone until then; of several wishes the latest instant counts.
    pub fn pause(&mut self, until: Timestamp) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Whether there is nothing to remember.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::{BreakerState::*, *};

    const RULE: BreakerRule =
        BreakerRule { failures: 3, open: Duration::from_secs(60), open_max: Duration::from_secs(100) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn fail(breaker: &mut Breaker, times: u32, now: i64) {
        for _ in 0..times {
            breaker.begin();
            breaker.fail(&RULE, at(now));
        }
    }

    #[test]
    fn after_failures_in_a_row_it_is_open_and_then_one_call_goes_first() {
        let mut breaker = Breaker::default();
        fail(&mut breaker, 2, 0);
        assert_eq!(breaker.state(at(0)), Closed);
        fail(&mut breaker, 1, 0);
        assert_eq!(breaker.state(at(59)), Open);
        assert_eq!(breaker.state(at(60)), HalfOpen);
        breaker.begin();
        assert_eq!(breaker.state(at(60)), Open, "one call, no more");
        breaker.succeed(at(61));
        assert_eq!(breaker.state(at(61)), Closed);
        assert!(breaker.is_default());
    }

    #[test]
    fn each_further_opening_in_a_row_is_twice_as_long_up_to_the_longest() {
        let mut breaker = Breaker::default();
        fail(&mut breaker, 3, 0);
        fail(&mut breaker, 1, 60);
        assert_eq!(breaker.state(at(159)), Open);
        assert_eq!(breaker.state(at(160)), HalfOpen, "60, then 100 and not 120");
    }

    #[test]
    fn calls_that_began_before_it_opened_do_not_lengthen_it() {
        let mut breaker = Breaker::default();
        fail(&mut breaker, 3, 0);
        assert_eq!(breaker.fail(&RULE, at(30)), None);
        assert_eq!(breaker.state(at(60)), HalfOpen);
        assert_eq!(breaker.fail(&RULE, at(61)), None, "nobody has tried it again yet");
        assert_eq!(breaker.state(at(61)), HalfOpen);
    }

    #[test]
    fn a_success_between_failures_starts_the_count_again() {
        let mut breaker = Breaker::default();
        fail(&mut breaker, 2, 0);
        breaker.succeed(at(1));
        fail(&mut breaker, 2, 2);
        assert_eq!(breaker.state(at(2)), Closed);
    }

    #[test]
    fn a_receivers_wish_outlives_answers_that_were_under_way_and_the_longest_wins() {
        let mut breaker = Breaker::default();
        breaker.pause(at(100));
        breaker.pause(at(50));
        breaker.succeed(at(10));
        assert_eq!(breaker.state(at(99)), Open);
        assert_eq!(breaker.state(at(100)), Closed);
        assert!(!breaker.is_default());
        breaker.succeed(at(100));
        assert!(breaker.is_default());
    }

    #[test]
    fn the_end_of_time_is_late_enough() {
        let rule = BreakerRule { failures: 1, open: Duration::MAX, open_max: Duration::MAX };
        assert_eq!(Breaker::default().fail(&rule, Timestamp::MAX), Some(Timestamp::MAX));
    }
}
