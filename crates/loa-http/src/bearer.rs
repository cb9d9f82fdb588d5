//! The bearer check: who may use the API (RFC 6750). What a request lacks is said as a problem.
//!
//! It comes first: [`ToPublish`], [`ToOperate`] and [`ToRead`] are extractors, and a handler names one
//! before everything else, so that nobody's body is read before it is known whose it is. Each says in the
//! log who was let in to what, and who was not; no secret is ever written there. Tokens are kept
//! elsewhere; [`TokenCheck`] is how this asks for one.

use crate::{ClientAddress, Problem};
use async_trait::async_trait;
use axum::{
    extract::FromRequestParts,
    http::{Method, header::AUTHORIZATION, request::Parts},
};
use loa_domain::{PortalSlug, Scope, with_causes};

/// Most characters of an address that stand in the log.
const PATH_CHARS_MAX: usize = 200;

/// Tokens cannot be checked just now (the ledger is away): answer 503, never let in.
#[derive(Debug, thiserror::Error)]
#[error("tokens cannot be checked just now")]
pub struct AccessUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Knows tokens; implemented in the binary over the access ledger.
#[async_trait]
pub trait TokenCheck: Send + Sync {
    /// Whose the token with this secret is; `None` when there is none, or it was revoked.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable>;
}

/// Who sends a request, by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's name.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// The portals for which it may publish and withdraw; empty: all.
    pub portals: Vec<PortalSlug>,
}

impl Caller {
    /// Bound to no portal.
    pub fn new(name: impl Into<String>, scope: Scope) -> Self {
        Self { name: name.into(), scope, portals: Vec::new() }
    }
}

/// What has handlers that want a token: the state of a service's API.
pub trait Guard: Send + Sync {
    /// Knows the tokens.
    fn tokens(&self) -> &dyn TokenCheck;

    /// The service's name, in logs and metrics.
    fn service(&self) -> &'static str;
}

macro_rules! holder {
    ($(#[$doc:meta])* $name:ident, $scope:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(
            /// Whose token it is.
            pub Caller,
        );

        impl<S: Guard> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let sent = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
                admit(state, parts, sent.and_then(bearer_token), $scope).await.map(Self)
            }
        }
    };
}

holder!(
    /// Whoever sends the request has a token of scope `publish`. Rejects as [`admit`] does.
    ToPublish,
    Scope::Publish
);
holder!(
    /// Whoever sends the request has a token of scope `operate`. Rejects as [`admit`] does.
    ToOperate,
    Scope::Operate
);
holder!(
    /// Whoever sends the request has a token of scope `read` or `operate`. Rejects as [`admit`] does.
    ToRead,
    Scope::Read
);

/// Lets a request in whose secret belongs to a token that allows `wanted`; returns whose it is. Whoever changes something,
/// or sees what only operators may, stands in the log by the token's name; so does whoever was not let in.
///
/// # Errors
/// The problem to answer with: 401 without a working token, 403 when its scope does not allow this (RFC 6750 §3.1),
/// 503 when the ledger cannot be asked.
pub async fn admit<G: Guard + ?Sized>(
    guard: &G,
    parts: &Parts,
    secret: Option<&str>,
    wanted: Scope,
) -> Result<Caller, Problem> {
    let asked = Asked { service: guard.service(), parts };
    let Some(secret) = secret else {
        asked.refused("no_token", "");
        return Err(Problem::unauthorized(wanted));
    };
    match guard.tokens().find(secret).await {
        Ok(Some(caller)) if caller.scope.allows(wanted) => {
            asked.let_in(&caller.name, wanted);
            Ok(caller)
        }
        Ok(Some(Caller { name, scope, .. })) => {
            asked.refused("scope", &name);
            Err(Problem::forbidden(scope, wanted))
        }
        Ok(None) => {
            asked.refused("wrong_token", "");
            Err(Problem::unauthorized(wanted))
        }
        Err(error) => {
            tracing::warn!(error = %with_causes(&error), "tokens cannot be checked");
            asked.counted("ledger");
            Err(Problem::unavailable("tokens cannot be checked just now; try again"))
        }
    }
}

/// A request, as it stands in the log.
struct Asked<'a> {
    service: &'static str,
    parts: &'a Parts,
}

impl Asked<'_> {
    fn path(&self) -> String {
        self.parts.uri.path().chars().take(PATH_CHARS_MAX).flat_map(char::escape_debug).collect()
    }

    /// Who asks, as far as it is known.
    fn client(&self) -> String {
        self.parts.extensions.get::<ClientAddress>().map_or_else(String::new, |client| client.0.to_string())
    }

    fn let_in(&self, token: &str, wanted: Scope) {
        let (service, method, path, client) = (self.service, &self.parts.method, self.path(), self.client());
        let only_looks = wanted == Scope::Read && matches!(*method, Method::GET | Method::HEAD);
        if only_looks {
            tracing::debug!(token, service, %method, path, client, "let in");
        } else {
            tracing::info!(token, service, %method, path, client, "let in");
        }
    }

    fn refused(&self, reason: &'static str, token: &str) {
        self.counted(reason);
        let (service, method, path, client) = (self.service, &self.parts.method, self.path(), self.client());
        if reason == "no_token" {
            // anybody can cause any number of these; the metric counts them
            tracing::debug!(reason, service, %method, path, client, "not let in");
        } else {
            tracing::warn!(reason, token, service, %method, path, client, "not let in");
        }
    }

    fn counted(&self, reason: &'static str) {
        metrics::counter!("loa_http_refusals_total", "service" => self.service, "reason" => reason).increment(1);
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
    use std::sync::{Arc, Mutex};

    #[test]
    fn only_a_bearer_header_holds_a_token() {
        assert_eq!(bearer_token("Bearer abc"), Some("abc"));
        assert_eq!(bearer_token("bearer  abc "), Some("abc"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer_token(bad), None, "{bad:?}");
        }
    }

    #[derive(Clone)]
    struct OneToken;

    #[async_trait]
    impl TokenCheck for OneToken {
        async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable> {
            match secret {
                "away" => Err(AccessUnavailable("away".into())),
                secret => Ok((secret == "secret-of-the-reader").then(|| Caller::new("reader", Scope::Read))),
            }
        }
    }

    impl Guard for OneToken {
        fn tokens(&self) -> &dyn TokenCheck {
            self
        }

        fn service(&self) -> &'static str {
            "test"
        }
    }

    fn parts(method: Method, path: &str) -> Parts {
        axum::http::Request::builder().method(method).uri(path).body(()).unwrap().into_parts().0
    }

    #[tokio::test]
    async fn no_token_is_401_a_token_of_the_wrong_scope_403_and_a_ledger_that_is_away_503() {
        let parts = parts(Method::GET, "/");
        let ask =
            async |secret, wanted| admit(&OneToken, &parts, secret, wanted).await.map_err(|problem| problem.status);
        assert_eq!(ask(None, Scope::Read).await, Err(401));
        assert_eq!(ask(Some("wrong"), Scope::Read).await, Err(401));
        assert_eq!(ask(Some("secret-of-the-reader"), Scope::Operate).await, Err(403));
        assert_eq!(ask(Some("away"), Scope::Read).await, Err(503));
        assert_eq!(ask(Some("secret-of-the-reader"), Scope::Read).await, Ok(Caller::new("reader", Scope::Read)));
    }

    /// What was logged, line by line.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    impl tracing::Subscriber for Lines {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() <= tracing::Level::INFO
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            struct Fields(String);
            impl tracing::field::Visit for Fields {
                fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                    self.0.push_str(&format!(" {field}={value:?}"));
                }
            }
            let mut fields = Fields(event.metadata().level().to_string());
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn who_did_what_stands_in_the_log_by_the_tokens_name_and_never_by_its_secret() {
        let lines = Lines::default();
        tracing::subscriber::with_default(lines.clone(), || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            // Whether anybody wants a line is remembered from its first time, which may have been another test's. So all are
            // told once before.
            runtime.block_on(async {
                for (secret, wanted) in [
                    ("secret-of-the-reader", Scope::Read),
                    ("secret-of-the-reader", Scope::Operate),
                    ("secret-of-a-stranger", Scope::Publish),
                ] {
                    drop(admit(&OneToken, &parts(Method::POST, "/"), Some(secret), wanted).await);
                }
            });
            tracing::callsite::rebuild_interest_cache();
            lines.0.lock().unwrap().clear();
            runtime.block_on(async {
                for (method, secret, wanted) in [
                    (Method::POST, "secret-of-the-reader", Scope::Read),
                    (Method::GET, "secret-of-the-reader", Scope::Read),
                    (Method::GET, "secret-of-the-reader", Scope::Operate),
                    (Method::POST, "secret-of-a-stranger", Scope::Publish),
                ] {
                    let mut parts = parts(method, "/v1/x%0Ay");
                    parts.extensions.insert(ClientAddress("203.0.113.7".parse().unwrap()));
                    drop(admit(&OneToken, &parts, Some(secret), wanted).await);
                }
            });
        });
        let lines = lines.0.lock().unwrap();
        assert_eq!(lines.len(), 3, "who only looks is no news: {lines:?}");
        assert!(lines.iter().all(|line| !line.contains("secret") && line.contains("203.0.113.7")), "{lines:?}");
        assert!(lines[0].starts_with("INFO") && lines[0].contains("token=\"reader\"") && lines[0].contains("POST"));
        assert!(lines[1].starts_with("WARN") && lines[1].contains("token=\"reader\"") && lines[1].contains("scope"));
        assert!(lines[2].starts_with("WARN") && lines[2].contains("wrong_token"), "{lines:?}");
    }
}
