//! `/v1/hub/subscriptions…`: who is subscribed at the WebSub hub. Served also where no hub runs any more, for what it left.

use super::{Api, Refused};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
};
use jiff::Timestamp;
use loa_domain::{HubSubscriptionId, Scope};
use loa_store::{HubQuery, HubSubscriptionView};
use loa_worker::{Guarded, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Subscriptions in one answer, unless asked for fewer or more.
const LIMIT: u32 = 100;
/// The most. One more is read, to see whether there are more.
const LIMIT_MAX: u32 = 999;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
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
pub(super) struct ListJson {
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
    /// What its last call came to; empty: there was none.
    last_call: String,
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
            last_call: view.detail,
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
    params(Page),
    responses(
        Guarded,
        (status = 200, description = "Those that fit.", body = ListJson),
        (status = 400, description = "The query was not understood.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<ListJson>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    let Query(Page { topic, host, after, limit }) = page?;
    let limit = limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let query = HubQuery { topic, host, after, limit: limit + 1 };
    let mut found = api.service.hub_subscriptions(&query).await?;
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
pub(super) async fn remove(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let token = api.allow(&headers, Scope::Operate).await?;
    let id = HubSubscriptionId::new(id)?;
    api.service.remove_hub_subscription(&id).await?;
    tracing::info!(%token, subscription = %id, "asked for over the API");
    Ok(StatusCode::NO_CONTENT)
}
