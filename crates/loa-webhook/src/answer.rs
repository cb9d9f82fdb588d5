//! What follows from one attempt: the receiver's answer, or the lack of one, becomes a decision.
//!
//! It knows nothing of schedules and instants. When the receiver did not say how long to wait, the
//! retry schedule decides. Sources: Standard Webhooks ("Deliverability and reliability"),
//! CloudEvents HTTP webhooks §2.2.

use crate::retry_after;
use jiff::Timestamp;
use loa_domain::AttemptError;
use std::{fmt, time::Duration};

/// How long hope lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The whole schedule: the receiver is down or busy and will come back.
    Full,
    /// A part of it: the receiver says that the request is wrong, and only a person can mend that (an address that
    /// moved, an expired token). Hours, not days; then an operator should know.
    Short,
}

/// What follows from one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 2xx, and nothing else.
    Delivered,
    /// Again later.
    RetryLater {
        /// The wait that the receiver asks for (`Retry-After`), uncapped; with 429 never absent.
        after: Option<Duration>,
        /// Whether the receiver as a whole asks for rest: then every delivery to it waits, not only this one.
        pause: bool,
        /// How long to go on.
        patience: Patience,
    },
    /// The same bytes will never be taken: 413, 415.
    GiveUp,
    /// 410: the endpoint wants no more webhooks.
    Gone,
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The name does not resolve.
    Dns,
    /// The name or address is not one that webhooks may go to.
    Refused,
    /// No connection: refused, reset, unreachable.
    Connect,
    /// The connection stands but its certificate or handshake fails.
    Tls,
    /// The total time was used up: connecting, waiting, or a body that drips.
    Timeout,
    /// The connection broke, or what came back is not HTTP.
    Protocol,
    /// The fault is ours: the endpoint can't be signed for.
    Ours,
}

impl Failure {
    /// The word kept in the log of attempts and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "blocked",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Ours => "ours",
        }
    }
}

impl From<Failure> for AttemptError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Dns => Self::Dns,
            Failure::Refused => Self::Blocked,
            Failure::Connect => Self::Connect,
            Failure::Tls => Self::Tls,
            Failure::Timeout => Self::Timeout,
            Failure::Protocol => Self::Protocol,
            Failure::Ours => Self::Ours,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a receiver that is overrun (429) and does not say for how long is left alone.
const OVERRUN_PAUSE: Duration = Duration::from_secs(60);

/// Decides by the status of an answer. `retry_after_header` is honoured where it makes sense: with 429 and any 5xx.
/// Redirects are a failure like any other: they are never followed, for the target was never checked.
pub fn judge_status(status: u16, retry_after_header: Option<&str>, now: Timestamp) -> Answer {
    let requested_wait = || retry_after_header.and_then(|value| retry_after(value, now));
    let later = |after, pause, patience| Answer::RetryLater { after, pause, patience };
    match status {
        200..=299 => Answer::Delivered,
        410 => Answer::Gone,
        413 | 415 => Answer::GiveUp,
        429 => later(Some(requested_wait().unwrap_or(OVERRUN_PAUSE)), true, Patience::Full),
        // a gateway's word about a process behind it: the whole receiver rests only when it says for how long
        502..=504 => later(requested_wait(), requested_wait().is_some(), Patience::Full),
        500..=599 => later(requested_wait(), false, Patience::Full),
        408 | 409 | 421 | 423 | 425 => later(None, false, Patience::Full),
        _ => later(None, false, Patience::Short),
    }
}

/// Decides when there was no answer. A forbidden address is not hopeless (a name's records get mended, a network gets
/// allowed), but it must not be hoped for during days either.
pub fn judge_failure(failure: Failure) -> Answer {
    let patience = match failure {
        Failure::Refused => Patience::Short,
        Failure::Dns | Failure::Connect | Failure::Tls | Failure::Timeout | Failure::Protocol | Failure::Ours => {
            Patience::Full
        }
    };
    Answer::RetryLater { after: None, pause: false, patience }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, header: Option<&str>, expected: Answer) {
        assert_eq!(judge_status(status, header, Timestamp::UNIX_EPOCH), expected, "{status}");
    }

    const HOPE: Answer = Answer::RetryLater { after: None, pause: false, patience: Patience::Full };
    const BRIEF_HOPE: Answer = Answer::RetryLater { after: None, pause: false, patience: Patience::Short };

    #[test]
    fn only_2xx_is_success() {
        for status in [200, 201, 202, 204, 299] {
            check(status, None, Answer::Delivered);
        }
        for status in [301, 302, 307, 308, 304] {
            check(status, None, BRIEF_HOPE);
        }
        check(500, None, HOPE);
        check(100, None, BRIEF_HOPE);
        check(999, None, BRIEF_HOPE);
    }

    #[test]
    fn gone_is_gone_and_a_format_not_understood_will_never_be() {
        check(410, Some("5"), Answer::Gone);
        check(413, None, Answer::GiveUp);
        check(415, None, Answer::GiveUp);
    }

    #[test]
    fn a_busy_receiver_rests_as_long_as_it_asks() {
        let rest = |seconds| Answer::RetryLater {
            after: Some(Duration::from_secs(seconds)),
            pause: true,
            patience: Patience::Full,
        };
        check(429, Some("120"), rest(120));
        check(503, Some("7"), rest(7));
        check(429, Some("soon"), rest(60));
        check(429, None, rest(60));
        check(503, None, HOPE);
    }

    #[test]
    fn what_only_a_person_can_mend_is_not_hoped_for_during_days() {
        for status in [400, 401, 403, 404, 405, 422] {
            check(status, Some("3600"), BRIEF_HOPE);
        }
        assert_eq!(judge_failure(Failure::Refused), BRIEF_HOPE);
        assert_eq!(judge_failure(Failure::Timeout), HOPE);
    }
}
