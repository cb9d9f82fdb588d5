//! The bodies of the fuzz targets as bounded properties: `fuzz/` runs them for hours, this file
//! some hundred cases in seconds.
//!
//! It also runs every input that ever broke one: `fuzz/regressions/TARGET/NAME`, each named for
//! what is wrong with it.

use loa_testkit::hostile::{
    areas_csv, binary_event, feed_of_event, html_body, hub_request, portal_page, receiver_answer, strict_json,
    structured_event,
};
use proptest::prelude::*;
use std::path::PathBuf;

const EVENT: &str = r#"{"specversion":"1.0","type":"vn.loa.article.published.v1","source":"https://a.vn/","subject":"a","id":"e",
    "data":{"id":"a","revision":1,"url":"https://a.vn/1","title":"Tin","summary":"s","content_html":"<p>x</p>","language":"vi",
    "category":{"slug":"tin","label":"Tin"},"areas":[],"images":[{"url":"https://a.vn/1.jpg","bytes":1,"alt":"a"}],
    "attachments":[{"url":"https://a.vn/1.pdf","media_type":"application/pdf"}],"published_at":"2023-11-16T08:02:22+07:00"}}"#;
const BINARY: &str = "content-type: application/json\nce-specversion: 1.0\nce-type: vn.loa.article.published.v1\nce-source: https://a.vn/\nce-subject: a\nce-id: e\n\n";
const AREAS: &str = include_str!("../../../config/areas/dien-bien-dong-from-2025-07-01.csv");
const ANSWER: &str = "503120\n0123456789abcdef";
const HUB: &str = "hub.mode=subscribe&hub.topic=https%3A%2F%2Fa.vn%2Ffeeds%2Fall.atom&hub.callback=https%3A%2F%2Fs.example%2Fcb%3Fk%3Da&hub.secret=s&hub.lease_seconds=864000";
const PAGE: &str = include_str!("../../loa-portal/fixtures/seed.txt");

/// What HTML, JSON, XML and mail trip over, a piece at a time.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"<script>",
        b"</script>",
        b"<svg>",
        b"<math><mtext>",
        b"<style>",
        b"</style>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<p",
        b">",
        b"<a href='javascript:x'>",
        b"<a href=//x>",
        b"<a href='http:x'>",
        b"<img src=x onerror=y>",
        b"<table><tr>",
        b"<select>",
        b"<template>",
        b"<noscript>",
        b"<plaintext>",
        b"<xmp>",
        b"<title>",
        b"<textarea>",
        b"<b title='>'>",
        b"<font x=\"",
        b"</b>",
        b"<pre>\n\n",
        b"&#0;",
        b"&lt;",
        b"&#x202e;",
        b"&nbsp",
        b"'",
        b"\"",
        b"=",
        b"/",
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"\\ud83d\\ude00",
        b"\0",
        b"\x01",
        b"\x7f",
        b"\xc2\x85",
        b"\xe2\x80\xae",
        b"\xef\xbf\xbe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xff",
        b"e\xcc\xa3\xcc\x82",
        b"\xf0\x9f\x93\xa2",
        b"\r\n",
        b"\n\n",
        b" ",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"null",
        b"1e400",
        b"-1",
        b"Na Son",
        b"T\xc3\xaca D\xc3\xacnh",
        b"title",
        b"content_html",
        b"ce-id: ",
        b"cloudEvents:",
        b"Th\xe1\xbb\x9di gian \xc4\x91\xc4\x83ng: ",
        b"01/01/1900",
        b"9999-12-31T23:59:59Z",
    ];
    prop_oneof![
        4 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "\\PC{0,8}".prop_map(String::into_bytes),
    ]
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

/// A good text with some of it overwritten or cut out.
fn damaged(good: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, prop::collection::vec(piece(), 0..3)), 0..4)
        .prop_map(move |cuts| {
            let mut bytes = good.as_bytes().to_vec();
            for (at, length, with) in cuts {
                let at = at.index(bytes.len() + 1);
                let end = (at + length).min(bytes.len());
                bytes.splice(at..end, with.concat());
            }
            bytes
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_message_in_structured_mode_is_refused_with_a_reason_or_clean(bytes in prop_oneof![damaged(EVENT), soup()]) {
        structured_event(&bytes);
    }

    #[test]
    fn a_message_in_binary_mode_is_refused_with_a_reason_or_clean(head in damaged(BINARY), body in damaged(EVENT)) {
        binary_event(&[head, body].concat());
    }

    #[test]
    fn a_body_of_anything_is_refused_or_harmless(html in soup()) {
        let mut event: serde_json::Value = serde_json::from_str(EVENT).expect("JSON");
        event["data"]["content_html"] = String::from_utf8_lossy(&html).into();
        prop_assert!(structured_event(event.to_string().as_bytes()).is_some(), "small enough to be taken");
    }

    #[test]
    fn a_portal_page_is_refused_with_advice_or_read_clean(bytes in prop_oneof![damaged(PAGE), soup()]) {
        portal_page(&bytes);
    }

    #[test]
    fn a_body_takes_no_more_work_than_its_length_allows(html in soup(), times in 1_usize..30) {
        html_body(&html.repeat(times));
    }

    #[test]
    fn json_is_refused_with_a_reason_or_read_the_same_again(bytes in prop_oneof![damaged(EVENT), soup()]) {
        strict_json(&bytes);
    }

    #[test]
    fn a_directory_of_areas_is_refused_with_a_reason_or_answers(bytes in prop_oneof![damaged(AREAS), soup()]) {
        areas_csv(&bytes);
    }

    #[test]
    fn an_answer_of_a_receiver_means_one_thing_and_its_rest_has_an_end(bytes in prop_oneof![damaged(ANSWER), soup()]) {
        receiver_answer(&bytes);
    }

    #[test]
    fn a_request_to_the_hub_is_refused_with_a_reason_or_asked_about_where_it_says(form in damaged(HUB)) {
        hub_request(&form);
    }

    #[test]
    fn whatever_is_accepted_is_written_well_formed_in_every_format(texts in prop::collection::vec(soup(), 1..8)) {
        feed_of_event(&texts.join(&0xff));
    }
}

#[test]
fn what_the_properties_start_from_is_good() {
    assert!(structured_event(EVENT.as_bytes()).is_some());
    let data = serde_json::from_str::<serde_json::Value>(EVENT).expect("JSON")["data"].to_string();
    assert!(binary_event(format!("{BINARY}{data}").as_bytes()).is_some());
    assert!(portal_page(PAGE.as_bytes()).is_some());
    assert!(hub_request(HUB.as_bytes()));
}

#[test]
fn what_once_broke_a_target_does_not_again() {
    type Body = fn(&[u8]);
    let targets: [(&str, Body); 9] = [
        ("html_body", html_body),
        ("strict_json", strict_json),
        ("areas_csv", areas_csv),
        ("structured_event", |bytes| drop(structured_event(bytes))),
        ("binary_event", |bytes| drop(binary_event(bytes))),
        ("portal_page", |bytes| drop(portal_page(bytes))),
        ("feed_of_event", feed_of_event),
        ("receiver_answer", receiver_answer),
        ("hub_request", |bytes| {
            hub_request(bytes);
        }),
    ];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/regressions");
    for (target, body) in targets {
        // a target that nothing ever broke has no folder
        let Ok(files) = std::fs::read_dir(folder.join(target)) else { continue };
        for file in files {
            let path = file.expect("an entry").path();
            body(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
    }
}
