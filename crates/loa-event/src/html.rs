//! HTML of an article's body: only what a feed reader or a mail may show, with absolute addresses.
//!
//! No script, style, frame, form or event handler survives; links and pictures are http, https or mailto. Cleaning
//! what was cleaned changes nothing. Also: the text of a cleaned body, for the gazetteer and for plain mails.

use crate::{
    Refusal, RefusalKind,
    limits::{EVENT_BYTES_MAX, HTML_NESTING_TAGS_MAX, HTML_TAGS_MAX},
};
use ammonia::{Builder, UrlRelative};
use loa_domain::clean_text;
use std::collections::HashSet;
use url::Url;

/// Cleans a body. `base` is the article's own address.
pub(crate) fn clean_html(html: &str, base: &Url, pointer: &str) -> Result<String, Refusal> {
    let html = without_bare_tags(&clean_text(html));
    let (tags, nesting) = count_tags(&html);
    for (count, max, which) in [(tags, HTML_TAGS_MAX, "tags"), (nesting, HTML_NESTING_TAGS_MAX, "tags that can nest")] {
        if count > max {
            let sentence = format!("`content_html` has {count} {which}, more than the {max} allowed");
            return Err(Refusal::at(RefusalKind::OutOfBounds, pointer, sentence));
        }
    }
    let mut sanitiser = Builder::default();
    sanitiser
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::RewriteWithBase(base.clone()))
        .clean_content_tags(HashSet::from(REMOVED_WHOLE));
    let mut cleaned = clean_once(&sanitiser, &html);
    for _ in 0..PASSES_MAX {
        let again = clean_once(&sanitiser, &cleaned);
        if again == cleaned {
            break;
        }
        cleaned = again;
    }
    if cleaned.len() > EVENT_BYTES_MAX {
        let sentence = format!("`content_html` grows to {} bytes when misnested tags are put right", cleaned.len());
        return Err(Refusal::at(RefusalKind::OutOfBounds, pointer, sentence));
    }
    Ok(cleaned)
}

/// Elements that go with all they hold; of every other unknown element the text stays.
const REMOVED_WHOLE: [&str; 12] = [
    "script", "style", "iframe", "object", "noscript", "template", "textarea", "select", "button", "svg", "math",
    "title",
];

/// Reading misnested HTML back can move elements once more; after this many passes it stands as it is.
const PASSES_MAX: usize = 3;

fn clean_once(sanitiser: &Builder<'_>, html: &str) -> String {
    let cleaned = sanitiser.clean(html).to_string();
    // Character references (&#0;, &#x202e;) became characters only now, and may compose with their neighbours.
    let mut cleaned = clean_text(&cleaned).trim().to_owned();
    // A reader drops a line end right after <pre>: with several of them, one with each reading.
    while cleaned.contains("<pre>\n") {
        cleaned = cleaned.replace("<pre>\n", "<pre>");
    }
    cleaned
}

/// Drops the tags of `span` and `font`, not what they hold, and the attributes of `<b class=…>` and the like: without
/// styles they say nothing, word processors write thousands, and a parser repeats each differing one in every following
/// paragraph. By text alone, before parsing; where that cuts wrongly, the sanitiser still sees all that is left.
fn without_bare_tags(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        kept.push_str(&rest[..start]);
        let name = tag_name(&rest[start..]).to_ascii_lowercase();
        let dropped = matches!(name.as_str(), "span" | "font");
        let stripped = FORMATTING.contains(&name.as_str());
        let (tag, after) = if dropped || stripped { split_tag(&rest[start..]) } else { rest[start..].split_at(1) };
        if stripped {
            let slash = if tag.starts_with("</") { "/" } else { "" };
            kept.push_str(&format!("<{slash}{name}>"));
        } else if !dropped {
            kept.push_str(tag);
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Elements that an HTML parser opens again in each block after one that left them open (HTML §13.2.4.3); but `a`,
/// which ends the one before.
const FORMATTING: [&str; 12] = ["b", "big", "code", "em", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements that cannot hold themselves: the next one ends the one before, or they hold nothing.
const NOT_NESTING: [&str; 16] =
    ["p", "li", "td", "th", "tr", "dt", "dd", "thead", "tbody", "tfoot", "col", "colgroup", "br", "hr", "img", "wbr"];

/// Start tags: all, and those that can nest. Counts what a parser might read as a tag, so rather too many.
fn count_tags(html: &str) -> (usize, usize) {
    let starts = html.match_indices('<').map(|(start, _)| &html[start..]);
    let starts = starts.filter(|rest| rest.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic));
    starts.fold((0, 0), |(tags, nesting), rest| {
        let nests = !NOT_NESTING.contains(&tag_name(rest).to_ascii_lowercase().as_str());
        (tags + 1, nesting + usize::from(nests))
    })
}

/// The name of a start or end tag that text begins with, as written; empty for anything else. It ends where the
/// HTML tokeniser ends it: at white space, `/` or `>`.
fn tag_name(tag: &str) -> &str {
    let tag = tag.trim_start_matches('<');
    tag.strip_prefix('/').unwrap_or(tag).split([' ', '\t', '\n', '\u{c}', '/', '>']).next().unwrap_or_default()
}

/// Elements that end a line of text; the rest stand inside one.
const BLOCKS: [&str; 33] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "summary",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];

/// The text of cleaned HTML: a line for each block, character references resolved, no markup. Only for what
/// [`crate::decode`] cleaned: it does not try to understand anything else.
pub fn text_of_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let (tag, after) = split_tag(&rest[start..]);
        if BLOCKS.contains(&tag_name(tag).to_ascii_lowercase().as_str()) {
            text.push('\n');
        }
        rest = after;
    }
    text.push_str(rest);
    let text = unescape(&text);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A tag and what follows it. A `>` inside a quoted attribute does not end the tag.
fn split_tag(html: &str) -> (&str, &str) {
    let mut quote = None;
    for (index, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return html.split_at(index + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if byte == open => quote = None,
            _ => {}
        }
    }
    (html, "")
}

/// The references that an HTML serialiser writes; others were characters already.
fn unescape(text: &str) -> String {
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
