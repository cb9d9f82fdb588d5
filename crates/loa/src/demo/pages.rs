//! The pages under `/demo`: mails as they look (HTML and text), webhooks with their verdicts.
//!
//! They show what the stand-ins caught. Only the demo serves them.

use super::portal::ProvincialPortal;
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use loa_testkit::smtp::Catcher;
use minijinja::{Environment, context};
use std::sync::Arc;

/// What the pages show.
#[derive(Clone)]
pub struct Caught {
    /// Mails.
    pub mailbox: Arc<Catcher>,
    /// Webhooks.
    pub portal: Arc<ProvincialPortal>,
    /// For times.
    pub zone: jiff::tz::TimeZone,
    /// The article's page in the console.
    pub journey: String,
}

/// The pages.
pub fn router(caught: Caught) -> Router {
    Router::new().route("/demo", get(index)).route("/demo/mails/{name}", get(mail)).with_state(caught)
}

async fn index(State(caught): State<Caught>) -> Response {
    let clock = |at: jiff::Timestamp| at.to_zoned_datetime(caught.zone.clone()).strftime("%H:%M:%S").to_string();
    let mails: Vec<_> = caught
        .mailbox
        .mails()
        .iter()
        .map(|mail| context! { number => mail.number, to => mail.to.join(", "), subject => mail.subject(), bytes => mail.bytes.len() })
        .collect();
    let webhooks: Vec<_> = caught
        .portal
        .seen()
        .into_iter()
        .map(|seen| {
            let pretty = serde_json::from_str::<serde_json::Value>(&seen.body)
                .and_then(|value| serde_json::to_string_pretty(&value));
            let body = pretty.unwrap_or(seen.body);
            context! { at => clock(seen.at), id => seen.id, event_type => seen.event_type, subject => seen.subject,
            revision => seen.revision, fault => seen.fault, body => body }
        })
        .collect();
    let page = Environment::new().render_named_str(
        "demo.html",
        include_str!("demo.html"),
        context! { mails => mails, webhooks => webhooks, journey => caught.journey },
    );
    match page {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "the demo's page cannot be shown");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `1.html`, `1.txt` or `1.eml`. A mail's HTML is shown as a mail program would: no scripts, nothing loaded.
async fn mail(State(caught): State<Caught>, Path(name): Path<String>) -> Response {
    let found =
        name.split_once('.').and_then(|(number, form)| Some((caught.mailbox.mail(number.parse().ok()?)?, form)));
    let Some((mail, form)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let (media_type, body) = match form {
        "html" => ("text/html; charset=utf-8", mail.html()),
        "txt" => ("text/plain; charset=utf-8", mail.text()),
        "eml" => ("text/plain; charset=utf-8", String::from_utf8_lossy(&mail.bytes).into_owned()),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let guard = "default-src 'none'; style-src 'unsafe-inline'; img-src https: http:";
    ([(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, guard)], body).into_response()
}
