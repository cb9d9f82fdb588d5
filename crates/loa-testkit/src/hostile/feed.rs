//! Checks the writing of feeds: for any accepted content every format is well-formed, strict, and
//! the same each time.

use super::{structured_event, well_formed_xml};
use loa_domain::{Change, FeedName};
use loa_feed::{
    AreaLabel, Entry, Feed, FeedHead, Format, Outline, OutlineGroup, Site, TagAuthority, Tombstone, Window, opml,
    render,
};
use serde_json::{Value, json};

/// Texts of an article, divided by bytes 0xFF (title, summary, body, category, source, name of a file, id); an event is made
/// of them, decoded, and what is accepted is written in every format.
///
/// # Panics
/// When a promise is broken.
pub fn feed_of_event(bytes: &[u8]) {
    let mut texts = bytes.split(|&b| b == 0xff).map(|part| String::from_utf8_lossy(part).into_owned());
    let mut next = || texts.next().unwrap_or_default();
    let (title, summary, html, category, source, file, id) = (next(), next(), next(), next(), next(), next(), next());
    let id = if id.is_empty() { "a".to_owned() } else { id };
    let base = json!({ "specversion": "1.0", "source": "https://a.vn/", "subject": id, "id": "e" });
    let event = |kind: &str, data: Value| {
        let mut event = base.clone();
        event["type"] = kind.into();
        event["data"] = data;
        structured_event(event.to_string().as_bytes())
    };
    let at = "2023-11-16T08:02:22+07:00";
    let article = event(
        "vn.loa.article.published.v1",
        json!({
        "id": id, "revision": 1, "url": "https://a.vn/1", "title": title, "summary": summary, "content_html": html,
        "category": { "slug": "tin", "label": category }, "source_name": source, "published_at": at,
        "images": [{ "url": "https://a.vn/1.jpg", "alt": file }], "attachments": [{ "url": "https://a.vn/1.pdf", "alt": file }] }),
    );
    let document = event(
        "vn.loa.document.issued.v1",
        json!({
        "id": id, "revision": 1, "url": "https://a.vn/1", "title": title, "number": category, "issuer": source, "published_at": at }),
    );
    let gone = event("vn.loa.article.withdrawn.v1", json!({ "id": id, "revision": 2, "reason": summary, "at": at }));
    let entries: Vec<Entry> = [article, document]
        .into_iter()
        .flatten()
        .filter_map(|event| match event.change {
            Change::Live(content) => {
                let areas =
                    content.areas().iter().map(|id| AreaLabel { id: id.clone(), name: title.clone() }).collect();
                Some(Entry { article: content.id().into(), content: *content, areas, portal: None })
            }
            Change::Withdrawn(_) => None,
        })
        .collect();
    let stones: Vec<Tombstone> = gone
        .into_iter()
        .filter_map(|event| match event.change {
            Change::Withdrawn(gone) => {
                Some(Tombstone { article: gone.id.into(), at: gone.at, reason: gone.reason, tag: None })
            }
            Change::Live(_) => None,
        })
        .collect();
    let Some(site) = site(&title) else { return };
    for entry in &entries {
        written(&site, &title, std::slice::from_ref(entry), &[]);
    }
    written(&site, &summary, &[], &stones);
    let outline = Outline { name: FeedName::All, title: title.clone() };
    well_formed_xml(
        &opml(&site, &[OutlineGroup { title: summary, outlines: vec![outline] }]).expect("the list is written"),
    );
}

fn site(title: &str) -> Option<Site> {
    Some(Site {
        tag: TagAuthority::new("a.vn", "2026-01-01".parse().ok()?).ok()?,
        base: "https://a.vn/".parse().ok()?,
        title: title.to_owned(),
        publisher: title.to_owned(),
        language: "vi".into(),
        ttl_minutes: 15,
        hub: None,
        calendar: loa_domain::Calendar::new(jiff::tz::TimeZone::UTC),
    })
}

fn written(site: &Site, title: &str, entries: &[Entry], stones: &[Tombstone]) {
    let head = FeedHead { name: FeedName::All, title: title.to_owned(), description: title.to_owned() };
    let feed = Feed::assemble(site, head, entries, stones, Window::default());
    assert_eq!((feed.items().len(), feed.tombstones().len()), (entries.len(), stones.len()));
    for format in Format::ALL {
        let text = render(format, site, &feed).expect("a feed is always written");
        assert_eq!(render(format, site, &feed).ok().as_ref(), Some(&text), "the same feed, other bytes");
        match format {
            Format::Rss | Format::Atom => well_formed_xml(&text),
            Format::Json => {
                let value: Value = serde_json::from_str(&text).expect("JSON");
                let items = value["items"].as_array().expect("a list of items");
                assert_eq!(items.len(), entries.len());
                assert!(items.iter().all(|item| item["id"].as_str().is_some_and(|id| id.starts_with("tag:"))));
            }
        }
    }
}
