//! Addresses: `/`, `/console…`, `GET /v1/articles/{id}/journey`. All of them only look.

use crate::{
    Service,
    access::{Refused, Way, problem},
    journey::Journey,
    pages::STYLE,
    words::date_time_seconds,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use loa_bus::Queue;
use loa_domain::ArticleId;
use loa_worker::{Guarded, Problem};
use serde::{Deserialize, Serialize};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The front page may be a minute old.
const PUBLIC: &str = "public, max-age=60";
/// What operators see is kept by nobody.
const PRIVATE: &str = "no-store";

impl Service {
    /// The console's pages and the journey, with absolute paths; to be merged into the process's router.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(front))
            .route("/console", get(overview))
            .route("/console/", get(async || Redirect::permanent("/console")))
            .route("/console/articles", get(find))
            .route("/console/articles/{id}", get(journey_page))
            .route("/console/dead/{queue}", get(dead))
            .route("/console/loa.css", get(style))
            .merge(api().split_for_parts().0)
            .with_state(self.clone())
    }

    /// The journey, described; pages are not. The common answers are put in by whoever puts the whole document together.
    pub fn openapi() -> OpenApi {
        api().into_openapi()
    }
}

/// What is here for machines.
fn api() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(journey))
}

async fn front(State(service): State<Service>) -> Response {
    let front = service.front().await;
    service.0.pages.show("front.html", PUBLIC, &front)
}

async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, STYLE).into_response()
}

async fn overview(State(service): State<Service>, headers: HeaderMap) -> Result<Response, Refused> {
    service.let_in(&headers, Way::Browser).await?;
    let overview = service.overview().await;
    Ok(service.0.pages.show("overview.html", PRIVATE, &overview))
}

async fn dead(
    State(service): State<Service>,
    Path(queue): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    service.let_in(&headers, Way::Browser).await?;
    let Some(queue) = Queue::parse(&queue) else { return Err(not_found("no queue has this name")) };
    let page = service.dead_page(queue).await;
    Ok(service.0.pages.show("dead.html", PRIVATE, &page))
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    id: String,
}

/// The search form's target: on to the article's page.
async fn find(
    State(service): State<Service>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    service.let_in(&headers, Way::Browser).await?;
    match ArticleId::new(search.id.trim()) {
        Ok(id) => Ok(Redirect::to(&format!("/console/articles/{}", segment(&id))).into_response()),
        Err(_) => Ok(Redirect::to("/console").into_response()),
    }
}

#[derive(Serialize)]
struct JourneyPage {
    portal: String,
    id: String,
    steps: Vec<StepRow>,
    unavailable: Vec<&'static str>,
}

#[derive(Serialize)]
struct StepRow {
    at: String,
    at_iso: String,
    outlet: String,
    step: String,
    revision: u64,
    detail: String,
}

async fn journey_page(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    service.let_in(&headers, Way::Browser).await?;
    let journey = service.journey(&article_id(&id)?).await;
    let row = |step: loa_domain::JourneyStep| StepRow {
        at: date_time_seconds(step.at),
        at_iso: step.at.to_string(),
        outlet: step.outlet,
        step: step.step,
        revision: step.revision,
        detail: step.detail,
    };
    let page = JourneyPage {
        portal: service.0.site.portal_name.clone(),
        id: journey.id.to_string(),
        unavailable: journey.unavailable,
        steps: journey.steps.into_iter().map(row).collect(),
    };
    Ok(service.0.pages.show("journey.html", PRIVATE, &page))
}

/// Tells what each outlet did with an article or document, oldest first.
#[utoipa::path(
    get,
    path = "/v1/articles/{id}/journey",
    operation_id = "journey",
    tag = "Articles",
    security(("bearer" = ["read"])),
    params(("id" = ArticleId, Path, description = "Its id, percent-encoded.")),
    responses(
        Guarded,
        (status = 200, description = "The journey, as far as the ledgers could be asked.", body = Journey),
        (status = 404, description = "No ledger knows it.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn journey(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    service.let_in(&headers, Way::Api).await?;
    let journey: Journey = service.journey(&article_id(&id)?).await;
    if journey.steps.is_empty() && journey.unavailable.is_empty() {
        return Err(not_found("no ledger knows an article of this id"));
    }
    Ok(([(header::CACHE_CONTROL, PRIVATE)], Json(journey)).into_response())
}

fn article_id(text: &str) -> Result<ArticleId, Refused> {
    ArticleId::new(text).map_err(|error| not_found(&error.to_string()))
}

fn not_found(detail: &str) -> Refused {
    problem(&Problem::new(StatusCode::NOT_FOUND.as_u16(), "Not found", detail)).into()
}

/// An id as one segment of an address.
fn segment(id: &ArticleId) -> String {
    let encode = |byte: u8| match byte {
        b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    id.as_str().bytes().map(encode).collect()
}
