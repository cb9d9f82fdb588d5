//! The addresses in mails: `/confirm/…`, `/u/…`, `/manage/…`.
//!
//! Opening one shows a page with a button. A POST acts when it says what it wants; one-click POSTs of mail providers need
//! no cookie, are not redirected, and are answered 200 whether or not the token is known, as often as they come
//! (RFC 8058 §3.2).
//!
//! Two things may stand in them. The *token* is in every digest, and digests are forwarded: it ends the subscription, for
//! ever, and does nothing else. A *key* is mailed to the mailbox alone when somebody asks for it, and works for days: it
//! confirms, takes back and changes. Whoever has only the token is offered a mail with a key, to the mailbox.

use super::{PageFault, PageResult, form::Form, page};
use crate::{
    Service,
    pages::{LANGUAGE, Link},
};
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use loa_domain::SubscriptionState;
use loa_http::ClientAddress;
use loa_mail::Token;
use loa_store::{StoreError, Subscription};
use loa_words::Notice;

/// What a link leads to.
struct Found {
    subscription: Subscription,
    link: Link,
}

type Client = Option<Extension<ClientAddress>>;

/// What confirms.
pub(super) async fn confirm(State(service): State<Service>, Path(token): Path<String>) -> PageResult {
    match service.find(&token).await? {
        Some(found) => service.confirm_page(&found).await,
        None => service.dead_link(),
    }
}

/// Confirms, or has a mail sent that does.
pub(super) async fn confirmed(
    State(service): State<Service>,
    Path(token): Path<String>,
    client: Client,
    headers: HeaderMap,
    body: Bytes,
) -> PageResult {
    let Some(found) = service.find(&token).await? else { return service.dead_link() };
    let is_active = found.subscription.state == SubscriptionState::Active;
    if is_active || Form::read(&headers, &body).one("do") != "confirm" {
        return service.confirm_page(&found).await;
    }
    let Found { subscription, link } = found;
    if !link.is_key {
        return service.write_to_owner(client.map(|Extension(client)| client), subscription).await;
    }
    let confirmed = match subscription.state {
        SubscriptionState::Active | SubscriptionState::Pending => {
            let confirmed = service.0.doors.subscriptions.confirm(&subscription.token_hash, service.now()).await?;
            confirmed.unwrap_or(subscription)
        }
        // "pressed by mistake", or a mailbox that works again
        SubscriptionState::Unsubscribed | SubscriptionState::Suspended => {
            let Subscription { email, wish, frequency, .. } = subscription;
            service.subscribe(email, wish, frequency, SubscriptionState::Active).await?
        }
    };
    tracing::info!(subscription = %confirmed.id, "subscription confirmed");
    service.confirm_page(&Found { subscription: confirmed, link }).await
}

/// What unsubscribes.
pub(super) async fn unsubscribe(State(service): State<Service>, Path(token): Path<String>) -> PageResult {
    match service.find(&token).await? {
        Some(found) => service.unsubscribe_page(&found).await,
        None => service.dead_link(),
    }
}

/// Unsubscribes: a mail provider's one click, or a person's button.
pub(super) async fn unsubscribed(
    State(service): State<Service>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> PageResult {
    let form = Form::read(&headers, &body);
    let one_click = form.is_one_click();
    if !one_click && form.one("do") != "unsubscribe" {
        return unsubscribe(State(service), Path(token)).await;
    }
    let ended = match service.find(&token).await? {
        Some(Found { subscription, link }) => {
            let ended = service.0.doors.subscriptions.unsubscribe(&subscription.token_hash, service.now()).await?;
            ended.map(|subscription| Found { subscription, link })
        }
        None => None,
    };
    if let Some(Found { subscription, .. }) = &ended {
        tracing::info!(subscription = %subscription.id, one_click, "subscription ended by its owner");
        let way = if one_click { "one_click" } else { "page" };
        metrics::counter!("loa_digest_unsubscribed_total", "way" => way).increment(1);
    }
    match ended {
        _ if one_click => {
            let said = LANGUAGE.words().notice(Notice::Unsubscribed);
            Ok((StatusCode::OK, format!("{said}\n")).into_response())
        }
        Some(found) => service.unsubscribe_page(&found).await,
        None => Ok(page(StatusCode::OK, service.0.pages.unsubscribed_unknown()?)),
    }
}

/// What changes the wish.
pub(super) async fn manage(State(service): State<Service>, Path(token): Path<String>) -> PageResult {
    match service.find(&token).await? {
        Some(found) => service.manage_page(&found, false, "", StatusCode::OK).await,
        None => service.dead_link(),
    }
}

/// Changes the wish, and makes the subscription active if it was not; or has a mail sent with the link that does.
pub(super) async fn managed(
    State(service): State<Service>,
    Path(token): Path<String>,
    client: Client,
    headers: HeaderMap,
    body: Bytes,
) -> PageResult {
    let Some(found) = service.find(&token).await? else { return service.dead_link() };
    let form = Form::read(&headers, &body);
    match (form.one("do"), found.link.is_key) {
        ("change", true) => {}
        ("send", false) => {
            return service.write_to_owner(client.map(|Extension(client)| client), found.subscription).await;
        }
        _ => return service.manage_page(&found, false, "", StatusCode::OK).await,
    }
    match service.wish_of(&form, &found.subscription.wish).await? {
        Err(fault) => {
            let fault = LANGUAGE.words().notice(fault);
            service.manage_page(&found, false, fault, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Ok(wish) => {
            let Subscription { email, frequency, .. } = found.subscription;
            let subscription = service.subscribe(email, wish, frequency, SubscriptionState::Active).await?;
            tracing::info!(subscription = %subscription.id, "subscription changed by its owner");
            service.manage_page(&Found { subscription, link: found.link }, true, "", StatusCode::OK).await
        }
    }
}

impl Service {
    async fn find(&self, text: &str) -> Result<Option<Found>, StoreError> {
        let Some(token) = Token::parse(text) else { return Ok(None) };
        let (hash, views) = (token.hash(), &self.0.doors.views);
        if let Some(subscription) = views.by_key(&hash, self.now()).await? {
            return Ok(Some(Found { subscription, link: Link { text: text.to_owned(), is_key: true } }));
        }
        let found = views.by_token(&hash).await?;
        Ok(found.map(|subscription| Found { subscription, link: Link { text: text.to_owned(), is_key: false } }))
    }

    async fn confirm_page(&self, found: &Found) -> PageResult {
        let words = self.0.renderings.words(&found.subscription.wish, &self.offered_categories().await?, &[]);
        Ok(page(StatusCode::OK, self.0.pages.confirm(&found.subscription, &found.link, &words)?))
    }

    async fn unsubscribe_page(&self, found: &Found) -> PageResult {
        let words = self.0.renderings.words(&found.subscription.wish, &self.offered_categories().await?, &[]);
        Ok(page(StatusCode::OK, self.0.pages.unsubscribe(&found.subscription, &found.link, &words)?))
    }

    async fn manage_page(
        &self,
        found: &Found,
        saved: bool,
        fault: &str,
        status: StatusCode,
    ) -> Result<Response, PageFault> {
        let choices = self.choices(&found.subscription.wish).await?;
        Ok(page(status, self.0.pages.manage(&found.subscription, &found.link, choices, saved, fault)?))
    }

    fn dead_link(&self) -> PageResult {
        let html = self.0.pages.note(Notice::DeadLink, Notice::DeadLinkHelp)?;
        Ok(page(StatusCode::NOT_FOUND, html))
    }
}
