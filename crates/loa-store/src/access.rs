//! The access ledger: tokens of the API, and the portals beside the home portal. Of tokens only hashes are kept.

use crate::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{Portal, PortalSlug, Scope, Token};

/// The ledger.
#[async_trait]
pub trait AccessLedger: PortalLedger {
    /// Adds a token by its secret's SHA-256 (hex), bound to these portals (none: to no portal; at most 100). `Conflict` when the
    /// name is taken, by a revoked one too.
    async fn add_token(
        &self,
        name: &str,
        scope: Scope,
        secret_hash: &str,
        portals: &[PortalSlug],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// All tokens, by name.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;

    /// Revokes a token by name. Idempotent. `NotFound`.
    async fn revoke_token(&self, name: &str, at: Timestamp) -> Result<(), StoreError>;

    /// The token with this secret's hash, revoked or not.
    async fn token(&self, secret_hash: &str) -> Result<Option<Token>, StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// The portals beside the home portal, as all replicas read them.
#[async_trait]
pub trait PortalLedger: Send + Sync {
    /// Adds a portal, as it is. `Conflict` when its slug, its source, or its tag authority and date are another's; of several
    /// at one moment one is first.
    async fn add_portal(&self, portal: &Portal) -> Result<(), StoreError>;

    /// All of them by slug, retired ones too.
    async fn portals(&self) -> Result<Vec<Portal>, StoreError>;

    /// Notes since when a portal publishes no more. Idempotent: the first time stays. `NotFound`.
    async fn retire_portal(&self, slug: &PortalSlug, at: Timestamp) -> Result<(), StoreError>;
}
