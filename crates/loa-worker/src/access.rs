//! Who may use the API, and how a refusal is said (RFC 9457). Each service turns these into its own answers.

use async_trait::async_trait;
use loa_domain::Scope;
use serde::Serialize;

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

/// Lets a request in whose secret belongs to a token that allows `wanted`; returns the token's name.
///
/// # Errors
/// The problem to answer with: 401 without a working token, 403 when its scope does not allow this (RFC 6750 §3.1),
/// 503 when the ledger cannot be asked.
pub async fn admit(tokens: &dyn TokenCheck, secret: Option<&str>, wanted: Scope) -> Result<String, Problem> {
    let Some(secret) = secret else { return Err(Problem::unauthorized(wanted)) };
    match tokens.find(secret).await {
        Ok(Some((name, scope))) if scope.allows(wanted) => Ok(name),
        Ok(Some((_, scope))) => Err(Problem::forbidden(scope, wanted)),
        Ok(None) => Err(Problem::unauthorized(wanted)),
        Err(error) => {
            tracing::warn!(error = %crate::drive::chain(&error), "tokens cannot be checked");
            Err(Problem::new(503, "Not available just now", "tokens cannot be checked just now; try again"))
        }
    }
}

/// The token in an `Authorization` header (RFC 6750 §2.1): `Bearer abc` → `abc`. Basic credentials are not read here.
pub fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A problem as RFC 9457 has it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A short, fixed summary.
    pub title: String,
    /// What, where, what to do: this time.
    pub detail: String,
    /// A JSON pointer into the request's body; absent when the fault is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl Problem {
    /// The media type.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem about the request as a whole.
    pub fn new(status: u16, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, title: title.into(), detail: detail.into(), pointer: None }
    }

    /// Points into the body.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// No usable token was given. Answer with `WWW-Authenticate: Bearer`.
    pub fn unauthorized(scope: Scope) -> Self {
        Self::new(
            401,
            "A token is needed",
            format!(
                "send `Authorization: Bearer TOKEN` with a token of scope `{}`; `loa token create --scope {}` makes one",
                scope.as_str(),
                scope.as_str()
            ),
        )
    }

    /// The token works, but not for this.
    pub fn forbidden(scope: Scope, wanted: Scope) -> Self {
        Self::new(
            403,
            "The token does not allow this",
            format!("this token's scope is `{}`; here one of scope `{}` is needed", scope.as_str(), wanted.as_str()),
        )
    }

    /// The body.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| r#"{"title":"Problem"}"#.to_owned())
    }
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
        let ask = async |secret, wanted| admit(&OneToken, secret, wanted).await.map_err(|problem| problem.status);
        assert_eq!(ask(None, Scope::Read).await, Err(401));
        assert_eq!(ask(Some("wrong"), Scope::Read).await, Err(401));
        assert_eq!(ask(Some("reader"), Scope::Operate).await, Err(403));
        assert_eq!(ask(Some("away"), Scope::Read).await, Err(503));
        assert_eq!(ask(Some("reader"), Scope::Read).await, Ok("reader".to_owned()));
    }
}
