//! One line of an article's account of itself (promise 8 of README.md): what one ledger did with it, once.
//!
//! Facts only. Ledgers make them, and `loa-words` makes sentences of them when they are shown. No line holds an address of a
//! person or a secret.

use crate::{Account, DeliveryId, EndpointId, EventType, NotCarried, RunKey};
use jiff::Timestamp;
use serde::Serialize;

/// Whose ledger tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outlet {
    /// The way in; no outlet, but it has a ledger like one.
    Intake,
    /// RSS, Atom, JSON Feed.
    Feed,
    /// E-mail.
    Digest,
    /// Webhooks.
    Push,
}

impl Outlet {
    /// All of them, in the order of the pipeline.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Feed, Self::Digest, Self::Push];

    /// The outlets alone: those that receive what intake archives.
    pub const RECEIVING: [Self; 3] = [Self::Feed, Self::Digest, Self::Push];

    /// Reads the word for machines.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outlet| outlet.as_str() == word)
    }

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Feed => "feed",
            Self::Digest => "digest",
            Self::Push => "push",
        }
    }
}

/// What one ledger did with one article, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JourneyLine {
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// Whose ledger tells.
    pub outlet: Outlet,
    /// The revision it was about; 0 where that is not known.
    pub revision: u64,
    /// What was done.
    #[serde(flatten)]
    pub step: JourneyStep,
}

/// What was done with an article. `step` says which; the other fields belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum JourneyStep {
    /// Intake took the event in: by its API, or from a page.
    Submitted {
        /// Which event.
        event_type: EventType,
    },
    /// Somebody else published the event; intake keeps it.
    Archived {
        /// Which event.
        event_type: EventType,
    },
    /// The bus confirmed that it has the event.
    Relayed,
    /// The bus does not take the event as it is; it is tried again from time to time.
    SetAside {
        /// Why, when it was last tried.
        why: NotCarried,
    },
    /// The outlet had not seen the event when it was last asked, although the bus has had it.
    NotReceived,
    /// The outlet accepted a publication or an update.
    Accepted,
    /// The outlet accepted the withdrawal.
    Withdrawn,
    /// The event came after a newer version, and changed nothing.
    Stale {
        /// Whether it was a withdrawal.
        withdrawal: bool,
    },
    /// The event's id was used before for other content, and this content was taken in by its version.
    IdUsedAgain,
    /// It is dated in the future: the outlet shows or sends it from the line's time on.
    Waiting,
    /// The article, or its correction, is in mails of a run, none of which is sent.
    Planned {
        /// Which run.
        run: RunKey,
        /// Whether the mails say that it was withdrawn.
        correction: bool,
        /// How these mails stand.
        mails: Account,
    },
    /// It was mailed.
    Mailed {
        /// By which run.
        run: RunKey,
        /// How the mails with it stand.
        mails: Account,
    },
    /// Those who had been mailed it were told that it was withdrawn.
    Corrected {
        /// By which run.
        run: RunKey,
        /// How these mails stand.
        mails: Account,
    },
    /// A delivery is due, waits for its next attempt, or is in flight.
    Pending {
        /// Which delivery.
        delivery: DeliveryId,
        /// Where to.
        endpoint: EndpointId,
        /// How often it was tried.
        attempts: u32,
    },
    /// The endpoint has it.
    Delivered {
        /// Which delivery.
        delivery: DeliveryId,
        /// Where to.
        endpoint: EndpointId,
        /// How often it was tried.
        attempts: u32,
    },
    /// The delivery was given up.
    Failed {
        /// Which delivery.
        delivery: DeliveryId,
        /// Where to.
        endpoint: EndpointId,
        /// How often it was tried.
        attempts: u32,
    },
    /// A newer revision was delivered first; this one is not sent any more.
    Superseded {
        /// Which delivery.
        delivery: DeliveryId,
        /// Where to.
        endpoint: EndpointId,
        /// How often it was tried.
        attempts: u32,
    },
}

impl JourneyStep {
    /// The word for machines, as in `step`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Submitted { .. } => "submitted",
            Self::Archived { .. } => "archived",
            Self::Relayed => "relayed",
            Self::SetAside { .. } => "set_aside",
            Self::NotReceived => "not_received",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
            Self::Stale { .. } => "stale",
            Self::IdUsedAgain => "id_used_again",
            Self::Waiting => "waiting",
            Self::Planned { .. } => "planned",
            Self::Mailed { .. } => "mailed",
            Self::Corrected { .. } => "corrected",
            Self::Pending { .. } => "pending",
            Self::Delivered { .. } => "delivered",
            Self::Failed { .. } => "failed",
            Self::Superseded { .. } => "superseded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_flat_object_whose_step_is_a_word() {
        let line = JourneyLine {
            at: Timestamp::UNIX_EPOCH,
            outlet: Outlet::Push,
            revision: 2,
            step: JourneyStep::Failed {
                delivery: DeliveryId::new("d7").unwrap(),
                endpoint: EndpointId::new("ep_1").unwrap(),
                attempts: 3,
            },
        };
        let json = serde_json::to_value(&line).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "at": "1970-01-01T00:00:00Z", "outlet": "push", "revision": 2, "step": "failed",
                "delivery": "d7", "endpoint": "ep_1", "attempts": 3,
            })
        );
        assert_eq!(json["step"], line.step.as_str());
        let stale = serde_json::to_value(JourneyStep::Stale { withdrawal: true }).unwrap();
        assert_eq!(stale, serde_json::json!({ "step": "stale", "withdrawal": true }));
        assert_eq!(serde_json::to_value(Outlet::Digest).unwrap(), Outlet::Digest.as_str());
    }
}
