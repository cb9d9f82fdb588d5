//! The operators' API: `/v1/subscribers…` and `/v1/digest-runs…`. Runs may be read with scope `read`; whatever shows a
//! person's address or changes something needs `operate`. Problems are RFC 9457.

mod problems;
mod runs;
mod subscribers;

use crate::Service;
use axum::{Router, extract::DefaultBodyLimit};
use loa_http::{Guard, TokenCheck};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A part of a list that is in order of address.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MailboxPage {
    /// The address after which the page begins.
    #[serde(default)]
    after: String,
    /// How many; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The longest request body, in bytes.
const BODY_MAX: usize = 64 * 1024;

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
        "digest"
    }
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
