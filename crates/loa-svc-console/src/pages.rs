//! How it is shown: templates and the one style sheet, embedded.

use crate::words;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{Environment, UndefinedBehavior, value::Serde};
use serde::Serialize;

/// The style sheet of all pages of the console. Works at 360 px, follows the reader's choice of light or dark.
pub(crate) const STYLE: &str = include_str!("templates/loa.css");

/// Nothing but our own style sheet and pictures over https may be loaded, and nobody may frame us.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const TEMPLATES: [(&str, &str); 5] = [
    ("base.html", include_str!("templates/base.html")),
    ("front.html", include_str!("templates/front.html")),
    ("overview.html", include_str!("templates/overview.html")),
    ("journey.html", include_str!("templates/journey.html")),
    ("dead.html", include_str!("templates/dead.html")),
];

/// The templates, read once.
pub(crate) struct Pages(Environment<'static>);

impl Pages {
    /// Reads the embedded templates; a test renders each.
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("outlet", |word: &str| words::outlet(word).to_owned());
        environment.add_filter("step", |word: &str| words::step(word).to_owned());
        for (name, text) in TEMPLATES {
            if let Err(error) = environment.add_template(name, text) {
                // A page without its template answers 500 (below), the others go on.
                tracing::error!(template = name, error = %error, "an embedded template cannot be read");
            }
        }
        Self(environment)
    }

    /// Renders a page as an answer. `cache` is its `Cache-Control`.
    pub(crate) fn show<T: Serialize>(&self, name: &str, cache: &'static str, page: &T) -> Response {
        let rendered = self.0.get_template(name).and_then(|template| template.render(Serde(page)));
        let mut response = match rendered {
            Ok(html) => Html(html).into_response(),
            Err(error) => {
                tracing::error!(template = name, error = %error, "a page cannot be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "Trang tạm thời bị lỗi. This page is out of order.\n")
                    .into_response()
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }
}
