//! One line of an article's account of itself (promise 8).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What one ledger did with one article, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JourneyStep {
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// `intake`, `feed`, `digest` or `push`.
    pub outlet: String,
    /// One word for machines: `accepted`, `published`, `mailed`, `delivered`, `withdrawn`, …
    pub step: String,
    /// The revision it was about; 0 where that is not known.
    pub revision: u64,
    /// One sentence for people. No addresses of people, no secrets.
    pub detail: String,
}
