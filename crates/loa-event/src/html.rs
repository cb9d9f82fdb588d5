//! Cleans the HTML of an article's body: it keeps only what a feed reader or a mail may show, with
//! absolute addresses.
//!
//! No script, style, frame, form or event handler survives. Links and pictures are http, https or
//! mailto. Cleaning twice gives the same as cleaning once. [`text_of_html`] makes plain text of a
//! cleaned body, for the gazetteer and for plain mails.

use crate::{
    Refusal, RefusalKind,
    limits::{EVENT_BYTES_MAX, HTML_ATTRIBUTES_MAX, HTML_NESTING_TAGS_MAX, HTML_TAGS_MAX},
};
use ammonia::{Builder, UrlRelative};
use loa_domain::clean_text;
use std::{borrow::Cow, collections::HashSet};
use url::Url;

/// Cleans a body. `base` is the article's own address.
pub(crate) fn clean_html(html: &str, base: &Url, pointer: &str) -> Result<String, Refusal> {
    let html = without_bare_tags(&clean_text(html));
    let (tags, nesting) = count_tags(&html);
    let attributes = attributes_of_one_tag(&html);
    for (count, max, which) in [
        (tags, HTML_TAGS_MAX, "tags"),
        (nesting, HTML_NESTING_TAGS_MAX, "tags that can nest"),
        (attributes, HTML_ATTRIBUTES_MAX, "attributes in one tag"),
    ] {
        if count > max {
            let sentence = format!("`content_html` has {count} {which}, more than the {max} allowed");
            return Err(Refusal::at(RefusalKind::OutOfBounds, pointer, sentence));
        }
    }
    let mut sanitiser = Builder::default();
    sanitiser
        // turns text around, as the characters do that are dropped from it (`clean_text`)
        .rm_tags(["bdo"])
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::RewriteWithBase(base.clone()))
        .attribute_filter(addresses_from(base.clone()))
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

/// Writes each address as every reader understands it, with its scheme and host; the sanitiser itself leaves `http:a.vn`,
/// which some take for a place on their own server, and what is no address at all.
fn addresses_from(base: Url) -> impl for<'v> Fn(&str, &str, &'v str) -> Option<Cow<'v, str>> {
    move |_element, attribute, value| {
        if !matches!(attribute, "href" | "src" | "cite") {
            return Some(Cow::Borrowed(value));
        }
        let address = base.join(value).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "mailto"))?;
        Some(Cow::Owned(address.into()))
    }
}

/// Reading misnested HTML back can move elements once more; after this many passes it stands as it is.
const PASSES_MAX: usize = 3;

fn clean_once(sanitiser: &Builder<'_>, html: &str) -> String {
    let cleaned = sanitiser.clean(html).to_string();
    // Character references (&#0;, &#x202e;) became characters only now, and may compose with their neighbours.
    without_lines_after_pre(clean_text(&cleaned).trim())
}

/// A reader drops a line end right after `<pre>`: with several of them, one with each reading. So none is left.
fn without_lines_after_pre(html: &str) -> String {
    let mut parts = html.split("<pre>");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + "<pre>" + part.trim_start_matches('\n'))
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

/// A tag and what follows it. A `>` inside a quoted value does not end the tag.
fn split_tag(html: &str) -> (&str, &str) {
    html.split_at(walk_tag(html).0)
}

/// The state of a walk through a tag (HTML §13.2.5.8 and the states after it).
#[derive(Clone, Copy)]
enum TagState {
    Name,
    BeforeAttribute,
    Attribute,
    AfterAttribute,
    BeforeValue,
    Value,
    Quoted(u8),
}

/// The length of the tag that text begins with, and how many attributes it has, as the HTML tokeniser sees it: a quote
/// counts only where a value begins.
fn walk_tag(html: &str) -> (usize, usize) {
    let (mut state, mut attributes) = (TagState::Name, 0);
    for (index, byte) in html.bytes().enumerate().skip(1) {
        let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c');
        state = match (state, byte) {
            (TagState::Quoted(open), _) if byte == open => TagState::BeforeAttribute,
            (TagState::Quoted(_), _) => state,
            (_, b'>') => return (index + 1, attributes),
            (TagState::BeforeValue, b'"' | b'\'') => TagState::Quoted(byte),
            (TagState::BeforeValue, _) => {
                if space {
                    state
                } else {
                    TagState::Value
                }
            }
            (TagState::Value, _) => {
                if space {
                    TagState::BeforeAttribute
                } else {
                    state
                }
            }
            (TagState::Name | TagState::BeforeAttribute, _) if space => TagState::BeforeAttribute,
            (TagState::Attribute | TagState::AfterAttribute, _) if space => TagState::AfterAttribute,
            (_, b'/') => TagState::BeforeAttribute,
            (TagState::Attribute | TagState::AfterAttribute, b'=') => TagState::BeforeValue,
            (TagState::BeforeAttribute | TagState::AfterAttribute, _) => {
                attributes += 1;
                TagState::Attribute
            }
            (TagState::Name | TagState::Attribute, _) => state,
        };
    }
    (html.len(), attributes)
}

/// The most attributes that one tag has.
fn attributes_of_one_tag(html: &str) -> usize {
    let (mut most, mut rest) = (0, html);
    while let Some(start) = rest.find('<') {
        let begins_tag = rest.as_bytes().get(start + 1).is_some_and(u8::is_ascii_alphabetic);
        let (length, attributes) = if begins_tag { walk_tag(&rest[start..]) } else { (1, 0) };
        most = most.max(attributes);
        rest = &rest[start + length..];
    }
    most
}

/// The references that an HTML serialiser writes; others were characters already.
fn unescape(text: &str) -> String {
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
