//! The CloudEvents envelope: a message in structured or binary mode becomes one JSON object,
//! together with the original bytes that webhooks carry.
//!
//! CloudEvents 1.0.2, JSON format §2–3 and AMQP binding §3. Structured bytes are kept exactly as
//! received. A binary message is written once in structured form, with its body copied byte for
//! byte. So no unknown member, number or spelling of the producer is lost.

use crate::{Refusal, json, limits::EVENT_BYTES_MAX};
use loa_domain::Flaw;
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
        "application/cloudevents-batch+json" => refuse("", Flaw::Batch),
        other if other.starts_with("application/cloudevents") => {
            refuse("", Flaw::EventFormat { media_type: other.into() })
        }
        _ if !attributes.is_empty() => binary(&media_type, attributes, message_id, body),
        // A producer that forgot the content type: taken where the body says by itself what it is.
        "" | "application/json" | "text/plain" | "application/octet-stream" => {
            let envelope = structured(body)?;
            match envelope.value.get("specversion") {
                Some(_) => Ok(envelope),
                None => refuse("", Flaw::NoMarks),
            }
        }
        other => refuse("", Flaw::ContentType { media_type: other.into() }),
    }
}

fn refuse<T>(pointer: &str, flaw: Flaw) -> Result<T, Refusal> {
    Err(Refusal::at(pointer, flaw))
}

fn within_limit(bytes: usize) -> Result<(), Refusal> {
    if bytes > EVENT_BYTES_MAX {
        return refuse("", Flaw::EventTooLarge { bytes, max: EVENT_BYTES_MAX });
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
            return refuse("", Flaw::Charset { charset: charset.into() });
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
            return refuse("", Flaw::NoAttribute { header: header.as_str().into() });
        }
        let pointer = format!("/{name}");
        match attributes.insert(name, value.clone()) {
            Some(earlier) if earlier != *value => {
                return refuse(&pointer, Flaw::Contradiction { header: header.as_str().into() });
            }
            _ => {}
        }
    }
    Ok(attributes)
}

fn structured(body: &[u8]) -> Result<Envelope, Refusal> {
    let value = json::parse(body, "")?;
    if value.get("data_base64").is_some() {
        return refuse("/data_base64", Flaw::Base64);
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
        return refuse("/id", Flaw::NoId { message_id: message_id.map(Into::into) });
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
    refuse("/datacontenttype", Flaw::DataFormat { media_type: media_type.into() })
}
