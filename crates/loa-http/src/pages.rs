//! The page shell: what the pages of all services have in common.
//!
//! One template environment, set up here: strict about names, HTML escaped once, the same frame
//! (`shell.html`) and the same style (`shell.css`) around what a service shows. One set of headers that
//! keeps a page from doing more than showing itself. What a page says stands in the services' templates.

use axum::http::{HeaderMap, HeaderValue, header};
use loa_domain::escape_html;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, syntax::SyntaxConfig};

/// The style that all pages share, light and dark, from 320 px up.
pub const SHELL_STYLE: &str = include_str!("templates/shell.css");

/// What the frame of a page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// The portal's name.
    pub portal: String,
    /// BCP 47.
    pub language: String,
    /// What stands before our paths, without a `/` at the end: empty, unless we live below one.
    pub base: String,
}

/// The templates of one service, read once. Each of its pages extends `shell.html`, whose blocks are
/// `title`, `head`, `own_style`, `nav`, `main`, `footer` and `script`; `portal`, `language` and `base`
/// are known to all of them.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// Reads a service's templates beside the shell.
    ///
    /// # Errors
    /// When one of them cannot be read: a defect of ours.
    pub fn new(shell: &Shell, own: &[(&'static str, &'static str)]) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Ok(());
            }
            let text = value.to_string();
            let raw = value.is_safe() || !matches!(state.auto_escape(), AutoEscape::Html);
            // unlike minijinja's own, leaves `/` alone: readers that look for feeds do not all decode addresses
            Ok(out.write_str(&if raw { text } else { shown(&text) })?)
        });
        environment.add_global("portal", shell.portal.as_str());
        environment.add_global("language", shell.language.as_str());
        environment.add_global("base", shell.base.as_str());
        environment.add_global("shell_style", Value::from_safe_string(SHELL_STYLE.to_owned()));
        environment.add_template("shell.html", include_str!("templates/shell.html"))?;
        for (name, text) in own {
            environment.add_template(name, text)?;
        }
        Ok(Self(environment))
    }

    /// Fills a template.
    ///
    /// # Errors
    /// When the template uses what the page does not have: a defect of ours.
    pub fn render<P: Into<Value>>(&self, name: &str, page: P) -> Result<String, Error> {
        self.0.get_template(name)?.render(page)
    }
}

/// Puts on the headers that every page has: it loads what `sources` names (directives of a
/// Content-Security-Policy, like `style-src 'unsafe-inline'`) and nothing else, is framed by nobody, is
/// no other type than it says, and tells other sites nothing of where they were linked from.
pub fn page_headers(headers: &mut HeaderMap, sources: &str) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let policy = format!("default-src 'none'; {sources}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    // directives of ours: always a header value
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Text as a page shows it: control characters have no place in one.
fn shown(text: &str) -> String {
    let is_stray = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(is_stray) { escape_html(&text.replace(is_stray, "\u{fffd}")) } else { escape_html(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn templates(page: &'static str) -> Templates {
        let shell = Shell { portal: "Cổng <A>".into(), language: "vi".into(), base: "/loa".into() };
        Templates::new(&shell, &[("page.html", page)]).unwrap()
    }

    #[test]
    fn a_page_stands_in_the_shell_and_text_is_escaped_once() {
        let page = "{% extends \"shell.html\" %}{% block title %}{{ title }}{% endblock %}\
            {% block main %}<a href=\"{{ to }}\">x</a>{% endblock %}";
        let html = templates(page).render("page.html", context! { title => "a\u{8}&<b>", to => "/a?b='c'&d" }).unwrap();
        for expected in [
            "<html lang=\"vi\">",
            "<title>a\u{fffd}&amp;&lt;b&gt; – Cổng &lt;A&gt;</title>",
            "<a href=\"/a?b=&#39;c&#39;&amp;d\">x</a>",
            "href=\"/loa/feeds\"",
            ":root {",
        ] {
            assert!(html.contains(expected), "{expected}: {html}");
        }
    }

    #[test]
    fn a_name_that_nobody_gave_is_an_error_and_not_an_empty_space() {
        assert!(templates("{{ nobody }}").render("page.html", context! {}).is_err());
    }

    #[test]
    fn a_page_may_load_what_it_names_and_nothing_else() {
        let mut headers = HeaderMap::new();
        page_headers(&mut headers, "style-src 'self'");
        assert_eq!(
            headers[header::CONTENT_SECURITY_POLICY],
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
    }
}
