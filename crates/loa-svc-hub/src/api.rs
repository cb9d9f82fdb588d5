//! `/v1/hub/subscriptions…`: who is subscribed at the WebSub hub. Served also where no hub runs any more, for what it left.
//!
//! Reading needs a token of scope `read`, ending a subscription `operate`. Problems are RFC 9457. Secrets are never shown.

use crate::{Service, requests};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use jiff::Timestamp;
use loa_domain::{HubReason, HubSubscriptionId, LastCall};
use loa_http::{Guard, Guarded, Problem, ToOperate, ToRead, TokenCheck, rows};
use loa_store::{HubQuery, HubSubscriptionView};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The longest request body, in bytes.
const BODY_MAX: usize = 16 * 1024;
/// Subscriptions in one answer, at most. One more is read, to see whether there are more.
const LIMIT_MAX: u32 = 999;

#[derive(Clone)]
pub(crate) struct Api {
    service: Service,
    tokens: Arc<dyn TokenCheck>,
}

impl Guard for Api {
    fn tokens(&self) -> &dyn TokenCheck {
        &*self.tokens
    }

    fn service(&self) -> &'static str {
        "hub"
    }
}

impl Service {
    /// `/hub`, when the configuration wants a hub, and the operators' API of the hub, with absolute paths; to be merged into
    /// the process's router.
    pub fn router(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        let operators = api().split_for_parts().0.with_state(Api { service: self.clone(), tokens });
        let hub = if self.0.config.enabled { requests::router(self) } else { Router::new() };
        operators.merge(hub).layer(DefaultBodyLimit::max(BODY_MAX))
    }

    /// What the operators' API answers, described. The common answers are put in by whoever puts the whole document together.
    pub fn openapi() -> OpenApi {
        api().into_openapi()
    }
}

/// The one list of routes.
fn api() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(remove))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SubscriptionQuery {
    /// Only of this topic: the feed's address, as it names itself.
    topic: Option<String>,
    /// Only of callbacks at this host.
    host: Option<String>,
    /// The subscription after which the page begins.
    after: Option<HubSubscriptionId>,
    /// How many; 100 unless said.
    #[param(minimum = 1, maximum = 999)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HubSubscriptions)]
pub(crate) struct ListJson {
    subscriptions: Vec<SubscriptionJson>,
    /// For the next page's `after`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<HubSubscriptionId>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HubSubscription)]
struct SubscriptionJson {
    id: HubSubscriptionId,
    /// The feed's address.
    #[schema(format = "uri")]
    topic: String,
    /// The callback's host.
    host: String,
    /// Where it is called, without its query, which is often a secret of the subscriber's.
    #[schema(format = "uri")]
    callback: String,
    /// `pending`: asked for and not verified; `active`: told of changes.
    #[schema(pattern = "^(pending|active)$")]
    state: &'static str,
    /// When its lease ends; null: it is not verified.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// Whether what it gets is signed with a secret of its own, which is never shown.
    signed: bool,
    /// Whether it is owed a change.
    owed: bool,
    /// Calls that failed in a row, for what it is owed.
    tries: u32,
    /// When it was first asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last took a change; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// What its last call came to; null: there was none.
    last_call: Option<LastCallJson>,
}

/// What a call came to.
#[derive(Serialize, ToSchema)]
#[schema(as = HubLastCall)]
struct LastCallJson {
    /// The fact.
    reason: HubReason,
    /// The status of the answer; null: none came.
    status: Option<u16>,
    /// What the other side, or a library, said; may be empty.
    words: String,
}

impl From<LastCall> for LastCallJson {
    fn from(call: LastCall) -> Self {
        Self { reason: call.reason, status: call.status, words: call.words.as_str().to_owned() }
    }
}

impl From<HubSubscriptionView> for SubscriptionJson {
    fn from(view: HubSubscriptionView) -> Self {
        let callback = view.callback.split(['?', '#']).next().unwrap_or_default().to_owned();
        Self {
            id: view.id,
            topic: view.topic,
            host: view.host,
            callback,
            state: view.state.as_str(),
            ends_at: view.ends_at,
            signed: view.signed,
            owed: view.owed,
            tries: view.tries,
            created_at: view.created_at,
            delivered_at: view.delivered_at,
            last_call: view.last_call.map(LastCallJson::from),
        }
    }
}

/// Lists subscriptions at the hub, in the order in which they were first asked for.
#[utoipa::path(
    get,
    path = "/v1/hub/subscriptions",
    operation_id = "listHubSubscriptions",
    tag = "Hub",
    security(("bearer" = ["read"])),
    params(SubscriptionQuery),
    responses(
        Guarded,
        (status = 200, description = "Those that fit.", body = ListJson),
        (status = 400, description = "The query was not understood.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn list(
    State(api): State<Api>,
    _: ToRead,
    page: Result<Query<SubscriptionQuery>, QueryRejection>,
) -> Result<Json<ListJson>, Problem> {
    let Query(SubscriptionQuery { topic, host, after, limit }) = page?;
    let limit = rows(limit).min(LIMIT_MAX);
    let query = HubQuery { topic, host, after, limit: limit + 1 };
    let mut found = api.service.subscriptions(&query).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Json(ListJson { subscriptions: found.into_iter().map(SubscriptionJson::from).collect(), next }))
}

/// Ends a subscription, whatever its lease; its subscriber is told, and may ask again.
#[utoipa::path(
    delete,
    path = "/v1/hub/subscriptions/{id}",
    operation_id = "removeHubSubscription",
    tag = "Hub",
    security(("bearer" = ["operate"])),
    params(("id" = HubSubscriptionId, Path, description = "The subscription's id.")),
    responses(
        Guarded,
        (status = 204, description = "It has ended."),
        (status = 400, description = "What the path names cannot be an id.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 404, description = "No subscription has this id.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn remove(State(api): State<Api>, _: ToOperate, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = HubSubscriptionId::new(id)?;
    api.service.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
