//! The contract, from outside: bytes in, events or refusals out.

mod accepts;
mod hostile;
mod legible;
mod normalises;
mod old_text;
mod properties;
mod refuses;
mod sanitisers;
mod schemas;
mod wire;
mod work;
mod zone;

use loa_area::{AreaFile, Directory};
use loa_domain::{Article, Calendar, Change, Content, Event};
use loa_event::{Refusal, decode};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, sync::LazyLock};

pub(crate) const STRUCTURED: Option<&str> = Some("application/cloudevents+json");

/// The real directory of Điện Biên Đông, both periods.
pub(crate) static DIRECTORY: LazyLock<Directory> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config/areas");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("config/areas").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let texts: Vec<_> = paths.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect();
    let files: Vec<_> = texts.iter().map(|text| AreaFile { label: "config/areas", text }).collect();
    Directory::load(&files).unwrap_or_else(|error| panic!("{error}"))
});

/// The days of Vietnam.
pub(crate) static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| calendar("Asia/Ho_Chi_Minh"));

pub(crate) fn calendar(zone: &str) -> Calendar {
    Calendar::new(jiff::tz::TimeZone::get(zone).expect("a zone"))
}

/// An article event with everything that is required and nothing else.
pub(crate) fn minimal() -> Value {
    json!({
        "specversion": "1.0",
        "type": "vn.loa.article.published.v1",
        "source": "https://dienbiendong.gov.vn/",
        "subject": "bai-1",
        "id": "e-1",
        "data": {
            "id": "bai-1",
            "revision": 1,
            "url": "https://dienbiendong.gov.vn/tin/bai-1",
            "title": "Thông báo",
            "category": { "slug": "tin-tuc", "label": "Tin tức" },
            "published_at": "2023-11-16T08:02:22+07:00"
        }
    })
}

/// The minimal event with one member replaced; `null` removes it.
pub(crate) fn with(pointer: &str, value: Value) -> Value {
    let mut event = minimal();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).and_then(Value::as_object_mut).expect("a parent");
    parent.insert(name.to_owned(), value);
    event
}

pub(crate) fn decode_value(event: &Value) -> Result<Event, Refusal> {
    decode_bytes(event.to_string().as_bytes())
}

pub(crate) fn decode_bytes(body: &[u8]) -> Result<Event, Refusal> {
    decode(STRUCTURED, &BTreeMap::new(), None, body, &DIRECTORY, &CALENDAR)
}

pub(crate) fn article(event: &Event) -> &Article {
    match &event.change {
        Change::Live(content) => match content.as_ref() {
            Content::Article(article) => article,
            other => panic!("not an article: {other:?}"),
        },
        other => panic!("not live: {other:?}"),
    }
}

/// The article that the minimal event with one member replaced decodes to.
pub(crate) fn article_with(pointer: &str, value: Value) -> Article {
    article(&decode_value(&with(pointer, value)).expect("a good event")).clone()
}
