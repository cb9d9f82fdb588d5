//! The console's templates in the page shell of `loa-http`, and its style sheet.
//!
//! Knows no ledger; `router.rs` hands in what a page shows.

use crate::Site;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use loa_http::{SHELL_STYLE, Shell, Templates, page_headers};
use loa_words::{Language, Notice};
use minijinja::value::Serde;
use serde::Serialize;

/// What the pages are written in.
pub(crate) const LANGUAGE: Language = Language::Vietnamese;

/// Our own style sheet and pictures over https.
const SOURCES: &str = "style-src 'self'; img-src 'self' https:";

const TEMPLATES: [(&str, &str); 5] = [
    ("base.html", include_str!("templates/base.html")),
    ("front.html", include_str!("templates/front.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("journey.html", include_str!("templates/journey.html")),
    ("dead.html", include_str!("templates/dead.html")),
];

/// The style sheet of the console's pages: the shell's, and what they have of their own.
pub(crate) fn style() -> String {
    format!("{SHELL_STYLE}{}", include_str!("templates/loa.css"))
}

/// The templates, read once.
pub(crate) struct Pages(Templates);

impl Pages {
    /// Reads the embedded templates.
    pub(crate) fn new(site: &Site) -> Self {
        let shell = Shell { portal: site.portal_name.clone(), language: "vi".to_owned(), base: String::new() };
        // compiled in, so a mistake in one shows in every test
        Self(Templates::new(&shell, &TEMPLATES).expect("the embedded templates are well formed"))
    }

    /// Renders a page as an answer. `cache` is its `Cache-Control`.
    pub(crate) fn show<T: Serialize>(&self, name: &str, cache: &'static str, page: &T) -> Response {
        let mut response = match self.0.render(name, Serde(page)) {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(template = name, error = %error, "a page cannot be rendered");
                let notice = LANGUAGE.words().notice(Notice::Fault);
                (StatusCode::INTERNAL_SERVER_ERROR, format!("{notice}\n")).into_response()
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        page_headers(headers, SOURCES);
        response
    }
}
