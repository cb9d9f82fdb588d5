//! Sitemaps (sitemaps.org, with Google's news part): addresses with the time of their last change.

use super::{
    ITEMS_MAX, Listed, ListedChild, ListedItem, SourceForm,
    entries::{self, plain},
    instant,
};
use crate::{PageError, element::absolute};
use jiff::{Timestamp, tz::TimeZone};
use loa_domain::{LeftOut, SourceClue};
use std::{cmp::Reverse, collections::HashSet};
use url::Url;

/// The most addresses of one sitemap (sitemaps.org); the newest are taken.
const ADDRESSES_MAX: usize = 50_000;
/// The most sitemaps of an index that are taken.
const CHILDREN_MAX: usize = 500;

/// Reads a sitemap, or an index of them.
pub(super) fn read(text: &str, address: &Url, zone: &TimeZone) -> Result<Listed, PageError> {
    let mut listed = Listed::of(SourceForm::Sitemap, SourceClue::SitemapRoot);
    let place = |text: String| absolute(Some(address), text.trim());
    let mut children = Vec::new();
    for entry in entries::read(text, &["sitemap"])? {
        let changed_at = entry.text(&["lastmod"]).and_then(|text| instant::read(&text, zone));
        let address = entry.text(&["loc"]).and_then(place);
        children.extend(address.map(|address| ListedChild { address, changed_at }));
    }
    (listed.children, listed.is_cut) = newest(children, CHILDREN_MAX, |child| child.changed_at);
    let mut items = Vec::new();
    for entry in entries::read(text, &["url"])?.into_iter().take(ADDRESSES_MAX) {
        let Some(address) = entry.text(&["loc"]).and_then(place) else {
            listed.leave_out("", LeftOut::EntryWithoutAddress);
            continue;
        };
        let mut item = ListedItem::at(address);
        item.changed_at = entry.text(&["lastmod"]).and_then(|text| instant::read(&text, zone));
        if let Some(news) = entry.all("news:news").next() {
            let news = entries::read(&format!("<a>{}</a>", news.inner), &["a"])?.into_iter().next().unwrap_or_default();
            item.title = news.text(&["news:title"]).map(|title| plain(&title)).unwrap_or_default();
            item.published_at = news.text(&["news:publication_date"]).and_then(|text| instant::read(&text, zone));
        }
        items.push(item);
    }
    let (items, is_cut) = newest(items, ITEMS_MAX, |item: &ListedItem| item.published_at.or(item.changed_at));
    listed.is_cut |= is_cut;
    let mut addresses = HashSet::new();
    items.into_iter().for_each(|item| listed.push(item, &mut addresses));
    Ok(listed)
}

/// The newest first, and at most so many; whether some were left out. Of those without a time, which may stand in either
/// order, both ends are taken.
fn newest<T>(mut entries: Vec<T>, max: usize, at: impl Fn(&T) -> Option<Timestamp>) -> (Vec<T>, bool) {
    entries.sort_by_key(|entry| Reverse(at(entry)));
    let is_cut = entries.len() > max;
    if is_cut {
        let dated = entries.iter().take_while(|entry| at(entry).is_some()).count().min(max);
        let begin = dated + (max - dated) / 2;
        let end = entries.len() - (max - begin);
        entries.drain(begin..end);
    }
    (entries, is_cut)
}
