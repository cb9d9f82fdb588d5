//! Tags by the text alone, before a parser sees it: what a tag is called, where it ends, which tags say nothing.
//!
//! Each pass looks at a byte a bounded number of times, whatever the text is, and counts the bytes it looked at.

use super::work::Work;
use loa_html::{Shape, is_hidden_by, measure};
use scraper::{Html, node::Element};

/// Drops the tags of `span` and `font`, of `noembed` and `noframes`, not what they hold, and the attributes of `<b class=…>` and
/// the like: without styles they say nothing, word processors write thousands, and a parser repeats each differing one in every
/// following paragraph. They stay where one of them may hide something. By text alone, before parsing; where that cuts wrongly,
/// the sanitiser still sees all that is left.
pub(super) fn without_bare_tags(html: &str, work: &Work) -> String {
    let mut kept = String::with_capacity(html.len());
    let is_kept = hides_something(html, work);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        work.scanned(start + 1);
        kept.push_str(&rest[..start]);
        let name = tag_name(&rest[start..], work).to_ascii_lowercase();
        // what stands in the last two would be read as text, tags and all
        let dropped =
            matches!(name.as_str(), "noembed" | "noframes") || (!is_kept && matches!(name.as_str(), "span" | "font"));
        let stripped = !is_kept && FORMATTING.contains(&name.as_str());
        let (tag, after) =
            if dropped || stripped { split_tag(&rest[start..], work) } else { rest[start..].split_at(1) };
        if stripped {
            let slash = if tag.starts_with("</") { "/" } else { "" };
            kept.push_str(&format!("<{slash}{name}>"));
        } else if !dropped {
            kept.push_str(tag);
        }
        rest = after;
    }
    work.scanned(rest.len());
    kept.push_str(rest);
    kept
}

/// Whether one of these tags hides what stands in it: then all of them are needed, to know where it ends.
fn hides_something(html: &str, work: &Work) -> bool {
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        work.scanned(start + 1);
        let name = tag_name(&rest[start..], work).to_ascii_lowercase();
        if !matches!(name.as_str(), "span" | "font") && !FORMATTING.contains(&name.as_str()) {
            rest = &rest[start + 1..];
            continue;
        }
        let (tag, after) = split_tag(&rest[start..], work);
        if may_hide(tag, work) && hides(tag, work) {
            return true;
        }
        rest = after;
    }
    work.scanned(rest.len());
    false
}

/// By the text of a tag alone; rather too often. Word processors write quotes as references, which hide nothing.
fn may_hide(tag: &str, work: &Work) -> bool {
    work.scanned(8 * tag.len());
    let lower = tag.to_ascii_lowercase();
    let style = lower.split_once("style").map_or("", |(_, style)| style);
    let plain =
        ["&quot;", "&#34;", "&#39;", "&apos;"].iter().fold(style.to_owned(), |text, quote| text.replace(quote, ";"));
    let declarations = plain.replace(['"', '\'', '=', '>', '/'], ";");
    lower.contains("hidden") || plain.contains('&') || is_hidden_by(&declarations)
}

/// By its attributes, as a parser reads them. One that costs too much to be read may hide anything.
fn hides(tag: &str, work: &Work) -> bool {
    let Ok(measured) = measure(tag, Shape::Fragment) else { return true };
    work.parsed(measured.steps);
    let read = Html::parse_fragment(tag);
    read.tree.values().filter_map(|node| node.as_element()).any(is_hidden)
}

/// Whether nobody sees the element, and whoever reads it without its style would: broken-in portals carry links of gamblers so.
pub(super) fn is_hidden(element: &Element) -> bool {
    element.attr("hidden").is_some() || element.attr("style").is_some_and(is_hidden_by)
}

/// Elements that an HTML parser opens again in each block after one that left them open (HTML §13.2.4.3); but `a`,
/// which ends the one before.
const FORMATTING: [&str; 12] = ["b", "big", "code", "em", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Start tags. Counts what a parser might read as a tag, so rather too many.
pub(super) fn count_tags(html: &str, work: &Work) -> usize {
    work.scanned(html.len());
    html.as_bytes().windows(2).filter(|pair| pair[0] == b'<' && pair[1].is_ascii_alphabetic()).count()
}

/// The name of a start or end tag that text begins with, as written; empty for anything else, and for a name longer than
/// any of HTML's. It ends where the HTML tokeniser ends it: at white space, `/` or `>`.
pub(super) fn tag_name<'t>(tag: &'t str, work: &Work) -> &'t str {
    const NAME_BYTES_MAX: usize = 16;
    let name = tag.strip_prefix("</").or_else(|| tag.strip_prefix('<')).unwrap_or(tag);
    let ends = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'/' | b'>');
    let end = name.bytes().take(NAME_BYTES_MAX + 1).position(ends);
    work.scanned(end.unwrap_or(NAME_BYTES_MAX));
    match end {
        Some(end) => &name[..end],
        None if name.len() <= NAME_BYTES_MAX => name,
        None => "",
    }
}

/// A tag and what follows it. A `>` inside a quoted value does not end the tag.
pub(super) fn split_tag<'t>(html: &'t str, work: &Work) -> (&'t str, &'t str) {
    let length = tag_length(html);
    work.scanned(length);
    html.split_at(length)
}

/// The state of a walk through a tag (HTML §13.2.5.8 and the states after it): a quote counts only where a value begins.
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

/// The length of the tag that text begins with, as the HTML tokeniser sees it; of all that is left where it has no end.
fn tag_length(html: &str) -> usize {
    let mut state = TagState::Name;
    for (index, byte) in html.bytes().enumerate().skip(1) {
        let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c');
        state = match (state, byte) {
            (TagState::Quoted(open), _) if byte == open => TagState::BeforeAttribute,
            (TagState::Quoted(_), _) => state,
            (_, b'>') => return index + 1,
            (TagState::BeforeValue, b'"' | b'\'') => TagState::Quoted(byte),
            (TagState::BeforeValue, _) if space => state,
            (TagState::BeforeValue, _) => TagState::Value,
            (TagState::Value, _) if space => TagState::BeforeAttribute,
            (TagState::Value, _) => state,
            (TagState::Name | TagState::BeforeAttribute, _) if space => TagState::BeforeAttribute,
            (TagState::Attribute | TagState::AfterAttribute, _) if space => TagState::AfterAttribute,
            (_, b'/') => TagState::BeforeAttribute,
            (TagState::Attribute | TagState::AfterAttribute, b'=') => TagState::BeforeValue,
            (TagState::BeforeAttribute | TagState::AfterAttribute, _) => TagState::Attribute,
            (TagState::Name | TagState::Attribute, _) => state,
        };
    }
    html.len()
}
