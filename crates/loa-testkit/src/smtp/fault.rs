//! The faults of the SMTP stand-in: what goes wrong, at which step, for whom and how often.

/// A point of the SMTP dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Instead of the first `220`.
    Greeting,
    /// In answer to `EHLO` or `HELO`.
    Ehlo,
    /// In answer to `MAIL FROM`.
    MailFrom,
    /// In answer to `RCPT TO`.
    RcptTo,
    /// In answer to `DATA`, before a byte of the mail.
    Data,
    /// After the final dot, when the whole mail is there.
    FinalDot,
}

/// One way of misbehaving. Made with [`Fault::at`], then told what to do: `Fault::at(Stage::RcptTo).reply("550 5.1.1 no")`.
#[derive(Debug, Clone)]
pub struct Fault {
    stage: Stage,
    address: Option<String>,
    left: Option<usize>,
    pub(super) deed: Deed,
}

#[derive(Debug, Clone)]
pub(super) enum Deed {
    Reply(String),
    Hang,
    Drop,
    KeepThenDrop,
    KeepThenHang,
}

impl Fault {
    /// A fault at this stage: the connection is dropped there, unless told otherwise.
    pub fn at(stage: Stage) -> Self {
        Self { stage, address: None, left: None, deed: Deed::Drop }
    }

    /// Only for this address: the recipient at `RcptTo`, `Data` and `FinalDot` (any of them), the sender at `MailFrom`.
    pub fn of(mut self, address: &str) -> Self {
        self.address = Some(address.to_ascii_lowercase());
        self
    }

    /// Only so many times.
    pub fn times(mut self, count: usize) -> Self {
        self.left = Some(count);
        self
    }

    /// Answers so, `451 4.7.1 later`; a `421` also closes the connection.
    pub fn reply(mut self, line: &str) -> Self {
        self.deed = Deed::Reply(line.to_owned());
        self
    }

    /// Says nothing until the peer gives up.
    pub fn hang(mut self) -> Self {
        self.deed = Deed::Hang;
        self
    }

    /// At `FinalDot`: keeps the mail, then drops the connection without the `250` (RFC 1047).
    pub fn keep_then_drop(mut self) -> Self {
        self.deed = Deed::KeepThenDrop;
        self
    }

    /// At `FinalDot`: keeps the mail, then says nothing until the peer gives up.
    pub fn keep_then_hang(mut self) -> Self {
        self.deed = Deed::KeepThenHang;
        self
    }

    pub(super) fn fits(&self, stage: Stage, addresses: &str) -> bool {
        let concerned = |wanted: &String| addresses.split(' ').any(|given| given.eq_ignore_ascii_case(wanted));
        self.stage == stage && self.left != Some(0) && self.address.as_ref().is_none_or(concerned)
    }

    /// Counts one use; whether it was the last.
    pub(super) fn used_up(&mut self) -> bool {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.left == Some(0)
    }
}
