//! Whether a body holds anything that must be made legible: by its text alone, so that the others cost no tree.

use crate::html::work::Work;

/// Beginnings of elements that need this pass.
const ELEMENTS: [&str; 31] = [
    "iframe", "video", "audio", "object", "embed", "applet", "bgsound", "oembed", "noscript", "svg", "math", "canvas",
    "input", "textarea", "select", "button", "xml", "w:", "m:", "x:excel", "o:office", "o:shape", "picture", "amp-",
    "lite-", "script", "template", "title", "area", "isindex", "source",
];
/// Attributes that need it, in whatever element; a style may hide something.
const ATTRIBUTES: [&str; 5] = ["srcset", "data-", "lazy", "hidden", "style"];
/// Longest beginning of [`ELEMENTS`].
const ELEMENT_BYTES_MAX: usize = 8;
/// Schemes of addresses that stay.
pub(super) const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// Whether a body holds anything that only this pass makes legible. By text alone; rather too often.
pub(in crate::html) fn is_needed(html: &str, work: &Work) -> bool {
    let lower = html.to_ascii_lowercase();
    work.scanned((2 + ATTRIBUTES.len()) * lower.len());
    let begins = |rest: &str| ELEMENTS.iter().any(|name| rest.starts_with(name));
    let mut tags = lower.match_indices('<').map(|(at, _)| &lower[at + 1..]);
    let found = tags.any(begins);
    work.scanned(ELEMENT_BYTES_MAX * lower.len());
    found || ATTRIBUTES.iter().any(|name| lower.contains(name)) || has_other_scheme(&lower, work)
}

/// Whether a link leads where neither browsers nor mail programs go.
fn has_other_scheme(lower: &str, work: &Work) -> bool {
    work.scanned(lower.len());
    lower.match_indices("href").any(|(at, word)| {
        let rest = &lower[at + word.len()..];
        let rest = rest.get(..rest.floor_char_boundary(40)).unwrap_or_default();
        let value = rest.trim_start().strip_prefix('=').unwrap_or_default();
        let value = value.trim_start().trim_start_matches(['"', '\'']).trim_start();
        scheme(value).is_some_and(|scheme| !SCHEMES.contains(&scheme))
    })
}

/// The scheme that an address begins with (RFC 3986 §3.1), as written.
fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once(':')?;
    let is_one = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_one.then_some(scheme)
}
