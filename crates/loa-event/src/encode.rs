//! Encodes an event into its bytes: structured mode, members in a fixed order, so that equal events
//! are equal bytes.
//!
//! Intake uses it for what it accepts over HTTP; the result goes through [`decode`](crate::decode)
//! like everything else.

use jiff::Timestamp;
use loa_domain::{Attachment, Change, Content, Event, EventType, without_lookalikes};
use serde_json::{Map, Value, json};

/// What an event is made of, before it is bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts<'a> {
    /// Unique within the source: 1 to 200 visible ASCII characters.
    pub id: &'a str,
    /// The portal's absolute URI.
    pub source: &'a str,
    /// What happened.
    pub event_type: EventType,
    /// The article's or document's id; `data.id` must be the same.
    pub subject: &'a str,
    /// When it happened, by the portal's clock.
    pub time: Option<Timestamp>,
    /// The article, document or withdrawal, with whatever else the producer sent.
    pub data: &'a Value,
}

/// Writes an event in structured mode. Deterministic. Checks nothing: run `loa_event::decode` over the bytes.
pub fn encode(parts: &Parts<'_>) -> Vec<u8> {
    let mut members = Map::new();
    members.insert("specversion".into(), "1.0".into());
    members.insert("type".into(), parts.event_type.as_str().into());
    members.insert("source".into(), parts.source.into());
    members.insert("subject".into(), parts.subject.into());
    members.insert("id".into(), parts.id.into());
    if let Some(time) = parts.time {
        members.insert("time".into(), time.to_string().into());
    }
    members.insert("datacontenttype".into(), "application/json".into());
    members.insert("data".into(), parts.data.clone());
    Value::Object(members).to_string().into_bytes()
}

/// Writes a decoded event anew, in its normalised form and without members that the contract does not know. Decoding
/// the result gives the same event, but for its original bytes.
pub fn encode_event(event: &Event) -> Vec<u8> {
    encode(&Parts {
        id: &event.key.id,
        source: &event.key.source,
        event_type: event.event_type,
        subject: event.id().as_str(),
        time: event.time,
        data: &data_of(&event.change),
    })
}

/// The `data` of a change, as the contract writes it (`docs/schemas`).
pub fn data_of(change: &Change) -> Value {
    match change {
        Change::Withdrawn(w) => json!({ "id": w.id, "revision": w.revision, "reason": w.reason, "at": w.at }),
        Change::Live(content) => match content.as_ref() {
            Content::Article(a) => json!({
                "id": a.id,
                "revision": a.revision,
                "url": a.url,
                "title": a.title,
                "summary": a.summary,
                "content_html": a.content_html,
                "language": a.language,
                "category": a.category,
                "areas": a.areas,
                "source_name": a.source_name,
                "images": a.images,
                "attachments": a.attachments.iter().map(attachment).collect::<Vec<_>>(),
                "published_at": a.published_at,
                "modified_at": a.modified_at,
            }),
            Content::Document(d) => json!({
                "id": d.id,
                "revision": d.revision,
                "number": d.number,
                "kind": d.kind,
                "issuer": d.issuer,
                "issued_on": d.issued_on,
                "title": d.title,
                "url": d.url,
                "areas": d.areas,
                "attachments": d.attachments.iter().map(attachment).collect::<Vec<_>>(),
                "published_at": d.published_at,
            }),
        },
    }
}

fn attachment(file: &Attachment) -> Value {
    json!({ "url": file.url, "media_type": file.media_type, "bytes": file.bytes, "alt": file.title })
}

/// The routing key on the exchange `loa.events`: `<article|document>.<verb>.<category>`. The third word is the
/// category's slug, for a document its kind's, and `none` where neither is known (a withdrawal says neither; whoever
/// knows what it withdraws uses [`routing_key_of`]). At most 255 bytes.
pub fn routing_key(event: &Event) -> String {
    routing_key_of(event.event_type, &category_word(event))
}

/// The third word of an event's routing key; `none` where the event does not say.
pub fn category_word(event: &Event) -> String {
    let word = match event.content() {
        Some(Content::Article(article)) => article.category.slug.as_str().to_owned(),
        Some(Content::Document(document)) => slug::slugify(without_lookalikes(&document.kind)),
        None => String::new(),
    };
    let word: String = word.chars().take(100).collect();
    let word = word.trim_end_matches('-');
    if word.is_empty() { "none".to_owned() } else { word.to_owned() }
}

/// The routing key of a type with a known third word, as [`category_word`] gives it.
pub fn routing_key_of(event_type: EventType, category_word: &str) -> String {
    format!("{}.{category_word}", event_type.route())
}
