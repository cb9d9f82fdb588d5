//! What follows from a dialogue: for the mail, for its run, for the mail server. Decides; records nothing.

use crate::{Service, Verdict};
use jiff::Timestamp;
use loa_domain::{
    Because, Breaker, BreakerRule, BreakerState, MailOutcome, MailReason, PauseReason, RetrySchedule, ServerWords,
};
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
    /// Record nothing: the mail may have gone out, and is in doubt when its lease ends.
    LeaveUncertain,
    /// Stop its run, for this reason.
    StopRun(Because<PauseReason>),
}

/// The mail server is left alone for a while after it could not be reached: 5 s, 10 s, … one minute.
const MAIL_SERVER: BreakerRule =
    BreakerRule { failures: 1, open: Duration::from_secs(5), open_max: Duration::from_secs(60) };

/// The mail server could not be reached. Returns until when it is left alone, and whether it was reached before. What fails
/// while it is left alone already began earlier and lengthens nothing.
fn unreachable(breaker: &mut Breaker, now: Timestamp) -> (Timestamp, bool) {
    let is_news = breaker.failures == 0;
    if breaker.state(now) != BreakerState::Open {
        breaker.begin();
    }
    let until = breaker.fail(&MAIL_SERVER, now).or(breaker.open_until);
    (until.unwrap_or(now), is_news)
}

impl Service {
    /// Whether the mail server may be called now.
    pub(crate) fn may_call_mail_server(&self, now: Timestamp) -> bool {
        self.0.breaker().state(now) != BreakerState::Open
    }

    /// The mail server could not be reached: until when it is left alone, and whether that is news.
    pub(crate) fn mail_server_failed(&self, now: Timestamp) -> (Timestamp, bool) {
        unreachable(&mut self.0.breaker(), now)
    }

    /// The mail server was reached. Returns whether that is news.
    pub(crate) fn mail_server_answered(&self, now: Timestamp) -> bool {
        let mut breaker = self.0.breaker();
        let is_news = breaker.failures > 0;
        breaker.succeed(now);
        is_news
    }

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
            Verdict::Address(why) => Decision::Record(MailOutcome::Refused(why.clone())),
            Verdict::Policy(words) if refused_in_a_row >= POLICY_REFUSALS_MAX => {
                Decision::StopRun(Because::said(PauseReason::PolicyRefusals, words.clone()))
            }
            Verdict::Policy(words) if due.attempts >= POLICY_TRIES_MAX => {
                Decision::Record(MailOutcome::Refused(Because::said(MailReason::PolicyRefused, words.clone())))
            }
            Verdict::Policy(words) => self.later(MailReason::PolicyRefused, words, due, now),
            Verdict::Later(words) => self.later(MailReason::ServerBusy, words, due, now),
            Verdict::Broken { words, uncertain: false } => self.later(MailReason::ConnectionLost, words, due, now),
            Verdict::Broken { uncertain: true, .. } => Decision::LeaveUncertain,
            Verdict::Stop(why) => Decision::StopRun(why.clone()),
        }
    }

    fn later(&self, reason: MailReason, words: &ServerWords, due: &DueMail, now: Timestamp) -> Decision {
        Decision::Record(MailOutcome::Later(Because::said(reason, words.clone()), self.again_at(due, now)))
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
    use jiff::SignedDuration;

    #[test]
    fn a_mail_server_that_is_away_is_asked_less_and_less_often() {
        let (mut breaker, mut now, mut waits) = (Breaker::default(), Timestamp::UNIX_EPOCH, Vec::new());
        for _ in 0..7 {
            let (until, is_news) = unreachable(&mut breaker, now);
            assert_eq!(is_news, waits.is_empty());
            assert_eq!(unreachable(&mut breaker, now).0, until, "what began before lengthens nothing");
            assert_eq!((breaker.state(now), breaker.state(until)), (BreakerState::Open, BreakerState::HalfOpen));
            waits.push(until.duration_since(now).as_secs());
            now = until;
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60, 60]);
        breaker.succeed(now);
        assert_eq!(unreachable(&mut breaker, now).0, now + SignedDuration::from_secs(5), "from the beginning");
    }

    #[test]
    fn logs_do_not_name_recipients() {
        assert_eq!(without_addresses("554 5.7.1 <a@b.vn>: Relay denied"), "554 5.7.1 … Relay denied");
    }
}
