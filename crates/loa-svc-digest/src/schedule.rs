//! When a run is due, and when a late mail may go out. Pure: instants in, keys and instants out.
//!
//! A run is named by its civil date in the portal's zone, so two schedulers, a restart on the minute or a clock stepping
//! back name the same run. A run that was missed is not made up one by one: the next one takes all that is owed, because a
//! digest is "matched and not yet delivered" and never a window of time.

use crate::Config;
use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use loa_domain::{Frequency, RunKey};

/// The hours of one list.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    zone: TimeZone,
    daily_at: Time,
    weekly_on: Weekday,
    weekly_at: Time,
    send_window: (Time, Time),
    immediate_window_seconds: u32,
}

impl Schedule {
    pub(crate) fn new(config: &Config, zone: TimeZone) -> Self {
        Self {
            zone,
            daily_at: config.daily_at,
            weekly_on: config.weekly_on.weekday(),
            weekly_at: config.weekly_at,
            send_window: (config.send_window_from, config.send_window_until),
            immediate_window_seconds: config.immediate_window_seconds.max(1),
        }
    }

    /// The run that should exist at `now`; `None` when none is due. For `Immediate`: the run of the current window.
    pub(crate) fn due(&self, frequency: Frequency, now: Timestamp) -> Option<RunKey> {
        let local = now.to_zoned_datetime(self.zone.clone());
        let (today, time) = (local.date(), local.time());
        let heard = (self.send_window.0..self.send_window.1).contains(&time);
        match frequency {
            Frequency::Immediate => {
                let second = u32::try_from(
                    i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second()),
                );
                let slot = second.unwrap_or(0) / self.immediate_window_seconds;
                Some(self.key(frequency, today, format!("{slot:05}")))
            }
            Frequency::Daily => (heard && time >= self.daily_at).then(|| self.key(frequency, today, String::new())),
            Frequency::Weekly => {
                let on = if today.weekday() == self.weekly_on {
                    // just before the hour, last week's missed run merges into the one that is about to come
                    (time >= self.weekly_at).then_some(today)
                } else {
                    today.nth_weekday(-1, self.weekly_on).ok()
                };
                on.filter(|_| heard).map(|on| self.key(frequency, on, String::new()))
            }
        }
    }

    /// The key of a run started by hand at `now`: to the millisecond, for a frozen run of the same second takes nobody in.
    pub(crate) fn by_hand(&self, frequency: Frequency, now: Timestamp) -> RunKey {
        let local = now.to_zoned_datetime(self.zone.clone());
        let time = local.time();
        let slot =
            format!("manual-{:02}{:02}{:02}{:03}", time.hour(), time.minute(), time.second(), time.millisecond());
        self.key(frequency, local.date(), slot)
    }

    /// The first instant from `at` on at which a mail of this run may go out: daily and weekly digests only by day, unless
    /// somebody started the run by hand; what was wanted at once goes at any hour.
    pub(crate) fn may_go_from(&self, run: &RunKey, at: Timestamp) -> Timestamp {
        if run.frequency == Frequency::Immediate || !run.slot.is_empty() {
            return at;
        }
        let local = at.to_zoned_datetime(self.zone.clone());
        let (from, until) = self.send_window;
        let day = match local.time() {
            time if time < from => local.date(),
            time if time >= until => local.date().saturating_add(1.day()),
            _ => return at,
        };
        // a civil time that a change of the clock skips is moved on by jiff; the instant itself always exists
        day.to_datetime(from).to_zoned_datetime(self.zone.clone()).map_or(at, |morning| morning.timestamp())
    }

    /// When a run's mails are given up: so many hours after the beginning of its day.
    pub(crate) fn given_up_at(&self, run: &RunKey, hours: u32) -> Timestamp {
        let start = run.on.to_zoned_datetime(self.zone.clone()).map_or(Timestamp::MAX, |day| day.timestamp());
        start.saturating_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(Timestamp::MAX)
    }

    fn key(&self, frequency: Frequency, on: Date, slot: String) -> RunKey {
        RunKey { frequency, on, slot, zone: self.zone.iana_name().unwrap_or("UTC").to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule::new(&Config::default(), TimeZone::get("Asia/Ho_Chi_Minh").unwrap())
    }

    fn due(frequency: Frequency, now: &str) -> Option<String> {
        schedule().due(frequency, now.parse().unwrap()).map(|key| key.to_string())
    }

    #[test]
    fn the_daily_run_is_due_from_its_hour_in_the_portals_zone_until_the_evening() {
        assert_eq!(due(Frequency::Daily, "2023-11-16T06:59:59+07:00"), None);
        assert_eq!(due(Frequency::Daily, "2023-11-16T07:00:00+07:00").as_deref(), Some("daily-2023-11-16"));
        assert_eq!(due(Frequency::Daily, "2023-11-16T20:59:59+07:00").as_deref(), Some("daily-2023-11-16"));
        assert_eq!(due(Frequency::Daily, "2023-11-16T21:00:00+07:00"), None, "no catch-up by night");
        assert_eq!(due(Frequency::Daily, "2023-11-17T02:00:00+07:00"), None, "nor at 02:00");
        // 00:30 UTC is half past seven in Điện Biên, of the same date; 23:30 UTC is the next morning there
        assert_eq!(due(Frequency::Daily, "2023-11-16T00:30:00Z").as_deref(), Some("daily-2023-11-16"));
        assert_eq!(due(Frequency::Daily, "2023-11-16T23:30:00Z"), None);
    }

    #[test]
    fn a_missed_weekly_run_is_made_up_during_the_week_and_merges_with_the_next() {
        // 2023-11-13 was a Monday
        assert_eq!(due(Frequency::Weekly, "2023-11-13T07:00:00+07:00").as_deref(), Some("weekly-2023-11-13"));
        assert_eq!(due(Frequency::Weekly, "2023-11-15T10:00:00+07:00").as_deref(), Some("weekly-2023-11-13"));
        assert_eq!(due(Frequency::Weekly, "2023-11-19T20:00:00+07:00").as_deref(), Some("weekly-2023-11-13"));
        assert_eq!(due(Frequency::Weekly, "2023-11-20T06:30:00+07:00"), None);
        assert_eq!(due(Frequency::Weekly, "2023-11-20T07:00:00+07:00").as_deref(), Some("weekly-2023-11-20"));
    }

    #[test]
    fn immediate_runs_have_a_number_for_each_window_of_a_day() {
        assert_eq!(
            due(Frequency::Immediate, "2023-11-16T00:00:59+07:00").as_deref(),
            Some("immediate-2023-11-16-00000")
        );
        assert_eq!(
            due(Frequency::Immediate, "2023-11-16T02:01:00+07:00").as_deref(),
            Some("immediate-2023-11-16-00121")
        );
    }

    #[test]
    fn a_late_digest_waits_for_the_morning_but_not_what_was_wanted_at_once_or_started_by_hand() {
        let (schedule, at) = (schedule(), |text: &str| text.parse::<Timestamp>().unwrap());
        let night = at("2023-11-16T22:10:00+07:00");
        let daily = schedule.due(Frequency::Daily, at("2023-11-16T12:00:00+07:00")).unwrap();
        assert_eq!(schedule.may_go_from(&daily, night), at("2023-11-17T06:00:00+07:00"));
        assert_eq!(schedule.may_go_from(&daily, at("2023-11-17T02:00:00+07:00")), at("2023-11-17T06:00:00+07:00"));
        assert_eq!(schedule.may_go_from(&daily, at("2023-11-17T08:00:00+07:00")), at("2023-11-17T08:00:00+07:00"));
        assert_eq!(schedule.may_go_from(&schedule.due(Frequency::Immediate, night).unwrap(), night), night);
        assert_eq!(schedule.may_go_from(&schedule.by_hand(Frequency::Daily, night), night), night);
        assert_eq!(schedule.given_up_at(&daily, 72), at("2023-11-19T00:00:00+07:00"));
    }
}
