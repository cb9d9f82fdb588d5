//! A table of data as HTML and as one line of text: cells that span others, emphasis and links stay.
//!
//! A table that only lays out a page is none; the walk goes through it.

use crate::element::absolute;
use loa_domain::{clean_line, clean_text, escape_html};
use scraper::{ElementRef, Node};
use url::Url;

/// Elements inside each other in a cell; what is deeper is text.
const DEPTH_MAX: usize = 50;

/// A table that was read.
pub(crate) struct Table {
    /// Its rows.
    pub(crate) html: String,
    pub(crate) text: String,
    pub(crate) links: Vec<(String, Url)>,
    pub(crate) lost: Vec<String>,
}

/// Reads a table; `None` when it lays out a page. At most `bytes_max` are written, beyond it text alone.
pub(crate) fn read(element: ElementRef<'_>, base: Option<&Url>, bytes_max: usize) -> Option<Table> {
    let is_layout = |e: &ElementRef<'_>| {
        matches!(e.value().name(), "table" | "img" | "ul" | "ol" | "iframe" | "h1" | "h2" | "h3")
            || (e.value().name() == "div" && e.child_elements().nth(1).is_some())
    };
    if element.descendent_elements().skip(1).any(|e| is_layout(&e)) {
        return None;
    }
    let mut table = Table { html: String::new(), text: String::new(), links: Vec::new(), lost: Vec::new() };
    let (mut width, mut rows) = (0, Vec::new());
    for row in element.descendent_elements().filter(|e| e.value().name() == "tr") {
        let cells: Vec<_> = row.child_elements().filter(|e| matches!(e.value().name(), "td" | "th")).collect();
        width = width.max(cells.len());
        table.html.push_str("<tr>");
        let mut words = Vec::new();
        for cell in cells {
            let name = cell.value().name();
            table.html.push_str(&format!("<{name}{}{}>", span(cell, "rowspan"), span(cell, "colspan")));
            let start = table.html.len();
            inline(cell, base, bytes_max, 0, &mut table);
            let content = table.html.split_off(start);
            table.html.push_str(content.trim().trim_end_matches("<br>").trim_end());
            table.html.push_str(&format!("</{name}>"));
            words.push(clean_line(&cell.text().collect::<Vec<_>>().join(" ")));
        }
        table.html.push_str("</tr>");
        rows.push(words.join(" | "));
    }
    table.text = clean_line(&rows.join("; "));
    (width >= 2).then_some(table)
}

/// How many rows or columns a cell spans, where it says so and it can be.
fn span(cell: ElementRef<'_>, name: &str) -> String {
    const SPAN_MAX: u16 = 1_000;
    let number = cell.attr(name).and_then(|text| text.trim().parse::<u16>().ok());
    number.filter(|number| (2..=SPAN_MAX).contains(number)).map_or_else(String::new, |n| format!(" {name}=\"{n}\""))
}

/// The content of a cell.
fn inline(element: ElementRef<'_>, base: Option<&Url>, bytes_max: usize, depth: usize, table: &mut Table) {
    for child in element.children() {
        match child.value() {
            Node::Text(text) => table.html.push_str(&escape_html(&one_spaced(text))),
            Node::Element(_) => {
                let Some(child) = ElementRef::wrap(child) else { continue };
                let name = child.value().name();
                if depth >= DEPTH_MAX || table.html.len() > bytes_max {
                    let text = child.text().collect::<String>();
                    table.html.push_str(&escape_html(&one_spaced(&text)));
                    continue;
                }
                let open = match name {
                    "br" => {
                        table.html.push_str("<br>");
                        continue;
                    }
                    "strong" | "b" | "em" | "i" | "u" | "sub" | "sup" => Some((format!("<{name}>"), name)),
                    "a" => {
                        link(child, base, table).map(|url| (format!("<a href=\"{}\">", escape_html(url.as_str())), "a"))
                    }
                    // A paragraph behind another one begins a new line.
                    "p" | "div" if !table.html.ends_with('>') => {
                        table.html.push_str("<br>");
                        None
                    }
                    _ => None,
                };
                if let Some((open, _)) = &open {
                    table.html.push_str(open);
                }
                inline(child, base, bytes_max, depth + 1, table);
                if let Some((_, name)) = &open {
                    table.html.push_str(&format!("</{name}>"));
                }
                if matches!(name, "p" | "div") && child.next_siblings().any(|next| next.value().is_element()) {
                    table.html.push_str("<br>");
                }
            }
            _ => {}
        }
    }
}

fn link(element: ElementRef<'_>, base: Option<&Url>, table: &mut Table) -> Option<Url> {
    let href = element.attr("href")?;
    let url = absolute(base, href);
    match &url {
        Some(url) => table.links.push((clean_line(&element.text().collect::<String>()), url.clone())),
        None => table.lost.push(href.to_owned()),
    }
    url
}

/// Runs of white space become one space; those at the ends of a text stay, for words may touch them.
fn one_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for c in clean_text(text).chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        if !(c == ' ' && spaced.ends_with(' ')) {
            spaced.push(c);
        }
    }
    spaced
}
