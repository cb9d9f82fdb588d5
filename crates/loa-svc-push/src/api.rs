//! The operators' API: `/v1/endpoints…` and `/v1/deliveries…`. Reading needs a token of scope `read`, everything else
//! `operate`. Problems are RFC 9457. Secrets are answered once, where they are made, and never again.

mod deliveries;
mod endpoints;
mod refused;

use crate::Service;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, header::AUTHORIZATION},
    routing::{get, post},
};
use loa_domain::Scope;
use loa_worker::{Problem, TokenCheck, bearer_token};
use refused::Refused;
use std::sync::Arc;

/// The longest request body, in bytes.
const BODY_MAX: usize = 16 * 1024;

#[derive(Clone)]
struct Api {
    service: Service,
    tokens: Arc<dyn TokenCheck>,
}

impl Service {
    /// The API of this outlet, with absolute paths; to be merged into the process's router.
    pub fn router(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        Router::new()
            .route("/v1/endpoints", get(endpoints::list).post(endpoints::add))
            .route("/v1/endpoints/{id}", get(endpoints::one).patch(endpoints::change))
            .route("/v1/endpoints/{id}/test", post(endpoints::test))
            .route("/v1/endpoints/{id}/rotate-secret", post(endpoints::rotate))
            .route("/v1/endpoints/{id}/retire-secrets", post(endpoints::retire))
            .route("/v1/deliveries", get(deliveries::list))
            .route("/v1/deliveries/{id}", get(deliveries::one))
            .route("/v1/deliveries/{id}/redrive", post(deliveries::redrive))
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .with_state(Api { service: self.clone(), tokens })
    }
}

impl Api {
    /// The name of the token, when it allows what is asked.
    async fn allow(&self, headers: &HeaderMap, wanted: Scope) -> Result<String, Refused> {
        let secret = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer_token);
        let Some(secret) = secret else { return Err(Problem::unauthorized(wanted).into()) };
        match self.tokens.check(secret, wanted).await {
            Ok(Some(name)) => Ok(name),
            Ok(None) => Err(Problem::unauthorized(wanted).into()),
            Err(error) => {
                tracing::warn!(error = %error, "tokens cannot be checked");
                Err(Problem::new(503, "Not available just now", "tokens cannot be checked just now; try again").into())
            }
        }
    }
}
