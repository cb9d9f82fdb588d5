//! The door to the mail server, and what its answers mean for a mail, an address, and a run.

use async_trait::async_trait;
use loa_domain::{Because, MailReason, PauseReason, ServerWords};
use loa_mail::Message;

/// The mail server cannot be reached, or does not want us at all: nothing about any mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unreachable {
    /// What was tried and what came of it, for a log; no address of a person in it.
    pub why: String,
    /// What the server or the system said.
    pub words: ServerWords,
    /// Whether an operator must act (login refused, certificate not trusted), rather than wait.
    pub needs_operator: bool,
}

/// Opens SMTP sessions.
#[async_trait]
pub trait Submit: Send + Sync {
    /// Connects, greets, protects, logs in. Returns within the configured time.
    ///
    /// # Errors
    /// [`Unreachable`]; try again later.
    async fn open(&self) -> Result<Box<dyn Session>, Unreachable>;
}

/// One open session; mails go one after the other.
#[async_trait]
pub trait Session: Send {
    /// One SMTP dialogue. Not cancel-safe: dropped, the mail may have gone out.
    async fn submit(&mut self, message: &Message) -> Verdict;

    /// Ends the session politely, within a second.
    async fn close(self: Box<Self>);
}

/// What one dialogue came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server took the mail; its words.
    Sent(ServerWords),
    /// This address is refused for good; why.
    Address(Because<MailReason>),
    /// Refused at `RCPT` for a reason of policy: the address's, or ours. One alone is tried again; several in a row are ours.
    Policy(ServerWords),
    /// The server refuses us or what we send, or we cannot send: the next mail would fare no better.
    Stop(Because<PauseReason>),
    /// Not now (4xx); the session goes on. The server's words.
    Later(ServerWords),
    /// The connection is gone, or the server closes (421). `uncertain`: after the last dot, the mail may have gone out.
    Broken {
        /// What the server or the system said; empty: nothing came any more.
        words: ServerWords,
        /// Whether the mail may have gone out (RFC 1047).
        uncertain: bool,
    },
}

/// Where in the dialogue an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    MailFrom,
    RcptTo,
    Data,
    FinalDot,
}

/// Judges a negative answer (RFC 5321 §4.2, RFC 3463). `words`: the answer's text, its enhanced code first if it has one.
pub(crate) fn judge(stage: Stage, code: u16, words: &str) -> Verdict {
    let said = ServerWords::new(&format!("{code} {words}"));
    let refused = |said| Verdict::Address(Because { reason: MailReason::MailboxRefused, words: said });
    let about = |class: &str| words.starts_with(class);
    match (code, stage) {
        (421, _) => Verdict::Broken { words: said, uncertain: false },
        (400..=499, _) => Verdict::Later(said),
        (_, Stage::RcptTo) if about("5.7.") => Verdict::Policy(said),
        (_, Stage::RcptTo) => refused(said),
        // some servers look at the recipient only now: unknown (5.1), full or disabled (5.2), 552 without more detail
        (_, Stage::FinalDot) if about("5.1.") || about("5.2.") => refused(said),
        (552, Stage::FinalDot) if !about("5.3.4") => refused(said),
        (_, Stage::MailFrom | Stage::Data | Stage::FinalDot) => {
            Verdict::Stop(Because { reason: PauseReason::ServerRefuses, words: said })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_what_it_says() {
        use Stage::{Data, FinalDot, MailFrom, RcptTo};
        for (stage, answer, wanted) in [
            (RcptTo, "450 4.2.1 try later", "Later"),
            (RcptTo, "451 greylisted", "Later"),
            (MailFrom, "454 4.7.0 too fast", "Later"),
            (RcptTo, "421 4.3.2 closing", "Broken"),
            (FinalDot, "421 4.3.2 closing", "Broken"),
            (RcptTo, "550 5.1.1 no such user", "Address"),
            (RcptTo, "550 no such user", "Address"),
            (RcptTo, "554 5.7.1 relay access denied", "Policy"),
            (MailFrom, "550 5.7.1 not you", "Stop"),
            (MailFrom, "553 5.1.8 sender domain", "Stop"),
            (Data, "554 no", "Stop"),
            (FinalDot, "554 5.7.1 spam", "Stop"),
            (FinalDot, "550 5.7.515 not authenticated", "Stop"),
            (FinalDot, "552 5.2.2 mailbox full", "Address"),
            (FinalDot, "552 over quota", "Address"),
            (FinalDot, "552 5.3.4 too large", "Stop"),
            (FinalDot, "550 5.1.1 no such user", "Address"),
        ] {
            let (code, words) = answer.split_once(' ').unwrap();
            let verdict = format!("{:?}", judge(stage, code.parse().unwrap(), words));
            assert!(verdict.starts_with(wanted), "{stage:?} {answer}: {verdict}");
        }
    }
}
