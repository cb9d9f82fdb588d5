//! `/v1/deliveries…`.

use super::{Api, language};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, AttemptError, DeliveryId, DeliveryState, EndpointId, EventKey, EventType};
use loa_http::{Guarded, Problem, ToOperate, ToRead, rows};
use loa_store::{Attempt, DeliveryQuery, DeliveryView};
use loa_webhook::WebhookId;
use loa_words::Language;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those that stand there.
    state: Option<DeliveryState>,
    /// Only to this endpoint.
    endpoint: Option<EndpointId>,
    /// Only about this article or document.
    article: Option<ArticleKey>,
    /// How many; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryJson {
    id: DeliveryId,
    endpoint: EndpointId,
    /// What the receiver sees.
    webhook_id: String,
    event: EventKey,
    event_type: EventType,
    article: ArticleKey,
    revision: u64,
    state: DeliveryState,
    /// How many so far.
    attempts: u32,
    /// When the next attempt may begin; null: none will.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
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

#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptJson {
    /// From 1.
    number: u32,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Milliseconds.
    duration_ms: u64,
    /// The HTTP status; null: no answer.
    status: Option<u16>,
    /// Why it failed; null: delivered.
    error_class: Option<AttemptError>,
    /// What the receiver, the resolver or the system said; empty: nothing.
    words: String,
    /// Both in a sentence, in the language of `Accept-Language`: `vi` unless said, or `en`.
    detail: String,
}

impl AttemptJson {
    fn of(attempt: Attempt, language: Language) -> Self {
        let Attempt { number, started_at, duration_ms, status, error, words } = attempt;
        let detail = language.words().attempt(error, status, &words);
        Self { number, started_at, duration_ms, status, error_class: error, words: words.to_string(), detail }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Deliveries)]
pub(super) struct ListJson {
    deliveries: Vec<DeliveryJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryWithLog)]
pub(super) struct OneJson {
    #[serde(flatten)]
    delivery: DeliveryJson,
    log: Vec<AttemptJson>,
}

/// Lists deliveries, newest first.
#[utoipa::path(
    get,
    path = "/v1/deliveries",
    operation_id = "listDeliveries",
    tag = "Deliveries",
    security(("bearer" = ["read"])),
    params(Filter),
    responses(
        Guarded,
        (status = 200, description = "Those that fit.", body = ListJson),
        (status = 400, description = "The query was not understood.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn list(
    State(api): State<Api>,
    _: ToRead,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<ListJson>, Problem> {
    let Query(Filter { state, endpoint, article, limit }) = filter?;
    let query = DeliveryQuery { endpoint, state, article, limit: rows(limit) };
    let deliveries = api.service.deliveries(&query).await?.into_iter().map(DeliveryJson::from).collect();
    Ok(Json(ListJson { deliveries }))
}

/// Shows one delivery with its attempts, oldest first.
#[utoipa::path(
    get,
    path = "/v1/deliveries/{id}",
    operation_id = "delivery",
    tag = "Deliveries",
    security(("bearer" = ["read"])),
    params(("id" = DeliveryId, Path, description = "The delivery's id.")),
    responses(
        Guarded,
        (status = 200, description = "The delivery.", body = OneJson),
        (status = 400, description = "What the path names cannot be an id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No delivery has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn one(
    State(api): State<Api>,
    _: ToRead,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<OneJson>, Problem> {
    let (view, attempts) = api.service.delivery(&DeliveryId::new(id)?).await?;
    let language = language(&headers);
    let log = attempts.into_iter().map(|attempt| AttemptJson::of(attempt, language)).collect();
    Ok(Json(OneJson { delivery: view.into(), log }))
}

/// Makes a failed delivery due now, with a fresh schedule and the same outward id.
#[utoipa::path(
    post,
    path = "/v1/deliveries/{id}/redrive",
    operation_id = "redriveDelivery",
    tag = "Deliveries",
    security(("bearer" = ["operate"])),
    params(("id" = DeliveryId, Path, description = "The delivery's id.")),
    responses(
        Guarded,
        (status = 202, description = "Due."),
        (status = 400, description = "What the path names cannot be an id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No delivery has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 409, description = "It is delivered, or superseded by a newer revision.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn redrive(
    State(api): State<Api>,
    _: ToOperate,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    api.service.redrive(&DeliveryId::new(id)?).await?;
    Ok(StatusCode::ACCEPTED)
}
