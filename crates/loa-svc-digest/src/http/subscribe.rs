//! `/subscribe`: the form, and what answers it.
//!
//! The answer is the same whether or not the address is known, and so is what it costs; the difference is in the mail,
//! which only the mailbox's owner reads. An address gets a few such mails a day and no more, whoever asks.

use super::{PageFault, PageResult, form::Form, page};
use crate::{
    Service, Verdict,
    pages::{Choices, LANGUAGE, Typed, may_choose},
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use jiff::{SignedDuration, civil::Date};
use loa_domain::{AreaId, Category, CategorySlug, EmailAddress, Frequency, SubscriptionState, Wish};
use loa_http::retry_later;
use loa_mail::{Confirmation, Purpose, Recipient, Token};
use loa_store::{StoreError, Subscription};
use loa_words::Notice;
use std::sync::PoisonError;

/// How long the categories seen in articles are good enough for the form.
const CATEGORIES_KEPT: SignedDuration = SignedDuration::from_secs(60);
/// Articles looked through for categories, and how far back.
const CATEGORIES_FROM: u32 = 200;
const CATEGORIES_SINCE: SignedDuration = SignedDuration::from_hours(24 * 365);
/// Mails that the form sends in a minute, to whatever addresses: a robot with a list must not make us its sender.
const ANSWERS_PER_MINUTE_MAX: u32 = 120;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The empty form: the same for everybody.
pub(super) async fn show(State(service): State<Service>) -> PageResult {
    let choices = service.choices(&Wish::default()).await?;
    let mut response = page(StatusCode::OK, service.0.pages.subscribe(choices, &Typed::default())?);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    Ok(response)
}

/// The form, filled in.
pub(super) async fn ask(State(service): State<Service>, headers: HeaderMap, body: Bytes) -> PageResult {
    let form = Form::read(&headers, &body);
    let typed = form.one("email").trim().chars().take(254).collect::<String>();
    let frequency = Frequency::parse(form.one("frequency"));
    let wish = service.wish_of(&form, &Wish::default());
    let (email, wish, frequency) = match (EmailAddress::parse(&typed), wish, frequency) {
        (Ok(email), Ok(wish), Some(frequency)) => (email, wish, frequency),
        (email, wish, frequency) => {
            let fault = match (&email, &wish) {
                (Err(_), _) => Notice::NotAnEmail,
                (_, Err(fault)) => *fault,
                _ => Notice::NoFrequency,
            };
            let fault = LANGUAGE.words().notice(fault).to_owned();
            let choices = service.choices(&wish.unwrap_or_default()).await?;
            let html = service.0.pages.subscribe(choices, &Typed { email: typed, frequency, fault })?;
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, html));
        }
    };
    // a field that people do not see: whoever fills it in gets the same page and no mail
    if form.one("website").is_empty() && !service.answer_by_mail(email, wish, frequency).await? {
        let html = service.0.pages.note(Notice::ConfirmationNotSent, Notice::MailServerBusy)?;
        return Ok(retry_later(page(StatusCode::SERVICE_UNAVAILABLE, html)));
    }
    Ok(page(StatusCode::OK, service.0.pages.answered(&typed)?))
}

impl Service {
    /// Keeps the wish, unconfirmed, and sends the mail that asks for confirmation; or, when the subscription is active,
    /// changes nothing and says so by mail. `false`: the mail server took no mail just now.
    async fn answer_by_mail(&self, email: EmailAddress, wish: Wish, frequency: Frequency) -> Result<bool, PageFault> {
        let now = self.now();
        let (since, max) = (now.saturating_sub(DAY).unwrap_or(now), self.0.config.confirmations_per_day_max);
        if !self.0.doors.subscriptions.allow_confirmation(&email, since, max, now).await? {
            metrics::counter!("loa_digest_confirmations_total", "as" => "withheld").increment(1);
            return Ok(true);
        }
        if !self.may_answer_another() {
            self.0.doors.subscriptions.release_confirmation(&email, now).await?;
            tracing::warn!("the form is used more than people use it; mails of it are withheld for a minute");
            return Ok(false);
        }
        let existing = self.existing(&email, frequency).await?;
        let (purpose, subscription) = match existing {
            // a stranger who knows an address must not be able to change what it gets
            Some(active) if active.state == SubscriptionState::Active => (Purpose::AlreadyActive, active),
            _ => (Purpose::Confirm, self.subscribe(email, wish, frequency, SubscriptionState::Pending).await?),
        };
        let sent = self.send_confirmation(purpose, &subscription).await;
        if !sent {
            // whoever tries again when the mail server is back must not be told that a mail is on its way
            self.0.doors.subscriptions.release_confirmation(&subscription.email, now).await?;
        }
        let word = if sent { "sent" } else { "failed" };
        metrics::counter!("loa_digest_confirmations_total", "as" => word).increment(1);
        Ok(sent)
    }

    /// Counts a mail of the form, unless there were too many this minute.
    fn may_answer_another(&self) -> bool {
        let minute = self.now().as_second().div_euclid(60);
        let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.0 != minute {
            *answers = (minute, 0);
        }
        answers.1 += 1;
        answers.1 <= ANSWERS_PER_MINUTE_MAX
    }

    async fn send_confirmation(&self, purpose: Purpose, subscription: &Subscription) -> bool {
        let Some(token) = Token::parse(&subscription.token) else {
            tracing::error!("a subscription's token cannot be read");
            return false;
        };
        let confirmation = Confirmation {
            purpose,
            frequency: subscription.frequency,
            wish: self.0.renderings.words(&subscription.wish, &[]),
        };
        let recipient = Recipient { email: subscription.email.clone(), subscription: subscription.id.clone(), token };
        let message = match self.0.letterhead.confirmation(&confirmation, &recipient, self.now()) {
            Ok(message) => message,
            // the address has no mailbox we could write to: as little said as when the mail server refuses it
            Err(loa_mail::ComposeError::Address { .. }) => return true,
            Err(error) => {
                tracing::error!(error = %error, "a confirmation could not be composed: a defect of ours");
                return false;
            }
        };
        let mut session = match self.0.submit.open().await {
            Ok(session) => session,
            Err(error) => {
                tracing::warn!(error = %error, "a confirmation could not be sent");
                return false;
            }
        };
        let verdict = session.submit(&message).await;
        session.close().await;
        match verdict {
            Verdict::Sent(_) | Verdict::Address(_) | Verdict::Policy(_) => true,
            // it may have gone out; asking again sends another
            Verdict::Broken { uncertain: true, .. } => true,
            Verdict::Stop(_) | Verdict::Later(_) | Verdict::Broken { uncertain: false, .. } => {
                tracing::warn!(verdict = ?std::mem::discriminant(&verdict), "the mail server did not take a confirmation");
                false
            }
        }
    }

    /// What a form wishes for; areas and categories must be among those offered, or the subscription's own.
    pub(super) fn wish_of(&self, form: &Form, own: &Wish) -> Result<Wish, Notice> {
        let mut wish = Wish::default();
        for text in form.all("area") {
            let id = AreaId::new(text).ok().filter(|id| may_choose(&self.0.directory, self.today(), id, own));
            wish.areas.insert(id.ok_or(Notice::NoSuchArea)?);
        }
        for text in form.all("category") {
            let slug = CategorySlug::new(text).map_err(|_| Notice::NoSuchCategory)?;
            wish.categories.insert(slug);
        }
        if !wish.fits() {
            return Err(Notice::TooManyChosen);
        }
        Ok(wish)
    }

    pub(super) fn today(&self) -> Date {
        self.now().to_zoned_datetime(self.0.letterhead.settings().zone.clone()).date()
    }

    pub(super) async fn choices(&self, wish: &Wish) -> Result<Choices, StoreError> {
        let categories = self.offered_categories().await?;
        Ok(Choices::new(&self.0.directory, self.today(), &categories, wish))
    }

    /// The categories of the settings, and those of recent articles behind them.
    async fn offered_categories(&self) -> Result<Vec<Category>, StoreError> {
        let now = self.now();
        if let Some((until, categories)) = &*self.0.seen_categories.lock().unwrap_or_else(PoisonError::into_inner)
            && now < *until
        {
            return Ok(categories.clone());
        }
        let since = now.saturating_sub(CATEGORIES_SINCE).unwrap_or(now);
        let recent = self.0.doors.views.preview(&Wish::default(), since, CATEGORIES_FROM).await?;
        let mut categories = self.0.config.categories.clone();
        let mut seen: Vec<Category> = recent.iter().filter_map(|item| item.content.category()).cloned().collect();
        seen.sort();
        for category in seen {
            if !categories.iter().any(|known| known.slug == category.slug) {
                categories.push(category);
            }
        }
        let until = now.saturating_add(CATEGORIES_KEPT).unwrap_or(now);
        *self.0.seen_categories.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, categories.clone()));
        Ok(categories)
    }
}
