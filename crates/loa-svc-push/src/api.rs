//! The operators' API: `/v1/endpoints…`, `/v1/deliveries…` and `/v1/hub/…`. Reading needs a token of scope `read`, everything else
//! `operate`. Problems are RFC 9457. Secrets are answered once, where they are made, and never again.

mod deliveries;
mod endpoints;
mod hub;
mod refused;

use crate::Service;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, header::AUTHORIZATION},
};
use loa_domain::Scope;
use loa_worker::{TokenCheck, admit, bearer_token};
use refused::Refused;
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest request body, in bytes.
const BODY_MAX: usize = 16 * 1024;

#[derive(Clone)]
struct Api {
    service: Service,
    tokens: Arc<dyn TokenCheck>,
}

impl Service {
    /// The API of this outlet and the hub, with absolute paths; to be merged into the process's router.
    pub fn router(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        api()
            .split_for_parts()
            .0
            .with_state(Api { service: self.clone(), tokens })
            .merge(crate::hub::router(self.0.hub.as_ref()))
            .layer(DefaultBodyLimit::max(BODY_MAX))
    }

    /// What [`Self::router`] answers, described. The common answers are put in by whoever puts the whole document together.
    pub fn openapi() -> OpenApi {
        api().into_openapi()
    }
}

/// The one list of routes.
fn api() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(endpoints::list, endpoints::add))
        .routes(routes!(endpoints::one, endpoints::change))
        .routes(routes!(endpoints::test))
        .routes(routes!(endpoints::rotate))
        .routes(routes!(endpoints::retire))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::one))
        .routes(routes!(deliveries::redrive))
        .routes(routes!(hub::list))
        .routes(routes!(hub::remove))
}

impl Api {
    /// The name of the token, when it allows what is asked.
    async fn allow(&self, headers: &HeaderMap, wanted: Scope) -> Result<String, Refused> {
        let secret = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer_token);
        Ok(admit(&*self.tokens, secret, wanted).await?)
    }
}
