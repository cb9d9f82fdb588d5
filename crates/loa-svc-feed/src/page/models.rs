//! What templates are given: texts and addresses, nothing to compute.
//!
//! Pure functions from feeds, lists and queries to models. Dates are those of the calendar handed
//! in, addresses those of the site (`addresses.rs`). It does not know the templates.

use super::{
    addresses::{article_path, path, picks_path},
    query::Asked,
};
use crate::names::{
    finding::FoundFeed,
    listing::{Listed, Lists},
    words,
};
use jiff::Timestamp;
use loa_domain::{Calendar, Combination, FeedName};
use loa_feed::{ArchiveName, Feed, FeedItem, Format, Label, Media, Site};
use serde::Serialize;
use url::form_urlencoded;

#[derive(Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) label: String,
    pub(crate) href: String,
}

#[derive(Serialize)]
pub(crate) struct Alternate {
    pub(crate) label: &'static str,
    #[serde(rename = "type")]
    pub(crate) media_type: &'static str,
    /// Absolute, for readers to copy.
    pub(crate) href: String,
}

#[derive(Serialize)]
pub(crate) struct Moment {
    /// For machines.
    pub(crate) iso: String,
    /// `16/11/2023 08:02`.
    pub(crate) text: String,
    /// `16/11/2023`.
    pub(crate) day: String,
}

#[derive(Serialize)]
pub(crate) struct FeedLine {
    pub(crate) title: String,
    pub(crate) href: String,
    pub(crate) entries: u64,
    pub(crate) newest: Option<Moment>,
    /// Absolute, for readers to copy.
    pub(crate) rss: String,
}

/// A feed that was looked for.
#[derive(Serialize)]
pub(crate) struct FoundLine {
    pub(crate) title: String,
    /// Whether others took its place.
    pub(crate) is_former: bool,
    pub(crate) feeds: Vec<FeedLine>,
    /// Picks it, with what was picked before; empty for `all`.
    pub(crate) pick: String,
}

/// A box to tick.
#[derive(Serialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) is_picked: bool,
}

/// The boxes of the form that puts a feed together.
pub(crate) struct Choices {
    /// As hidden fields of the search.
    pub(crate) picked: Vec<Choice>,
    pub(crate) places: Vec<Choice>,
    pub(crate) sections: Vec<Choice>,
    pub(crate) portals: Vec<Choice>,
}

#[derive(Serialize)]
pub(crate) struct File {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) media_type: String,
    /// `PDF, 1,4 MB`; may be empty.
    pub(crate) about: String,
}

#[derive(Serialize)]
pub(crate) struct EntryView {
    pub(crate) title: String,
    pub(crate) href: String,
    /// Its language, when it is not the page's; otherwise empty.
    pub(crate) foreign: String,
    pub(crate) published: Moment,
    /// Only when it was changed since.
    pub(crate) modified: Option<Moment>,
    pub(crate) summary: String,
    /// Of a document: name and value, in the place of summary and author.
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) author: String,
    /// Whose it is, where several portals publish; otherwise empty.
    pub(crate) portal: String,
    pub(crate) places: Vec<Link>,
    pub(crate) files: Vec<File>,
}

#[derive(Serialize)]
pub(crate) struct GoneView {
    pub(crate) href: String,
    pub(crate) at: Moment,
    pub(crate) reason: String,
}

/// An instant as people of the site's zone read it.
pub(crate) fn moment(calendar: &Calendar, at: Timestamp) -> Moment {
    Moment { iso: calendar.rfc3339(at), text: calendar.date_time(at), day: calendar.date(at) }
}

pub(crate) fn alternates(site: &Site, name: &FeedName) -> Vec<Alternate> {
    Format::ALL
        .into_iter()
        .map(|format| Alternate {
            label: format.label(),
            media_type: format.media_type(),
            href: site.url(&format!("feeds/{name}.{}", format.extension())),
        })
        .collect()
}

pub(crate) fn feed_line(site: &Site, calendar: &Calendar, feed: &Listed) -> FeedLine {
    FeedLine {
        title: feed.title.clone(),
        href: path(site, &format!("feeds/{}", feed.name)),
        entries: feed.entries,
        newest: feed.newest_at.map(|at| moment(calendar, at)),
        rss: site.url(&format!("feeds/{}.{}", feed.name, Format::Rss.extension())),
    }
}

/// The boxes: what was picked first, then what is listed.
pub(crate) fn choices(lists: &Lists, asked: &Asked, picked: &[Listed]) -> Choices {
    let choice = |feed: &Listed| Choice {
        value: feed.name.to_string(),
        label: feed.title.clone(),
        is_picked: asked.picks.contains(&feed.name),
    };
    let is_place = |feed: &&Listed| matches!(feed.name, FeedName::Area(_));
    let is_not_picked = |feed: &&Listed| !asked.picks.contains(&feed.name);
    let is_portal = |feed: &&Listed| matches!(feed.name, FeedName::Portal(_));
    let (portals, others): (Vec<&Listed>, Vec<&Listed>) = picked.iter().partition(is_portal);
    let (places, sections): (Vec<&Listed>, Vec<&Listed>) = others.into_iter().partition(is_place);
    // of a whole country's areas a few would be any: those are looked for
    let listed_places = lists.areas.iter().chain(&lists.empty_areas).filter(|_| lists.more_areas == 0);
    let listed_places = listed_places.filter(is_not_picked);
    let listed_sections =
        lists.categories.iter().chain(lists.general.iter().filter(|feed| feed.name == FeedName::Documents));
    Choices {
        picked: picked.iter().map(choice).collect(),
        places: places.into_iter().chain(listed_places).map(choice).collect(),
        sections: sections.into_iter().chain(listed_sections.filter(is_not_picked)).map(choice).collect(),
        portals: portals.into_iter().chain(lists.portals.iter().filter(is_not_picked)).map(choice).collect(),
    }
}

pub(crate) fn found_line(site: &Site, calendar: &Calendar, found: &FoundFeed, asked: &Asked) -> FoundLine {
    let mut picks: Vec<FeedName> = asked.picks.clone();
    picks.extend(found.feeds.iter().map(|feed| feed.name.clone()).filter(|name| *name != FeedName::All));
    picks.sort();
    picks.dedup();
    let is_pick = picks.len() > asked.picks.len() && picks.len() <= Combination::PARTS_MAX;
    FoundLine {
        title: found.title.clone(),
        is_former: found.is_former,
        feeds: found.feeds.iter().map(|feed| feed_line(site, calendar, feed)).collect(),
        pick: if is_pick { picks_path(site, &picks) } else { String::new() },
    }
}

/// Programs and services that take a feed by a link.
pub(crate) fn readers(site: &Site, name: &FeedName) -> Vec<Link> {
    let feed = site.url(&format!("feeds/{name}.rss"));
    let encoded: String = form_urlencoded::byte_serialize(feed.as_bytes()).collect();
    [
        (words::READER_ON_THIS_DEVICE, format!("feed:{feed}")),
        ("Feedly", format!("https://feedly.com/i/subscription/feed%2F{encoded}")),
        ("Inoreader", format!("https://www.inoreader.com/?add_feed={encoded}")),
        ("NewsBlur", format!("https://www.newsblur.com/?url={encoded}")),
        ("The Old Reader", format!("https://theoldreader.com/feeds/subscribe?url={encoded}")),
    ]
    .map(|(label, href)| Link { label: label.to_owned(), href })
    .to_vec()
}

pub(crate) fn entry(site: &Site, calendar: &Calendar, item: &FeedItem) -> EntryView {
    let place = |prefix: &str, label: &Label| Link {
        label: if label.label.is_empty() { label.term.clone() } else { label.label.clone() },
        href: path(site, &format!("feeds/{prefix}-{}", label.term)),
    };
    let mut places: Vec<Link> = item.category.iter().map(|label| place("category", label)).collect();
    places.extend(item.areas.iter().map(|label| place("area", label)));
    EntryView {
        title: item.title.clone(),
        href: item.url.clone(),
        foreign: if item.language == site.language { String::new() } else { item.language.clone() },
        published: moment(calendar, item.published_at),
        modified: (item.modified_at > item.published_at).then(|| moment(calendar, item.modified_at)),
        summary: item.summary.clone(),
        author: if item.facts.is_empty() { item.author.clone() } else { String::new() },
        facts: item.facts.clone(),
        portal: item.portal.as_ref().map(|portal| portal.name.clone()).unwrap_or_default(),
        places,
        files: item
            .attachments
            .iter()
            .map(|file| File {
                label: if file.title.is_empty() { file.url.clone() } else { file.title.clone() },
                href: file.url.clone(),
                media_type: file.media_type.clone(),
                about: about(file),
            })
            .collect(),
    }
}

/// `PDF, 1,4 MB`: what it costs somebody on a slow line to open it, and with what.
fn about(file: &Media) -> String {
    let name = file.url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let kind = name.rsplit_once('.').map(|(_, kind)| kind).unwrap_or_default();
    let is_kind = (2..=4).contains(&kind.len()) && kind.chars().all(|c| c.is_ascii_alphanumeric());
    let kind = if is_kind { kind.to_ascii_uppercase() } else { String::new() };
    [kind, file.size()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// An archive document's page: `Tin tháng 10/2026`, `…, phần 2`.
pub(crate) fn archive_link(site: &Site, feed: &FeedName, archive: ArchiveName) -> Link {
    Link { label: words::news_of(archive), href: path(site, &format!("feeds/{feed}/{archive}")) }
}

pub(crate) fn gone(site: &Site, calendar: &Calendar, feed: &Feed) -> Vec<GoneView> {
    feed.tombstones()
        .iter()
        .map(|(_, stone)| GoneView {
            href: article_path(site, &stone.article),
            at: moment(calendar, stone.at),
            reason: stone.reason.clone(),
        })
        .collect()
}
