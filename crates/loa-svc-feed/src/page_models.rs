//! What templates are given: texts and addresses, nothing to compute.

use crate::naming::Listed;
use jiff::{Timestamp, tz};
use loa_domain::{ArticleId, FeedName};
use loa_feed::{Feed, Format, Item, Label, Site};
use serde::Serialize;

#[derive(Serialize)]
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
}

#[derive(Serialize)]
pub(crate) struct FeedLine {
    pub(crate) title: String,
    pub(crate) href: String,
    pub(crate) entries: u64,
    pub(crate) newest: Option<Moment>,
    pub(crate) alternates: Vec<Alternate>,
}

#[derive(Serialize)]
pub(crate) struct File {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) media_type: String,
}

#[derive(Serialize)]
pub(crate) struct EntryView {
    pub(crate) title: String,
    pub(crate) href: String,
    pub(crate) language: String,
    pub(crate) published: Moment,
    /// Only when it was changed since.
    pub(crate) modified: Option<Moment>,
    pub(crate) summary: String,
    pub(crate) author: String,
    pub(crate) places: Vec<Link>,
    pub(crate) files: Vec<File>,
}

#[derive(Serialize)]
pub(crate) struct GoneView {
    pub(crate) href: String,
    pub(crate) at: Moment,
    pub(crate) reason: String,
}

/// Vietnam's civil time, by its fixed offset: pages are the same bytes wherever they are written.
pub(crate) fn moment(at: Timestamp) -> Moment {
    let local = at.to_zoned_datetime(tz::TimeZone::fixed(tz::offset(7)));
    Moment {
        iso: local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        text: local.strftime("%d/%m/%Y %H:%M").to_string(),
    }
}

/// A path on this site: without host, so that pages work wherever they are reached.
pub(crate) fn path(site: &Site, rest: &str) -> String {
    format!("{}/{rest}", site.base.path().trim_end_matches('/'))
}

/// Where an article accounts for itself: its page when it stands, a notice when it is gone.
pub(crate) fn article_path(site: &Site, article: &ArticleId) -> String {
    let mut url = site.base.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty().push("a").push(article.as_str());
        }
        Err(()) => return path(site, "feeds"),
    }
    url.path().to_owned()
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

pub(crate) fn feed_line(site: &Site, feed: &Listed) -> FeedLine {
    FeedLine {
        title: feed.title.clone(),
        href: path(site, &format!("feeds/{}", feed.name)),
        entries: feed.entries,
        newest: feed.newest_at.map(moment),
        alternates: alternates(site, &feed.name),
    }
}

pub(crate) fn entry(site: &Site, item: &Item) -> EntryView {
    let place = |prefix: &str, label: &Label| Link {
        label: if label.label.is_empty() { label.term.clone() } else { label.label.clone() },
        href: path(site, &format!("feeds/{prefix}-{}", label.term)),
    };
    let mut places: Vec<Link> = item.category.iter().map(|label| place("category", label)).collect();
    places.extend(item.areas.iter().map(|label| place("area", label)));
    EntryView {
        title: item.title.clone(),
        href: item.url.clone(),
        language: item.language.clone(),
        published: moment(item.published_at),
        modified: (item.modified_at > item.published_at).then(|| moment(item.modified_at)),
        summary: item.summary.clone(),
        author: item.author.clone(),
        places,
        files: item
            .attachments
            .iter()
            .map(|file| File {
                label: if file.title.is_empty() {
                    file.url.rsplit('/').next().unwrap_or_default().to_owned()
                } else {
                    file.title.clone()
                },
                href: file.url.clone(),
                media_type: file.media_type.clone(),
            })
            .collect(),
    }
}

pub(crate) fn gone(site: &Site, feed: &Feed) -> Vec<GoneView> {
    feed.tombstones()
        .iter()
        .map(|(_, stone)| GoneView {
            href: article_path(site, &stone.article),
            at: moment(stone.at),
            reason: stone.reason.clone(),
        })
        .collect()
}
