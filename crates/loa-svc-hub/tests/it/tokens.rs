//! Tokens of the operators' API.

use async_trait::async_trait;
use loa_domain::Scope;
use loa_http::{AccessUnavailable, Caller, TokenCheck};

/// Tokens `operate`, `read` and `publish`; `away` stands for a ledger that cannot be asked.
pub struct Tokens;

#[async_trait]
impl TokenCheck for Tokens {
    async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable> {
        if secret == "away" {
            return Err(AccessUnavailable("away".into()));
        }
        Ok(Scope::parse(secret).map(|scope| Caller::new(scope.as_str(), scope)))
    }
}
