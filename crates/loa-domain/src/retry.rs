//! When to try again: a schedule of delays, jitter that only lengthens them, and a receiver's
//! `Retry-After`.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Delays before the second, third, … attempt. When they are used up, the last attempt was the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrySchedule {
    /// Delay before each further attempt, in seconds.
    pub delays_seconds: Vec<u64>,
    /// How much the delay may be lengthened, in percent of it (0 to 100).
    pub jitter_percent: u8,
    /// The longest wait that a receiver asks for (`Retry-After`) that is honoured, in seconds.
    pub retry_after_seconds_max: u64,
}

impl RetrySchedule {
    /// Five seconds to half a day, about three days in all (Standard Webhooks' example schedule, lengthened at the end).
    pub fn three_days() -> Self {
        Self {
            delays_seconds: vec![5, 60, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200],
            jitter_percent: 20,
            retry_after_seconds_max: 86_400,
        }
    }

    /// The delay after `attempts` attempts (1 and up); `None` when there is to be no other. `chance` in 0.0..1.0 is the
    /// caller's random number; `requested_wait` is the receiver's `Retry-After`. The longer of the schedule's delay and the
    /// requested wait (capped) counts.
    pub fn delay(&self, attempts: u32, chance: f64, requested_wait: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(attempts.max(1) - 1).ok()?;
        let base = Duration::from_secs(*self.delays_seconds.get(index)?);
        let jittered = base.mul_f64(1.0 + f64::from(self.jitter_percent.min(100)) / 100.0 * chance.clamp(0.0, 1.0));
        let longest = Duration::from_secs(self.retry_after_seconds_max);
        Some(jittered.max(requested_wait.unwrap_or_default().min(longest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_ever_adds_and_the_schedule_ends() {
        let schedule = RetrySchedule::three_days();
        assert_eq!(schedule.delay(1, 0.0, None), Some(Duration::from_secs(5)));
        assert_eq!(schedule.delay(1, 1.0, None), Some(Duration::from_secs(6)));
        assert_eq!(schedule.delay(12, 0.0, None), None);
        let total: u64 = schedule.delays_seconds.iter().sum();
        assert!((2 * 86_400..4 * 86_400).contains(&total), "about three days: {total} s");
    }

    #[test]
    fn a_receivers_wish_lengthens_but_never_shortens_and_is_capped() {
        let schedule = RetrySchedule::three_days();
        assert_eq!(schedule.delay(1, 0.0, Some(Duration::from_secs(90))), Some(Duration::from_secs(90)));
        assert_eq!(schedule.delay(2, 0.0, Some(Duration::from_secs(1))), Some(Duration::from_secs(60)));
        assert_eq!(schedule.delay(1, 0.0, Some(Duration::from_secs(9_999_999))), Some(Duration::from_secs(86_400)));
    }
}
