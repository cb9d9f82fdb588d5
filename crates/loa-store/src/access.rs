//! The access ledger: tokens of the API. Only hashes are kept.

use crate::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{Scope, Token};

/// The ledger.
#[async_trait]
pub trait AccessLedger: Send + Sync {
    /// Adds a token by its secret's SHA-256 (hex). `Conflict` when the name is taken, by a revoked one too.
    async fn add_token(&self, name: &str, scope: Scope, secret_hash: &str, at: Timestamp) -> Result<(), StoreError>;

    /// All tokens, by name.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;

    /// Revokes a token by name. Idempotent. `NotFound`.
    async fn revoke_token(&self, name: &str, at: Timestamp) -> Result<(), StoreError>;

    /// The token with this secret's hash, revoked or not.
    async fn token(&self, secret_hash: &str) -> Result<Option<Token>, StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}
