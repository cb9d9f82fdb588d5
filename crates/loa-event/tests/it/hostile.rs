//! The corpus of bad input, `fixtures/hostile`: each case is refused with its reason and position, or cleaned as it says.
//!
//! A case is a good event with something done to it, named for what is wrong with it. The system suite
//! (`tests/system/hostile.py`) reads the same files and sends them to the real program. What can be done to an event:
//! `set` and `without` members by pointer; `raw`: a member's JSON text in pieces (text, `[text, times]`, `{"hex": …}`);
//! `body`: the whole body in pieces; `cut`: bytes off its end; `pad_to`: white space up to so many bytes; `binary`: the
//! headers of binary mode. What comes of it: `refused`, or `becomes` (members of the decoded data), or `keeps` (text).

use crate::{CALENDAR, DIRECTORY};
use loa_domain::{Change, Content, Event, is_xml_char};
use loa_event::{Refusal, data_of, decode, encode_event, routing_key};
use scraper::Html;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf};

fn fixture(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn cases(file: &str) -> Vec<Value> {
    fixture(file).as_array().expect("a list of cases").clone()
}

/// The good event that a case starts from.
fn good(name: &str) -> Value {
    json!({
        "specversion": "1.0",
        "type": "vn.loa.article.published.v1",
        "source": "https://dienbiendong.gov.vn/",
        "subject": name,
        "id": name,
        "time": "2023-11-16T08:02:22+07:00",
        "datacontenttype": "application/json",
        "data": {
            "id": name,
            "revision": 1,
            "url": "https://dienbiendong.gov.vn/tin/1",
            "title": format!("Tin {name}"),
            "category": { "slug": "tin-tuc", "label": "Tin tức" },
            "published_at": "2023-11-16T08:02:22+07:00"
        }
    })
}

/// A case as it travels.
struct Message {
    content_type: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn message(case: &Value) -> Message {
    let mut event = good(case["name"].as_str().expect("a name"));
    for (pointer, value) in case["set"].as_object().into_iter().flatten() {
        put(&mut event, pointer, value.clone());
    }
    for pointer in case["without"].as_array().into_iter().flatten() {
        let (parent, member) = pointer.as_str().expect("a pointer").rsplit_once('/').expect("a pointer");
        event.pointer_mut(parent).and_then(Value::as_object_mut).expect("a parent").shift_remove(member);
    }
    let raw: Vec<_> = case["raw"].as_object().into_iter().flatten().collect();
    for (place, (pointer, _)) in raw.iter().enumerate() {
        put(&mut event, pointer, json!(format!("@{place}@")));
    }
    let binary = case["binary"].as_object();
    let mut body = if binary.is_some() { event["data"].to_string() } else { event.to_string() }.into_bytes();
    for (place, (_, parts)) in raw.iter().enumerate() {
        let mark = format!("\"@{place}@\"");
        let at = body.windows(mark.len()).position(|window| window == mark.as_bytes()).expect("the mark");
        body.splice(at..at + mark.len(), pieces(parts));
    }
    if case["body"].is_array() {
        body = pieces(&case["body"]);
    }
    if let Some(cut) = case["cut"].as_u64() {
        body.truncate(body.len() - cut as usize);
    }
    if let Some(length) = case["pad_to"].as_u64() {
        body.resize(length as usize, b' ');
    }
    let usual = if binary.is_some() { "application/json" } else { "application/cloudevents+json" };
    let headers = binary.into_iter().flatten();
    Message {
        content_type: case["content_type"].as_str().unwrap_or(usual).to_owned(),
        headers: headers.map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())).collect(),
        body,
    }
}

fn put(event: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).unwrap_or_else(|| panic!("no parent of {pointer}"));
    match parent {
        Value::Array(items) => items[member.parse::<usize>().expect("an index")] = value,
        parent => parent[member] = value,
    }
}

fn pieces(parts: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts.as_array().expect("pieces") {
        match part {
            Value::String(text) => bytes.extend_from_slice(text.as_bytes()),
            Value::Array(repeated) => {
                let (text, times) = (repeated[0].as_str().expect("text"), repeated[1].as_u64().expect("times"));
                bytes.extend_from_slice(text.repeat(times as usize).as_bytes());
            }
            other => {
                let hex = other["hex"].as_str().expect("hex");
                bytes.extend((0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex")));
            }
        }
    }
    bytes
}

fn outcome(case: &Value) -> Result<Event, Refusal> {
    let Message { content_type, headers, body } = message(case);
    let content_type = (!content_type.is_empty()).then_some(content_type.as_str());
    decode(content_type, &headers, Some("m-1"), &body, &DIRECTORY, &CALENDAR)
}

/// The fault of a refusal, if it has one: not of the kind, not at the place, or nothing to act on.
fn refused_wrongly(name: &str, expected: &Value, refusal: &Refusal) -> Option<String> {
    let text = |member: &str| expected[member].as_str().unwrap_or_default();
    let (position, at) = (refusal.position(), text("at"));
    let inside = |rest: &str| rest.is_empty() || rest.starts_with([',', '/']);
    let place_fits = match at {
        "" => position.is_empty() || position.starts_with("line "),
        at => position.strip_prefix(at).is_some_and(inside),
    };
    let line = refusal.to_string();
    let plain = !line.chars().any(|c| c.is_control() || !is_xml_char(c));
    let fits = refusal.kind().as_str() == text("kind") && place_fits && line.contains(text("says"));
    (!fits || !plain || line.len() > 700).then(|| format!("{name}: {} {line:?}", refusal.kind().as_str()))
}

#[test]
fn what_is_malformed_is_refused_with_its_reason_and_position() {
    let mut faults = Vec::new();
    for case in ["bytes.json", "envelope.json", "members.json"].into_iter().flat_map(cases) {
        let name = case["name"].as_str().expect("a name");
        match (outcome(&case), case.get("refused")) {
            (Err(refusal), Some(expected)) => faults.extend(refused_wrongly(name, expected, &refusal)),
            (Ok(event), None) => assert_clean(name, &event),
            (outcome, _) => faults.push(format!("{name}: {:?}", outcome.map(|event| event.key))),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_member_of_another_type_is_refused_wherever_it_stands() {
    let kinds = fixture("types.json");
    let mut faults = Vec::new();
    for (expected, pointers) in kinds.as_object().expect("types") {
        for pointer in pointers.as_array().expect("pointers").iter().map(|p| p.as_str().expect("a pointer")) {
            for (found, value) in [
                ("text", json!("x")),
                ("a number", json!(7)),
                ("true or false", json!(true)),
                ("a list", json!([])),
                ("an object", json!({})),
            ] {
                if expected.ends_with(found) || (found == "a number" && expected == "a whole number") {
                    continue;
                }
                let name = format!("{}-is-{}", pointer[1..].replace('/', "-"), found.replace(' ', "-"));
                let mut set = json!({ "/data/images": [{ "url": "https://a.vn/1" }], "/data/attachments": [{ "url": "https://a.vn/1" }] });
                if pointer.starts_with("/data/areas/0") {
                    set["/data/areas"] = json!([{ "code": "03205" }]);
                }
                set[pointer] = value;
                let case = json!({ "name": name, "set": set });
                let says = format!("is {found}, where {expected} was expected");
                let expected = json!({ "kind": "wrong-shape", "at": pointer, "says": says });
                match outcome(&case) {
                    Err(refusal) => faults.extend(refused_wrongly(&name, &expected, &refusal)),
                    Ok(_) => faults.push(format!("{name}: taken")),
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_hostile_but_readable_is_cleaned_as_documented() {
    for case in cases("cleaned.json") {
        let name = case["name"].as_str().expect("a name");
        let event = outcome(&case).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let data = data_of(&event.change);
        for (pointer, value) in case["becomes"].as_object().into_iter().flatten() {
            assert_eq!(data.pointer(pointer), Some(value), "{name} {pointer}");
        }
        if let Some(kept) = case["keeps"].as_str() {
            assert!(data["content_html"].as_str().is_some_and(|html| html.contains(kept)), "{name}: {data}");
        }
        assert_clean(name, &event);
    }
}

/// What every accepted event promises, whatever was sent.
fn assert_clean(name: &str, event: &Event) {
    assert!(event.key.id.len() <= 200 && event.key.source.len() <= 1_000 && event.id().as_str().len() <= 200, "{name}");
    assert!(format!("{}{}", event.key.id, event.key.source).bytes().all(|b| b.is_ascii_graphic()), "{name}");
    assert!(routing_key(event).len() <= 255, "{name}");
    assert_legal(name, &data_of(&event.change));
    let again = decode(
        Some("application/cloudevents+json"),
        &BTreeMap::new(),
        None,
        &encode_event(event),
        &DIRECTORY,
        &CALENDAR,
    );
    let again = again.unwrap_or_else(|refusal| panic!("{name}: what was accepted is refused: {refusal}"));
    assert_eq!((&again.change, &again.reach), (&event.change, &event.reach), "{name}: cleaning twice is cleaning once");
    if let Change::Live(content) = &event.change
        && let Content::Article(article) = content.as_ref()
    {
        assert_harmless(name, &article.content_html);
    }
}

/// No text anywhere has a character that XML, a ledger or a mail would not take.
fn assert_legal(name: &str, value: &Value) {
    match value {
        Value::String(text) => assert!(text.chars().all(is_xml_char), "{name}: {text:?}"),
        Value::Array(items) => items.iter().for_each(|item| assert_legal(name, item)),
        Value::Object(members) => members.values().for_each(|member| assert_legal(name, member)),
        _ => {}
    }
}

/// Read again as a whole page, a body has no element, attribute or address that does anything.
pub(crate) fn assert_harmless(name: &str, html: &str) {
    for page in [Html::parse_document(html), Html::parse_fragment(html)] {
        for element in page.tree.values().filter_map(|node| node.as_element()) {
            let tag = element.name();
            let forbidden = "script style iframe object embed applet frame frameset form input button select textarea svg math base meta link \
                template noscript plaintext xmp video audio source portal";
            let ours = matches!(tag, "html" | "head" | "body");
            assert!(ours || !forbidden.split_whitespace().any(|bad| bad == tag), "{name}: <{tag}> in {html}");
            for (attribute, value) in element.attrs() {
                let harmless = !attribute.starts_with("on")
                    && !matches!(
                        attribute,
                        "style" | "srcset" | "ping" | "formaction" | "id" | "name" | "target" | "background"
                    );
                assert!(harmless, "{name}: {attribute} in {html}");
                if matches!(attribute, "href" | "src" | "cite") {
                    let absolute =
                        ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| value.starts_with(scheme));
                    assert!(absolute, "{name}: {attribute}={value:?} in {html}");
                }
            }
        }
    }
}
