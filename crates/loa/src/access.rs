//! Tokens of the HTTP API: makes them, and checks them for the services.
//!
//! The access ledger keeps the hash of a token's secret. The secret is shown once and kept nowhere.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use loa_domain::{PortalSlug, Scope};
use loa_http::{AccessUnavailable, Caller, TokenCheck};
use loa_store::{AccessLedger, StoreError};
use loa_worker::World;
use std::sync::Arc;

/// SHA-256 of a secret, in hex.
pub fn secret_hash(secret: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, secret.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a token of 256 random bits, bound to these portals (none: to no portal), and returns its secret: shown once, never kept.
pub async fn create(
    ledger: &dyn AccessLedger,
    world: &World,
    name: &str,
    scope: Scope,
    portals: &[PortalSlug],
) -> Result<String, StoreError> {
    let secret = format!("loa_{}", URL_SAFE_NO_PAD.encode(world.bytes::<32>()));
    ledger.add_token(name, scope, &secret_hash(&secret), portals, world.now()).await?;
    Ok(secret)
}

/// The check that services are handed. One indexed look-up a request: a revoked token stops working at once.
pub struct LedgerTokens(pub Arc<dyn AccessLedger>);

#[async_trait]
impl TokenCheck for LedgerTokens {
    async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable> {
        let found = self.0.token(&secret_hash(secret)).await.map_err(|error| AccessUnavailable(Box::new(error)))?;
        if let Some(revoked) = found.as_ref().filter(|token| token.revoked_at.is_some()) {
            tracing::warn!(token = %revoked.name, "a revoked token was used");
        }
        Ok(found.filter(|token| token.revoked_at.is_none()).map(|token| Caller {
            name: token.name,
            scope: token.scope,
            portals: token.portals,
        }))
    }
}
