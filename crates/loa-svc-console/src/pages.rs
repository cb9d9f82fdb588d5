//! How it is shown: templates and the one style sheet, embedded.

use crate::words;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{AutoEscape, Environment, Output, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
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
        environment.set_formatter(|out, state, value| {
            let text = value.to_string();
            match state.auto_escape() {
                _ if value.is_none() => Ok(()),
                AutoEscape::Html if !value.is_safe() => escape(out, &text),
                _ => Ok(out.write_str(&text)?),
            }
        });
        environment.add_filter("outlet", |word: &str| words::outlet(word).to_owned());
        environment.add_filter("step", |word: &str| words::step(word).to_owned());
        match SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            Ok(syntax) => environment.set_syntax(syntax),
            Err(error) => tracing::error!(error = %error, "pages keep the empty lines of their templates"),
        }
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

/// Escapes text for HTML, in elements and in quoted attributes. minijinja's own does `/` as well, which makes addresses and
/// dates hard to read in the source of a page.
fn escape(out: &mut Output<'_>, text: &str) -> Result<(), minijinja::Error> {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.write_str(&rest[..at])?;
        out.write_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = &rest[at + 1..];
    }
    Ok(out.write_str(rest)?)
}
