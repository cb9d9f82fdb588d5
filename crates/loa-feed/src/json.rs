//! Writes JSON Feed 1.1 (jsonfeed.org/version/1.1) from structs of our own.
//!
//! JSON Feed has no word for a withdrawn entry. Ours stands under `_loa`, as its rule for
//! extensions says.

use crate::{
    Feed, FeedItem, Format, Media, RenderError, Site,
    format::{archive_url, current_url, hub, utc},
};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: String,
    home_page_url: String,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    language: &'a str,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<bool>,
    #[serde(rename = "_loa", skip_serializing_if = "Option::is_none")]
    loa: Option<Extension<'a>>,
    items: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Hub<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct Extension<'a> {
    about: &'static str,
    withdrawn: Vec<Withdrawn<'a>>,
}

#[derive(Serialize)]
struct Withdrawn<'a> {
    id: &'a str,
    date_withdrawn: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    content_html: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    date_published: String,
    date_modified: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    language: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

pub(crate) fn write(site: &Site, feed: &Feed) -> Result<String, RenderError> {
    let withdrawn: Vec<Withdrawn<'_>> = feed
        .tombstones()
        .iter()
        .map(|(id, stone)| Withdrawn { id, date_withdrawn: utc(stone.at), reason: &stone.reason })
        .collect();
    let publisher = site.author();
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: feed.full_title(site),
        home_page_url: site.page_url(&feed.head().name),
        // of every page: it names the feed
        feed_url: current_url(site, feed, Format::Json),
        next_url: feed.position().previous.map(|archive| archive_url(site, feed, archive, Format::Json)),
        description: &feed.head().description,
        language: &site.language,
        authors: vec![Author { name: &publisher, url: Some(site.base.as_str()) }],
        hubs: hub(site, feed).into_iter().map(|hub| Hub { kind: "WebSub", url: hub.as_str() }).collect(),
        expired: feed.has_ended().then_some(true),
        loa: (!withdrawn.is_empty()).then_some(Extension {
            about: "https://www.rfc-editor.org/rfc/rfc6721 in JSON: entries that were withdrawn",
            withdrawn,
        }),
        items: feed.items().iter().map(entry).collect(),
    };
    let mut text = serde_json::to_string(&document).map_err(|error| RenderError::new("JSON Feed", error))?;
    text.push('\n');
    Ok(text)
}

fn entry(item: &FeedItem) -> Entry<'_> {
    let labels = item.category.iter().chain(&item.kind).chain(&item.areas);
    Entry {
        id: &item.id,
        url: &item.url,
        title: &item.title,
        content_html: &item.content_html,
        summary: &item.summary,
        image: item.image.as_ref().map(|image| image.url.as_str()),
        date_published: utc(item.published_at),
        date_modified: utc(item.modified_at),
        // JSON Feed 1.1 knows no publisher: the portal stands behind who wrote it
        authors: (!item.author.is_empty())
            .then_some(item.author.as_str())
            .into_iter()
            .chain(item.portal.iter().map(|portal| portal.name.as_str()))
            .map(|name| Author { name, url: None })
            .collect(),
        tags: labels.map(|label| if label.label.is_empty() { label.term.as_str() } else { &label.label }).collect(),
        language: &item.language,
        attachments: item.attachments.iter().map(attachment).collect(),
    }
}

fn attachment(file: &Media) -> Attachment<'_> {
    Attachment {
        url: &file.url,
        mime_type: &file.media_type,
        title: &file.title,
        size_in_bytes: (file.bytes > 0).then_some(file.bytes),
    }
}
