//! Writes Atom 1.0 (RFC 4287) with `atom_syndication`, with tombstones (RFC 6721).
//!
//! RFC 4287's grammar wants every extension element of the head before the first entry;
//! `atom_syndication` writes them after the last. So this file writes the head as a feed without
//! entries, and puts the entries in before its end tag.

use crate::{
    Feed, FeedItem, Format, Label, RenderError, Site, Tombstone,
    format::{HISTORY, history, hub, neighbours, prolog, self_url, utc},
    plain::shown,
};
use atom_syndication::{
    Category, Content, Entry, FixedDateTime, Generator, Link, Person, Source, Text, WriteConfig,
    extension::{Extension, ExtensionMap},
};
use jiff::{SignedDuration, Timestamp};
use ring::digest;
use std::collections::BTreeMap;

const TOMBSTONES: &str = "http://purl.org/atompub/tombstones/1.0";
const END: &str = "</feed>";
const ENTRY_ALONE: &str = "<entry xmlns=\"http://www.w3.org/2005/Atom\">";

pub(crate) fn write(site: &Site, feed: &Feed) -> Result<String, RenderError> {
    let config = WriteConfig { write_document_declaration: false, indent_size: None };
    let head =
        head(site, feed)?.write_with_config(Vec::new(), config).map_err(|error| RenderError::new("Atom", error))?;
    let head = String::from_utf8(head).map_err(|error| RenderError::new("Atom", error))?;
    let head = head.strip_suffix(END).ok_or_else(|| RenderError::new("Atom", "the head does not end as a feed"))?;
    let mut out = prolog(site);
    out.push_str(&with_z(head));
    for item in feed.items() {
        let entry = entry(site, item)?
            .write_with_config(Vec::new(), config)
            .map_err(|error| RenderError::new("Atom", error))?;
        let entry = std::str::from_utf8(&entry).map_err(|error| RenderError::new("Atom", error))?;
        // inside the feed the namespace is declared already
        out.push_str(&with_z(&entry.replacen(ENTRY_ALONE, "<entry>", 1)));
    }
    out.push_str(END);
    out.push('\n');
    Ok(out)
}

/// `Z` where the writer says `+00:00`: readers that take no offset know it. No text holds such an end tag: the writer escapes
/// every `<`.
fn with_z(written: &str) -> String {
    ["updated", "published"]
        .iter()
        .fold(written.to_owned(), |text, name| text.replace(&format!("+00:00</{name}>"), &format!("Z</{name}>")))
}

fn head(site: &Site, feed: &Feed) -> Result<atom_syndication::Feed, RenderError> {
    let name = &feed.head().name;
    let mut links = vec![
        typed("self", self_url(site, feed, Format::Atom), Format::Atom.media_type()),
        typed("alternate", site.page_url(name), "text/html"),
    ];
    let others = neighbours(site, feed, Format::Atom);
    links.extend(others.into_iter().map(|(rel, href)| typed(rel, href, Format::Atom.media_type())));
    links.extend(hub(site, feed).map(|hub| Link { rel: "hub".to_owned(), href: hub.to_string(), ..Link::default() }));
    let mut namespaces = BTreeMap::new();
    let mut extensions = ExtensionMap::new();
    let said = |name: &str| Extension { name: format!("fh:{name}"), ..Extension::default() };
    let history: BTreeMap<_, _> = history(feed).map(|name| (name.to_owned(), vec![said(name)])).collect();
    if !history.is_empty() {
        namespaces.insert("fh".to_owned(), HISTORY.to_owned());
        extensions.insert("fh".to_owned(), history);
    }
    if !feed.tombstones().is_empty() {
        namespaces.insert("at".to_owned(), TOMBSTONES.to_owned());
        let stones = feed.tombstones().iter().map(|(id, stone)| deleted_entry(id, stone)).collect();
        extensions.insert("at".to_owned(), BTreeMap::from([("deleted-entry".to_owned(), stones)]));
    }
    // never before an entry's
    let entries = feed.items().iter().map(|item| apart(item.modified_at, &item.id));
    let updated = entries.chain([feed.updated_at()]).max().unwrap_or_else(|| feed.updated_at());
    let description = &feed.head().description;
    Ok(atom_syndication::Feed {
        title: Text::plain(shown(&feed.full_title(site))),
        id: site.tag.feed(name),
        updated: apart_instant(updated)?,
        authors: vec![Person { name: shown(&site.author()), uri: Some(site.base.to_string()), ..Person::default() }],
        generator: Some(Generator { value: "Loa".to_owned(), ..Generator::default() }),
        links,
        subtitle: (!description.is_empty()).then(|| Text::plain(shown(description))),
        lang: Some(site.language.clone()),
        extensions,
        namespaces,
        ..atom_syndication::Feed::default()
    })
}

fn entry(site: &Site, item: &FeedItem) -> Result<Entry, RenderError> {
    let mut links = vec![typed("alternate", item.url.clone(), "text/html")];
    for file in &item.attachments {
        links.push(Link {
            length: (file.bytes > 0).then(|| file.bytes.to_string()),
            title: (!file.title.is_empty()).then(|| shown(&file.title)),
            ..typed("enclosure", file.url.clone(), &file.media_type)
        });
    }
    let mut categories: Vec<Category> = item.category.iter().map(|label| term(site, "category", label)).collect();
    categories.extend(item.kind.iter().map(|label| term(site, "kind", label)));
    categories.extend(item.areas.iter().map(|label| term(site, "area", label)));
    Ok(Entry {
        title: Text::plain(shown(&item.title)),
        id: item.id.clone(),
        updated: apart_instant(apart(item.modified_at, &item.id))?,
        authors: (!item.author.is_empty())
            .then(|| Person { name: shown(&item.author), ..Person::default() })
            .into_iter()
            .collect(),
        categories,
        links,
        published: Some(instant(item.published_at)?),
        // RFC 4287 §4.2.11: whose feed it is first of all
        source: match &item.portal {
            Some(portal) => Some(Source {
                title: Text::plain(shown(&portal.name)),
                id: site.tag.feed(&portal.feed),
                updated: instant(item.modified_at)?,
                ..Source::default()
            }),
            None => None,
        },
        summary: (!item.summary.is_empty()).then(|| Text::plain(shown(&item.summary))),
        content: Some(Content {
            value: Some(item.content_html.clone()),
            content_type: Some("html".to_owned()),
            lang: (item.language != site.language).then(|| item.language.clone()),
            ..Content::default()
        }),
        ..Entry::default()
    })
}

fn term(site: &Site, list: &str, label: &Label) -> Category {
    Category {
        term: label.term.clone(),
        scheme: Some(site.tag.scheme(list)),
        label: (!label.label.is_empty()).then(|| shown(&label.label)),
    }
}

fn typed(rel: &str, href: String, media_type: &str) -> Link {
    Link { rel: rel.to_owned(), href, mime_type: Some(media_type.to_owned()), ..Link::default() }
}

fn deleted_entry(id: &str, stone: &Tombstone) -> Extension {
    let mut children = BTreeMap::new();
    if !stone.reason.is_empty() {
        let comment =
            Extension { name: "at:comment".to_owned(), value: Some(shown(&stone.reason)), ..Extension::default() };
        children.insert("comment".to_owned(), vec![comment]);
    }
    Extension {
        name: "at:deleted-entry".to_owned(),
        attrs: BTreeMap::from([("ref".to_owned(), id.to_owned()), ("when".to_owned(), utc(stone.at))]),
        children,
        ..Extension::default()
    }
}

fn instant(at: Timestamp) -> Result<FixedDateTime, RenderError> {
    // chrono's parse error is no `Error` in a build without its "std"
    utc(at).parse().map_err(|error| RenderError::new("Atom", format!("{at} is no RFC 3339 instant: {error}")))
}

/// With all its microseconds.
fn apart_instant(at: Timestamp) -> Result<FixedDateTime, RenderError> {
    let micros = at.subsec_nanosecond().unsigned_abs() / 1_000;
    let text = if micros > 0 { at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string() } else { utc(at) };
    text.parse().map_err(|error| RenderError::new("Atom", format!("{at} is no RFC 3339 instant: {error}")))
}

/// The same second, with a fraction that only this id has (of a million): for `updated`. Portals that tell the day alone, and
/// imports, date many entries alike; readers that order by date then show them in any order, and validators warn. The fraction
/// never changes, whatever stands beside the entry.
fn apart(at: Timestamp, id: &str) -> Timestamp {
    let digest = digest::digest(&digest::SHA256, id.as_bytes());
    let number = digest.as_ref()[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let micros = i64::try_from(number % 1_000_000).unwrap_or_default();
    Timestamp::from_second(at.as_second())
        .and_then(|second| second.checked_add(SignedDuration::from_micros(micros)))
        .unwrap_or(at)
}
