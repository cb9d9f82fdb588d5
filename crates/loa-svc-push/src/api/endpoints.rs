//! `/v1/endpoints…`.

use super::{Api, Refused};
use crate::{NewEndpoint, TestReport};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::IntoResponse,
};
use jiff::Timestamp;
use loa_domain::{Endpoint, EndpointId, EndpointState, EventType, Scope};
use loa_webhook::Secret;
use loa_worker::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An endpoint as the API shows it: without its secrets.
#[derive(Serialize)]
pub(super) struct EndpointJson {
    id: EndpointId,
    url: String,
    description: String,
    event_types: BTreeSet<EventType>,
    #[serde(flatten)]
    state: EndpointState,
    /// How many secrets are valid; more than one while rotating.
    secrets: usize,
    created_at: Timestamp,
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

#[derive(Serialize)]
struct AddedJson {
    #[serde(flatten)]
    endpoint: EndpointJson,
    /// Shown this once.
    secret: String,
}

#[derive(Serialize)]
pub(super) struct ListJson {
    endpoints: Vec<EndpointJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddBody {
    url: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    event_types: BTreeSet<EventType>,
    secret: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    enabled: bool,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    overlap: bool,
}

#[derive(Serialize)]
pub(super) struct SecretJson {
    secret: String,
}

#[derive(Serialize)]
pub(super) struct TestJson {
    endpoint: EndpointId,
    delivered: bool,
    status: Option<u16>,
    duration_ms: u64,
    verdict: String,
}

impl From<TestReport> for TestJson {
    fn from(report: TestReport) -> Self {
        let TestReport { endpoint, status, duration_ms, delivered, verdict } = report;
        Self { endpoint, delivered, status, duration_ms, verdict }
    }
}

type Body<T> = Result<Json<T>, JsonRejection>;

pub(super) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Json<ListJson>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    let endpoints = api.service.endpoints().await?.into_iter().map(EndpointJson::from).collect();
    Ok(Json(ListJson { endpoints }))
}

pub(super) async fn add(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body<AddBody>,
) -> Result<impl IntoResponse, Refused> {
    api.allow(&headers, Scope::Operate).await?;
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

pub(super) async fn one(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<EndpointJson>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    Ok(Json(api.service.endpoint(&EndpointId::new(id)?).await?.into()))
}

pub(super) async fn change(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: Body<ChangeBody>,
) -> Result<Json<EndpointJson>, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    let (id, Json(change)) = (EndpointId::new(id)?, body?);
    let endpoint = if change.enabled {
        api.service.enable_endpoint(&id).await?
    } else {
        api.service.disable_endpoint(&id, &change.reason).await?
    };
    Ok(Json(endpoint.into()))
}

pub(super) async fn test(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<TestJson>, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    Ok(Json(api.service.test_endpoint(&EndpointId::new(id)?).await?.into()))
}

pub(super) async fn rotate(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
    body: bytes::Bytes,
) -> Result<Json<SecretJson>, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    let overlap = if body.is_empty() {
        true
    } else {
        let fault = |error: serde_json::Error| Problem::new(422, "The body was not understood", error.to_string());
        serde_json::from_slice::<RotateBody>(&body).map_err(fault)?.overlap
    };
    let secret = api.service.rotate_secret(&EndpointId::new(id)?, overlap).await?;
    Ok(Json(SecretJson { secret: secret.reveal() }))
}

pub(super) async fn retire(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<EndpointJson>, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    Ok(Json(api.service.retire_secrets(&EndpointId::new(id)?).await?.into()))
}
