//! The CloudEvents envelope: a message in structured or binary mode becomes one JSON object,
//! together with the original bytes that webhooks carry.
//!
//! CloudEvents 1.0.2, JSON format §2–3 and AMQP binding §3. Structured bytes are kept exactly as
//! received. A binary message is written once in structured form, with its body copied byte for
//! byte. So no unknown member, number or spelling of the producer is lost.

use crate::{Refusal, RefusalKind, json, limits::EVENT_BYTES_MAX, refusal::quote};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The content type of an event in structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// An event as one JSON object, attributes and `data` side by side.
pub(crate) struct Envelope {
    pub value: Value,
    /// The event in structured mode.
    pub original_bytes: Vec<u8>,
}

/// Opens a message, whichever mode it is in.
pub(crate) fn open(
    content_type: Option<&str>,
    headers: &BTreeMap<String, String>,
    message_id: Option<&str>,
    body: &[u8],
) -> Result<Envelope, Refusal> {
    within_limit(body.len())?;
    let attributes = attributes(headers)?;
    let media_type = media_type(content_type)?;
    match media_type.as_str() {
        STRUCTURED => structured(body),
        "application/cloudevents-batch+json" => {
            refuse(RefusalKind::NotCloudEvent, "", "a batch of events was sent; send each event as its own message")
        }
        other if other.starts_with("application/cloudevents") => refuse(
            RefusalKind::NotCloudEvent,
            "",
            format!("the event format {} is not taken; send {STRUCTURED}", quote(other)),
        ),
        _ if !attributes.is_empty() => binary(&media_type, attributes, message_id, body),
        // A producer that forgot the content type: taken where the body says by itself what it is.
        "" | "application/json" | "text/plain" | "application/octet-stream" => {
            let envelope = structured(body)?;
            match envelope.value.get("specversion") {
                Some(_) => Ok(envelope),
                None => refuse(
                    RefusalKind::NotCloudEvent,
                    "",
                    format!(
                        "this is no CloudEvent: neither the content type {STRUCTURED}, nor `cloudEvents:` headers, nor a `specversion`"
                    ),
                ),
            }
        }
        other => refuse(
            RefusalKind::NotCloudEvent,
            "",
            format!(
                "this is no CloudEvent: the content type is {}, and there are no `cloudEvents:` headers",
                quote(other)
            ),
        ),
    }
}

fn refuse<T>(kind: RefusalKind, pointer: &str, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::at(kind, pointer, sentence))
}

fn within_limit(bytes: usize) -> Result<(), Refusal> {
    if bytes > EVENT_BYTES_MAX {
        let sentence = format!(
            "the event has {bytes} bytes, more than the {EVENT_BYTES_MAX} allowed; send pictures and files as addresses"
        );
        return refuse(RefusalKind::TooLarge, "", sentence);
    }
    Ok(())
}

/// The content type without parameters, in lower case; empty when absent. JSON is UTF-8: another charset is refused.
fn media_type(content_type: Option<&str>) -> Result<String, Refusal> {
    let mut parts = content_type.unwrap_or_default().split(';');
    let media_type = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let charset = value.trim().trim_matches('"').to_ascii_lowercase();
        if name.trim().eq_ignore_ascii_case("charset") && !matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii") {
            let sentence = format!("the content type names the charset {}; events are UTF-8", quote(&charset));
            return refuse(RefusalKind::NotJson, "", sentence);
        }
    }
    Ok(media_type)
}

/// The attribute that a header is in binary mode, in lower case; `None`: none.
pub fn attribute_name(header: &str) -> Option<String> {
    ["cloudevents:", "cloudevents_", "ce-"].iter().find_map(|prefix| {
        let (head, name) = header.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| name.to_ascii_lowercase())
    })
}

/// The context attributes among the headers, under their own names.
fn attributes(headers: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut attributes: BTreeMap<String, String> = BTreeMap::new();
    for (header, value) in headers {
        let Some(name) = attribute_name(header) else { continue };
        let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !plain || name == "data" || name == "datacontenttype" {
            let sentence = format!("the header {} is no attribute of a CloudEvent in binary mode", quote(header));
            return refuse(RefusalKind::NotCloudEvent, "", sentence);
        }
        let pointer = format!("/{name}");
        match attributes.insert(name, value.clone()) {
            Some(earlier) if earlier != *value => {
                let sentence =
                    format!("the header {} contradicts the same attribute under another prefix", quote(header));
                return refuse(RefusalKind::Mismatch, &pointer, sentence);
            }
            _ => {}
        }
    }
    Ok(attributes)
}

fn structured(body: &[u8]) -> Result<Envelope, Refusal> {
    let value = json::parse(body, "")?;
    if value.get("data_base64").is_some() {
        let sentence = "the data are in `data_base64`; the contract wants a JSON object in `data`";
        return refuse(RefusalKind::NotCloudEvent, "/data_base64", sentence);
    }
    if let Some(Value::String(kind)) = value.get("datacontenttype") {
        json_only(&media_type(Some(kind))?)?;
    }
    Ok(Envelope { value, original_bytes: body.to_vec() })
}

fn binary(
    media_type: &str,
    mut attributes: BTreeMap<String, String>,
    message_id: Option<&str>,
    body: &[u8],
) -> Result<Envelope, Refusal> {
    if !media_type.is_empty() {
        json_only(media_type)?;
    }
    if !attributes.contains_key("id") {
        let hint = message_id
            .map_or_else(String::new, |id| format!("; the message-id {} does not stand in for it", quote(id)));
        return refuse(RefusalKind::Missing, "/id", format!("`id` is missing: send the header `cloudEvents:id`{hint}"));
    }
    let data = json::parse(body, "/data")?;
    let mut members = Map::new();
    for first in ["specversion", "type", "source", "subject", "id", "time"] {
        if let Some(value) = attributes.remove(first) {
            members.insert(first.to_owned(), value.into());
        }
    }
    members.extend(attributes.into_iter().map(|(name, value)| (name, value.into())));
    members.insert("datacontenttype".to_owned(), "application/json".into());

    let mut original_bytes = Value::Object(members.clone()).to_string().into_bytes();
    original_bytes.pop();
    original_bytes.extend_from_slice(b",\"data\":");
    original_bytes.extend_from_slice(body.trim_ascii());
    original_bytes.push(b'}');
    within_limit(original_bytes.len())?;
    members.insert("data".to_owned(), data);
    Ok(Envelope { value: Value::Object(members), original_bytes })
}

fn json_only(media_type: &str) -> Result<(), Refusal> {
    if matches!(media_type, "application/json" | "text/json") || media_type.ends_with("+json") {
        return Ok(());
    }
    let sentence = format!("the data are {}; the contract wants application/json", quote(media_type));
    refuse(RefusalKind::NotCloudEvent, "/datacontenttype", sentence)
}
