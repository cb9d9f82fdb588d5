//! An item that carries its whole text as a page, so that it is read by the same rules as any other page: its pictures and
//! links become absolute, its source is found, and what is left out is told.

use super::{ListedItem, entries::plain};
use crate::{PageError, PortalPage, read::read_listed};
use jiff::tz::TimeZone;
use loa_domain::escape_html;
use scraper::{Html, Selector};

/// Reads the article that an item carries; `None`: it has no text or no time, and its own page must be read.
pub fn article_of(item: &ListedItem, zone: &TimeZone) -> Option<Result<PortalPage, PageError>> {
    let content = item.content.as_deref()?;
    let at = item.published_at?.to_zoned_datetime(zone.clone());
    if item.title.is_empty() {
        return None;
    }
    let (lead, body) = match whole_document(content) {
        Some(parts) => parts,
        None => (plain(&item.summary), content.to_owned()),
    };
    // A lead that the text begins with is not said twice.
    let begins = plain(&body);
    let probe: String = lead.trim_end_matches(['.', '…', ']', '[', ' ']).chars().take(60).collect();
    let lead = if probe.is_empty() || begins.contains(&probe) { String::new() } else { lead };
    let (title, posted) = (escape_html(&item.title), at.strftime("%d/%m/%Y %H:%M:%S"));
    let mut page = format!(
        "<!DOCTYPE html><html><head><title>{title}</title><link rel=\"canonical\" href=\"{}\"></head><body><article>\
         <h1 itemprop=\"headline\">{title}</h1><p>Thời gian đăng: {posted}</p>",
        escape_html(item.address.as_str())
    );
    if !lead.is_empty() {
        page.push_str(&format!("<p class=\"lead\">{}</p>", escape_html(&lead)));
    }
    page.push_str(&format!("<div itemprop=\"articleBody\">{body}</div>"));
    if !item.author.is_empty() {
        page.push_str(&format!("<p>Tác giả: {}</p>", escape_html(&item.author)));
    }
    page.push_str("</article></body></html>");
    Some(read_listed(page.as_bytes(), Some(&item.address), zone, Some(&item.title)))
}

/// Lead and text of a document of its own inside an item, as "instant articles" have it: its head says what the item says.
fn whole_document(content: &str) -> Option<(String, String)> {
    let begin: String = content.trim_start().chars().take(9).collect::<String>().to_ascii_lowercase();
    if !(begin.starts_with("<!doctype") || begin.starts_with("<html")) {
        return None;
    }
    loa_html::measure(content, loa_html::Shape::Page).ok()?;
    let tree = Html::parse_document(content);
    let article = tree.select(&Selector::parse("article").ok()?).next().or_else(|| {
        let body = Selector::parse("body").ok()?;
        tree.select(&body).next()
    })?;
    let (mut lead, mut body) = (String::new(), String::new());
    for child in article.child_elements() {
        match child.value().name() {
            "header" => {
                let says = |element: &scraper::ElementRef<'_>| matches!(element.value().name(), "h2" | "p");
                if let Some(said) = child.descendent_elements().find(says) {
                    lead = loa_domain::clean_line(&said.text().collect::<String>());
                }
                let figures = child.descendent_elements().filter(|element| element.value().name() == "figure");
                figures.for_each(|figure| body.push_str(&figure.html()));
            }
            "footer" => {}
            _ => body.push_str(&child.html()),
        }
    }
    Some((lead, body))
}
