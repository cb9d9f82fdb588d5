//! Both modes, every type, and what is kept as it came.

use crate::{CALENDAR, DIRECTORY, STRUCTURED, decode_bytes, decode_value, minimal, with};
use loa_domain::{Change, Content, Event, EventType};
use loa_event::{Refusal, decode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn binary(
    content_type: Option<&str>,
    headers: &[(&str, &str)],
    message_id: Option<&str>,
    body: &str,
) -> Result<Event, Refusal> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    decode(content_type, &headers, message_id, body.as_bytes(), &DIRECTORY, &CALENDAR)
}

const HEADERS: [(&str, &str); 5] = [
    ("cloudEvents:specversion", "1.0"),
    ("cloudEvents:type", "vn.loa.article.published.v1"),
    ("cloudEvents:source", "https://dienbiendong.gov.vn/"),
    ("cloudEvents:subject", "bai-1"),
    ("cloudEvents:id", "e-1"),
];

fn data() -> String {
    minimal()["data"].to_string()
}

#[test]
fn structured_bytes_are_frozen_as_they_came_with_unknown_members() {
    let body = format!("  {}\n", with("/data/mo_rong", json!({ "số": 1.10 })));
    let event = decode_bytes(body.as_bytes()).expect("good");
    assert_eq!(event.original_bytes, body.as_bytes());
}

#[test]
fn both_modes_give_the_same_event() {
    let structured = decode_value(&minimal()).expect("good");
    for prefix in ["cloudEvents:", "cloudEvents_", "ce-", "CE-"] {
        let headers: Vec<(String, &str)> =
            HEADERS.iter().map(|(name, value)| (name.replace("cloudEvents:", prefix), *value)).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let event = binary(Some("application/json; charset=UTF-8"), &headers, None, &data()).expect("good");
        assert_eq!(Event { original_bytes: structured.original_bytes.clone(), ..event }, structured, "{prefix}");
    }
}

#[test]
fn a_binary_event_is_frozen_in_structured_form_with_its_body_byte_for_byte() {
    let body =
        data().replace("\"revision\":1", "\"revision\": 1, \"đo\": 1.10, \"big\": 123456789012345678901234567890");
    let mut headers = HEADERS.to_vec();
    headers.extend([("cloudEvents:traceparent", "00-a-b-01"), ("x-other", "not ours")]);
    let event = binary(None, &headers, None, &body).expect("good");
    let original_bytes = String::from_utf8(event.original_bytes.clone()).expect("UTF-8");
    assert!(
        original_bytes.contains(&body)
            && original_bytes.contains("\"traceparent\":\"00-a-b-01\"")
            && !original_bytes.contains("not ours")
    );
    assert_eq!(decode_bytes(&event.original_bytes).expect("good"), event, "original bytes are the event itself");
}

#[test]
fn the_message_id_of_the_broker_never_becomes_the_id_of_an_event() {
    assert_eq!(binary(None, &HEADERS, Some("m-1"), &data()).expect("good").key.id, "e-1");
    let refusal = binary(None, &HEADERS[..4], Some("m-1"), &data()).expect_err("no id");
    assert_eq!((refusal.kind().as_str(), refusal.pointer.as_str()), ("missing", "/id"));
    assert!(refusal.sentence().contains("m-1") && refusal.sentence().contains("cloudEvents:id"), "{refusal}");
    assert_eq!(binary(None, &HEADERS[..4], None, &data()).expect_err("no id").pointer, "/id");
    let body = with("/id", Value::Null).to_string();
    let structured = decode(STRUCTURED, &BTreeMap::new(), Some("m-1"), body.as_bytes(), &DIRECTORY, &CALENDAR);
    assert_eq!(structured.expect_err("no id").pointer, "/id");
}

#[test]
fn a_producer_that_forgot_the_content_type_is_understood_where_the_body_says_what_it_is() {
    for content_type in [None, Some(""), Some("application/json"), Some("text/plain; charset=utf-8")] {
        assert!(
            decode(content_type, &BTreeMap::new(), None, minimal().to_string().as_bytes(), &DIRECTORY, &CALENDAR)
                .is_ok()
        );
    }
    for (content_type, body, words) in [
        (Some("application/json"), data(), "neither"),
        (Some("text/xml"), minimal().to_string(), "text/xml"),
        (Some("application/cloudevents-batch+json"), format!("[{}]", minimal()), "batch"),
        (Some("application/cloudevents+avro"), minimal().to_string(), "avro"),
        (Some("application/cloudevents+json; charset=utf-16"), minimal().to_string(), "utf-16"),
    ] {
        let refusal =
            decode(content_type, &BTreeMap::new(), None, body.as_bytes(), &DIRECTORY, &CALENDAR).expect_err("refused");
        assert!(refusal.to_string().contains(words), "{refusal}");
    }
}

#[test]
fn headers_that_contradict_each_other_or_are_no_attributes_are_refused() {
    let with = |name, value| HEADERS.into_iter().chain([(name, value)]).collect::<Vec<_>>();
    let refusal = binary(None, &with("ce-id", "e-2"), None, &data()).expect_err("refused");
    assert_eq!((refusal.kind().as_str(), refusal.pointer.as_str()), ("mismatch", "/id"));
    assert!(binary(None, &with("ce-id", "e-1"), None, &data()).is_ok(), "the same said twice is harmless");
    for name in ["cloudEvents:data", "cloudEvents:", "ce-Đ", "ce-a-b"] {
        assert!(binary(None, &with(name, "x"), None, &data()).is_err(), "{name}");
    }
    assert!(binary(Some("text/xml"), &HEADERS, None, &data()).is_err());
    assert_eq!(
        binary(None, &HEADERS, None, "{\"a\" 1}").expect_err("refused").position(),
        "/data/a, line 1 column 6 (byte 5)"
    );
}

#[test]
fn a_document_is_dated_by_its_publication_or_the_event_or_its_issue() {
    let published = |published_at: Value, time: Value, issued_on: Value| {
        let mut event = minimal();
        event["type"] = json!("vn.loa.document.issued.v1");
        event["time"] = time;
        event["data"] = json!({ "id": "bai-1", "revision": 1, "number": "47UBND -UBND-TTr", "kind": "Kết luận Thanh tra",
            "title": "Công tác quản lý", "url": "https://a.vn/1", "published_at": published_at, "issued_on": issued_on });
        let event = decode_value(&event).expect("good");
        assert_eq!(event.event_type, EventType::DocumentIssued);
        assert_eq!(loa_event::routing_key(&event), "document.issued.ket-luan-thanh-tra");
        match event.content() {
            Some(Content::Document(document)) => {
                assert_eq!(document.number, "47UBND -UBND-TTr", "kept as written");
                document.published_at.to_string()
            }
            other => panic!("{other:?}"),
        }
    };
    let (first, second) = (json!("2023-11-16T08:00:00Z"), json!("2023-11-17T08:00:00Z"));
    assert_eq!(published(first, second.clone(), json!("2023-11-01")), "2023-11-16T08:00:00Z");
    assert_eq!(published(Value::Null, second, json!("2023-11-01")), "2023-11-17T08:00:00Z");
    assert_eq!(
        published(Value::Null, Value::Null, json!("2023-11-01")),
        "2023-10-31T17:00:00Z",
        "midnight in Việt Nam"
    );
}

#[test]
fn a_withdrawal_says_what_why_and_when() {
    let mut event = minimal();
    event["type"] = json!("vn.loa.article.withdrawn.v1");
    event["data"] = json!({ "id": "bai-1", "revision": 3, "reason": " Sai\nsố liệu ", "at": "2023-11-20T00:00:00Z" });
    let event = decode_value(&event).expect("good");
    let Change::Withdrawn(withdrawal) = &event.change else { panic!("{event:?}") };
    assert_eq!((withdrawal.revision, withdrawal.reason.as_str()), (3, "Sai số liệu"));
    assert_eq!(loa_event::routing_key(&event), "article.withdrawn.none");
    assert!(event.reach.is_empty() && event.version().withdrawn);
}
