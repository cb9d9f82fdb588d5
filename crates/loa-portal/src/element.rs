//! What the elements of an HTML page are, by name, class and role, and what its head says.
//!
//! It knows elements only, not the portal's words. Addresses become absolute here.

use loa_domain::clean_line;
use scraper::{ElementRef, Node};
use std::collections::HashMap;
use url::Url;

/// What the head says of the page.
pub(crate) struct Head {
    pub(crate) base: Option<Url>,
    pub(crate) canonical: Option<Url>,
    pub(crate) article_id: Option<String>,
}

impl Head {
    pub(crate) fn read(root: ElementRef<'_>, address: Option<&Url>) -> Self {
        let mut head = Self { base: address.cloned(), canonical: None, article_id: None };
        for element in root.descendent_elements() {
            match element.value().name() {
                "base" => head.base = element.attr("href").and_then(|href| absolute(address, href)).or(head.base),
                "link" if element.attr("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("canonical")) => {
                    head.canonical = element.attr("href").and_then(|href| absolute(head.base.as_ref(), href));
                }
                "meta" if element.attr("name") == Some("article-id") => {
                    head.article_id = element.attr("content").map(clean_line).filter(|id| !id.is_empty());
                }
                _ => {}
            }
        }
        head
    }
}

/// An address, in bytes: what an event takes. A link is written in each block that it spans.
const ADDRESS_BYTES_MAX: usize = 2_000;

/// An http or https address, absolute. None with a user name before its host, which makes it read like another place.
pub(crate) fn absolute(base: Option<&Url>, href: &str) -> Option<Url> {
    let href = href.trim();
    if href.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let url = match base {
        Some(base) => base.join(href),
        None => Url::parse(href),
    };
    let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none();
    url.ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && is_plain(url) && url.as_str().len() <= ADDRESS_BYTES_MAX
    })
}

/// Whether no reader sees the element, or it is a form's.
pub(crate) fn is_unseen(element: ElementRef<'_>) -> bool {
    const UNSEEN: [&str; 10] =
        ["head", "script", "style", "noscript", "template", "svg", "button", "input", "textarea", "map"];
    UNSEEN.contains(&element.value().name())
        || element.attr("hidden").is_some()
        || element
            .attr("style")
            .is_some_and(|style| style.replace(' ', "").to_ascii_lowercase().contains("display:none"))
}

/// Whether the element is a menu, a header or a footer by its name, role or class.
pub(crate) fn is_furniture(element: ElementRef<'_>) -> bool {
    matches!(element.value().name(), "nav" | "header" | "footer" | "marquee")
        || matches!(element.attr("role"), Some("navigation" | "banner" | "contentinfo" | "search"))
        || has_word(
            element,
            &["menu", "nav", "navbar", "breadcrumb", "header", "footer", "banner", "search", "login", "toolbar"],
        )
}

/// Whether a class or the id is one of the words, or begins or ends with one behind a dash or underscore.
pub(crate) fn has_word(element: ElementRef<'_>, words: &[&str]) -> bool {
    let names = element.value().classes().chain(element.value().id());
    let mut parts = names.flat_map(|name| name.split(['-', '_']));
    parts.any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
}

/// The text of a region that is one block.
pub(crate) fn visible_text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    // an element is asked once, however many texts stand in it
    let mut unseen = HashMap::new();
    for node in element.descendants() {
        let mut is_seen = || match node.parent() {
            Some(parent) => {
                !*unseen.entry(parent.id()).or_insert_with(|| ElementRef::wrap(parent).is_some_and(is_unseen))
            }
            None => true,
        };
        if let Node::Text(part) = node.value()
            && is_seen()
        {
            text.push_str(part);
            text.push(' ');
        }
    }
    clean_line(&text)
}
