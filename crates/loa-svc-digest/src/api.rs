//! The operators' API: `/v1/subscribers…` and `/v1/digest-runs…`. Runs may be read with scope `read`; whatever shows a
//! person's address or changes something needs `operate`. Problems are RFC 9457.

mod refused;
mod runs;
mod subscribers;

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
const BODY_MAX: usize = 64 * 1024;
/// Rows answered unless the query says otherwise, and at most.
const ROWS: u32 = 100;
const ROWS_MAX: u32 = 1_000;

#[derive(Clone)]
struct Api {
    service: Service,
    tokens: Arc<dyn TokenCheck>,
}

impl Service {
    pub(crate) fn api(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        routes_described()
            .split_for_parts()
            .0
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .with_state(Api { service: self.clone(), tokens })
    }

    /// The operators' API, described; pages are not. The common answers are put in by whoever puts the whole document
    /// together.
    pub fn openapi() -> OpenApi {
        routes_described().into_openapi()
    }
}

/// The one list of the API's routes.
fn routes_described() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(subscribers::list, subscribers::add))
        .routes(routes!(runs::list, runs::open))
        .routes(routes!(runs::one))
        .routes(routes!(runs::mails))
        .routes(routes!(runs::resume))
}

impl Api {
    /// Lets the request through when its token allows what it asks.
    async fn allow(&self, headers: &HeaderMap, wanted: Scope) -> Result<(), Refused> {
        let secret = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer_token);
        let name = admit(&*self.tokens, secret, wanted).await?;
        tracing::debug!(token = %name, "let in");
        Ok(())
    }
}
