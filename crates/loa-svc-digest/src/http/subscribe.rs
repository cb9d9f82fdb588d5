//! `/subscribe`: the form, and what answers it.
//!
//! Only what is offered can be wished for, and what was typed is shown to nobody but whoever typed it into
//! our own form. The difference between mailboxes is in the mail, which only its owner reads (`form_mails.rs`).

use super::{PageResult, form::Form, form_mails::Asked, page};
use crate::{
    Service,
    pages::{Choices, LANGUAGE, Typed, may_choose},
};
use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use jiff::{SignedDuration, civil::Date};
use loa_domain::{AreaId, Category, CategorySlug, EmailAddress, Frequency, Wish};
use loa_http::{ClientAddress, from_own_page};
use loa_store::StoreError;
use loa_words::Notice;
use std::sync::PoisonError;

/// How long the categories seen in articles are good enough for the form.
const CATEGORIES_KEPT: SignedDuration = SignedDuration::from_secs(60);
/// Articles looked through for categories, and how far back.
const CATEGORIES_FROM: u32 = 200;
const CATEGORIES_SINCE: SignedDuration = SignedDuration::from_hours(24 * 365);

/// The empty form: the same for everybody.
pub(super) async fn show(State(service): State<Service>) -> PageResult {
    let choices = service.choices(&Wish::default()).await?;
    let mut response = page(StatusCode::OK, service.0.pages.subscribe(choices, &Typed::default())?);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    Ok(response)
}

/// The form, filled in.
pub(super) async fn ask(
    State(service): State<Service>,
    client: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    body: Bytes,
) -> PageResult {
    let form = Form::read(&headers, &body);
    let typed = form.one("email").trim().chars().take(254).collect::<String>();
    let frequency = Frequency::parse(form.one("frequency"));
    let wish = service.wish_of(&form, &Wish::default()).await?;
    let is_ours = from_own_page(&headers);
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
            let email = if is_ours { typed } else { String::new() };
            let html = service.0.pages.subscribe(choices, &Typed { email, frequency, fault })?;
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, html));
        }
    };
    let answered = || Ok(page(StatusCode::OK, service.0.pages.answered(is_ours.then_some(typed.as_str()))?));
    // a field that people do not see: whoever fills it in gets the same page and no mail
    if !form.one("website").is_empty() {
        return answered();
    }
    let client = client.map(|Extension(client)| client);
    service.answer_by_mail(client, Asked { email, wish, frequency }, answered).await
}

impl Service {
    /// What a form wishes for; areas and categories must be among those offered, or the subscription's own.
    pub(super) async fn wish_of(&self, form: &Form, own: &Wish) -> Result<Result<Wish, Notice>, StoreError> {
        let offered = self.offered_categories().await?;
        Ok(self.wish_among(form, own, &offered))
    }

    fn wish_among(&self, form: &Form, own: &Wish, offered: &[Category]) -> Result<Wish, Notice> {
        let mut wish = Wish::default();
        for text in form.all("area") {
            let id = AreaId::new(text).ok().filter(|id| may_choose(&self.0.directory, self.today(), id, own));
            wish.areas.insert(id.ok_or(Notice::NoSuchArea)?);
        }
        for text in form.all("category") {
            let is_offered = |slug: &CategorySlug| {
                own.categories.contains(slug) || offered.iter().any(|category| category.slug == *slug)
            };
            let slug = CategorySlug::new(text).ok().filter(is_offered);
            wish.categories.insert(slug.ok_or(Notice::NoSuchCategory)?);
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
    pub(super) async fn offered_categories(&self) -> Result<Vec<Category>, StoreError> {
        let now = self.now();
        if let Some((until, categories)) = &*self.0.seen_categories.lock().unwrap_or_else(PoisonError::into_inner)
            && now < *until
        {
            return Ok(categories.clone());
        }
        let since = now.saturating_sub(CATEGORIES_SINCE).unwrap_or(now);
        let recent = self.0.doors.views.preview(&Wish::default(), since, CATEGORIES_FROM).await?;
        let mut categories = self.0.config.categories.clone();
        let mut seen: Vec<(&Category, bool)> = recent
            .iter()
            .filter_map(|item| Some((item.content.category()?, item.article.portal_text().is_some())))
            .collect();
        // what the home portal calls it, else what the newest article does
        seen.sort_by(|(one, is_others), (other, are_others)| (&one.slug, is_others).cmp(&(&other.slug, are_others)));
        for (category, _) in seen {
            if !categories.iter().any(|known| known.slug == category.slug) {
                categories.push(category.clone());
            }
        }
        let until = now.saturating_add(CATEGORIES_KEPT).unwrap_or(now);
        *self.0.seen_categories.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, categories.clone()));
        Ok(categories)
    }
}
