//! Decodes the bytes and headers of a message into an event, or refuses them. See [`decode`].
//!
//! The order is: envelope (`envelope.rs`), data (`data.rs`), areas (`areas.rs`). It knows no broker
//! and no ledger.

use crate::{
    Note, Refusal,
    content_hash::content_hash,
    data, envelope,
    fields::Fields,
    limits::{EVENT_ID_BYTES_MAX, SOURCE_BYTES_MAX},
    refusal::bad_id,
};
use loa_area::Directory;
use loa_domain::{AreaId, ArticleId, Calendar, Event, EventKey, EventType, Flaw};
use std::collections::BTreeMap;
use url::Url;

/// Decodes and normalises one message, in structured or binary mode.
///
/// `headers` are the message's application headers; those that begin with `cloudEvents:`, `cloudEvents_` or `ce-` (in
/// any case) are attributes, the others are not looked at. `message_id` is only quoted where the `id` of an event in binary
/// mode is missing: a broker's adapter may have made it, and then it differs from queue to queue.
/// An event says instants with their offset, and no zone. Where it needs a civil date (which areas were in force on the day of
/// publication) or the instant at which one begins (`issued_on`), that of `calendar` counts, the installation's own.
/// The same input, directory and calendar give the same event, always; nothing else is consulted.
///
/// # Errors
/// A [`Refusal`]: the message will never be an event, however often it is tried. It belongs in the dead letters.
pub fn decode(
    content_type: Option<&str>,
    headers: &BTreeMap<String, String>,
    message_id: Option<&str>,
    body: &[u8],
    directory: &Directory,
    calendar: &Calendar,
) -> Result<Event, Refusal> {
    decode_with_notes(content_type, headers, message_id, body, directory, calendar).map(|(event, _)| event)
}

/// As [`decode`], and says what was left out or is shown otherwise.
///
/// # Errors
/// As [`decode`].
pub fn decode_with_notes(
    content_type: Option<&str>,
    headers: &BTreeMap<String, String>,
    message_id: Option<&str>,
    body: &[u8],
    directory: &Directory,
    calendar: &Calendar,
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
    let reader = data::Reader { directory, calendar, time, notes: &mut notes };
    let change = reader.change(event_type, &Fields::new(data, "/data")?)?;
    let event = Event {
        key,
        // whoever knows the installation's portals says whose the source is
        portal: None,
        event_type,
        change,
        reach: Vec::new(),
        time,
        content_hash,
        original_bytes: envelope.original_bytes,
    };
    if *event.id() != subject {
        let (subject, data) = (subject.as_str().into(), event.id().as_str().into());
        return attributes.refuse("subject", Flaw::SubjectDiffers { subject, data });
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
        Some(other) => attributes.refuse("specversion", Flaw::SpecVersion { text: other.into() }),
        None => attributes.missing("specversion"),
    }
}

fn id(attributes: &Fields<'_>) -> Result<String, Refusal> {
    let id = attributes.raw("id")?.unwrap_or_default();
    if id.is_empty() {
        return attributes.missing("id");
    }
    if id.len() > EVENT_ID_BYTES_MAX || !id.bytes().all(|b| b.is_ascii_graphic()) {
        return attributes.refuse("id", Flaw::EventId { text: id.into(), max: EVENT_ID_BYTES_MAX });
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
        return attributes.refuse("source", Flaw::Source { text: source.into(), max: SOURCE_BYTES_MAX });
    }
    Ok(source.to_owned())
}

fn event_type(attributes: &Fields<'_>) -> Result<EventType, Refusal> {
    let text = attributes.raw("type")?.unwrap_or_default();
    if text.is_empty() {
        return attributes.missing("type");
    }
    text.parse().or_else(|()| attributes.refuse("type", Flaw::EventType { text: text.into() }))
}

fn subject(attributes: &Fields<'_>) -> Result<ArticleId, Refusal> {
    match attributes.raw("subject")?.unwrap_or_default() {
        "" => attributes.missing("subject"),
        text => ArticleId::new(text).or_else(|error| attributes.refuse("subject", bad_id(error))),
    }
}
