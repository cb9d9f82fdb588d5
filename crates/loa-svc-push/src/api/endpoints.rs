//! `/v1/endpoints…`.

use super::{Api, language};
use crate::{NewEndpoint, TestReport};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::IntoResponse,
};
use jiff::Timestamp;
use loa_domain::{AttemptError, Endpoint, EndpointId, EndpointState, EventType};
use loa_http::{Guarded, Problem, TakesJson, ToOperate, ToRead};
use loa_webhook::Secret;
use loa_words::Language;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Position;
use utoipa::ToSchema;

/// An endpoint as the API shows it: without its secrets.
#[derive(Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub(super) struct EndpointJson {
    id: EndpointId,
    /// Where webhooks are posted to. A `GET` shows it without its query, which may hold a secret of the receiver's;
    /// `loa endpoints list` shows all of it.
    #[schema(format = "uri")]
    url: String,
    /// For people.
    description: String,
    /// The event types it wants; empty: all.
    event_types: BTreeSet<EventType>,
    #[serde(flatten)]
    state: EndpointState,
    /// How many secrets are valid; more than one while rotating.
    secrets: usize,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl EndpointJson {
    /// What whoever may read sees.
    fn for_readers(endpoint: Endpoint) -> Self {
        let end = endpoint.url[..Position::AfterPath].len();
        let mut shown = Self::from(endpoint);
        shown.url.truncate(end);
        shown
    }
}

impl From<Endpoint> for EndpointJson {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id,
            url: endpoint.url.into(),
            description: endpoint.description,
            event_types: endpoint.filter.event_types,
            state: endpoint.state,
            secrets: endpoint.secrets.len(),
            created_at: endpoint.created_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = AddedEndpoint)]
struct AddedJson {
    #[serde(flatten)]
    endpoint: EndpointJson,
    /// Shown this once.
    secret: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Endpoints)]
pub(super) struct ListJson {
    endpoints: Vec<EndpointJson>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewEndpoint)]
#[serde(deny_unknown_fields)]
pub(super) struct AddBody {
    /// Where webhooks are to be posted to: https, or http where configured; no private address unless allowed by name.
    #[schema(format = "uri")]
    url: String,
    /// For people.
    #[serde(default)]
    description: String,
    /// The event types it wants; none: all.
    #[serde(default)]
    event_types: BTreeSet<EventType>,
    /// A signing secret to be used (Standard Webhooks: `whsec_` and base64); none: one is made.
    secret: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = EndpointChange)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    /// Whether it gets deliveries.
    enabled: bool,
    /// Why it does not, for operators.
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SecretRotation)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    /// Whether earlier secrets stay valid, until they are retired.
    overlap: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SigningSecret)]
pub(super) struct SecretJson {
    secret: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EndpointTest)]
pub(super) struct TestJson {
    endpoint: EndpointId,
    /// Whether the receiver took it.
    delivered: bool,
    /// The HTTP status; null: no answer.
    status: Option<u16>,
    /// Milliseconds.
    duration_ms: u64,
    /// Why it was not taken; null: it was.
    error_class: Option<AttemptError>,
    /// What the receiver, the resolver or the system said; empty: nothing.
    words: String,
    /// What it means, in the language of `Accept-Language`: `vi` unless said, or `en`.
    verdict: String,
}

impl TestJson {
    fn of(report: TestReport, language: Language) -> Self {
        let verdict = report.told(language);
        let TestReport { endpoint, status, duration_ms, delivered, error, words, .. } = report;
        Self { endpoint, delivered, status, duration_ms, error_class: error, words: words.to_string(), verdict }
    }
}

type Body<T> = Result<Json<T>, JsonRejection>;

/// Lists endpoints, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/endpoints",
    operation_id = "listEndpoints",
    tag = "Endpoints",
    security(("bearer" = ["read"])),
    responses(
        Guarded,
        (status = 200, description = "All of them.", body = ListJson),
    )
)]
pub(super) async fn list(State(api): State<Api>, _: ToRead) -> Result<Json<ListJson>, Problem> {
    let endpoints = api.service.endpoints().await?.into_iter().map(EndpointJson::for_readers).collect();
    Ok(Json(ListJson { endpoints }))
}

/// Adds an endpoint. Events accepted from now on are owed to it.
#[utoipa::path(
    post,
    path = "/v1/endpoints",
    operation_id = "addEndpoint",
    tag = "Endpoints",
    security(("bearer" = ["operate"])),
    request_body = AddBody,
    responses(
        Guarded,
        TakesJson,
        (status = 201, description = "Added. The signing secret is shown this once.", body = AddedJson,
            headers(("Location" = String, description = "The endpoint."))),
        (status = 409, description = "An endpoint of this address exists.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 422, description = "Not what is described, or the address may not be called; `pointer` says where.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn add(
    State(api): State<Api>,
    _: ToOperate,
    body: Body<AddBody>,
) -> Result<impl IntoResponse, Problem> {
    let Json(AddBody { url, description, event_types, secret }) = body?;
    let secret = secret
        .map(|text| Secret::parse(&text))
        .transpose()
        .map_err(|error| Problem::new(422, "Not a signing secret", error.to_string()).at("/secret"))?;
    let added = api.service.add_endpoint(NewEndpoint { url, description, event_types, secret }).await?;
    let location = format!("/v1/endpoints/{}", added.endpoint.id);
    let body = AddedJson { endpoint: added.endpoint.into(), secret: added.secret.reveal() };
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)))
}

/// Shows one endpoint, without its secrets.
#[utoipa::path(
    get,
    path = "/v1/endpoints/{id}",
    operation_id = "endpoint",
    tag = "Endpoints",
    security(("bearer" = ["read"])),
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    responses(
        Guarded,
        (status = 200, description = "The endpoint.", body = EndpointJson),
        (status = 400, description = "What the path names cannot be an id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No endpoint has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn one(
    State(api): State<Api>,
    _: ToRead,
    Path(id): Path<String>,
) -> Result<Json<EndpointJson>, Problem> {
    Ok(Json(EndpointJson::for_readers(api.service.endpoint(&EndpointId::new(id)?).await?)))
}

/// Lets an endpoint have its deliveries again, or holds them back.
#[utoipa::path(
    patch,
    path = "/v1/endpoints/{id}",
    operation_id = "changeEndpoint",
    tag = "Endpoints",
    security(("bearer" = ["operate"])),
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    request_body = ChangeBody,
    responses(
        Guarded,
        TakesJson,
        (status = 200, description = "The endpoint as it is now.", body = EndpointJson),
        (status = 400, description = "What the path names cannot be an id, or the body is not JSON.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No endpoint has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 422, description = "Not what is described.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn change(
    State(api): State<Api>,
    _: ToOperate,
    Path(id): Path<String>,
    body: Body<ChangeBody>,
) -> Result<Json<EndpointJson>, Problem> {
    let (id, Json(change)) = (EndpointId::new(id)?, body?);
    let endpoint = if change.enabled {
        api.service.enable_endpoint(&id).await?
    } else {
        api.service.disable_endpoint(&id, &change.reason).await?
    };
    Ok(Json(endpoint.into()))
}

/// Sends a signed test webhook, at once and once, and tells the answer.
#[utoipa::path(
    post,
    path = "/v1/endpoints/{id}/test",
    operation_id = "testEndpoint",
    tag = "Endpoints",
    security(("bearer" = ["operate"])),
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    responses(
        Guarded,
        (status = 200, description = "What came of it, good or bad.", body = TestJson),
        (status = 400, description = "What the path names cannot be an id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No endpoint has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn test(
    State(api): State<Api>,
    _: ToOperate,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<TestJson>, Problem> {
    let report = api.service.test_endpoint(&EndpointId::new(id)?).await?;
    Ok(Json(TestJson::of(report, language(&headers))))
}

/// Makes a new signing secret.
///
/// While secrets overlap, webhooks are signed with each of them.
#[utoipa::path(
    post,
    path = "/v1/endpoints/{id}/rotate-secret",
    operation_id = "rotateSecret",
    tag = "Endpoints",
    security(("bearer" = ["operate"])),
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    request_body(content = Option<RotateBody>, content_type = "application/json", description = "Without a body they overlap."),
    responses(
        Guarded,
        (status = 200, description = "The new secret, shown this once.", body = SecretJson),
        (status = 400, description = "What the path names cannot be an id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No endpoint has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 413, description = "The body is larger than this operation takes.", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 422, description = "Not what is described.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn rotate(
    State(api): State<Api>,
    _: ToOperate,
    Path(id): Path<String>,
    body: bytes::Bytes,
) -> Result<Json<SecretJson>, Problem> {
    let overlap = if body.is_empty() {
        true
    } else {
        let fault = |error: serde_json::Error| Problem::new(422, "The body was not understood", error.to_string());
        serde_json::from_slice::<RotateBody>(&body).map_err(fault)?.overlap
    };
    let secret = api.service.rotate_secret(&EndpointId::new(id)?, overlap).await?;
    Ok(Json(SecretJson { secret: secret.reveal() }))
}

/// Ends a rotation: only the newest secret stays.
#[utoipa::path(
    post,
    path = "/v1/endpoints/{id}/retire-secrets",
    operation_id = "retireSecrets",
    tag = "Endpoints",
    security(("bearer" = ["operate"])),
    params(("id" = EndpointId, Path, description = "The endpoint's id.")),
    responses(
        Guarded,
        (status = 200, description = "The endpoint as it is now.", body = EndpointJson),
        (status = 400, description = "What the path names cannot be an id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No endpoint has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn retire(
    State(api): State<Api>,
    _: ToOperate,
    Path(id): Path<String>,
) -> Result<Json<EndpointJson>, Problem> {
    Ok(Json(api.service.retire_secrets(&EndpointId::new(id)?).await?.into()))
}
