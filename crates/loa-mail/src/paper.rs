//! The templates, embedded, and how text gets into them: escaped in HTML, untouched in plain text.

use loa_domain::escape_html;
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter};

const TEMPLATES: [(&str, &str); 6] = [
    ("digest.html", include_str!("../templates/digest.html")),
    ("digest_item.html", include_str!("../templates/digest_item.html")),
    ("digest.txt", include_str!("../templates/digest.txt")),
    ("digest_item.txt", include_str!("../templates/digest_item.txt")),
    ("confirm.html", include_str!("../templates/confirm.html")),
    ("confirm.txt", include_str!("../templates/confirm.txt")),
];

/// All templates. A name that a template uses and nobody gave is an error, not an empty space.
pub(crate) fn templates() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(format);
    for (name, source) in TEMPLATES {
        // compiled in, so a mistake in one shows in every test
        environment.add_template(name, source).expect("the embedded templates are well formed");
    }
    environment
}

/// As minijinja's own, but leaves `/` alone: addresses in `href` stay readable in a mail's source.
fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match (state.auto_escape(), value.as_str()) {
        (AutoEscape::Html, Some(text)) if !value.is_safe() => Ok(out.write_str(&escape_html(text))?),
        _ => escape_formatter(out, state, value),
    }
}
