//! `/v1/subscribers`: who gets what. Addresses are personal data: both need `operate`.

use super::{Api, MailboxPage, problems::ledger};
use axum::{
    Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use jiff::Timestamp;
use loa_domain::{AreaId, CategorySlug, EmailAddress, Frequency, SubscriptionState, Wish, clean_line};
use loa_http::{Guarded, Problem, TakesJson, ToOperate, rows};
use loa_store::Subscription;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = Subscribers)]
pub(super) struct Listing {
    subscribers: Vec<SubscriberShown>,
    /// For the next page's `after`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Subscriber)]
struct SubscriberShown {
    id: String,
    email: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    subscriptions: Vec<SubscriptionShown>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
pub(super) struct SubscriptionShown {
    id: String,
    /// Ids of areas; empty: all.
    areas: Vec<String>,
    /// Slugs; empty: all.
    categories: Vec<String>,
    frequency: Frequency,
    state: SubscriptionState,
    /// When it was made or last changed; it owes nothing accepted before.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl From<Subscription> for SubscriptionShown {
    /// Without the token: it belongs in one mailbox's mails.
    fn from(subscription: Subscription) -> Self {
        Self {
            id: subscription.id.into(),
            areas: subscription.wish.areas.into_iter().map(String::from).collect(),
            categories: subscription.wish.categories.into_iter().map(String::from).collect(),
            frequency: subscription.frequency,
            state: subscription.state,
            since: subscription.since,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewSubscription)]
#[serde(deny_unknown_fields)]
pub(super) struct Added {
    email: String,
    /// Ids of areas; none: all.
    #[serde(default)]
    areas: Vec<AreaId>,
    /// Slugs; none: all.
    #[serde(default)]
    categories: Vec<CategorySlug>,
    frequency: Frequency,
}

/// Mailboxes in order of address.
#[utoipa::path(
    get,
    path = "/v1/subscribers",
    operation_id = "listSubscribers",
    tag = "Subscribers",
    security(("bearer" = ["operate"])),
    params(MailboxPage),
    responses(
        Guarded,
        (status = 200, description = "One page of them.", body = Listing),
        (status = 400, description = "The query was not understood.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn list(
    State(api): State<Api>,
    _: ToOperate,
    page: Result<Query<MailboxPage>, QueryRejection>,
) -> Result<Json<Listing>, Problem> {
    let Query(page) = page?;
    let limit = rows(page.limit);
    let found = api
        .service
        .0
        .doors
        .views
        .subscribers(&clean_line(&page.after).to_ascii_lowercase(), limit)
        .await
        .map_err(ledger)?;
    let next = (found.len() == limit as usize).then(|| found.last().map(|last| last.email.key())).flatten();
    let subscribers = found
        .into_iter()
        .map(|subscriber| SubscriberShown {
            id: subscriber.id.into(),
            email: subscriber.email.into(),
            created_at: subscriber.created_at,
            subscriptions: subscriber.subscriptions.into_iter().map(SubscriptionShown::from).collect(),
        })
        .collect();
    Ok(Json(Listing { subscribers, next }))
}

/// Adds a subscription, active at once, or changes it.
#[utoipa::path(
    post,
    path = "/v1/subscribers",
    operation_id = "addSubscription",
    tag = "Subscribers",
    security(("bearer" = ["operate"])),
    request_body = Added,
    responses(
        Guarded,
        TakesJson,
        (status = 201, description = "The subscription as it is now.", body = SubscriptionShown),
        (status = 422, description = "Not what is described, not an address, or an area that is not known; `pointer` says where.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn add(
    State(api): State<Api>,
    _: ToOperate,
    added: Result<Json<Added>, JsonRejection>,
) -> Result<(StatusCode, Json<SubscriptionShown>), Problem> {
    let Json(added) = added?;
    let email = EmailAddress::parse(&added.email)
        .map_err(|error| Problem::new(422, "Not an address", error.to_string()).at("/email"))?;
    let wish = Wish { areas: added.areas.into_iter().collect(), categories: added.categories.into_iter().collect() };
    let kept = api.service.add_subscriber(email, wish, added.frequency).await?;
    Ok((StatusCode::CREATED, Json(kept.into())))
}
