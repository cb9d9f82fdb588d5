//! What the elements of an HTML page are, by name, class and role. Addresses become absolute here.
//!
//! It knows elements only, not the portal's words.

use crate::block::Hint;
use loa_domain::clean_line;
use loa_html::is_hidden_by;
use scraper::{ElementRef, Node};
use std::collections::HashMap;
use url::Url;

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
    const CLASSES: [&str; 6] = ["hidden", "hide", "d-none", "sr-only", "visually-hidden", "screen-reader-text"];
    UNSEEN.contains(&element.value().name())
        // a window that opens later
        || (element.value().name() == "dialog" && element.attr("open").is_none())
        || element.attr("hidden").is_some()
        || element.value().classes().any(|class| CLASSES.contains(&class))
        || element.attr("style").is_some_and(is_hidden_by)
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

/// Whether the element stands beside the article by its name, role or class.
pub(crate) fn is_aside(element: ElementRef<'_>) -> bool {
    const COLUMNS: [&str; 10] = [
        "left",
        "right",
        "col-left",
        "col-right",
        "left-col",
        "right-col",
        "column-left",
        "column-right",
        "leftcol",
        "rightcol",
    ];
    let names = || element.value().classes().chain(element.value().id());
    element.value().name() == "aside"
        || element.attr("role") == Some("complementary")
        || has_word(element, &["sidebar", "aside", "widget", "related"])
        || names().any(|name| COLUMNS.iter().any(|column| name.eq_ignore_ascii_case(column)))
        || is_window(element)
        || is_of_readers(element)
        || is_advertisement(element)
}

/// Whether the element holds an advertisement, by the names that their systems give it.
fn is_advertisement(element: ElementRef<'_>) -> bool {
    const NAMES: [&str; 4] = ["adsbygoogle", "quangcao", "quang-cao", "quang_cao"];
    let mut names = element.value().classes().chain(element.value().id()).map(str::to_ascii_lowercase);
    has_word(element, &["ads", "advert", "advertisement", "sponsored"])
        || names.any(|name| NAMES.iter().any(|known| name.starts_with(known)))
}

/// Whether the element lies over the page: a window, or what asks whether cookies may be set.
fn is_window(element: ElementRef<'_>) -> bool {
    const ABOUT: [&str; 3] = ["cookie", "gdpr", "consent"];
    let mut names = element.value().classes().chain(element.value().id()).map(str::to_ascii_lowercase);
    element.value().name() == "dialog"
        || matches!(element.attr("role"), Some("dialog" | "alertdialog"))
        || element.attr("aria-modal") == Some("true")
        || has_word(element, &["modal", "popup"])
        || names.any(|name| ABOUT.iter().any(|word| name.contains(word)))
}

/// Whether the element holds what readers say of the article.
fn is_of_readers(element: ElementRef<'_>) -> bool {
    const NAMES: [&str; 6] = ["binhluan", "binh-luan", "binh_luan", "ykien", "y-kien", "y_kien"];
    let mut names = element.value().classes().chain(element.value().id()).map(str::to_ascii_lowercase);
    has_word(element, &["comments", "comment", "disqus"])
        || names.any(|name| NAMES.iter().any(|known| name.starts_with(known)))
}

/// Whether the element holds an article's text, by the names that portals' systems give it, or by microdata.
pub(crate) fn is_body(element: ElementRef<'_>) -> bool {
    const NAMES: [&str; 22] = [
        "entry-content",
        "post-content",
        "article-content",
        "article-body",
        "news-content",
        "news-body",
        "detail-content",
        "content-detail",
        "news-detail-content",
        "news-bodyhtml",
        "bodytext",
        "journal-content-article",
        "asset-full-content",
        "ms-rtestate-field",
        "ExternalClass",
        "noidung",
        "noi-dung",
        "chitiet",
        "chi-tiet",
        "post-body",
        "fck_detail",
        "articleBody",
    ];
    let mut names = element.value().classes().chain(element.value().id());
    element.attr("itemprop") == Some("articleBody")
        || names.any(|name| NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// Whether the element is the lead, by its class or microdata.
pub(crate) fn is_lead(element: ElementRef<'_>) -> bool {
    element.attr("itemprop") == Some("description")
        || has_word(element, &["lead", "sapo", "summary", "tomtat", "trichdan", "hometext"])
}

/// What the element's names and microdata say of the text in it, beside what those around it say.
pub(crate) fn hint(element: ElementRef<'_>, around: Hint) -> Hint {
    const TITLES: [&str; 10] = [
        "title",
        "tieude",
        "tieu-de",
        "news-title",
        "title-news",
        "entry-title",
        "article-title",
        "post-title",
        "detail-title",
        "title-detail",
    ];
    let is_name = |known: &[&str]| {
        let mut names = element.value().classes().chain(element.value().id());
        names.any(|name| known.iter().any(|known| name.eq_ignore_ascii_case(known)))
    };
    let property = element.attr("itemprop").unwrap_or_default();
    Hint {
        is_title: around.is_title || property == "headline" || is_name(&TITLES),
        is_time: around.is_time
            || element.value().name() == "time"
            || property == "datePublished"
            || has_word(element, &["date", "time", "published", "ngaydang", "thoigian"]),
        is_update: around.is_update || is_of_last_change(element),
        is_author: around.is_author || property == "author" || has_word(element, &["author", "byline", "tacgia"]),
    }
}

/// Whether the element says when the page was changed, and not when it was posted too.
pub(crate) fn is_of_last_change(element: ElementRef<'_>) -> bool {
    element.attr("itemprop") == Some("dateModified")
        || (has_word(element, &["updated", "modified"]) && !has_word(element, &["published", "posted"]))
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
