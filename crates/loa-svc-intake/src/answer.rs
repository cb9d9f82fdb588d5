//! The answers to producers: what was taken in, or the reason why a submission was not.

use crate::raw_content::pointer_in_text;
use loa_bus::BusError;
use loa_domain::{ArticleId, ArticleKey, IdError, PortalRefusal, PortalSlug};
use loa_event::Refusal;
use loa_store::StoreError;
use loa_worker::PortalError;
use serde::Serialize;

/// The answer to something taken in: it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SubmissionAnswer {
    /// Its id.
    pub id: ArticleId,
    /// Whose it is; absent: the home portal's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portal: Option<PortalSlug>,
    /// The revision it is now.
    pub revision: u64,
    /// The id of the event that says so.
    pub event_id: String,
    /// `true` when that was so before: the same content, or withdrawn already. No event was made.
    pub unchanged: bool,
    /// What was left out of it or is shown otherwise, a sentence each; empty: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The answer to an operator who let an article's revisions begin anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Renumbered {
    /// Its id; of another portal than the home portal with that portal's slug and a space before it.
    pub id: ArticleKey,
    /// The revision that stands. The producer's next revision 1 becomes the one after it, and so on.
    pub counted_from: u64,
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
        id: ArticleKey,
        /// What was given.
        given: u64,
        /// What stands.
        standing: u64,
    },
    /// The highest revision there is stands.
    #[error(
        "revision {standing} of {id} stands, and none that follows it can be published: publish it under another id"
    )]
    NothingFollows {
        /// Of what.
        id: ArticleKey,
        /// What stands.
        standing: u64,
    },
    /// Nothing of this id ever came in.
    #[error("nothing of the id {0} was ever published here")]
    Unknown(ArticleKey),
    /// The portal is unknown.
    #[error("{0}")]
    Portal(PortalRefusal),
    /// The portal publishes no more.
    #[error("the portal {0} was retired and publishes no more; what it published can still be withdrawn")]
    RetiredPortal(PortalSlug),
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

impl SubmissionAnswer {
    /// Which of all articles and documents.
    pub fn key(&self) -> ArticleKey {
        ArticleKey::new(self.portal.as_ref(), &self.id)
    }
}

impl IntakeError {
    /// Of what the list of portals says.
    pub(crate) fn of_portal(error: PortalError) -> Self {
        match error {
            PortalError::Refused(refusal) => Self::Portal(refusal),
            PortalError::Ledger(error) => Self::Ledger(error),
        }
    }

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
