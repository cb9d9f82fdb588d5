//! The addresses of the console: `/`, `/console…`, `GET /v1/articles/{id}/journey`, all of which only look; and
//! `/v1/dead-letters…` (`api.rs`).

use crate::{
    Service,
    access::{NotShown, Visitor},
    api as dead_letters,
    journey::JourneyShown,
    pages::{self, LANGUAGE},
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use loa_bus::Place;
use loa_domain::{ArticleKey, HOME, JourneyLine, PortalSlug};
use loa_http::{Guarded, Problem, ToRead, segment};
use loa_words::Language;
use serde::{Deserialize, Serialize};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The front page may be a minute old.
const PUBLIC: &str = "public, max-age=60";
/// The longest request body, in bytes: a thousand names of letters.
const BODY_MAX: usize = 128 * 1024;
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
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .with_state(self.clone())
    }

    /// The journey and the dead letters, described; pages are not. The common answers are put in by whoever puts the whole document together.
    pub fn openapi() -> OpenApi {
        api().into_openapi()
    }
}

/// What is here for machines.
fn api() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(journey)).merge(dead_letters::routes_described())
}

async fn front(State(service): State<Service>) -> Response {
    let front = service.front().await;
    service.0.pages.show("front.html", PUBLIC, &front)
}

async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, pages::style()).into_response()
}

async fn overview(State(service): State<Service>, _: Visitor) -> Result<Response, NotShown> {
    let overview = service.overview().await;
    Ok(service.0.pages.show("overview.html", PRIVATE, &overview))
}

async fn dead(State(service): State<Service>, _: Visitor, Path(queue): Path<String>) -> Result<Response, NotShown> {
    let Some(place) = Place::parse(&queue) else { return Err(not_found("no queue has this name")) };
    let page = service.dead_page(place).await;
    Ok(service.0.pages.show("dead.html", PRIVATE, &page))
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    id: String,
}

/// The search form's target: on to the article's page.
async fn find(_: Visitor, Query(search): Query<Search>) -> Result<Response, NotShown> {
    match search.id.trim().parse::<ArticleKey>() {
        Ok(id) => Ok(Redirect::to(&format!("/console/articles/{}", segment(id.as_str()))).into_response()),
        Err(_) => Ok(Redirect::to("/console").into_response()),
    }
}

#[derive(Serialize)]
struct JourneyPage {
    portal: String,
    id: String,
    steps: Vec<StepRow>,
    /// Names of ledgers that did not answer.
    unavailable: Vec<&'static str>,
}

#[derive(Serialize)]
struct StepRow {
    at: String,
    at_iso: String,
    outlet: &'static str,
    step: &'static str,
    revision: u64,
    detail: String,
}

async fn journey_page(
    State(service): State<Service>,
    _: Visitor,
    Path(id): Path<String>,
) -> Result<Response, NotShown> {
    let journey = service.journey(&article_id(&id)?).await;
    let words = LANGUAGE.words();
    let row = |line: JourneyLine| StepRow {
        at: service.0.site.calendar.date_time_seconds(line.at),
        at_iso: line.at.to_string(),
        outlet: words.outlet(line.outlet),
        step: words.step(&line.step),
        revision: line.revision,
        detail: words.told(&line.step),
    };
    let page = JourneyPage {
        portal: service.0.site.portal_name.clone(),
        id: journey.id.to_string(),
        unavailable: journey.unavailable.into_iter().map(|outlet| words.outlet(outlet)).collect(),
        steps: journey.lines.into_iter().map(row).collect(),
    };
    Ok(service.0.pages.show("journey.html", PRIVATE, &page))
}

/// Whose an article is.
#[derive(Deserialize)]
struct OfPortal {
    portal: Option<String>,
}

/// Tells what each outlet did with an article or document, oldest first.
#[utoipa::path(
    get,
    path = "/v1/articles/{id}/journey",
    operation_id = "journey",
    tag = "Articles",
    security(("bearer" = ["read"])),
    params(
        ("id" = ArticleKey, Path, description = "Its id, percent-encoded."),
        ("portal" = Option<PortalSlug>, Query, description = "Whose it is: the home portal's (`home`) unless said."),
        ("Accept-Language" = Option<String>, Header, description = "The language of `detail`: `vi` (unless said) or `en`."),
    ),
    responses(
        Guarded,
        (status = 200, description = "The journey, as far as the ledgers could be asked.", body = JourneyShown),
        (status = 404, description = "No ledger knows it.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn journey(
    State(service): State<Service>,
    _: ToRead,
    Path(id): Path<String>,
    Query(of): Query<OfPortal>,
    headers: HeaderMap,
) -> Result<Response, NotShown> {
    let key = match of.portal.as_deref() {
        None | Some(HOME) => article_id(&id)?,
        Some(portal) => article_id(&format!("{portal} {id}"))?,
    };
    let journey = service.journey(&key).await;
    if journey.lines.is_empty() && journey.unavailable.is_empty() {
        return Err(not_found("no ledger knows an article of this id"));
    }
    let language = Language::of_request(headers.get(header::ACCEPT_LANGUAGE));
    let manners = [(header::CACHE_CONTROL, PRIVATE), (header::CONTENT_LANGUAGE, language.tag())];
    Ok((manners, Json(journey.shown(language))).into_response())
}

fn article_id(text: &str) -> Result<ArticleKey, NotShown> {
    text.parse().map_err(|error: loa_domain::IdError| not_found(&error.to_string()))
}

fn not_found(detail: &str) -> NotShown {
    Problem::not_found(detail).into()
}
