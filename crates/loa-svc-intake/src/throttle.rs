//! How fast the submissions of one portal are taken over HTTP, so that a program in a hurry leaves the machine to the others.
//! Pure: `in_turn.rs` asks, and waits. Each process counts for itself.

use crate::allowance::{Allowance, Rate};
use jiff::Timestamp;
use loa_domain::PortalSlug;
use std::{collections::BTreeMap, time::Duration};

/// The longest that a submission waits for its turn; with the pace it bounds how many wait.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Whose turn is when. A portal that is calm is not remembered.
#[derive(Debug, Default)]
pub(crate) struct Throttle(BTreeMap<PortalSlug, Allowance>);

impl Throttle {
    /// The wait until the turn of one more submission of this portal, at most [`WAIT_MAX`]; there are so many in a second.
    ///
    /// # Errors
    /// After how long to ask again: as many wait as may.
    pub(crate) fn turn(&mut self, portal: &PortalSlug, per_second: u32, now: Timestamp) -> Result<Duration, Duration> {
        let per_second = f64::from(per_second.max(1));
        let rate = Rate { burst: per_second, per_second };
        self.0.retain(|_, allowance| {
            *allowance = allowance.refilled(rate, now);
            allowance.left < rate.burst
        });
        let allowance = self.0.entry(portal.clone()).or_insert_with(|| rate.full(now));
        let wait = Duration::from_secs_f64(((1.0 - allowance.left) / per_second).max(0.0));
        if wait > WAIT_MAX {
            return Err(wait);
        }
        allowance.left -= 1.0;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap()
    }

    fn portal(slug: &str) -> PortalSlug {
        slug.parse().unwrap()
    }

    #[test]
    fn a_portal_in_a_hurry_waits_for_itself_and_no_other_does() {
        let mut throttle = Throttle::default();
        let waits: Vec<_> = (0..250).map(|_| throttle.turn(&portal("kho"), 100, at(0))).collect();
        assert!(waits[..100].iter().all(|wait| *wait == Ok(Duration::ZERO)), "a second's worth at once");
        assert_eq!(waits[100], Ok(Duration::from_millis(10)), "and then one after the other");
        assert_eq!(waits[199], Ok(Duration::from_secs(1)));
        assert!(
            waits[200..].iter().all(|wait| wait.is_err_and(|after| after > WAIT_MAX)),
            "no more than a second's wait"
        );
        assert_eq!(throttle.turn(&portal("na-son"), 100, at(0)), Ok(Duration::ZERO));
    }

    #[test]
    fn whoever_sends_one_after_the_other_keeps_the_pace() {
        let (mut throttle, mut millis) = (Throttle::default(), 0);
        for _ in 0..1_000 {
            millis += i64::try_from(throttle.turn(&portal("kho"), 100, at(millis)).unwrap().as_millis()).unwrap() + 1;
        }
        assert!((8_900..=9_200).contains(&millis), "100 a second after the first 100: {millis}");
    }

    #[test]
    fn a_portal_that_is_calm_is_forgotten_and_a_clock_that_steps_back_stops_nobody_for_long() {
        let mut throttle = Throttle::default();
        for _ in 0..200 {
            throttle.turn(&portal("kho"), 100, at(3_600_000)).unwrap();
        }
        assert!(throttle.turn(&portal("kho"), 100, at(0)).is_err());
        assert!(throttle.turn(&portal("kho"), 100, at(10)).is_ok(), "counted on from the clock as it is now");
        throttle.turn(&portal("na-son"), 100, at(10_000)).unwrap();
        assert_eq!(throttle.0.len(), 1);
    }
}
