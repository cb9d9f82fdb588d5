//! Why something did not happen, as facts: a reason of ours, and apart from it what the other side said.
//!
//! A reason is a word of a closed list; `loa-words` makes a sentence of it when it is shown. What a server said is kept as it
//! came, made one line and bounded, and is never mixed with words of ours. Nothing is decided by its text.

use crate::clean_line;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a server or a system library said: one line, no control characters, at most 1,000 characters. Empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct ServerWords(String);

impl ServerWords {
    /// The most characters that are kept.
    pub const CHARS_MAX: usize = 1_000;

    /// Takes what was said, whatever it is.
    pub fn new(said: &str) -> Self {
        let line: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self(clean_line(&line).chars().take(Self::CHARS_MAX).collect())
    }

    /// What was said.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for ServerWords {
    fn from(said: String) -> Self {
        Self::new(&said)
    }
}

impl From<&str> for ServerWords {
    fn from(said: &str) -> Self {
        Self::new(said)
    }
}

impl fmt::Display for ServerWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reason and what the other side said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Because<R> {
    /// Ours.
    pub reason: R,
    /// Theirs.
    #[serde(skip_serializing_if = "ServerWords::is_empty")]
    pub words: ServerWords,
}

impl<R> Because<R> {
    /// A reason about which the other side said this.
    pub fn said(reason: R, words: impl Into<ServerWords>) -> Self {
        Self { reason, words: words.into() }
    }
}

impl<R> From<R> for Because<R> {
    /// A reason about which nobody said anything.
    fn from(reason: R) -> Self {
        Self { reason, words: ServerWords::default() }
    }
}

/// Earlier versions noted one sentence, in which reason and words were mixed: it is kept as words.
#[derive(Deserialize)]
#[serde(untagged)]
enum Noted<R> {
    Sentence(String),
    Facts {
        reason: R,
        #[serde(default)]
        words: ServerWords,
    },
}

impl<'de> Deserialize<'de> for Because<MailReason> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Noted::deserialize(deserializer)? {
            Noted::Sentence(sentence) => Self::said(MailReason::NotedBefore, sentence),
            Noted::Facts { reason, words } => Self { reason, words },
        })
    }
}

/// Declares the words of a list of reasons: for machines, in ledgers and in JSON.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for machines, which is also kept in ledgers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Reads [`Self::as_str`] back.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

pub(crate) use words;

/// Why a mail was not sent, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MailReason {
    /// The subscription ended before the mail went out.
    SubscriptionEnded,
    /// Everything in it was withdrawn before it went out.
    NothingLeft,
    /// No mail can be sent to such an address.
    NotAnAddress,
    /// The mail server refused the mailbox for good.
    MailboxRefused,
    /// The mail server refused the mailbox for a reason of policy.
    PolicyRefused,
    /// The mail was not taken within the time it had.
    TimeUp,
    /// It waits for the hours in which late digests may go out.
    SendWindow,
    /// Sending it had not begun when the service stopped or its lease ended.
    NotBegun,
    /// Its run is stopped.
    RunPaused,
    /// The mail server could not be reached, or let us not in.
    ServerUnreachable,
    /// The mail server asked us to come later (4xx).
    ServerBusy,
    /// The connection was lost before the mail was handed over.
    ConnectionLost,
    /// Its sender was lost twice in the middle of the dialogue: it may have gone out.
    LostTwice,
    /// An earlier version noted a sentence instead of a reason.
    NotedBefore,
}

words!(MailReason {
    SubscriptionEnded = "subscription_ended",
    NothingLeft = "nothing_left",
    NotAnAddress = "not_an_address",
    MailboxRefused = "mailbox_refused",
    PolicyRefused = "policy_refused",
    TimeUp = "time_up",
    SendWindow = "send_window",
    NotBegun = "not_begun",
    RunPaused = "run_paused",
    ServerUnreachable = "server_unreachable",
    ServerBusy = "server_busy",
    ConnectionLost = "connection_lost",
    LostTwice = "lost_twice",
    NotedBefore = "noted_before",
});

/// Why a digest run is stopped until an operator resumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The mail server refuses us, or what we send.
    ServerRefuses,
    /// It refused several addresses in a row for a reason of policy: that means us.
    PolicyRefusals,
    /// Our return path is not an address.
    ReturnPath,
    /// A mail could not be composed: a defect of Loa.
    NotComposed,
    /// An earlier version noted a sentence instead of a reason.
    NotedBefore,
}

words!(PauseReason {
    ServerRefuses = "server_refuses",
    PolicyRefusals = "policy_refusals",
    ReturnPath = "return_path",
    NotComposed = "not_composed",
    NotedBefore = "noted_before",
});

/// Why an attempt of a webhook failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttemptError {
    /// An answer came, and its status is not 2xx.
    Http,
    /// The endpoint's name does not resolve.
    Dns,
    /// The address is not one that webhooks may go to.
    Blocked,
    /// No connection: refused, reset, unreachable.
    Connect,
    /// The certificate or the handshake failed.
    Tls,
    /// The time was used up.
    Timeout,
    /// The connection broke, or what came back is not HTTP.
    Protocol,
    /// The fault is Loa's own.
    Ours,
}

words!(AttemptError {
    Http = "http",
    Dns = "dns",
    Blocked = "blocked",
    Connect = "connect",
    Tls = "tls",
    Timeout = "timeout",
    Protocol = "protocol",
    Ours = "ours",
});

/// Why an endpoint is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisableReason {
    /// It answered 410: it wants no more webhooks.
    Gone,
    /// An operator disabled it.
    Operator,
}

words!(DisableReason { Gone = "gone", Operator = "operator" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_bounded_line() {
        assert_eq!(ServerWords::new("550\r\n no\u{1b}[31m\u{0} such\u{202e} user ").as_str(), "550 no [31m such user");
        assert_eq!(ServerWords::new(&"ô".repeat(5_000)).as_str().chars().count(), ServerWords::CHARS_MAX);
        assert!(ServerWords::new("\u{0}").is_empty());
    }

    #[test]
    fn reasons_read_back_and_are_the_same_word_in_ledgers_and_in_json() {
        fn check<R: Copy + PartialEq + fmt::Debug + Serialize>(
            all: &[R],
            word: impl Fn(R) -> &'static str,
            parse: impl Fn(&str) -> Option<R>,
        ) {
            for reason in all {
                assert_eq!(parse(word(*reason)), Some(*reason));
                assert_eq!(serde_json::to_value(reason).unwrap(), word(*reason));
            }
            assert_eq!(parse("something else"), None);
        }
        check(MailReason::ALL, MailReason::as_str, MailReason::parse);
        check(PauseReason::ALL, PauseReason::as_str, PauseReason::parse);
        check(AttemptError::ALL, AttemptError::as_str, AttemptError::parse);
        check(DisableReason::ALL, DisableReason::as_str, DisableReason::parse);
    }

    #[test]
    fn what_earlier_versions_noted_as_a_sentence_is_still_read() {
        let read = |json: &str| serde_json::from_str::<Because<MailReason>>(json).unwrap();
        assert_eq!(read("\"451 later\""), Because::said(MailReason::NotedBefore, "451 later"));
        let now = Because::said(MailReason::ServerBusy, "451 later");
        assert_eq!(read(&serde_json::to_string(&now).unwrap()), now);
        let silent = Because::from(MailReason::TimeUp);
        assert_eq!(serde_json::to_string(&silent).unwrap(), "{\"reason\":\"time_up\"}");
        assert_eq!(read("{\"reason\":\"time_up\"}"), silent);
    }
}
