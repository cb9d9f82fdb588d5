//! Headers of a foreign message: which of them have a text, what they measure on the wire, and which stay behind when a frame
//! has no room for all. Pure.
//!
//! A message's properties travel in one frame that cannot be split, and a frame that is larger than what broker and client
//! agreed on ends the connection. No header may keep a message from its dead letter, so they give way.

use jiff::Timestamp;
use lapin::types::{AMQPValue, FieldTable};
use loa_domain::HeaderType;

/// The header that says which headers of the message no frame had room for.
pub(crate) const LEFT_OUT: &str = "x-loa-headers-left-out";
/// What a frame has around its payload, in bytes: type, channel, length, end (AMQP 0-9-1 §4.2.3).
pub(crate) const FRAME_OVERHEAD: usize = 8;
/// The longest text about headers that were left out, in bytes.
const LEFT_OUT_BYTES_MAX: usize = 400;
/// Attributes that every event needs; without them a redriven message would be another one.
const REQUIRED: [&str; 6] = ["specversion", "type", "source", "id", "subject", "time"];

/// A header's value as text: text, integers, truth, and instants as RFC 3339 has them (the canonical texts of the CloudEvents
/// type system).
///
/// # Errors
/// The type of a value that has no such text, or more than one: 7.0 is `7` to one and `7.0` to another.
pub(crate) fn text_of(value: &AMQPValue) -> Result<String, HeaderType> {
    Ok(match value {
        AMQPValue::LongString(text) => {
            std::str::from_utf8(text.as_bytes()).map_err(|_| HeaderType::NotUtf8)?.to_owned()
        }
        AMQPValue::ShortString(text) => text.to_string(),
        AMQPValue::Boolean(v) => v.to_string(),
        AMQPValue::ShortShortInt(v) => v.to_string(),
        AMQPValue::ShortShortUInt(v) => v.to_string(),
        AMQPValue::ShortInt(v) => v.to_string(),
        AMQPValue::ShortUInt(v) => v.to_string(),
        AMQPValue::LongInt(v) => v.to_string(),
        AMQPValue::LongUInt(v) => v.to_string(),
        AMQPValue::LongLongInt(v) => v.to_string(),
        AMQPValue::Timestamp(seconds) => instant(*seconds).ok_or(HeaderType::FarInstant)?.to_string(),
        AMQPValue::Float(_) | AMQPValue::Double(_) => return Err(HeaderType::Float),
        AMQPValue::DecimalValue(_) => return Err(HeaderType::Decimal),
        AMQPValue::FieldArray(_) => return Err(HeaderType::Array),
        AMQPValue::FieldTable(_) => return Err(HeaderType::Table),
        AMQPValue::ByteArray(_) => return Err(HeaderType::Bytes),
        AMQPValue::Void => return Err(HeaderType::Void),
    })
}

/// An instant in seconds since 1970.
pub(crate) fn instant(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// What a header measures in a table, in bytes: its name, its type and its value.
pub(crate) fn bytes_of(name: &str, value: &AMQPValue) -> usize {
    1 + name.len() + value_bytes(value)
}

fn value_bytes(value: &AMQPValue) -> usize {
    1 + match value {
        AMQPValue::Void => 0,
        AMQPValue::Boolean(_) | AMQPValue::ShortShortInt(_) | AMQPValue::ShortShortUInt(_) => 1,
        AMQPValue::ShortInt(_) | AMQPValue::ShortUInt(_) => 2,
        AMQPValue::LongInt(_) | AMQPValue::LongUInt(_) | AMQPValue::Float(_) => 4,
        AMQPValue::DecimalValue(_) => 5,
        AMQPValue::LongLongInt(_) | AMQPValue::Double(_) | AMQPValue::Timestamp(_) => 8,
        AMQPValue::ShortString(text) => 4 + text.as_str().len(),
        AMQPValue::LongString(text) => 4 + text.as_bytes().len(),
        AMQPValue::ByteArray(bytes) => 4 + bytes.as_slice().len(),
        AMQPValue::FieldArray(values) => 4 + values.as_slice().iter().map(value_bytes).sum::<usize>(),
        AMQPValue::FieldTable(table) => {
            4 + table.inner().iter().map(|(name, value)| bytes_of(name.as_str(), value)).sum::<usize>()
        }
    }
}

/// Puts headers together for a table of at most `room` bytes. Ours come first, which must fit; then the attributes of
/// CloudEvents, the required ones before the others; then the rest, in the order of their names, as long as there is room.
/// What stays behind is said in a header of ours.
pub(crate) fn fit(ours: Vec<(&'static str, String)>, foreign: &FieldTable, room: usize) -> FieldTable {
    let mut headers = FieldTable::default();
    let mut bytes = 0;
    let mut known = String::new();
    for (name, text) in ours {
        if name == LEFT_OUT {
            known.clone_from(&text);
        }
        let value = AMQPValue::LongString(text.into());
        bytes += bytes_of(name, &value);
        headers.insert(name.into(), value);
    }
    let sizes = foreign.inner().iter().map(|(name, value)| (name, value, bytes_of(name.as_str(), value)));
    let mut sizes: Vec<_> = sizes.collect();
    let mut room = room.saturating_sub(bytes);
    let all: usize = sizes.iter().map(|(_, _, bytes)| bytes).sum();
    if all <= room {
        for (name, value, _) in sizes {
            headers.insert(name.clone(), value.clone());
        }
        return headers;
    }
    room = room.saturating_sub(1 + LEFT_OUT.len() + 5 + LEFT_OUT_BYTES_MAX);
    sizes.sort_by_key(|(name, ..)| rank(name.as_str()));
    let (mut left_out, mut left_out_bytes) = (Vec::new(), 0);
    for (name, value, bytes) in sizes {
        if bytes <= room {
            room -= bytes;
            headers.insert(name.clone(), value.clone());
        } else {
            left_out.push(name.as_str());
            left_out_bytes += bytes;
        }
    }
    tracing::warn!(
        headers = left_out.len(),
        bytes = left_out_bytes,
        "headers of a message do not fit into a frame and are left out"
    );
    let said = said(&known, &left_out, left_out_bytes);
    headers.insert(LEFT_OUT.into(), AMQPValue::LongString(said.into()));
    headers
}

/// What is said of headers that stay behind, after what was said before.
fn said(known: &str, names: &[&str], bytes: usize) -> String {
    let before = if known.is_empty() { String::new() } else { format!("{known}; ") };
    let count = if names.len() == 1 { "1 header".to_owned() } else { format!("{} headers", names.len()) };
    let text = format!("{before}{count} of {bytes} bytes: {}", names.join(", "));
    if text.len() <= LEFT_OUT_BYTES_MAX {
        return text;
    }
    format!("{}…", &text[..text.floor_char_boundary(LEFT_OUT_BYTES_MAX - '…'.len_utf8())])
}

/// What stays longest comes first.
fn rank(header: &str) -> u8 {
    let attribute = ["cloudevents:", "cloudevents_", "ce-"].iter().find_map(|prefix| {
        let (head, name) = header.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(name)
    });
    match attribute {
        Some(name) if REQUIRED.iter().any(|required| required.eq_ignore_ascii_case(name)) => 0,
        Some(_) => 1,
        None => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AMQPValue {
        AMQPValue::LongString(text.into())
    }

    #[test]
    fn a_value_with_one_text_has_it_and_the_others_say_their_type() {
        for (value, expected) in [
            (AMQPValue::LongInt(7), "7"),
            (AMQPValue::LongLongInt(-7), "-7"),
            (AMQPValue::Boolean(true), "true"),
            (AMQPValue::Timestamp(1_700_096_542), "2023-11-16T01:02:22Z"),
            (text("Điện"), "Điện"),
        ] {
            assert_eq!(text_of(&value).as_deref(), Ok(expected));
        }
        for (value, found) in [
            (AMQPValue::Double(7.0), HeaderType::Float),
            (AMQPValue::Void, HeaderType::Void),
            (AMQPValue::FieldTable(FieldTable::default()), HeaderType::Table),
            (AMQPValue::FieldArray(Vec::new().into()), HeaderType::Array),
            (AMQPValue::ByteArray(vec![49].into()), HeaderType::Bytes),
            (AMQPValue::LongString(vec![0xff].into()), HeaderType::NotUtf8),
            (AMQPValue::Timestamp(u64::MAX), HeaderType::FarInstant),
        ] {
            assert_eq!(text_of(&value), Err(found), "{value:?}");
        }
    }

    #[test]
    fn headers_give_way_by_rule_and_what_is_left_out_is_said() {
        let mut foreign = FieldTable::default();
        let large = "x".repeat(600);
        for name in ["a-large", "cloudEvents:extension", "ce-source", "tiny"] {
            foreign.insert(name.into(), text(if name == "tiny" { "y" } else { &large }));
        }
        let kept = |room| {
            let headers = fit(vec![("x-loa-reason", "no title".to_owned())], &foreign, room);
            let bytes: usize = headers.inner().iter().map(|(name, value)| bytes_of(name.as_str(), value)).sum();
            assert!(bytes <= room, "{bytes} of {room}");
            headers.inner().keys().map(ToString::to_string).collect::<Vec<_>>()
        };
        let all = ["a-large", "ce-source", "cloudEvents:extension", "tiny", "x-loa-reason"];
        assert_eq!(kept(5_000), all);
        assert_eq!(kept(1_800), ["ce-source", "cloudEvents:extension", "tiny", LEFT_OUT, "x-loa-reason"]);
        assert_eq!(kept(1_200), ["ce-source", "tiny", LEFT_OUT, "x-loa-reason"]);
        assert_eq!(kept(550), ["tiny", LEFT_OUT, "x-loa-reason"]);
        let headers = fit(vec![(LEFT_OUT, "1 header of 9 bytes: old".to_owned())], &foreign, 1_300);
        let said = text_of(&headers.inner()[LEFT_OUT]).unwrap();
        assert!(said.starts_with("1 header of 9 bytes: old; ") && said.contains("a-large"), "{said}");
    }
}
