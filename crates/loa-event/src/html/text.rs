//! Plain text of a cleaned body, for the gazetteer and for plain mails.

use super::{
    tags::{split_tag, tag_name},
    work::Work,
};
use loa_domain::unescape_html;

/// Elements that end a line of text; the rest stand inside one.
pub(super) const BLOCKS: &str = " address article aside blockquote br caption center dd details div dl dt figcaption figure footer \
    h1 h2 h3 h4 h5 h6 header hr li ol p pre summary table td th tr ul ";

/// Whether a tag of cleaned HTML ends a line of text.
pub(crate) fn ends_a_line(tag: &str) -> bool {
    let name = tag_name(tag, &Work::default()).to_ascii_lowercase();
    !name.is_empty() && BLOCKS.contains(&format!(" {name} "))
}

/// The text of cleaned HTML: a line for each block, character references resolved, no markup. Only for what
/// [`crate::decode`] cleaned: it does not try to understand anything else.
pub fn text_of_html(html: &str) -> String {
    let work = Work::default();
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let (tag, after) = split_tag(&rest[start..], &work);
        if ends_a_line(tag) {
            text.push('\n');
        }
        rest = after;
    }
    text.push_str(rest);
    let text = unescape_html(&text);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
