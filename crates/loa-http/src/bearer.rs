//! The bearer check: who may use the API (RFC 6750). What a request lacks is said as a problem.
//!
//! Tokens are kept elsewhere; [`TokenCheck`] is how this asks for one. Knows nothing of what the token is
//! wanted for beyond its scope.

use crate::Problem;
use async_trait::async_trait;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use loa_domain::{Scope, with_causes};

/// Tokens cannot be checked just now (the ledger is away): answer 503, never let in.
#[derive(Debug, thiserror::Error)]
#[error("tokens cannot be checked just now")]
pub struct AccessUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Knows tokens; implemented in the binary over the access ledger.
#[async_trait]
pub trait TokenCheck: Send + Sync {
    /// The name and scope of the token with this secret; `None` when there is none, or it was revoked.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    async fn find(&self, secret: &str) -> Result<Option<(String, Scope)>, AccessUnavailable>;
}

/// Lets a request in whose bearer token allows `wanted`; returns the token's name.
///
/// # Errors
/// See [`admit_secret`].
pub async fn admit(tokens: &dyn TokenCheck, headers: &HeaderMap, wanted: Scope) -> Result<String, Problem> {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    admit_secret(tokens, sent.and_then(bearer_token), wanted).await
}

/// Lets a request in whose secret belongs to a token that allows `wanted`; returns the token's name.
///
/// # Errors
/// The problem to answer with: 401 without a working token, 403 when its scope does not allow this (RFC 6750 §3.1),
/// 503 when the ledger cannot be asked.
pub async fn admit_secret(tokens: &dyn TokenCheck, secret: Option<&str>, wanted: Scope) -> Result<String, Problem> {
    let Some(secret) = secret else { return Err(Problem::unauthorized(wanted)) };
    match tokens.find(secret).await {
        Ok(Some((name, scope))) if scope.allows(wanted) => {
            tracing::debug!(token = %name, "let in");
            Ok(name)
        }
        Ok(Some((_, scope))) => Err(Problem::forbidden(scope, wanted)),
        Ok(None) => Err(Problem::unauthorized(wanted)),
        Err(error) => {
            tracing::warn!(error = %with_causes(&error), "tokens cannot be checked");
            Err(Problem::unavailable("tokens cannot be checked just now; try again"))
        }
    }
}

/// The token in an `Authorization` header (RFC 6750 §2.1): `Bearer abc` → `abc`. Basic credentials are not read here.
pub fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_header_holds_a_token() {
        assert_eq!(bearer_token("Bearer abc"), Some("abc"));
        assert_eq!(bearer_token("bearer  abc "), Some("abc"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer_token(bad), None, "{bad:?}");
        }
    }

    struct OneToken;

    #[async_trait]
    impl TokenCheck for OneToken {
        async fn find(&self, secret: &str) -> Result<Option<(String, Scope)>, AccessUnavailable> {
            match secret {
                "away" => Err(AccessUnavailable("away".into())),
                secret => Ok((secret == "reader").then(|| ("reader".to_owned(), Scope::Read))),
            }
        }
    }

    #[tokio::test]
    async fn no_token_is_401_a_token_of_the_wrong_scope_403_and_a_ledger_that_is_away_503() {
        let ask =
            async |secret, wanted| admit_secret(&OneToken, secret, wanted).await.map_err(|problem| problem.status);
        assert_eq!(ask(None, Scope::Read).await, Err(401));
        assert_eq!(ask(Some("wrong"), Scope::Read).await, Err(401));
        assert_eq!(ask(Some("reader"), Scope::Operate).await, Err(403));
        assert_eq!(ask(Some("away"), Scope::Read).await, Err(503));
        assert_eq!(ask(Some("reader"), Scope::Read).await, Ok("reader".to_owned()));
    }

    #[tokio::test]
    async fn the_token_is_read_from_the_authorization_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(admit(&OneToken, &headers, Scope::Read).await.map_err(|problem| problem.status), Err(401));
        headers.insert(AUTHORIZATION, "Bearer reader".parse().unwrap());
        assert_eq!(admit(&OneToken, &headers, Scope::Read).await, Ok("reader".to_owned()));
    }
}
