//! What follows from a dialogue: for the mail, for its run, for the mail server. Decides; records nothing.

use crate::{Service, Verdict};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{MailOutcome, RetrySchedule};
use loa_store::DueMail;
use std::{sync::PoisonError, time::Duration};

/// Addresses refused for policy, none accepted in between, after which it is taken to mean us.
const POLICY_REFUSALS_MAX: usize = 3;
/// Tries of one address that is refused for policy, before it is taken to mean the address.
const POLICY_TRIES_MAX: u32 = 4;

/// What to do after one dialogue.
pub(crate) enum Decision {
    /// Record this.
    Record(MailOutcome),
    /// Record nothing: the mail may have gone out, and is an orphan when its lease ends.
    LeaveUncertain,
    /// Stop its run, for this reason.
    StopRun(String),
}

/// The mail server is left alone for a while after it could not be reached.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    shut_until: Option<Timestamp>,
    failures: u32,
}

impl Gate {
    pub(crate) fn is_shut(&self, now: Timestamp) -> bool {
        self.shut_until.is_some_and(|until| now < until)
    }

    /// Shuts the gate: 5 s, 10 s, … one minute. Returns until when, and whether it was open before.
    pub(crate) fn shut(&mut self, now: Timestamp) -> (Timestamp, bool) {
        let rest = SignedDuration::from_secs((5_i64 << self.failures.min(4)).min(60));
        let news = self.failures == 0;
        self.failures = self.failures.saturating_add(1);
        let until = now.saturating_add(rest).unwrap_or(now);
        self.shut_until = Some(until);
        (until, news)
    }

    /// Opens it. Whether it was shut before.
    pub(crate) fn open(&mut self) -> bool {
        std::mem::take(self).failures > 0
    }
}

impl Service {
    pub(crate) fn outcome(&self, due: &DueMail, verdict: &Verdict, now: Timestamp) -> Decision {
        let refused_in_a_row = {
            let mut refused = self.0.policy_refusals.lock().unwrap_or_else(PoisonError::into_inner);
            match verdict {
                Verdict::Policy(_) => drop(refused.insert(due.id.subscription.clone())),
                Verdict::Sent(_) | Verdict::Address(_) => refused.clear(),
                _ => {}
            }
            refused.len()
        };
        match verdict {
            Verdict::Sent(words) => Decision::Record(MailOutcome::Sent(words.clone())),
            Verdict::Address(words) => Decision::Record(MailOutcome::Refused(words.clone())),
            Verdict::Policy(words) if refused_in_a_row >= POLICY_REFUSALS_MAX => Decision::StopRun(words.clone()),
            Verdict::Policy(words) if due.attempts >= POLICY_TRIES_MAX => {
                Decision::Record(MailOutcome::Refused(words.clone()))
            }
            Verdict::Policy(why) | Verdict::Later(why) | Verdict::Broken { why, uncertain: false } => {
                Decision::Record(MailOutcome::Later(why.clone(), self.again_at(due, now)))
            }
            Verdict::Broken { uncertain: true, .. } => Decision::LeaveUncertain,
            Verdict::Stop(words) => Decision::StopRun(words.clone()),
        }
    }

    /// When a mail is tried again: after the configured delays, the last one again and again, and by day.
    fn again_at(&self, due: &DueMail, now: Timestamp) -> Timestamp {
        let delays_seconds = self.0.config.retry_delays_seconds.clone();
        let tries = due.attempts.saturating_add(1).min(u32::try_from(delays_seconds.len()).unwrap_or(u32::MAX));
        let schedule = RetrySchedule { delays_seconds, jitter_percent: 20, retry_after_seconds_max: 0 };
        let delay = schedule.delay(tries, self.0.world.chance(), None).unwrap_or(Duration::from_secs(3_600));
        let at = now.checked_add(delay).unwrap_or(now);
        self.0.schedule.may_go_from(&due.run, at)
    }

    pub(crate) fn count(&self, verdict: &Verdict) {
        let word = match verdict {
            Verdict::Sent(_) => "sent",
            Verdict::Address(_) => "address",
            Verdict::Policy(_) => "policy",
            Verdict::Stop(_) => "stop",
            Verdict::Later(_) => "later",
            Verdict::Broken { uncertain: false, .. } => "broken",
            Verdict::Broken { uncertain: true, .. } => "uncertain",
        };
        metrics::counter!("loa_digest_submissions_total", "verdict" => word).increment(1);
    }
}

/// A server's words may name the recipient; logs must not.
pub(crate) fn without_addresses(words: &str) -> String {
    words.split(' ').map(|word| if word.contains('@') { "…" } else { word }).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_that_is_away_is_asked_less_and_less_often() {
        let (mut gate, now) = (Gate::default(), Timestamp::UNIX_EPOCH);
        let rests: Vec<i64> = (0..7).map(|_| gate.shut(now).0.as_second()).collect();
        assert_eq!(rests, [5, 10, 20, 40, 60, 60, 60]);
        assert!(gate.open() && !gate.open());
        assert_eq!(gate.shut(now), (Timestamp::from_second(5).unwrap(), true));
        assert!(gate.is_shut(now) && !gate.is_shut(Timestamp::from_second(5).unwrap()));
    }

    #[test]
    fn logs_do_not_name_recipients() {
        assert_eq!(without_addresses("554 5.7.1 <a@b.vn>: Relay denied"), "554 5.7.1 … Relay denied");
    }
}
