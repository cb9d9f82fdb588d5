//! The addresses in mails: `/confirm/TOKEN`, `/u/TOKEN`, `/manage/TOKEN`.
//!
//! Opening one shows a page with a button. A POST acts when it says what it wants; one-click POSTs of mail providers need
//! no cookie, are not redirected, and are answered 200 whether or not the token is known, as often as they come
//! (RFC 8058 §3.2). Whoever holds the token is the mailbox's owner: it stands nowhere but in its mails.

use super::{PageFault, PageResult, form::Form, page};
use crate::{Service, pages::LANGUAGE};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use loa_domain::SubscriptionState;
use loa_mail::Token;
use loa_store::{StoreError, Subscription};
use loa_words::Notice;

/// What confirms.
pub(super) async fn confirm(State(service): State<Service>, Path(token): Path<String>) -> PageResult {
    match service.of_token(&token).await? {
        Some(subscription) => service.confirm_page(&subscription),
        None => service.dead_link(),
    }
}

/// Confirms.
pub(super) async fn confirmed(
    State(service): State<Service>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> PageResult {
    let Some(subscription) = service.of_token(&token).await? else { return service.dead_link() };
    if Form::read(&headers, &body).one("do") != "confirm" {
        return service.confirm_page(&subscription);
    }
    let confirmed = match subscription.state {
        SubscriptionState::Active => subscription,
        SubscriptionState::Pending => {
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
    service.confirm_page(&confirmed)
}

/// What unsubscribes.
pub(super) async fn unsubscribe(State(service): State<Service>, Path(token): Path<String>) -> PageResult {
    match service.of_token(&token).await? {
        Some(subscription) => service.unsubscribe_page(&subscription),
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
    let ended = match Token::parse(&token) {
        Some(token) => service.0.doors.subscriptions.unsubscribe(&token.hash(), service.now()).await?,
        None => None,
    };
    if let Some(ended) = &ended {
        tracing::info!(subscription = %ended.id, one_click, "subscription ended by its owner");
        let way = if one_click { "one_click" } else { "page" };
        metrics::counter!("loa_digest_unsubscribed_total", "way" => way).increment(1);
    }
    match ended {
        _ if one_click => {
            let said = LANGUAGE.words().notice(Notice::Unsubscribed);
            Ok((StatusCode::OK, format!("{said}\n")).into_response())
        }
        Some(subscription) => service.unsubscribe_page(&subscription),
        None => Ok(page(StatusCode::OK, service.0.pages.unsubscribed_unknown()?)),
    }
}

/// What changes the wish.
pub(super) async fn manage(State(service): State<Service>, Path(token): Path<String>) -> PageResult {
    match service.of_token(&token).await? {
        Some(subscription) => service.manage_page(&subscription, false, "", StatusCode::OK).await,
        None => service.dead_link(),
    }
}

/// Changes the wish, and makes the subscription active if it was not.
pub(super) async fn managed(
    State(service): State<Service>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> PageResult {
    let Some(subscription) = service.of_token(&token).await? else { return service.dead_link() };
    let form = Form::read(&headers, &body);
    if form.one("do") != "change" {
        return service.manage_page(&subscription, false, "", StatusCode::OK).await;
    }
    match service.wish_of(&form, &subscription.wish) {
        Err(fault) => {
            let fault = LANGUAGE.words().notice(fault);
            service.manage_page(&subscription, false, fault, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Ok(wish) => {
            let Subscription { email, frequency, .. } = subscription;
            let changed = service.subscribe(email, wish, frequency, SubscriptionState::Active).await?;
            tracing::info!(subscription = %changed.id, "subscription changed by its owner");
            service.manage_page(&changed, true, "", StatusCode::OK).await
        }
    }
}

impl Service {
    async fn of_token(&self, token: &str) -> Result<Option<Subscription>, StoreError> {
        match Token::parse(token) {
            Some(token) => self.0.doors.views.by_token(&token.hash()).await,
            None => Ok(None),
        }
    }

    fn confirm_page(&self, subscription: &Subscription) -> PageResult {
        let words = self.0.renderings.words(&subscription.wish, &[]);
        Ok(page(StatusCode::OK, self.0.pages.confirm(subscription, &words)?))
    }

    fn unsubscribe_page(&self, subscription: &Subscription) -> PageResult {
        let words = self.0.renderings.words(&subscription.wish, &[]);
        Ok(page(StatusCode::OK, self.0.pages.unsubscribe(subscription, &words)?))
    }

    async fn manage_page(
        &self,
        subscription: &Subscription,
        saved: bool,
        fault: &str,
        status: StatusCode,
    ) -> Result<Response, PageFault> {
        let choices = self.choices(&subscription.wish).await?;
        Ok(page(status, self.0.pages.manage(subscription, choices, saved, fault)?))
    }

    fn dead_link(&self) -> PageResult {
        let html = self.0.pages.note(Notice::DeadLink, Notice::DeadLinkHelp)?;
        Ok(page(StatusCode::NOT_FOUND, html))
    }
}
