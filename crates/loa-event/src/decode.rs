//! Decodes the bytes and headers of a message into an event, or refuses them. See [`decode`].
//!
//! The order is: envelope (`envelope.rs`), data (`data.rs`), areas (`areas.rs`). It knows no broker
//! and no ledger.

use crate::{
    Note, Refusal, RefusalKind,
    content_hash::content_hash,
    data, envelope,
    fields::Fields,
    limits::{EVENT_ID_BYTES_MAX, SOURCE_BYTES_MAX},
    refusal::quote,
};
use loa_area::Directory;
use loa_domain::{AreaId, ArticleId, Event, EventKey, EventType};
use std::collections::BTreeMap;
use url::Url;

/// Decodes and normalises one message, in structured or binary mode.
///
/// `headers` are the message's application headers; those that begin with `cloudEvents:`, `cloudEvents_` or `ce-` (in
/// any case) are attributes, the others are not looked at. `message_id` is only quoted where the `id` of an event in binary
/// mode is missing: a broker's adapter may have made it, and then it differs from queue to queue.
/// The same input and directory give the same event, always; nothing else is consulted.
///
/// # Errors
/// A [`Refusal`]: the message will never be an event, however often it is tried. It belongs in the dead letters.
pub fn decode(
    content_type: Option<&str>,
    headers: &BTreeMap<String, String>,
    message_id: Option<&str>,
    body: &[u8],
    directory: &Directory,
) -> Result<Event, Refusal> {
    decode_with_notes(content_type, headers, message_id, body, directory).map(|(event, _)| event)
}

/// As [`decode`], and says what was left out (areas that the directory does not know).
///
/// # Errors
/// As [`decode`].
pub fn decode_with_notes(
    content_type: Option<&str>,
    headers: &BTreeMap<String, String>,
    message_id: Option<&str>,
    body: &[u8],
    directory: &Directory,
) -> Result<(Event, Vec<Note>), Refusal> {
    let envelope = envelope::open(content_type, headers, message_id, body)?;
    let attributes = Fields::new(&envelope.value, "")?;
    version(&attributes)?;
    let key = EventKey { source: source(&attributes)?, id: id(&attributes)? };
    let event_type = event_type(&attributes)?;
    let subject = subject(&attributes)?;
    let time = attributes.instant("time")?;
    let Some(data) = attributes.get("data") else { return attributes.missing("data") };
    let content_hash = content_hash(event_type, data);

    let mut notes = Vec::new();
    let reader = data::Reader { directory, time, notes: &mut notes };
    let change = reader.change(event_type, &Fields::new(data, "/data")?)?;
    let event = Event {
        key,
        event_type,
        change,
        reach: Vec::new(),
        time,
        content_hash,
        original_bytes: envelope.original_bytes,
    };
    if *event.subject() != subject {
        let sentence = format!(
            "the event's `subject` is {}, but its data are about {}",
            quote(subject.as_str()),
            quote(event.subject().as_str())
        );
        return attributes.refuse(RefusalKind::Mismatch, "subject", sentence);
    }
    let reach = reach(&event, directory);
    Ok((Event { reach, ..event }, notes))
}

fn reach(event: &Event, directory: &Directory) -> Vec<AreaId> {
    let mut reach = event.content().map(|content| directory.reach(content.areas())).unwrap_or_default();
    reach.sort();
    reach.dedup();
    reach
}

fn version(attributes: &Fields<'_>) -> Result<(), Refusal> {
    match attributes.raw("specversion")? {
        Some("1.0") => Ok(()),
        Some(other) => {
            let sentence = format!("`specversion` is {}; only CloudEvents 1.0 is taken", quote(other));
            attributes.refuse(RefusalKind::NotCloudEvent, "specversion", sentence)
        }
        None => attributes.missing("specversion"),
    }
}

fn id(attributes: &Fields<'_>) -> Result<String, Refusal> {
    let id = attributes.raw("id")?.unwrap_or_default();
    if id.is_empty() {
        return attributes.missing("id");
    }
    if id.len() > EVENT_ID_BYTES_MAX || !id.bytes().all(|b| b.is_ascii_graphic()) {
        let sentence = format!("`id` is {}; it must be 1 to {EVENT_ID_BYTES_MAX} visible ASCII characters", quote(id));
        return attributes.refuse(RefusalKind::OutOfBounds, "id", sentence);
    }
    Ok(id.to_owned())
}

fn source(attributes: &Fields<'_>) -> Result<String, Refusal> {
    let source = attributes.raw("source")?.unwrap_or_default();
    if source.is_empty() {
        return attributes.missing("source");
    }
    // a URI is ASCII (RFC 3986 §2); what else it could hold would be read backwards or refused by a ledger
    let plain = source.bytes().all(|b| b.is_ascii_graphic());
    if source.len() > SOURCE_BYTES_MAX || !plain || Url::parse(source).is_err() {
        let sentence = format!(
            "`source` is {}; it must be the portal's absolute URI, at most {SOURCE_BYTES_MAX} bytes of ASCII",
            quote(source)
        );
        return attributes.refuse(RefusalKind::BadAddress, "source", sentence);
    }
    Ok(source.to_owned())
}

fn event_type(attributes: &Fields<'_>) -> Result<EventType, Refusal> {
    let text = attributes.raw("type")?.unwrap_or_default();
    if text.is_empty() {
        return attributes.missing("type");
    }
    text.parse().or_else(|()| {
        let known = EventType::ALL.map(EventType::as_str).join(", ");
        let sentence = format!("the type {} is not one of the contract ({known})", quote(text));
        attributes.refuse(RefusalKind::UnknownType, "type", sentence)
    })
}

fn subject(attributes: &Fields<'_>) -> Result<ArticleId, Refusal> {
    match attributes.raw("subject")?.unwrap_or_default() {
        "" => attributes.missing("subject"),
        text => ArticleId::new(text)
            .or_else(|error| attributes.refuse(RefusalKind::OutOfBounds, "subject", error.to_string())),
    }
}
