//! Where things stand in the body that is being written: links in a paragraph of their own where one may stand, on a line of
//! their own inside another; text apart from its neighbours.
//!
//! It knows what is open and what was written last. What is a link and what it is called comes from its parent.

use super::is_block;
use loa_domain::{escape_html, is_blank};

/// Elements inside which no paragraph may stand.
const WITHIN_A_LINE: &str = " p h1 h2 h3 h4 h5 h6 a b i em strong u s span font small big sub sup dt summary caption pre label \
    q cite code abbr mark ins del tt strike kbd samp var time data dfn bdi bdo nobr rt rp legend ul ol table tbody thead tfoot tr ";
const VOID: &str = " area base br col embed hr img input link meta param source track wbr ";

/// What the line that is being written ends with.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing: it has just begun.
    #[default]
    Begun,
    /// Something that can be seen.
    Written,
    /// A link of ours: what follows begins another line.
    Linked,
}

/// The body so far.
#[derive(Debug, Default)]
pub(super) struct BodySoFar {
    out: String,
    line: Line,
    /// How many elements are open inside which no paragraph may stand.
    within_a_line: usize,
    /// How many links are open; inside one there is no other.
    links: usize,
    /// What stands behind the open link.
    waiting: Vec<String>,
    /// Whether what was written last must not run together with a letter.
    is_apart: bool,
    embedded: usize,
}

impl BodySoFar {
    pub(super) fn bytes(&self) -> usize {
        self.out.len()
    }

    /// How many links were put.
    pub(super) fn embedded(&self) -> usize {
        self.embedded
    }

    pub(super) fn is_in_a_link(&self) -> bool {
        self.links > 0
    }

    pub(super) fn finish(mut self) -> String {
        self.put_waiting();
        self.out
    }

    pub(super) fn text(&mut self, text: &str) {
        if !is_blank(text) {
            self.something_follows();
        }
        if std::mem::take(&mut self.is_apart) && text.starts_with(char::is_alphanumeric) {
            self.out.push(' ');
        }
        self.out.push_str(&escape_html(text));
    }

    /// HTML of text and what stands within a line, apart from the letters around it.
    pub(super) fn inserted(&mut self, html: &str) {
        if html.is_empty() {
            return;
        }
        self.something_follows();
        let is_apart = std::mem::take(&mut self.is_apart) || self.out.ends_with(char::is_alphanumeric);
        if is_apart && (html.starts_with(|c: char| c.is_alphanumeric() || "☑☐√".contains(c)) || html.starts_with("<a "))
        {
            self.out.push(' ');
        }
        self.out.push_str(html);
        self.is_apart = html.ends_with(|c: char| c.is_alphanumeric() || "☑☐".contains(c)) || html.ends_with("</a>");
    }

    pub(super) fn start<'a>(&mut self, name: &str, attributes: impl Iterator<Item = (&'a str, &'a str)>) {
        self.is_apart = false;
        if is_block(name) {
            self.line = Line::Begun;
        }
        self.tag(name, attributes);
        if VOID.contains(&format!(" {name} ")) {
            return;
        }
        self.within_a_line += usize::from(WITHIN_A_LINE.contains(&format!(" {name} ")));
        self.links += usize::from(name == "a");
    }

    pub(super) fn end(&mut self, name: &str) {
        if VOID.contains(&format!(" {name} ")) {
            return;
        }
        self.out.push_str(&format!("</{name}>"));
        if WITHIN_A_LINE.contains(&format!(" {name} ")) {
            self.within_a_line = self.within_a_line.saturating_sub(1);
        }
        if name == "a" {
            self.links = self.links.saturating_sub(1);
            self.put_waiting();
        }
        if is_block(name) {
            self.line = Line::Begun;
        }
    }

    pub(super) fn picture<'a>(&mut self, address: Option<&'a str>, others: impl Iterator<Item = (&'a str, &'a str)>) {
        self.something_follows();
        self.tag("img", address.map(|address| ("src", address)).into_iter().chain(others));
    }

    /// A link with a word before it.
    pub(super) fn link(&mut self, word: &str, address: &str, name: &str) {
        self.embedded += 1;
        let link = format!("{word}: <a href=\"{}\">{}</a>", escape_html(address), escape_html(name));
        if self.links > 0 {
            self.waiting.push(link);
        } else {
            self.put(&link);
        }
    }

    fn put_waiting(&mut self) {
        if self.links == 0 {
            for link in std::mem::take(&mut self.waiting) {
                self.put(&link);
            }
        }
    }

    fn put(&mut self, link: &str) {
        self.is_apart = false;
        if self.within_a_line == 0 {
            self.out.push_str(&format!("<p>{link}</p>"));
            self.line = Line::Begun;
            return;
        }
        if self.line != Line::Begun {
            self.out.push_str("<br>");
        }
        self.out.push_str(link);
        self.line = Line::Linked;
    }

    fn something_follows(&mut self) {
        if self.line == Line::Linked {
            self.out.push_str("<br>");
        }
        self.line = Line::Written;
    }

    /// A start tag, with the attributes whose names are plain.
    fn tag<'a>(&mut self, name: &str, attributes: impl Iterator<Item = (&'a str, &'a str)>) {
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in attributes {
            if attribute.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                self.out.push_str(&format!(" {attribute}=\"{}\"", escape_html(value)));
            }
        }
        self.out.push('>');
    }
}
