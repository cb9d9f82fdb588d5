//! The producers' API: `POST /v1/articles`, `DELETE /v1/articles/{id}`, `GET /v1/articles/{id}`,
//! `POST /v1/articles/{id}/renumber`.
//!
//! 202 means that the submission is on disk and the relay will send it on. A repeat answers 200
//! with the revision it was first given. Publishing and withdrawing need a token of scope
//! `publish`, reading one of scope `read`, renumbering one of scope `operate`. Problems are RFC 9457.

use crate::{
    RawContent, Renumbered, Service, SubmissionAnswer,
    api_state::Api,
    describe::{Reason, Submitted},
    in_turn::InTurn,
    portals::{self, asked_for, named},
    problems::{of_error, of_refusal},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use loa_domain::{ArticleId, ArticleKey, PortalSlug};
use loa_event::{limits::EVENT_BYTES_MAX, strict_json};
use loa_http::{Guarded, Problem, ToOperate, ToPublish, ToRead, TokenCheck, segment};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::{ToSchema, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest body of a withdrawal, in bytes: a reason in JSON.
const REASON_BODY_MAX: usize = 64 * 1024;

impl Service {
    /// The API of intake, with absolute paths; to be merged into the process's router.
    pub fn router(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        api()
            .split_for_parts()
            .0
            .layer(DefaultBodyLimit::max(EVENT_BYTES_MAX))
            .with_state(Api { service: self.clone(), tokens })
    }

    /// What [`Self::router`] answers, described. The schemas `Article` and `Document` and the common answers are put in
    /// by whoever puts the whole document together.
    pub fn openapi() -> OpenApi {
        api().into_openapi()
    }
}

/// The one list of routes.
fn api() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(publish))
        .routes(routes!(current, withdraw))
        .routes(routes!(renumber))
        .routes(routes!(portals::list, portals::add))
        .routes(routes!(portals::show))
        .routes(routes!(portals::retire))
}

/// What was taken in, as it is answered.
#[derive(Serialize, ToSchema)]
struct Taken {
    #[serde(flatten)]
    answered: SubmissionAnswer,
    /// Where the article's journey is told.
    journey: String,
}

/// What stands of an article or document.
#[derive(Serialize, ToSchema)]
struct ArticleState {
    id: ArticleId,
    /// Whose it is; absent: the home portal's.
    #[serde(skip_serializing_if = "Option::is_none")]
    portal: Option<PortalSlug>,
    /// The revision it is now.
    revision: u64,
    /// Whether it is withdrawn.
    withdrawn: bool,
    /// The portal's URI.
    source: String,
    /// The id of the event that says so.
    event_id: String,
    /// The category's slug.
    category: String,
    /// Where its journey is told.
    journey: String,
}

/// Publishes an article or document, or its next state.
///
/// The body is an article, or `{ "article": … }`, or `{ "document": … }`. Idempotent: the same content again is no
/// change, and answers with the revision it was first given.
#[utoipa::path(
    post,
    path = "/v1/articles",
    operation_id = "publish",
    tag = "Articles",
    security(("bearer" = ["publish"])),
    params(("portal" = Option<PortalSlug>, Query, description = "For which portal: the token's only one unless said, else the home portal (`home`).")),
    request_body(content = Submitted, description = "At most 1,048,576 bytes; no name twice in one object."),
    responses(
        Guarded,
        (status = 202, description = "On disk, and soon with every outlet.", body = Taken,
            headers(("Location" = String, description = "Where the article's journey is told."))),
        (status = 200, description = "No change: it was so before.", body = Taken,
            headers(("Location" = String, description = "Where the article's journey is told."))),
        (status = 400, description = "The body is not JSON, has a name twice in one object, or is nested too deeply; `detail` names the place.",
            body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "There is no such portal.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 409, description = "`revision` is not newer than the one that stands, or the portal was retired.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 413, description = "Larger than an event may be: send pictures and files as addresses.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 415, description = "The content type is another than JSON. None at all is taken for JSON.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 422, description = "The content is outside the contract; `pointer` says where.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 429, description = "The portal sends more in a second than is taken (`intake.submissions_per_second`), and as many wait as may.",
            body = Problem, content_type = Problem::MEDIA_TYPE,
            headers(("Retry-After" = u32, description = "In seconds: send it again then."))),
    )
)]
async fn publish(
    State(api): State<Api>,
    InTurn(portal): InTurn,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = read(&headers, body)?;
    let (content, wrapper) = RawContent::from_json(&body).map_err(|refusal| of_refusal(&refusal, ""))?;
    let answered = api.service.publish_for(Some(&portal), content).await.map_err(|error| of_error(&error, wrapper))?;
    Ok(answer(answered))
}

/// Withdraws an article or document.
///
/// The reason is in the body, `{ "reason": "…" }`, or in the query, `?reason=…`; it may be left out. Idempotent: what is
/// withdrawn stays as it was withdrawn first.
#[utoipa::path(
    delete,
    path = "/v1/articles/{id}",
    operation_id = "withdraw",
    tag = "Articles",
    security(("bearer" = ["publish"])),
    params(
        ("id" = ArticleId, Path, description = "Its id, percent-encoded."),
        ("portal" = Option<PortalSlug>, Query, description = "Whose it is: the token's only portal unless said, else the home portal (`home`)."),
        ("reason" = Option<String>, Query, description = "Why, for readers: one line. Not read when there is a body."),
    ),
    request_body(content = Option<Reason>, description = "At most 65,536 bytes."),
    responses(
        Guarded,
        (status = 202, description = "On disk, and soon with every outlet.", body = Taken,
            headers(("Location" = String, description = "Where the article's journey is told."))),
        (status = 200, description = "No change: it was withdrawn before.", body = Taken,
            headers(("Location" = String, description = "Where the article's journey is told."))),
        (status = 400, description = "The body is not JSON, or has a name twice in one object.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "Nothing of this id was ever published here.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 413, description = "Larger than a reason may be.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 422, description = "The reason is not text, or is too long; `pointer` says where.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn withdraw(
    State(api): State<Api>,
    ToPublish(caller): ToPublish,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| {
        Problem::new(rejection.status().as_u16(), "The body cannot be read", rejection.body_text())
    })?;
    let portal = asked_for(&caller, named(query.as_deref()).as_deref())?;
    let key = key_of(&api, &id, Some(portal)).await?;
    let reason = reason(query.as_deref(), &body)?;
    let answered = api.service.withdraw(key.as_str(), &reason).await.map_err(|error| of_error(&error, ""))?;
    Ok(answer(answered))
}

/// Tells what stands of an article or document that came in here.
#[utoipa::path(
    get,
    path = "/v1/articles/{id}",
    operation_id = "current",
    tag = "Articles",
    security(("bearer" = ["read"])),
    params(
        ("id" = ArticleId, Path, description = "Its id, percent-encoded."),
        ("portal" = Option<PortalSlug>, Query, description = "Whose it is: the home portal's (`home`) unless said."),
    ),
    responses(
        Guarded,
        (status = 200, description = "What stands.", body = ArticleState),
        (status = 404, description = "Nothing of this id was ever published here.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn current(
    State(api): State<Api>,
    _: ToRead,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ArticleState>, Problem> {
    let unknown = || Problem::not_found("nothing of this id was ever published here");
    let id = ArticleId::new(&*id).map_err(|_| unknown())?;
    let key = key_of(&api, id.as_str(), portal_named(query.as_deref())?).await?;
    let current = api.service.current(&key).await.map_err(|error| of_error(&error.into(), ""))?;
    let current = current.ok_or_else(unknown)?;
    Ok(Json(ArticleState {
        revision: current.revision,
        withdrawn: current.withdrawn,
        source: current.event.source,
        event_id: current.event.id,
        category: current.category,
        journey: journey(&key),
        portal: key.portal(),
        id,
    }))
}

/// Lets a producer's revisions of an article begin at 1 again.
///
/// For an article that a slip has left behind: one revision far too high, and its producer's own numbers are refused ever
/// after. They are counted on from what stands; nobody who follows the article notices. Idempotent as
/// long as nothing else is published.
#[utoipa::path(
    post,
    path = "/v1/articles/{id}/renumber",
    operation_id = "renumber",
    tag = "Articles",
    security(("bearer" = ["operate"])),
    params(
        ("id" = ArticleId, Path, description = "Its id, percent-encoded."),
        ("portal" = Option<PortalSlug>, Query, description = "Whose it is: the home portal's (`home`) unless said."),
    ),
    responses(
        Guarded,
        (status = 200, description = "The next revision 1 is newer than what stands.", body = Renumbered),
        (status = 404, description = "Nothing of this id was ever published here.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 409, description = "The highest revision there is stands.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn renumber(
    State(api): State<Api>,
    _: ToOperate,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Renumbered>, Problem> {
    let key = key_of(&api, &id, portal_named(query.as_deref())?).await?;
    api.service.renumber(key.as_str()).await.map(Json).map_err(|error| of_error(&error, ""))
}

/// The body, when it says that it is JSON or says nothing.
fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !(media_type.is_empty() || media_type == "application/json" || media_type.ends_with("+json")) {
        return Err(Problem::new(
            415,
            "JSON is needed",
            "the content type is another; send the article as application/json",
        ));
    }
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            413,
            "Too large",
            format!("an article has at most {EVENT_BYTES_MAX} bytes; send pictures and files as addresses"),
        ),
        status => Problem::new(status.as_u16(), "The body cannot be read", rejection.body_text()),
    })
}

fn reason(query: Option<&str>, body: &[u8]) -> Result<String, Problem> {
    if body.len() > REASON_BODY_MAX {
        return Err(Problem::new(413, "Too large", format!("a reason has at most {REASON_BODY_MAX} bytes")));
    }
    if !body.trim_ascii().is_empty() {
        let value = strict_json(body).map_err(|refusal| of_refusal(&refusal, ""))?;
        let reason = value.get("reason").filter(|reason| !reason.is_null());
        return match reason {
            None => Ok(String::new()),
            Some(Value::String(reason)) => Ok(reason.clone()),
            Some(_) => Err(Problem::new(422, "The content is not accepted", "`reason` must be text").at("/reason")),
        };
    }
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    Ok(pairs.into_iter().find(|(name, _)| name == "reason").map(|(_, reason)| reason.into_owned()).unwrap_or_default())
}

fn answer(answered: SubmissionAnswer) -> Response {
    let status = if answered.unchanged { StatusCode::OK } else { StatusCode::ACCEPTED };
    let journey = journey(&answered.key());
    (status, [(header::LOCATION, journey.clone())], Json(Taken { answered, journey })).into_response()
}

/// The address of an article's journey. An id may hold `/` and letters of any script.
fn journey(key: &ArticleKey) -> String {
    let of = key.portal_text().map(|portal| format!("?portal={portal}")).unwrap_or_default();
    format!("/v1/articles/{}/journey{of}", segment(key.id()))
}

fn portal_named(query: Option<&str>) -> Result<Option<PortalSlug>, Problem> {
    let read = |slug: String| PortalSlug::new(slug).map_err(|error| Problem::not_found(error.to_string()));
    named(query).map(read).transpose()
}

/// The key of an id at a portal that is known. `None`: the home portal.
async fn key_of(api: &Api, id: &str, portal: Option<PortalSlug>) -> Result<ArticleKey, Problem> {
    let portal = api.service.portal(portal.as_ref()).await.map_err(|error| of_error(&error, ""))?;
    let id = ArticleId::new(id).map_err(|error| Problem::not_found(error.to_string()))?;
    Ok(ArticleKey::new(portal.key_slug(), &id))
}
