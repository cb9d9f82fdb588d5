//! The walk through a page's elements: one block in the making, and those made.
//!
//! It writes what a reader sees, with absolute links and pictures, and counts what it writes. It
//! knows elements, and no words of a portal. The file is long because it is one state machine over one
//! block in the making.

use crate::{
    PageError,
    block::{Block, BlockPlace, Elements, Form, Hint},
    element::{absolute, hint, is_aside, is_body, is_furniture, is_lead, is_of_last_change, is_unseen, visible_text},
    picture,
    source::Source,
    table,
};
use loa_domain::{clean_line, clean_text, escape_html, push_escaped_html};
use scraper::{ElementRef, Node, node::Element};
use std::collections::HashSet;
use url::Url;

/// Elements inside each other that are walked; a page built deeper is read flat from there on.
const WALK_DEPTH_MAX: usize = 200;

/// Elements that are more than their names say.
#[derive(Default)]
pub(crate) struct Marks {
    /// Hold a part of the page, so that they are no menu.
    pub(crate) parts: HashSet<*const Element>,
    /// Hold the article's title or text, so that they do not stand beside it.
    pub(crate) mains: HashSet<*const Element>,
}

impl Marks {
    fn is_part(&self, element: ElementRef<'_>) -> bool {
        self.parts.contains(&std::ptr::from_ref(element.value()))
    }

    fn is_main(&self, element: ElementRef<'_>) -> bool {
        self.mains.contains(&std::ptr::from_ref(element.value()))
    }
}

/// What the elements around the place say of what stands there.
#[derive(Clone, Default)]
struct Around {
    form: Form,
    hint: Hint,
    level: u8,
    is_aside: bool,
    element: usize,
    list: Option<(usize, String)>,
    value: Option<i64>,
    datetime: Option<String>,
}

/// One block in the making, and those made.
pub(crate) struct Walk<'t> {
    base: Option<Url>,
    marks: Marks,
    source: Source<'t>,
    blocks: Vec<Block>,
    elements: Elements,
    around: Around,
    text: String,
    html: String,
    links: Vec<(String, Url)>,
    lost: Vec<String>,
    /// `time datetime` of the block in the making.
    datetime: Option<String>,
    /// Hints of inline elements in it.
    hint: Hint,
    /// Inline elements open around the place: how each opens, and its name.
    open_tags: Vec<(String, String)>,
    open_links: Vec<Url>,
    /// Bytes written so far, in all blocks; beyond the most that may be, nothing more is.
    written: usize,
    written_max: usize,
}

impl<'t> Walk<'t> {
    pub(crate) fn new(text: &'t str, base: Option<Url>, marks: Marks, written_max: usize) -> Self {
        Self {
            base,
            marks,
            source: Source::new(text),
            blocks: Vec::new(),
            elements: Elements { parents: vec![0], ends: vec![0], bodies: Vec::new() },
            around: Around::default(),
            text: String::new(),
            html: String::new(),
            links: Vec::new(),
            lost: Vec::new(),
            datetime: None,
            hint: Hint::default(),
            open_tags: Vec::new(),
            open_links: Vec::new(),
            written: 0,
            written_max,
        }
    }

    /// The whole page.
    pub(crate) fn page(mut self, root: ElementRef<'_>) -> Result<(Vec<Block>, Elements), PageError> {
        self.children(root, 0);
        self.flush();
        self.elements.ends[0] = self.elements.parents.len();
        if self.written > self.written_max {
            return Err(PageError::Grows { max: self.written_max });
        }
        Ok((self.blocks, self.elements))
    }

    fn children(&mut self, element: ElementRef<'_>, depth: usize) {
        for child in element.children() {
            match child.value() {
                Node::Text(text) => self.push(text),
                Node::Element(_) => {
                    if let Some(child) = ElementRef::wrap(child) {
                        self.element(child, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    fn element(&mut self, element: ElementRef<'_>, depth: usize) {
        let name = element.value().name();
        if name == "noscript" {
            return self.late_picture(element);
        }
        if is_unseen(element) {
            return;
        }
        if depth > WALK_DEPTH_MAX {
            element.text().for_each(|text| self.push(text));
            return;
        }
        match name {
            "br" | "hr" => self.flush(),
            "img" => self.image(element),
            "iframe" | "video" | "audio" | "object" | "embed" => {
                self.flush();
                let address = element.attr("src").or(element.attr("data")).unwrap_or_default();
                let text = clean_line(&format!("{name} {address}"));
                self.block(Block { text, form: Form::Embedded, ..Block::default() });
            }
            "select" => self.options(element),
            "pre" if element.child_elements().next().is_none() => self.preformatted(element),
            "a" => self.link(element, depth),
            "strong" | "b" | "em" | "i" | "u" | "sub" | "sup" => self.inline(element, format!("<{name}>"), name, depth),
            "span" | "font" | "small" | "big" | "label" | "time" | "abbr" | "cite" | "code" | "mark" | "q" | "s"
            | "del" | "ins" | "nobr" => {
                // Themes write the time of posting and that of the last change side by side, and hide one of them.
                let is_apart = name == "time" && is_of_last_change(element);
                if is_apart {
                    self.flush();
                }
                if name == "time" {
                    self.datetime = self.datetime.take().or(element.attr("datetime").map(str::to_owned));
                }
                self.hint = hint(element, self.hint);
                self.children(element, depth);
                if is_apart {
                    self.flush();
                }
            }
            _ => self.part(element, depth),
        }
    }

    /// A block-level element.
    fn part(&mut self, element: ElementRef<'_>, depth: usize) {
        self.flush();
        let name = element.value().name();
        if is_furniture(element) && !self.marks.is_part(element) {
            let text = visible_text(element);
            if !text.is_empty() {
                self.block(Block { text, form: Form::Furniture, ..Block::default() });
            }
            return;
        }
        let around = self.around.clone();
        let number = self.elements.parents.len();
        self.elements.parents.push(around.element);
        self.elements.ends.push(number + 1);
        self.around.element = number;
        self.around.is_aside = around.is_aside || (is_aside(element) && !self.marks.is_main(element));
        if is_body(element) && !self.around.is_aside {
            self.elements.bodies.push(number);
        }
        if !(name == "table" && !self.marks.is_part(element) && self.table(element)) {
            self.enter(element, name);
            self.children(element, depth);
            self.flush();
        }
        self.elements.ends[number] = self.elements.parents.len();
        self.around = around;
    }

    /// What the element says of what stands in it.
    fn enter(&mut self, element: ElementRef<'_>, name: &str) {
        let around = &mut self.around;
        around.hint = hint(element, around.hint);
        match name {
            "ul" | "ol" => around.list = Some((around.element, opening(element, name))),
            "dl" => around.list = Some((around.element, "<ul>".to_owned())),
            "li" | "dd" => {
                around.form = Form::Item;
                let parent = self.elements.parents[around.element];
                around.list = around.list.take().or_else(|| Some((parent, "<ul>".to_owned())));
                around.value = element.attr("value").and_then(|value| value.parse().ok());
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                around.form = Form::Heading;
                around.level = name.as_bytes()[1] - b'0';
            }
            "figcaption" | "caption" => around.form = Form::Caption,
            "blockquote" => around.form = Form::Quote,
            _ if is_lead(element) => around.form = Form::Lead,
            _ => {}
        }
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
            push_escaped_html(&mut self.html, c);
        }
    }

    /// Ends the block in the making; open inline elements go on in the next.
    fn flush(&mut self) {
        self.written += self.text.len() * (1 + self.open_links.len()) + self.html.len() + 1;
        let (links, lost) = (std::mem::take(&mut self.links), std::mem::take(&mut self.lost));
        let (hint, datetime) = (std::mem::take(&mut self.hint), self.datetime.take());
        if self.written > self.written_max {
            self.text.clear();
            self.html.clear();
            return;
        }
        let text = clean_line(&std::mem::take(&mut self.text));
        let mut html = std::mem::take(&mut self.html);
        self.html = self.open_tags.iter().map(|(open, _)| open.as_str()).collect();
        let bare = text.trim_start_matches(['•', '·', ' ']).to_owned();
        if bare.is_empty() {
            // Where a link of nothing but a picture ends, its address goes with the picture's block.
            return;
        }
        for (_, name) in self.open_tags.iter().rev() {
            html.push_str(&format!("</{name}>"));
        }
        let mut links = links;
        links.extend(self.open_links.iter().map(|url| (text.clone(), url.clone())));
        let is_link = links.iter().any(|(words, _)| *words == text || *words == bare);
        let is_bullet = bare.len() < text.len() && self.around.form == Form::Plain;
        let form = if is_bullet { Form::Item } else { self.around.form.clone() };
        let html = if bare == text { Some(clean_text(html.trim())) } else { None };
        let mut block = Block { line: self.source.line(), text: bare, html, form, links, lost, ..Block::default() };
        block.place.is_link = is_link;
        block.place.datetime = datetime;
        block.place.hint = hint;
        self.block(block);
    }

    /// Keeps a block, with what the elements around say of it.
    fn block(&mut self, mut block: Block) {
        let around = &self.around;
        let hint = block.place.hint;
        block.place = BlockPlace {
            element: around.element,
            level: around.level,
            is_aside: around.is_aside,
            hint: Hint {
                is_title: around.hint.is_title || hint.is_title,
                is_time: around.hint.is_time || hint.is_time,
                is_update: around.hint.is_update || hint.is_update,
                is_author: around.hint.is_author || hint.is_author,
            },
            datetime: block.place.datetime.or_else(|| around.datetime.clone()),
            list: around.list.clone().or_else(|| (block.form == Form::Item).then(|| (0, "<ul>".to_owned()))),
            value: around.value,
            is_link: block.place.is_link,
        };
        self.blocks.push(block);
    }

    fn inline(&mut self, element: ElementRef<'_>, open: String, name: &str, depth: usize) {
        self.hint = hint(element, self.hint);
        self.html.push_str(&open);
        self.open_tags.push((open, name.to_owned()));
        self.children(element, depth);
        self.open_tags.pop();
        self.html.push_str(&format!("</{name}>"));
    }

    fn link(&mut self, element: ElementRef<'_>, depth: usize) {
        let href = element.attr("href").unwrap_or_default();
        let Some(url) = absolute(self.base.as_ref(), href) else {
            if !href.is_empty() && !href.starts_with(['#', '?']) && !is_command(href) {
                self.lost.push(clean_line(href));
            }
            return self.children(element, depth);
        };
        let start = self.text.len();
        self.open_links.push(url.clone());
        self.inline(element, format!("<a href=\"{}\">", escape_html(url.as_str())), "a", depth);
        self.open_links.pop();
        self.written += self.text.len().saturating_sub(start);
        // Where a block ended inside the link, that block already has it.
        let text = clean_line(self.text.get(start..).unwrap_or(&self.text));
        if !text.is_empty() {
            self.links.push((text, url));
        }
    }

    fn image(&mut self, element: ElementRef<'_>) {
        self.flush();
        let alt = element.attr("alt").map(clean_line).unwrap_or_default();
        match picture::source(element, self.base.as_ref()) {
            Some(source) => self.picture(&source, alt),
            None if !alt.is_empty() && !picture::has_noscript_beside(element) => {
                self.block(Block { line: self.source.line(), text: alt, form: Form::Unaddressed, ..Block::default() });
            }
            None => {}
        }
    }

    /// The picture of a `noscript`, unless it stands before it already.
    fn late_picture(&mut self, element: ElementRef<'_>) {
        let Some((source, alt)) = picture::in_noscript(element, self.base.as_ref()) else { return };
        let url = absolute(self.base.as_ref(), &source);
        let is_there = |block: &Block| matches!(&block.form, Form::Image { url: there, .. } if *there == url);
        self.flush();
        if !self.blocks.last().is_some_and(is_there) {
            self.picture(&source, clean_line(&alt));
        }
    }

    fn picture(&mut self, source: &str, alt: String) {
        let path = source.split(['?', '#']).next().unwrap_or(source);
        let name = clean_line(path.rsplit('/').next().unwrap_or(path));
        let url = absolute(self.base.as_ref(), source);
        let lost = if url.is_none() { vec![clean_line(source)] } else { Vec::new() };
        self.written += url.as_ref().map_or(0, |url| url.as_str().len());
        let line = self.source.line();
        self.block(Block { line, text: alt, form: Form::Image { name, url }, lost, ..Block::default() });
    }

    fn preformatted(&mut self, element: ElementRef<'_>) {
        self.flush();
        let raw: String = element.text().collect();
        self.source.meet(&raw);
        let (text, html) = (clean_line(&raw), escape_html(clean_text(&raw).trim_matches('\n')));
        self.written += html.len();
        if !text.is_empty() && self.written <= self.written_max {
            let form = Form::Preformatted;
            self.block(Block { line: self.source.line(), text, html: Some(html), form, ..Block::default() });
        }
    }

    /// A list of addresses to choose from; other choices are a form's and say nothing.
    fn options(&mut self, element: ElementRef<'_>) {
        self.flush();
        for option in element.descendent_elements().filter(|e| e.value().name() == "option") {
            let text = clean_line(&option.text().collect::<String>());
            let url =
                option.attr("value").filter(|value| value.starts_with("http")).and_then(|value| absolute(None, value));
            if let Some(url) = url.filter(|_| !text.is_empty()) {
                let place = BlockPlace { is_link: true, ..BlockPlace::default() };
                self.block(Block { text: text.clone(), links: vec![(text, url)], place, ..Block::default() });
            }
        }
    }

    /// A table of data becomes one block; a table that only lays out the page does not.
    fn table(&mut self, element: ElementRef<'_>) -> bool {
        let left = self.written_max.saturating_sub(self.written);
        let Some(table) = table::read(element, self.base.as_ref(), left) else { return false };
        self.written += table.html.len() + table.text.len();
        let html = Some(table.html);
        self.block(Block {
            line: self.source.line(),
            text: table.text,
            html,
            form: Form::Table,
            links: table.links,
            lost: table.lost,
            ..Block::default()
        });
        true
    }
}

/// How a list opens: what its first number is, and how its numbers are written.
fn opening(element: ElementRef<'_>, name: &str) -> String {
    let start = element.attr("start").and_then(|start| start.trim().parse::<i32>().ok());
    let kind = element.attr("type").filter(|kind| matches!(*kind, "1" | "a" | "A" | "i" | "I"));
    let start = start.filter(|_| name == "ol").map_or_else(String::new, |start| format!(" start=\"{start}\""));
    let kind = kind.filter(|_| name == "ol").map_or_else(String::new, |kind| format!(" type=\"{kind}\""));
    format!("<{name}{start}{kind}>")
}

/// A link that runs a script, opens a mail or dials a number: no address of a page.
fn is_command(href: &str) -> bool {
    let lower = href.trim_start().get(..11.min(href.trim_start().len())).unwrap_or_default().to_ascii_lowercase();
    ["javascript:", "mailto:", "tel:", "data:"].iter().any(|scheme| lower.starts_with(scheme))
}
