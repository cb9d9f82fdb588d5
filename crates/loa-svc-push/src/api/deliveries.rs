//! `/v1/deliveries…`.

use super::{Api, Refused};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
};
use jiff::Timestamp;
use loa_domain::{ArticleId, DeliveryId, DeliveryState, EndpointId, EventKey, EventType, Scope};
use loa_store::{Attempt, DeliveryQuery, DeliveryView};
use loa_webhook::WebhookId;
use serde::{Deserialize, Serialize};

/// Deliveries in one answer, unless asked for fewer or more.
const LIMIT: u32 = 100;
/// The most.
const LIMIT_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    state: Option<DeliveryState>,
    endpoint: Option<EndpointId>,
    article: Option<ArticleId>,
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct DeliveryJson {
    id: DeliveryId,
    endpoint: EndpointId,
    /// What the receiver sees.
    webhook_id: String,
    event: EventKey,
    event_type: EventType,
    article: ArticleId,
    revision: u64,
    state: DeliveryState,
    attempts: u32,
    due_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<DeliveryView> for DeliveryJson {
    fn from(view: DeliveryView) -> Self {
        Self {
            webhook_id: WebhookId::of(&view.event).to_string(),
            id: view.id,
            endpoint: view.endpoint,
            event: view.event,
            event_type: view.event_type,
            article: view.article,
            revision: view.revision,
            state: view.state,
            attempts: view.attempts,
            due_at: view.due_at,
            created_at: view.created_at,
        }
    }
}

#[derive(Serialize)]
pub(super) struct AttemptJson {
    number: u32,
    started_at: Timestamp,
    duration_ms: u64,
    status: Option<u16>,
    error_class: String,
    detail: String,
}

impl From<Attempt> for AttemptJson {
    fn from(attempt: Attempt) -> Self {
        let Attempt { number, started_at, duration_ms, status, error_class, detail } = attempt;
        Self { number, started_at, duration_ms, status, error_class, detail }
    }
}

#[derive(Serialize)]
pub(super) struct ListJson {
    deliveries: Vec<DeliveryJson>,
}

#[derive(Serialize)]
pub(super) struct OneJson {
    #[serde(flatten)]
    delivery: DeliveryJson,
    log: Vec<AttemptJson>,
}

pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<ListJson>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    let Query(Filter { state, endpoint, article, limit }) = filter?;
    let query = DeliveryQuery { endpoint, state, article, limit: limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX) };
    let deliveries = api.service.deliveries(&query).await?.into_iter().map(DeliveryJson::from).collect();
    Ok(Json(ListJson { deliveries }))
}

pub(super) async fn one(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<OneJson>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    let (view, attempts) = api.service.delivery(&DeliveryId::new(id)?).await?;
    Ok(Json(OneJson { delivery: view.into(), log: attempts.into_iter().map(AttemptJson::from).collect() }))
}

pub(super) async fn redrive(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    api.service.redrive(&DeliveryId::new(id)?).await?;
    Ok(StatusCode::ACCEPTED)
}
