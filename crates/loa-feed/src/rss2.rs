//! Writes RSS 2.0 by the RSS Board's profile, with the `rss` crate.
//!
//! The profile's validators ask for `description` before `content:encoded`, `atom:link rel=self`,
//! names in `dc:creator` (never in `author`, which wants an e-mail address), one enclosure, and
//! dates with a four-digit year.

use crate::{
    Feed, FeedItem, Format, Media, RenderError, Site,
    format::{HISTORY, history, hub, neighbours, prolog, self_url, utc},
    plain::shown,
};
use loa_domain::escape_text;
use rss::{
    Category, Channel, Enclosure, Guid,
    extension::{
        Extension, ExtensionMap,
        atom::{AtomExtension, Link},
        dublincore::DublinCoreExtension,
    },
};
use std::collections::BTreeMap;

const DCTERMS: &str = "http://purl.org/dc/terms/";
const MEDIA: &str = "http://search.yahoo.com/mrss/";
const SYNDICATION: &str = "http://purl.org/rss/1.0/modules/syndication/";

pub(crate) fn write(site: &Site, feed: &Feed) -> Result<String, RenderError> {
    let mut links = vec![link("self", self_url(site, feed, Format::Rss), Some(Format::Rss.media_type()))];
    let others = neighbours(site, feed, Format::Rss);
    links.extend(others.into_iter().map(|(rel, href)| link(rel, href, Some(Format::Rss.media_type()))));
    links.extend(hub(site, feed).map(|hub| link("hub", hub.to_string(), None)));
    let mut namespaces = BTreeMap::from([("dcterms".to_owned(), DCTERMS.to_owned())]);
    if feed.items().iter().any(|item| item.image.is_some()) {
        namespaces.insert("media".to_owned(), MEDIA.to_owned());
    }
    let mut extensions = update_hint(site.ttl_minutes);
    if !extensions.is_empty() {
        namespaces.insert("sy".to_owned(), SYNDICATION.to_owned());
    }
    // RFC 5005 appendix B
    let said = |name: &'static str| (name.to_owned(), vec![element(&format!("fh:{name}"), None)]);
    let history: BTreeMap<_, _> = history(feed).map(said).collect();
    if !history.is_empty() {
        namespaces.insert("fh".to_owned(), HISTORY.to_owned());
        extensions.insert("fh".to_owned(), history);
    }
    let description = &feed.head().description;
    let channel = Channel {
        title: shown(&feed.full_title(site)),
        link: site.page_url(&feed.head().name),
        description: shown(if description.is_empty() { &feed.head().title } else { description }),
        language: Some(site.language.clone()),
        last_build_date: Some(site.calendar.rfc822(feed.updated_at())),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        generator: Some("Loa".to_owned()),
        ttl: Some(site.ttl_minutes.to_string()),
        items: feed.items().iter().map(|item| written(site, item)).collect(),
        extensions,
        atom_ext: Some(AtomExtension { links }),
        namespaces,
        ..Channel::default()
    };
    let bytes = channel.write_to(Vec::new()).map_err(|error| RenderError::new("RSS", error))?;
    let text = String::from_utf8(bytes).map_err(|error| RenderError::new("RSS", error))?;
    let root = text.find("<rss").ok_or_else(|| RenderError::new("RSS", "it has no root element"))?;
    Ok(prolog(site) + &in_the_profiles_words(&text[root..]) + "\n")
}

/// Plain text with `&` and `<` as the profile wants them, `&#x26;` and `&#x3C;`: readers that wrongly read it as HTML see
/// fewer entities in it. To XML it is the same. What stands in CDATA or in an attribute is left.
fn in_the_profiles_words(text: &str) -> String {
    const CDATA: (&str, &str) = ("<![CDATA[", "]]>");
    const TAG: (&str, &str) = ("<", ">");
    let mut out = String::with_capacity(text.len() + 256);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (plain, marked) = rest.split_at(at);
        out.push_str(&plain.replace("&amp;", "&#x26;").replace("&lt;", "&#x3C;"));
        // no `>` in the writer's attributes: it escapes them
        let (_, end) = if marked.starts_with(CDATA.0) { CDATA } else { TAG };
        let behind = marked.find(end).map_or(marked.len(), |length| length + end.len());
        out.push_str(&marked[..behind]);
        rest = &marked[behind..];
    }
    out.push_str(rest);
    out
}

fn written(site: &Site, item: &FeedItem) -> rss::Item {
    // readers take the description for HTML, so plain text is escaped once more; quotes are not, since browsers show it as it is
    let description = escape_text(if item.summary.is_empty() { &item.title } else { &item.summary });
    let term = |list: &str, label: &crate::Label| Category {
        name: shown(if label.label.is_empty() { &label.term } else { &label.label }),
        domain: Some(site.tag.scheme(list)),
    };
    let mut categories: Vec<Category> = item.category.iter().map(|label| term("category", label)).collect();
    categories.extend(item.kind.iter().map(|label| term("kind", label)));
    categories.extend(item.areas.iter().map(|label| term("area", label)));
    rss::Item {
        title: Some(shown(&item.title)),
        link: Some(item.url.clone()),
        description: Some(description),
        categories,
        enclosure: item.attachments.first().or(item.image.as_ref()).map(enclosure),
        guid: Some(Guid { value: item.id.clone(), permalink: false }),
        pub_date: Some(site.calendar.rfc822(item.published_at)),
        content: Some(item.content_html.clone()),
        extensions: item_extensions(item),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: vec![shown(&creator(site, item))],
            publishers: item.portal.iter().map(|portal| shown(&portal.name)).collect(),
            ..DublinCoreExtension::default()
        }),
        ..rss::Item::default()
    }
}

/// Whoever wrote it; otherwise its portal, which stands behind it, so that readers that make mails of entries have a sender.
fn creator(site: &Site, item: &FeedItem) -> String {
    match &item.portal {
        _ if !item.author.is_empty() => item.author.clone(),
        Some(portal) => portal.name.clone(),
        None => site.author(),
    }
}

fn enclosure(media: &Media) -> Enclosure {
    // 0 is what the profile asks for when the size is unknown
    Enclosure { url: media.url.clone(), length: media.bytes.to_string(), mime_type: media.media_type.clone() }
}

fn item_extensions(item: &FeedItem) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    if item.modified_at > item.published_at {
        let modified = element("dcterms:modified", Some(utc(item.modified_at)));
        map.insert("dcterms".to_owned(), BTreeMap::from([("modified".to_owned(), vec![modified])]));
    }
    if let Some(image) = &item.image {
        let mut content = element("media:content", None);
        content.attrs.insert("url".to_owned(), image.url.clone());
        content.attrs.insert("type".to_owned(), image.media_type.clone());
        content.attrs.insert("medium".to_owned(), "image".to_owned());
        if image.bytes > 0 {
            content.attrs.insert("fileSize".to_owned(), image.bytes.to_string());
        }
        if !image.title.is_empty() {
            let shown = element("media:description", Some(shown(&image.title)));
            content.children.insert("description".to_owned(), vec![shown]);
        }
        map.insert("media".to_owned(), BTreeMap::from([("content".to_owned(), vec![content])]));
    }
    map
}

/// `sy:update…` says what `ttl` says, or, where it has no words for that, nothing.
fn update_hint(ttl_minutes: u32) -> ExtensionMap {
    if ttl_minutes == 0 || 60 % ttl_minutes != 0 {
        return ExtensionMap::new();
    }
    let period = element("sy:updatePeriod", Some("hourly".to_owned()));
    let frequency = element("sy:updateFrequency", Some((60 / ttl_minutes).to_string()));
    let hint =
        BTreeMap::from([("updatePeriod".to_owned(), vec![period]), ("updateFrequency".to_owned(), vec![frequency])]);
    ExtensionMap::from([("sy".to_owned(), hint)])
}

fn element(name: &str, value: Option<String>) -> Extension {
    Extension { name: name.to_owned(), value, ..Extension::default() }
}

fn link(rel: &str, href: String, media_type: Option<&str>) -> Link {
    Link { rel: rel.to_owned(), href, mime_type: media_type.map(str::to_owned), ..Link::default() }
}
