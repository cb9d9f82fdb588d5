//! Checks decoding: a refusal says why and where; an accepted event is clean, and stays the same
//! when written and read again.

use super::{harmless_html, legal_text};
use crate::build::calendar;
use loa_area::Directory;
use loa_domain::{Article, Change, Content, Document, Event};
use loa_event::{Refusal, STRUCTURED, data_of, decode, encode_event, limits, routing_key};
use std::collections::BTreeMap;

/// A message in structured mode; `None` when it was refused, as it should be.
///
/// # Panics
/// When a promise is broken.
pub fn structured_event(bytes: &[u8]) -> Option<Event> {
    judged(decode(Some(STRUCTURED), &BTreeMap::new(), None, bytes, &Directory::empty(), &calendar()))
}

/// A message in binary mode: lines `name: value` up to an empty one, then the body. A line of `content-type` is that.
///
/// # Panics
/// When a promise is broken.
pub fn binary_event(bytes: &[u8]) -> Option<Event> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for line in String::from_utf8_lossy(head).lines() {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        headers.insert(name.to_owned(), value.to_owned());
    }
    let content_type = headers.remove("content-type");
    judged(decode(content_type.as_deref(), &headers, Some("m-1"), body, &Directory::empty(), &calendar()))
}

fn judged(outcome: Result<Event, Refusal>) -> Option<Event> {
    match outcome {
        Ok(event) => {
            accepted(&event);
            Some(event)
        }
        Err(refusal) => {
            refused(&refusal);
            None
        }
    }
}

/// An operator reads it on a terminal and in a header of a message.
fn refused(refusal: &Refusal) {
    assert!(!refusal.sentence().trim().is_empty(), "a refusal without a sentence: {refusal:?}");
    assert!(refusal.pointer.is_empty() || refusal.pointer.starts_with('/'), "no JSON pointer: {refusal:?}");
    let shown = refusal.to_string();
    legal_text(&shown);
    assert!(!shown.contains('\n'), "more than a line: {refusal:?}");
    assert!(refusal.sentence().len() <= 2_000, "a sentence of {} bytes", refusal.sentence().len());
    assert!(refusal.pointer.chars().count() <= 90 * limits::DEPTH_MAX, "a pointer of {} bytes", refusal.pointer.len());
}

fn accepted(event: &Event) {
    assert!(event.original_bytes.len() <= limits::EVENT_BYTES_MAX);
    let key = [&event.key.id, &event.key.source];
    assert!(key.iter().all(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())), "{:?}", event.key);
    assert!(routing_key(event).len() <= 255);
    let data = data_of(&event.change);
    every_text(&data, &mut legal_text);
    if let Change::Live(content) = &event.change {
        match content.as_ref() {
            Content::Article(Article { content_html, .. }) => harmless_html(content_html),
            Content::Document(Document { number, .. }) => assert!(!number.trim().is_empty()),
        }
    }
    let bytes = encode_event(event);
    let again = decode(Some(STRUCTURED), &BTreeMap::new(), None, &bytes, &Directory::empty(), &calendar());
    let again = again.unwrap_or_else(|refusal| panic!("what was accepted is refused when written again: {refusal}"));
    assert_eq!((&again.key, again.event_type, &again.change), (&event.key, event.event_type, &event.change));
    assert_eq!(encode_event(&again), bytes, "written twice, two texts");
}

fn every_text(value: &serde_json::Value, judge: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => judge(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| every_text(item, judge)),
        serde_json::Value::Object(members) => members.values().for_each(|member| every_text(member, judge)),
        _ => {}
    }
}
