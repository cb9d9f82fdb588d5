//! The values of a digest run: one period of one frequency, its mails, and its account, which
//! always balances.

use crate::{Because, MailReason, ServerWords, SubscriptionId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How often a subscriber wants mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// As soon as something matches.
    Immediate,
    /// Once a day.
    Daily,
    /// Once a week.
    Weekly,
}

impl Frequency {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Immediate, Self::Daily, Self::Weekly];

    /// The word kept in ledgers and taken on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == text)
    }
}

/// What makes a run unique: two schedulers, a restart on the minute or a clock stepping back make one run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunKey {
    /// Daily, weekly or immediate.
    pub frequency: Frequency,
    /// The civil date in `zone`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub on: Date,
    /// Empty for a scheduled run (one per date). Otherwise what sets it apart within its date: a number for an
    /// immediate run, a name for one started by hand.
    pub slot: String,
    /// IANA zone name.
    pub zone: String,
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.frequency.as_str(), self.on)?;
        if !self.slot.is_empty() {
            write!(f, "-{}", self.slot)?;
        }
        Ok(())
    }
}

/// One mail of a run: (run, subscription). Its `Message-ID` is made of these and never changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MailId {
    /// The run's number in the ledger.
    pub run: i64,
    /// Whose.
    pub subscription: SubscriptionId,
}

/// Where one mail stands. `Planned` and `Submitting` are on the way; the others are ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// In the frozen audience; due, or waiting for its next try.
    Planned,
    /// The SMTP dialogue may have begun. Found after a crash, it is uncertain whether the mail went out.
    Submitting,
    /// The mail server took it.
    Sent,
    /// The mail server refused the address for good, or the last try failed.
    Failed,
    /// Nothing left to say (all items withdrawn), or the subscription ended in the meantime.
    Suppressed,
    /// Twice found in `Submitting`: it may have arrived; it is not sent a third time.
    Uncertain,
}

impl MailState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Planned, Self::Submitting, Self::Sent, Self::Failed, Self::Suppressed, Self::Uncertain];

    /// The word kept in ledgers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Submitting => "submitting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Uncertain => "uncertain",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// Where a run stands, as operators see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Its audience is not frozen yet.
    Planning,
    /// Its mails go out.
    Sending,
    /// It is stopped until somebody resumes it.
    Paused,
    /// None of its mails waits.
    Ended,
}

impl RunState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Planning, Self::Sending, Self::Paused, Self::Ended];
}

/// What one SMTP try came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailOutcome {
    /// Taken by the mail server; its answer.
    Sent(ServerWords),
    /// Nothing left to send; why.
    Suppressed(Because<MailReason>),
    /// Not sent, and not tried again; why.
    Refused(Because<MailReason>),
    /// Later: 4xx, a lost connection before the final dot, no connection. Why, and the earliest next try.
    Later(Because<MailReason>, jiff::Timestamp),
    /// Not tried: not a word about this mail was said (the mail server is away, its run is stopped, it is night). Why, and
    /// from when on it may go. Counts no try, so that an outage of the mail server lengthens no mail's own delays.
    Waits(Because<MailReason>, jiff::Timestamp),
}

/// Why a line is in a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Not sent to this subscription before.
    News,
    /// An earlier revision was sent.
    Update,
    /// Sent before, withdrawn since.
    Correction,
}

impl ItemKind {
    /// The word kept in ledgers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Update => "update",
            Self::Correction => "correction",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::News, Self::Update, Self::Correction].into_iter().find(|k| k.as_str() == text)
    }
}

/// A run in figures. `planned` counts the frozen audience; the rest says what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Mails in the frozen audience.
    pub planned: u64,
    /// Taken by the mail server.
    pub sent: u64,
    /// Refused for good.
    pub failed: u64,
    /// Ended without a mail, for a reason.
    pub suppressed: u64,
    /// May have arrived.
    pub uncertain: u64,
    /// Still on the way.
    pub waiting: u64,
}

impl Account {
    /// `planned = sent + failed + suppressed + uncertain + waiting`: promise 8 of README.md.
    pub fn balances(&self) -> bool {
        self.planned == self.sent + self.failed + self.suppressed + self.uncertain + self.waiting
    }
}
