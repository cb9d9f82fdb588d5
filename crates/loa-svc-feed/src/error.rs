//! Why a feed, a page or a list could not be made, and whether trying again may help.
//!
//! Every room uses these errors; they know no room. Whoever handles one logs it once, with its causes.

use loa_domain::with_causes;
use loa_feed::RenderError;
use loa_store::{StoreError, StoreErrorKind};
use std::sync::Arc;

/// Why a feed could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The ledger did not answer as it should: try again.
    #[error("the feed ledger could not be read")]
    Ledger(#[from] StoreError),
    /// A writer failed: a defect.
    #[error("the feed could not be written")]
    Render(#[from] RenderError),
    /// A page failed: a defect.
    #[error("the page could not be written")]
    Page(#[from] minijinja::Error),
    /// Compression failed: a defect.
    #[error("the document could not be compressed")]
    Compression(#[from] std::io::Error),
    /// The last good state could not be kept, read or forgotten on disk. Readers are served all the same.
    #[error("the files of the last good state could not be used")]
    LastGoodFile(#[source] std::io::Error),
    /// The ledger is away, and readers get what they got before.
    #[error("feeds are served from the last good state ({feeds} of them cached)")]
    LastGoodState {
        /// How many.
        feeds: usize,
        /// Why.
        source: Box<FeedError>,
    },
    /// Too many are waiting for a feed of their own choice to be written.
    #[error("too many feeds are being written")]
    Busy,
    /// Writing panicked: a defect.
    #[error("writing the feed panicked")]
    Panicked(#[from] tokio::task::JoinError),
    /// Whoever wrote it for several did not succeed.
    #[error(transparent)]
    Shared(#[from] Arc<FeedError>),
}

impl FeedError {
    /// Whether trying again may help: the ledger is away or was busy. A row that cannot be read, or a defect of ours, stays;
    /// it must not keep the other feeds from their readers.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Ledger(error) => {
                matches!(error.kind, StoreErrorKind::Unavailable | StoreErrorKind::Conflict | StoreErrorKind::Stale)
            }
            Self::Shared(error) => error.may_pass(),
            Self::LastGoodState { source, .. } => source.may_pass(),
            Self::Busy => true,
            _ => false,
        }
    }

    /// Says that something could not be written for a reason that trying again does not mend.
    pub(crate) fn report_defect(&self, what: &str) {
        metrics::counter!("loa_feed_write_failures_total").increment(1);
        tracing::error!(feed = what, error = %with_causes(self), "could not be written; its last good form is served on");
    }
}
