//! The answers to producers: what was taken in, or the reason why a submission was not.

use crate::raw_content::pointer_in_text;
use loa_bus::BusError;
use loa_domain::{ArticleId, IdError};
use loa_event::Refusal;
use loa_store::StoreError;
use serde::Serialize;

/// The answer to something taken in: it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SubmissionAnswer {
    /// Its id.
    pub id: ArticleId,
    /// The revision it is now.
    pub revision: u64,
    /// The id of the event that says so.
    pub event_id: String,
    /// `true` when that was so before: the same content, or withdrawn already. No event was made.
    pub unchanged: bool,
    /// What was left out of it (areas the directory does not know); empty: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why something was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The event that would come of it is outside the contract.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The id to be withdrawn cannot be one.
    #[error("{0}")]
    BadId(#[from] IdError),
    /// A newer revision, or other content of the same revision, stands.
    #[error(
        "revision {given} of {id} is not newer than revision {standing}, which stands; send a higher revision, or none"
    )]
    NotNewer {
        /// Of what.
        id: ArticleId,
        /// What was given.
        given: u64,
        /// What stands.
        standing: u64,
    },
    /// Nothing of this id ever came in.
    #[error("nothing of the id {0} was ever published here")]
    Unknown(ArticleId),
    /// Others kept changing the same article meanwhile; try again.
    #[error("{0} is being changed by others just now; try again")]
    Busy(String),
    /// The ledger does not take it; nothing was stored.
    #[error("the ledger of intake does not answer")]
    Ledger(#[from] StoreError),
    /// The bus does not take it (replay only: what comes in does not wait for the bus).
    #[error("the bus does not take events")]
    Bus(#[from] BusError),
}

impl IntakeError {
    /// The same, with the place of a refusal as it stands in the text that it was read from; `within` as
    /// [`crate::RawContent::from_json`] gave it.
    pub fn in_text(self, within: &str) -> Self {
        match self {
            Self::Refused(refusal) => {
                let pointer = pointer_in_text(&refusal.pointer, within);
                Self::Refused(Refusal { pointer, ..refusal })
            }
            other => other,
        }
    }
}
