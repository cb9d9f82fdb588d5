//! The door to intake: what the watch hands over. The binary wires it; this crate knows no other service.

use async_trait::async_trait;
use loa_domain::{ArticleKey, Flaw};
use loa_portal::PortalPage;

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What it was published as; `None` when it was refused.
    pub article: Option<ArticleKey>,
    /// Whether all of it was there already, as it is.
    pub unchanged: bool,
    /// Why it, or parts of it, were refused; empty: nothing was.
    pub refused: Vec<Flaw>,
}

/// Intake cannot take anything now; the same may be handed over again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PublishError(pub String);

/// Takes what the watch finds.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Takes a page in, as `loa import` does. `portal` is empty for the installation's own. Idempotent.
    ///
    /// # Errors
    /// When intake is away.
    async fn publish(&self, portal: &str, page: PortalPage) -> Result<Published, PublishError>;

    /// Withdraws an article. One that is withdrawn or unknown is no error. Idempotent.
    ///
    /// # Errors
    /// When intake is away.
    async fn withdraw(&self, portal: &str, article: &ArticleKey, reason: &str) -> Result<(), PublishError>;
}
