//! The operators' API: `/v1/endpoints…` and `/v1/deliveries…`. Reading needs a token of scope `read`, everything else
//! `operate`. Problems are RFC 9457. Secrets are answered once, where they are made, and never again.

mod deliveries;
mod endpoints;
mod problems;

use crate::Service;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, header::ACCEPT_LANGUAGE},
};
use loa_http::{Guard, TokenCheck};
use loa_words::Language;
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

impl Guard for Api {
    fn tokens(&self) -> &dyn TokenCheck {
        &*self.tokens
    }

    fn service(&self) -> &'static str {
        "push"
    }
}

impl Service {
    /// The API of this outlet, with absolute paths; to be merged into the process's router.
    pub fn router(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        api()
            .split_for_parts()
            .0
            .with_state(Api { service: self.clone(), tokens })
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
}

/// What sentences are said in.
fn language(headers: &HeaderMap) -> Language {
    Language::of_request(headers.get(ACCEPT_LANGUAGE))
}
