//! RSS 0.9 to 2.0 and Atom (RFC 4287): items with their links, times and texts.
//!
//! A text in `content:encoded` or Atom's `content` is the whole article; a `description` or `summary` is a lead.

use super::{
    Listed, ListedItem, SourceForm,
    entries::{self, Entry, EntryField, plain},
    instant,
};
use crate::{PageError, element::absolute};
use jiff::tz::TimeZone;
use loa_domain::{LeftOut, SourceClue, escape_html};
use std::collections::HashSet;
use url::Url;

/// Reads a feed. One without entries is a feed, too.
pub(super) fn read(text: &str, address: &Url, zone: &TimeZone) -> Result<Listed, PageError> {
    let mut listed = Listed::of(SourceForm::Feed, SourceClue::FeedRoot);
    let mut addresses = HashSet::new();
    for entry in entries::read(text, &["item", "entry"])? {
        let title = entry.text(&["title"]).map(|title| plain(&title)).unwrap_or_default();
        let Some(link) = link(&entry, address) else {
            listed.leave_out(title, LeftOut::EntryWithoutAddress);
            continue;
        };
        let item = ListedItem {
            title,
            published_at: entry
                .text(&["pubdate", "published", "dc:date", "date", "issued"])
                .and_then(|text| instant::read(&text, zone))
                // Atom's entries must say when they were updated, and need not say more
                .or_else(|| entry.text(&["updated"]).and_then(|text| instant::read(&text, zone))),
            changed_at: entry
                .text(&["updated", "atom:updated", "dcterms:modified", "modified"])
                .and_then(|text| instant::read(&text, zone)),
            summary: entry.text(&["description", "summary"]).unwrap_or_default(),
            content: content(&entry),
            author: author(&entry),
            ..ListedItem::at(link)
        };
        listed.push(item, &mut addresses);
    }
    Ok(listed)
}

/// The address of an entry's page.
fn link(entry: &Entry, address: &Url) -> Option<Url> {
    let is_page = |field: &&EntryField| field.attribute("rel").is_none_or(|rel| rel == "alternate");
    let atom = entry.all("link").filter(is_page).find_map(|field| field.attribute("href"));
    let permanent = || {
        let is_address = |field: &&EntryField| field.attribute("ispermalink") != Some("false");
        entry.all("guid").find(is_address).map(EntryField::text).filter(|guid| guid.starts_with("http"))
    };
    let written = atom.map(str::to_owned).or_else(|| entry.text(&["link"])).or_else(permanent)?;
    absolute(Some(address), written.trim()).filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn content(entry: &Entry) -> Option<String> {
    if let Some(text) = entry.text(&["content:encoded"]) {
        return Some(text);
    }
    let field = entry.all("content").find(|field| field.attribute("src").is_none())?;
    let text = match field.attribute("type") {
        Some("xhtml") => field.inner.clone(),
        Some("html" | "text/html") => field.text(),
        _ => escape_html(&field.text()),
    };
    (!text.trim().is_empty()).then_some(text)
}

fn author(entry: &Entry) -> String {
    if let Some(name) = entry.text(&["dc:creator"]) {
        return plain(&name);
    }
    let Some(field) = entry.all("author").next() else { return String::new() };
    // Atom has a name in it, RSS a mailbox with the name in brackets
    let name = entries::read(&format!("<a>{}</a>", field.inner), &["a"]).ok().and_then(|a| a.first()?.text(&["name"]));
    let written = name.unwrap_or_else(|| field.text());
    let in_brackets = written.split_once('(').map(|(_, name)| name.trim_end_matches(')').to_owned());
    plain(&in_brackets.unwrap_or(written))
}
