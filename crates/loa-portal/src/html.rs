//! HTML to blocks: what a reader sees, in reading order, with absolute links and pictures.
//!
//! Scripts, styles and hidden elements make no blocks. A menu, a header or a footer is one block.
//! This file knows elements, not the portal's words, with one exception: the words tell a menu from
//! a region that holds a part of the page.

use crate::{
    PageError,
    block::{Block, Form, escape},
    element::{Head, absolute, has_word, is_furniture, is_unseen, visible_text},
    label::{self, Label},
    source::Source,
};
use loa_domain::{clean_line, clean_text};
use loa_html::{Shape, measure};
use scraper::{ElementRef, Html, Node, node::Element};
use std::collections::HashSet;
use url::Url;

/// A page of HTML, cut into blocks, and what its head says.
pub(crate) struct HtmlPage {
    pub(crate) blocks: Vec<Block>,
    /// `link rel="canonical"`, absolute.
    pub(crate) canonical: Option<Url>,
    /// `meta name="article-id"`.
    pub(crate) article_id: Option<String>,
}

/// Elements inside each other that are walked; a page built deeper is read flat from there on.
const WALK_DEPTH_MAX: usize = 200;

/// What any page may write, in bytes; else four times its length. Inline elements that stay open are written in each block.
const WRITTEN_AT_LEAST: usize = 1_048_576;

/// Whether a page is HTML: its first visible character opens a tag.
pub(crate) fn is_html(text: &str) -> bool {
    let mut first = text.trim_start().chars();
    first.next() == Some('<') && first.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '!' || c == '?')
}

/// Cuts a page into blocks. `address` is where it was read from, for relative links.
pub(crate) fn of_html(text: &str, address: Option<&Url>) -> Result<HtmlPage, PageError> {
    measure(text, Shape::Page).map_err(PageError::TooCostly)?;
    let tree = Html::parse_document(text);
    let root = tree.root_element();
    let head = Head::read(root, address);
    let mut walk = Walk {
        base: head.base,
        marked: marked(&tree),
        source: Source::new(text),
        blocks: Vec::new(),
        text: String::new(),
        html: String::new(),
        links: Vec::new(),
        open_tags: Vec::new(),
        open_links: Vec::new(),
        written: 0,
        written_max: 4 * text.len() + WRITTEN_AT_LEAST,
    };
    walk.children(root, &Form::Plain, 0);
    walk.flush(&Form::Plain);
    if walk.written > walk.written_max {
        return Err(PageError::Grows { max: walk.written_max });
    }
    Ok(HtmlPage { blocks: walk.blocks, canonical: head.canonical, article_id: head.article_id })
}

/// Elements that hold a part of the page: a label of the page's own words, or a main heading.
fn marked(tree: &Html) -> HashSet<*const Element> {
    let mut marked = HashSet::new();
    for node in tree.tree.nodes() {
        let is_mark = match node.value() {
            // An entry of a menu may read like a label (`Văn bản`); a document's number may be a link.
            Node::Text(text) => {
                let is_linked = || node.ancestors().filter_map(ElementRef::wrap).any(|e| e.value().name() == "a");
                let line = clean_line(text);
                let label = label::of(line.trim_start_matches(['•', ' '])).map(|(label, _)| label);
                label.is_some_and(|label| label == Label::DocumentNumber || !is_linked())
            }
            Node::Element(element) => element.name() == "h1",
            _ => false,
        };
        if is_mark {
            for element in node.ancestors().filter_map(ElementRef::wrap) {
                if !marked.insert(std::ptr::from_ref(element.value())) {
                    break;
                }
            }
        }
    }
    marked
}

/// The walk through the tree: one block in the making, and those made.
struct Walk<'t> {
    base: Option<Url>,
    marked: HashSet<*const Element>,
    source: Source<'t>,
    blocks: Vec<Block>,
    text: String,
    html: String,
    links: Vec<(String, Url)>,
    /// Inline elements open around the place: how each opens, and its name.
    open_tags: Vec<(String, String)>,
    open_links: Vec<Url>,
    /// Bytes written so far, in all blocks; beyond the most that may be, nothing more is.
    written: usize,
    written_max: usize,
}

impl Walk<'_> {
    fn children(&mut self, element: ElementRef<'_>, form: &Form, depth: usize) {
        for child in element.children() {
            match child.value() {
                Node::Text(text) => self.push(text),
                Node::Element(_) => {
                    if let Some(child) = ElementRef::wrap(child) {
                        self.element(child, form, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    fn element(&mut self, element: ElementRef<'_>, form: &Form, depth: usize) {
        let name = element.value().name();
        if is_unseen(element) {
            return;
        }
        if depth > WALK_DEPTH_MAX {
            element.text().for_each(|text| self.push(text));
            return;
        }
        match name {
            "br" | "hr" => self.flush(form),
            "img" => self.image(element, form),
            "iframe" | "video" | "audio" | "object" | "embed" => {
                self.flush(form);
                let text =
                    clean_line(&format!("{name} {}", element.attr("src").or(element.attr("data")).unwrap_or_default()));
                self.blocks.push(Block { text, form: Form::Embedded, ..Block::default() });
            }
            "select" => self.options(element, form),
            "a" => self.link(element, form, depth),
            "strong" | "b" | "em" | "i" | "u" | "sub" | "sup" => {
                self.inline(element, format!("<{name}>"), name, form, depth)
            }
            "span" | "font" | "small" | "big" | "label" | "time" | "abbr" | "cite" | "code" | "mark" | "q" | "s"
            | "del" | "ins" | "nobr" => self.children(element, form, depth),
            _ => self.part(element, form, depth),
        }
    }

    /// A block-level element.
    fn part(&mut self, element: ElementRef<'_>, form: &Form, depth: usize) {
        self.flush(form);
        let name = element.value().name();
        if is_furniture(element) && !self.marked.contains(&std::ptr::from_ref(element.value())) {
            let text = visible_text(element);
            if !text.is_empty() {
                self.blocks.push(Block { text, form: Form::Furniture, ..Block::default() });
            }
            return;
        }
        if name == "table" && !self.marked.contains(&std::ptr::from_ref(element.value())) && self.table(element) {
            return;
        }
        let inner = match name {
            "li" | "dd" => Form::Item,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Form::Heading,
            "figcaption" | "caption" => Form::Caption,
            _ if has_word(element, &["lead", "sapo", "summary", "tomtat", "trichdan"]) => Form::Lead,
            _ => form.clone(),
        };
        self.children(element, &inner, depth);
        self.flush(&inner);
    }

    fn push(&mut self, text: &str) {
        if self.text.trim().is_empty() {
            self.source.meet(text);
        }
        for c in clean_text(text).chars() {
            let c = if c.is_whitespace() { ' ' } else { c };
            if c == ' ' && (self.text.is_empty() || self.text.ends_with(' ')) {
                continue;
            }
            self.text.push(c);
            match c {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                _ => self.html.push(c),
            }
        }
    }

    /// Ends the block in the making; open inline elements go on in the next.
    fn flush(&mut self, form: &Form) {
        self.written += self.text.len() * (1 + self.open_links.len()) + self.html.len() + 1;
        if self.written > self.written_max {
            self.text.clear();
            self.html.clear();
            return;
        }
        let text = clean_line(&std::mem::take(&mut self.text));
        let mut html = std::mem::take(&mut self.html);
        let mut links = std::mem::take(&mut self.links);
        self.html = self.open_tags.iter().map(|(open, _)| open.as_str()).collect();
        if text.is_empty() {
            return;
        }
        for (_, name) in self.open_tags.iter().rev() {
            html.push_str(&format!("</{name}>"));
        }
        links.extend(self.open_links.iter().map(|url| (text.clone(), url.clone())));
        let bare = text.trim_start_matches(['•', '·', ' ']).to_owned();
        let form = if bare.len() < text.len() && *form == Form::Plain { Form::Item } else { form.clone() };
        if bare.is_empty() {
            return;
        }
        let html = if bare == text { Some(clean_text(html.trim())) } else { None };
        self.blocks.push(Block { line: self.source.line(), text: bare, html, form, links });
    }

    fn inline(&mut self, element: ElementRef<'_>, open: String, name: &str, form: &Form, depth: usize) {
        self.html.push_str(&open);
        self.open_tags.push((open, name.to_owned()));
        self.children(element, form, depth);
        self.open_tags.pop();
        self.html.push_str(&format!("</{name}>"));
    }

    fn link(&mut self, element: ElementRef<'_>, form: &Form, depth: usize) {
        let Some(url) = element.attr("href").and_then(|href| absolute(self.base.as_ref(), href)) else {
            return self.children(element, form, depth);
        };
        let start = self.text.len();
        self.open_links.push(url.clone());
        self.inline(element, format!("<a href=\"{}\">", escape(url.as_str())), "a", form, depth);
        self.open_links.pop();
        self.written += self.text.len().saturating_sub(start);
        // Where a block ended inside the link, that block already has it.
        let text = clean_line(self.text.get(start..).unwrap_or(&self.text));
        if !text.is_empty() {
            self.links.push((text, url));
        }
    }

    fn image(&mut self, element: ElementRef<'_>, form: &Form) {
        self.flush(form);
        let Some(source) = element.attr("src").or(element.attr("data-src")).map(str::trim).filter(|s| !s.is_empty())
        else {
            return;
        };
        if source.starts_with("data:") {
            return;
        }
        let path = source.split(['?', '#']).next().unwrap_or(source);
        let name = clean_line(path.rsplit('/').next().unwrap_or(path));
        let url = absolute(self.base.as_ref(), source);
        let text = element.attr("alt").map(clean_line).unwrap_or_default();
        self.blocks.push(Block { line: self.source.line(), text, form: Form::Image { name, url }, ..Block::default() });
    }

    /// A list of addresses to choose from; other choices are a form's and say nothing.
    fn options(&mut self, element: ElementRef<'_>, form: &Form) {
        self.flush(form);
        for option in element.descendent_elements().filter(|e| e.value().name() == "option") {
            let text = clean_line(&option.text().collect::<String>());
            let url =
                option.attr("value").filter(|value| value.starts_with("http")).and_then(|value| absolute(None, value));
            if let Some(url) = url.filter(|_| !text.is_empty()) {
                self.blocks.push(Block { text: text.clone(), links: vec![(text, url)], ..Block::default() });
            }
        }
    }

    /// A table of data becomes one block; a table that only lays out the page does not.
    fn table(&mut self, element: ElementRef<'_>) -> bool {
        let is_layout = |e: &ElementRef<'_>| {
            matches!(e.value().name(), "table" | "div" | "img" | "ul" | "ol" | "iframe" | "h1" | "h2" | "h3")
        };
        if element.descendent_elements().skip(1).any(|e| is_layout(&e)) {
            return false;
        }
        let (mut html, mut text, mut width) = (String::new(), Vec::new(), 0);
        for row in element.descendent_elements().filter(|e| e.value().name() == "tr") {
            let cells: Vec<ElementRef<'_>> =
                row.child_elements().filter(|e| matches!(e.value().name(), "td" | "th")).collect();
            width = width.max(cells.len());
            html.push_str("<tr>");
            let mut words = Vec::new();
            for cell in cells {
                let name = cell.value().name();
                let content = clean_line(&cell.text().collect::<Vec<_>>().join(" "));
                html.push_str(&format!("<{name}>{}</{name}>", escape(&content)));
                words.push(content);
            }
            html.push_str("</tr>");
            text.push(words.join(" | "));
        }
        if width < 2 {
            return false;
        }
        let text = clean_line(&text.join("; "));
        self.blocks.push(Block {
            line: self.source.line(),
            text,
            html: Some(html),
            form: Form::Table,
            ..Block::default()
        });
        true
    }
}
