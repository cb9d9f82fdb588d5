//! HTML to blocks: what a reader sees, in reading order, and what the page says of itself to
//! machines.
//!
//! This file decides which elements are walked through and which are a menu or a part beside the
//! article; `walk.rs` walks. It knows elements, not the portal's words, with one exception: the words
//! tell a menu from a region that holds a part of the page.

use crate::{
    PageError,
    block::{Block, Elements},
    head::{Head, short_text},
    label::{self, Label},
    walk::{Marks, Walk},
};
use loa_domain::clean_line;
use loa_html::{Shape, measure};
use scraper::{ElementRef, Html, Node, node::Element};
use std::collections::HashSet;
use url::Url;

/// A page of HTML, cut into blocks.
pub(crate) struct HtmlPage {
    pub(crate) blocks: Vec<Block>,
    /// Behind the last element inside each element: element `e` holds those from `e` to before `ends[e]`.
    pub(crate) elements: Elements,
    pub(crate) head: Head,
}

/// What any page may write, in bytes; else four times its length. Inline elements that stay open are written in each block.
const WRITTEN_AT_LEAST: usize = 1_048_576;

/// Whether a page is HTML: its first visible character opens a tag.
pub(crate) fn is_html(text: &str) -> bool {
    let mut first = text.trim_start().chars();
    first.next() == Some('<') && first.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '!' || c == '?')
}

/// Cuts a page into blocks. `address` is where it was read from, for relative links.
pub(crate) fn of_html(text: &str, address: Option<&Url>) -> Result<HtmlPage, PageError> {
    measure(text, Shape::Page).map_err(|excess| PageError::TooCostly { excess: excess.kind })?;
    let tree = Html::parse_document(text);
    let head = Head::read(&tree, address);
    let marks = marks(&tree, &head);
    let max = 4 * text.len() + WRITTEN_AT_LEAST;
    let (blocks, elements) = Walk::new(text, head.base.clone(), marks, max).page(tree.root_element())?;
    Ok(HtmlPage { blocks, elements, head })
}

/// Elements that hold a part of the page, and those that hold the article.
fn marks(tree: &Html, head: &Head) -> Marks {
    let mut marks = Marks::default();
    let headings = || tree.root_element().descendent_elements().filter(|element| is_heading(*element));
    let is_confirmed = |element: &ElementRef<'_>| head.confirms(&short_text(*element)).is_some();
    let mut titles: Vec<_> = headings().filter(is_confirmed).collect();
    if titles.is_empty() {
        titles = headings().filter(|element| element.value().name() == "h1").collect();
    }
    for title in titles {
        mark(title, &mut marks.mains);
        mark(title, &mut marks.parts);
    }
    for node in tree.tree.nodes() {
        match node.value() {
            // An entry of a menu may read like a label (`Văn bản`); a document's number may be a link.
            Node::Text(text) => {
                let is_linked = || node.ancestors().filter_map(ElementRef::wrap).any(|e| e.value().name() == "a");
                let line = clean_line(text);
                let label = part_label(line.trim_start_matches(['•', ' ']));
                if label.is_some_and(|label| label == Label::DocumentNumber || !is_linked())
                    && let Some(element) = node.parent().and_then(ElementRef::wrap)
                {
                    mark(element, &mut marks.parts);
                }
            }
            Node::Element(_) => {
                let Some(element) = ElementRef::wrap(node) else { continue };
                let property = element.attr("itemprop").unwrap_or_default();
                if matches!(property, "headline" | "articleBody") {
                    mark(element, &mut marks.mains);
                }
                if element.value().name() == "time" || matches!(property, "headline" | "articleBody" | "datePublished")
                {
                    mark(element, &mut marks.parts);
                }
            }
            _ => {}
        }
    }
    marks
}

/// A label that makes a region more than a menu.
fn part_label(line: &str) -> Option<Label> {
    let label = label::of(line).or_else(|| label::of_time(line)).map(|(label, _)| label)?;
    let is_part = matches!(
        label,
        Label::Posted
            | Label::Source
            | Label::Views
            | Label::Others
            | Label::Pager
            | Label::DocumentNumber
            | Label::DocumentTitle
            | Label::DocumentIssuedOn
            | Label::DocumentIssuer
            | Label::Documents
            | Label::Links
            | Label::Counter
            | Label::Visits
    );
    is_part.then_some(label)
}

/// A heading by its name, or by a class that systems give to titles.
fn is_heading(element: ElementRef<'_>) -> bool {
    const TITLE_ELEMENTS_IN: usize = 2;
    matches!(element.value().name(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
        || (crate::element::hint(element, crate::block::Hint::default()).is_title
            && element.child_elements().count() <= TITLE_ELEMENTS_IN)
}

/// Marks an element and all around it.
fn mark(element: ElementRef<'_>, marked: &mut HashSet<*const Element>) {
    for element in std::iter::once(element).chain(element.ancestors().filter_map(ElementRef::wrap)) {
        if !marked.insert(std::ptr::from_ref(element.value())) {
            return;
        }
    }
}
