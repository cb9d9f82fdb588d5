//! A list page: which of its links lead to articles, what the page names for machines, and where it goes on.
//!
//! Candidates are links with the words of a title, each with the day beside it. Those of a list look alike: the ones that have
//! days, or addresses of one form, are kept; which were left out is told.

use super::{ITEMS_MAX, Listed, ListedItem, SourceForm, pager};
use crate::{
    PageError,
    element::{absolute, is_aside},
    html::is_html,
    posted::{self, Posted},
    stamp::Stamp,
};
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use loa_domain::{LeftOut, NoSource, SelectorFor, Selectors, SourceClue, clean_line};
use loa_html::{Shape, measure};
use scraper::{ElementRef, Html, Selector};
use std::collections::{BTreeSet, HashMap, HashSet};
use url::Url;

/// A group of links of one form is a list when it has that many.
const GROUP_MIN: usize = 3;
/// A link of fewer words leads to a section, unless it is a heading.
const WORDS_MIN: usize = 4;
/// Elements around a link in which its day is looked for, and nodes of each.
const LEVELS_MAX: usize = 4;
const NODES_MAX: usize = 200;
/// A text with a day in it is no longer; what is longer is a lead.
const DAY_BYTES_MAX: usize = 120;
/// A page has that many links at most that are looked at.
const LINKS_MAX: usize = 5_000;

/// Reads a list page.
pub(super) fn read(text: &str, address: &Url, zone: &TimeZone, selectors: &Selectors) -> Result<Listed, PageError> {
    if !is_html(text) {
        return Err(PageError::NoSource { why: NoSource::Unknown });
    }
    measure(text, Shape::Page).map_err(|excess| PageError::TooCostly { excess: excess.kind })?;
    let tree = Html::parse_document(text);
    let base = base(&tree, address);
    let links = links(&tree, &base);
    let mut listed = match &selectors.links {
        Some(selector) => selected(&tree, &base, selector, zone)?,
        None => by_evidence(candidates(&tree, &base), address, zone)?,
    };
    listed.next = pager::next(&links, address);
    listed.feeds = feeds(&tree, &base);
    Ok(listed)
}

fn base(tree: &Html, address: &Url) -> Url {
    let written =
        tree.root_element().descendent_elements().find(|e| e.value().name() == "base" && e.attr("href").is_some());
    written.and_then(|e| absolute(Some(address), e.attr("href")?)).unwrap_or_else(|| address.clone())
}

fn links(tree: &Html, base: &Url) -> Vec<Url> {
    let hrefs = tree.root_element().descendent_elements().filter(|e| e.value().name() == "a");
    hrefs.take(LINKS_MAX).filter_map(|e| absolute(Some(base), e.attr("href")?)).collect()
}

/// Feeds, and WordPress's door, that a page names for machines.
fn feeds(tree: &Html, base: &Url) -> Vec<Url> {
    const FEEDS_MAX: usize = 10;
    let mut found = Vec::new();
    for element in tree.root_element().descendent_elements().filter(|e| e.value().name() == "link") {
        let (rel, kind) = (element.attr("rel").unwrap_or_default(), element.attr("type").unwrap_or_default());
        let is_feed = rel.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("alternate"))
            && ["application/rss+xml", "application/atom+xml", "application/feed+json"].contains(&kind);
        let Some(url) = element.attr("href").and_then(|href| absolute(Some(base), href)) else { continue };
        if rel == "https://api.w.org/" {
            found.extend(url.join("wp/v2/posts").ok());
        } else if is_feed && !url.path().contains("/comments/") {
            found.push(url);
        }
        if found.len() == FEEDS_MAX {
            break;
        }
    }
    found
}

/// Items by the selector for links: links, or elements that hold one.
fn selected(tree: &Html, base: &Url, written: &str, zone: &TimeZone) -> Result<Listed, PageError> {
    let what = SelectorFor::Links;
    let selector =
        Selector::parse(written).map_err(|_| PageError::UnreadableSelector { what, selector: written.into() })?;
    let mut listed = Listed::of(SourceForm::Listing, SourceClue::Selector { selector: written.into() });
    let mut addresses = HashSet::new();
    for element in tree.select(&selector).take(LINKS_MAX) {
        let is_link = |e: &ElementRef<'_>| e.value().name() == "a" && e.attr("href").is_some();
        let words = |e: &ElementRef<'_>| clean_line(&e.text().collect::<String>());
        let inner = element.descendent_elements().filter(is_link);
        let Some(link) = Some(element).filter(is_link).or_else(|| inner.max_by_key(|e| words(e).len())) else {
            listed.leave_out(words(&element), LeftOut::ElementWithoutLink);
            continue;
        };
        let Some(url) = link.attr("href").and_then(|href| absolute(Some(base), href)) else { continue };
        let mut item = ListedItem::at(url);
        item.title = Some(words(&link))
            .filter(|title| !title.is_empty())
            .or(link.attr("title").map(clean_line))
            .unwrap_or_default();
        let beside = words(&element);
        if let Ok(Posted::At { day, time, .. }) =
            posted::parse(beside.strip_prefix(item.title.as_str()).unwrap_or(&beside))
        {
            item.posted_on = Some(day);
            item.published_at = time.and_then(|time| Stamp::instant(day, Some(time), zone));
        }
        listed.push(item, &mut addresses);
    }
    if listed.items.is_empty() {
        return Err(PageError::IdleSelector { what, selector: written.into() });
    }
    Ok(listed)
}

/// A link that may lead to an article.
struct Candidate {
    url: Url,
    title: String,
    day: Option<(Date, Option<Time>)>,
}

/// Links with the words of a title, each with the day that stands beside it. One address is one candidate; of its links the
/// one with the most words is its title.
fn candidates(tree: &Html, base: &Url) -> Vec<Candidate> {
    let is_candidate = |e: &ElementRef<'_>| e.value().name() == "a" && e.attr("href").is_some();
    let mut found: Vec<Candidate> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for link in tree.root_element().descendent_elements().filter(is_candidate).take(LINKS_MAX) {
        let title = clean_line(&link.text().collect::<String>());
        let is_heading = |e: ElementRef<'_>| matches!(e.value().name(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        let around = || link.ancestors().filter_map(ElementRef::wrap);
        let has_words =
            title.split(' ').nth(WORDS_MIN - 1).is_some() || (!title.is_empty() && around().take(2).any(is_heading));
        let Some(url) =
            link.attr("href").filter(|href| !href.starts_with('#')).and_then(|href| absolute(Some(base), href))
        else {
            continue;
        };
        if !has_words || around().any(|e| is_aside(e) || matches!(e.value().name(), "nav" | "footer")) {
            continue;
        }
        let day = day_beside(link, base);
        match places.get(url.as_str()).and_then(|place| found.get_mut(*place)) {
            Some(known) => {
                if title.len() > known.title.len() {
                    known.title = title;
                }
                known.day = known.day.or(day);
            }
            None => {
                places.insert(url.to_string(), found.len());
                found.push(Candidate { url, title, day });
            }
        }
    }
    found
}

/// The day in the smallest element around a link that has one, as long as it holds no other article's link.
fn day_beside(link: ElementRef<'_>, base: &Url) -> Option<(Date, Option<Time>)> {
    let own = link.attr("href").and_then(|href| absolute(Some(base), href));
    for around in link.ancestors().filter_map(ElementRef::wrap).take(LEVELS_MAX) {
        let mut day = None;
        for node in around.descendants().take(NODES_MAX) {
            if let Some(element) = ElementRef::wrap(node)
                && element.value().name() == "a"
                && element.text().flat_map(str::split_whitespace).nth(WORDS_MIN - 1).is_some()
                && element.attr("href").and_then(|href| absolute(Some(base), href)) != own
            {
                return None;
            }
            let Some(text) = node.value().as_text() else { continue };
            let is_in_link = || node.ancestors().filter_map(ElementRef::wrap).any(|e| e.value().name() == "a");
            if day.is_none()
                && text.len() <= DAY_BYTES_MAX
                && text.bytes().any(|b| b.is_ascii_digit())
                && !is_in_link()
                && let Ok(Posted::At { day: found, time, .. }) = posted::parse(text)
            {
                day = Some((found, time));
            }
        }
        if day.is_some() {
            return day;
        }
    }
    None
}

/// Items by what the links look like.
fn by_evidence(candidates: Vec<Candidate>, address: &Url, zone: &TimeZone) -> Result<Listed, PageError> {
    let (mut own, mut elsewhere) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let url = &candidate.url;
        let is_other_page = url.path() != address.path() || (url.query().is_some() && url.query() != address.query());
        if site(url) == site(address) && url.path() != "/" && is_other_page {
            own.push((form(url), candidate));
        } else {
            elsewhere.push(candidate.title);
        }
    }
    let is_dated = |candidate: &Candidate| candidate.day.is_some();
    let dated_count = own.iter().filter(|(_, candidate)| is_dated(candidate)).count();
    let dated: HashSet<String> =
        own.iter().filter(|(_, candidate)| is_dated(candidate)).map(|(form, _)| form.clone()).collect();
    let mut groups: HashMap<&str, usize> = HashMap::new();
    own.iter().for_each(|(form, _)| *groups.entry(form.as_str()).or_default() += 1);
    let largest = groups.iter().max_by_key(|(form, count)| (**count, std::cmp::Reverse(**form)));
    let largest = largest.map(|(form, count)| ((*form).to_owned(), *count));
    let is_by_days = dated_count >= 2;
    let forms = match largest {
        _ if is_by_days => dated,
        Some((form, count)) if count >= GROUP_MIN => HashSet::from([form]),
        _ => return Err(PageError::NoList),
    };
    let items = own.iter().filter(|(form, _)| forms.contains(form)).count().min(ITEMS_MAX);
    let why = if is_by_days { SourceClue::DatedLinks { items } } else { SourceClue::LinksOfOneForm { items } };
    let mut listed = Listed::of(SourceForm::Listing, why);
    elsewhere.into_iter().for_each(|title| listed.leave_out(title, LeftOut::LinkElsewhere));
    let mut addresses = HashSet::new();
    for (form, Candidate { url, title, day }) in own {
        if forms.contains(&form) {
            let published_at = day.and_then(|(day, time)| Stamp::instant(day, Some(time?), zone));
            let posted_on = day.map(|(day, _)| day);
            listed.push(ListedItem { title, posted_on, published_at, ..ListedItem::at(url) }, &mut addresses);
        } else {
            listed.leave_out(title, LeftOut::UnlikeLink);
        }
    }
    Ok(listed)
}

fn site(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}

/// What addresses of one list have in common: the folder, the ending, the names of parameters.
fn form(url: &Url) -> String {
    let path = url.path().split(';').next().unwrap_or_default();
    let (folder, last) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
    let ending = last.rsplit_once('.').map_or("", |(_, ending)| ending);
    // a day in the path (`/2023/11/16/…`) is another for each article
    let folder: Vec<&str> =
        folder.split('/').map(|part| if part.bytes().all(|b| b.is_ascii_digit()) { "#" } else { part }).collect();
    let names: BTreeSet<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    // a script that shows every page is told by its name
    let script = if names.is_empty() { "" } else { last };
    format!("{}|{script}|{ending}|{}", folder.join("/"), names.into_iter().collect::<Vec<_>>().join(","))
}
