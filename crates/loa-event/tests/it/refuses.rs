//! What is refused, each with its kind, its position and a sentence.

use crate::{decode_bytes, decode_value, minimal, with};
use loa_event::limits::{DEPTH_MAX, EVENT_BYTES_MAX, HTML_TAGS_MAX};
use serde_json::{Value, json};

fn check(body: impl AsRef<[u8]>, kind: &str, position: &str, words: &str) {
    let refusal = decode_bytes(body.as_ref()).expect_err("a refusal");
    assert_eq!((refusal.kind().as_str(), refusal.position().as_str()), (kind, position), "{refusal}");
    assert!(refusal.to_string().contains(words), "{refusal}");
    assert!(!refusal.to_string().chars().any(char::is_control), "{refusal:?}");
}

fn check_member(pointer: &str, value: Value, kind: &str, words: &str) {
    check(with(pointer, value).to_string(), kind, pointer, words);
}

#[test]
fn bytes_that_are_not_json_are_refused_with_line_and_column() {
    check("", "not-json", "line 1 column 0 (byte 0)", "empty");
    check("garbage", "not-json", "line 1 column 1 (byte 0)", "not JSON");
    check("{\n  \"id\": }", "not-json", "/id, line 2 column 9 (byte 10)", "expected value");
    check("{\"id\": \"a\"", "not-json", "line 1 column 10 (byte 9)", "EOF");
    check("{} {}", "not-json", "line 1 column 4 (byte 3)", "trailing");
    check(b"\xef\xbb\xbf{}", "not-json", "line 1 column 1 (byte 0)", "byte-order mark");
    check(b"{\"id\": \"\xff\"}", "not-json", "/id, line 1 column 9 (byte 8)", "UTF-8");
    check("{\"id\": \"\\ud800\"}", "not-json", "/id, line 1 column 15 (byte 14)", "hex escape");
    check("{\"id\": \"\\udc00\"}", "not-json", "/id, line 1 column 14 (byte 13)", "surrogate");
    check("{\"id\": \"a\u{1}\"}", "not-json", "/id, line 1 column 10 (byte 9)", "control");
    check("{\"id\": NaN}", "not-json", "/id, line 1 column 8 (byte 7)", "expected");
    check("{\"id\": 1e999}", "not-json", "/id, line 1 column 12 (byte 11)", "out of range");
}

#[test]
fn json_that_readers_would_read_differently_is_refused() {
    check(r#"{"data": {"id": 1, "id": 2}}"#, "duplicate-key", "/data/id", "twice");
    check(r#"{"a": [{}, {"b/c~": 1, "b/c~": 1}]}"#, "duplicate-key", "/a/1/b~1c~0", "twice");
    let deep = |n: usize| format!("{{\"a\": {}{}}}", "[".repeat(n), "]".repeat(n));
    check(deep(DEPTH_MAX), "too-deep", &format!("/a{}", "/0".repeat(DEPTH_MAX - 1)), "nested");
    check(deep(DEPTH_MAX - 1), "missing", "/specversion", "specversion");
    check("[".repeat(1_000_000), "too-deep", &"/0".repeat(DEPTH_MAX), "nested");
    check("[]", "wrong-shape", "", "an object was expected");
    check("null", "wrong-shape", "", "an object was expected");
}

#[test]
fn an_event_of_one_byte_over_one_mebibyte_is_refused_and_one_of_the_limit_is_not() {
    let mut body = minimal().to_string();
    body.extend(std::iter::repeat_n(' ', EVENT_BYTES_MAX - body.len()));
    assert!(decode_bytes(body.as_bytes()).is_ok());
    body.push(' ');
    check(body, "too-large", "", "1048577 bytes");
}

#[test]
fn an_envelope_outside_the_contract_is_refused() {
    for name in ["specversion", "id", "source", "subject", "type", "data"] {
        check_member(&format!("/{name}"), Value::Null, "missing", name);
    }
    for name in ["id", "source", "subject", "type"] {
        check_member(&format!("/{name}"), json!(""), "missing", name);
        check_member(&format!("/{name}"), json!(1), "wrong-shape", "a number");
    }
    check_member("/specversion", json!("0.3"), "not-cloudevent", "only CloudEvents 1.0");
    check_member("/type", json!("vn.loa.article.published.v2"), "unknown-type", "vn.loa.article.updated.v1");
    check_member("/id", json!("a b"), "out-of-bounds", "visible ASCII");
    check_member("/id", json!("x".repeat(201)), "out-of-bounds", "1 to 200");
    check_member("/id", json!("a\r\nx: y"), "out-of-bounds", "visible ASCII");
    check_member("/source", json!("dienbiendong"), "bad-address", "absolute URI");
    check_member("/source", json!("https://a b/"), "bad-address", "absolute URI");
    check_member("/subject", json!("bai-2"), "mismatch", "bai-2");
    check_member("/subject", json!("bai 1"), "out-of-bounds", "not allowed");
    check_member("/time", json!("yesterday"), "bad-date", "RFC 3339");
    check_member("/data", json!("text"), "wrong-shape", "an object was expected");
    check_member("/data_base64", json!("e30="), "not-cloudevent", "data_base64");
    let mut xml = minimal();
    xml["datacontenttype"] = json!("text/xml");
    check(xml.to_string(), "not-cloudevent", "/datacontenttype", "text/xml");
}

#[test]
fn an_article_outside_the_contract_is_refused() {
    for name in ["id", "revision", "url", "title", "category", "published_at"] {
        check_member(&format!("/data/{name}"), Value::Null, "missing", name);
    }
    check_member("/data/title", json!(" \u{a0}\u{feff}\n"), "missing", "title");
    check_member("/data/title", json!("a".repeat(501)), "out-of-bounds", "501 characters");
    check_member("/data/title", json!(["a"]), "wrong-shape", "a list");
    check_member("/data/summary", json!("a".repeat(5_001)), "out-of-bounds", "5000");
    check_member("/data/revision", json!(0), "out-of-bounds", "from 1");
    check_member("/data/revision", json!(-1), "out-of-bounds", "from 1");
    check_member("/data/revision", json!(1.5), "out-of-bounds", "1.5");
    check_member("/data/revision", json!("1"), "wrong-shape", "a whole number");
    check_member("/data/revision", json!(9_007_199_254_740_992_u64), "out-of-bounds", "9007199254740991");
    check_member("/data/category", json!("tin-tuc"), "wrong-shape", "an object");
    check_member("/data/category/slug", json!("!!!"), "out-of-bounds", "address part");
    check_member("/data/category/slug", json!(""), "missing", "slug");
    check_member("/data/language", json!("tiếng Việt"), "out-of-bounds", "language tag");
    check_member("/data/areas", json!(vec!["x"; 201]), "out-of-bounds", "201 items");
    check(with("/data/areas", json!([{}])).to_string(), "missing", "/data/areas/0", "`code`");
    check_member("/data/images", json!(vec![json!({ "url": "https://a.vn/i" }); 101]), "out-of-bounds", "101 items");
    check_member("/data/content_html", json!("<p>".repeat(HTML_TAGS_MAX + 1)), "out-of-bounds", "tags");
}

#[test]
fn a_body_of_tags_inside_tags_is_refused_where_it_is_deeper_than_any_reader_goes() {
    for tag in ["<div>", "<b>", "<table><tr><td><p>", "<ul><li><p>", "<div><p></p>", "<q>", "<x-y>"] {
        decode_value(&with("/data/content_html", json!(tag.repeat(60)))).expect("within the limit");
        check_member("/data/content_html", json!(tag.repeat(600)), "out-of-bounds", "512 elements inside each other");
    }
    let again =
        format!("<p>{}{}", "<b><b><b><i><i><i><u><u><u><s><s><s><em><em><em><tt><tt><tt>", "</p><p>x".repeat(19_000));
    check_member("/data/content_html", json!(again), "out-of-bounds", "grows far beyond");
    let paragraphs = "<p>a<td>b".repeat(HTML_TAGS_MAX / 2);
    decode_value(&with("/data/content_html", json!(paragraphs))).expect("within the limit");
    let word = "<p><span lang=vi><font color=red>a</font></span>".repeat(9_000);
    decode_value(&with("/data/content_html", json!(word))).expect("what a word processor writes is no nesting");
}

#[test]
fn a_date_that_cannot_be_or_stands_for_nothing_is_refused() {
    for bad in [
        "2023-02-30T08:00:00+07:00",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1900-01-01T00:00:00+07:00",
        "1970-01-01T00:00:00Z",
        "2023-11-16T25:00:00+07:00",
        "2023-11-16T08:02:22",
        "2023-11-16 08:02:22+07:00",
        "2023-11-16T08:02:22+07",
        "2023-11-16T08:02:22+25:00",
        "2023-11-16T08:02:22-07:60",
        "2023-11-16T08:02:22+07:00[Asia/Ho_Chi_Minh]",
        "2023-11-16T08:02:22.+07:00",
        "16/11/2023 08:02:22 AM",
        "2023-11-16",
        "",
    ] {
        check_member("/data/published_at", json!(bad), "bad-date", "published_at");
    }
    check_member("/data/published_at", json!("9999-12-31T23:59:59Z"), "bad-date", "reads as a placeholder");
    check_member("/data/published_at", json!(1_700_000_000), "wrong-shape", "a number");
}

#[test]
fn an_address_that_is_not_absolute_http_is_refused() {
    for (bad, words) in [
        ("/tin/bai-1", "relative"),
        ("tin.html", "relative"),
        ("//a.vn/x", "relative"),
        ("javascript:alert(1)", "scheme"),
        ("JaVaScRiPt:alert(1)", "scheme"),
        ("data:text/html,x", "scheme"),
        ("ftp://a.vn/", "scheme"),
        ("https://", "no address"),
        ("https://u:p@a.vn/", "password"),
    ] {
        check_member("/data/url", json!(bad), "bad-address", words);
    }
    check_member("/data/url", json!(format!("https://a.vn/{}", "x".repeat(2_000))), "bad-address", "2000");
    let mut event = minimal();
    event["data"]["attachments"] = json!([{ "url": "https://a.vn/1.pdf" }, { "url": "2.pdf" }]);
    check(event.to_string(), "bad-address", "/data/attachments/1/url", "relative");
}

#[test]
fn a_document_or_withdrawal_outside_the_contract_is_refused() {
    let event = |kind: &str, data: Value| {
        let mut event = minimal();
        event["type"] = json!(kind);
        event["data"] = data;
        event.to_string()
    };
    let document =
        json!({ "id": "bai-1", "revision": 1, "number": "1184/KL-UBND", "title": "Kết luận", "url": "https://a.vn/1" });
    check(event("vn.loa.document.issued.v1", document.clone()), "missing", "/data/published_at", "issued_on");
    let mut undated = document.clone();
    undated["issued_on"] = json!("01/01/1900");
    check(event("vn.loa.document.issued.v1", undated.clone()), "bad-date", "/data/issued_on", "1945");
    undated["issued_on"] = json!("2023-02-29");
    check(event("vn.loa.document.issued.v1", undated), "bad-date", "/data/issued_on", "2023-02-29");
    let mut unnumbered = document;
    unnumbered["issued_on"] = json!("2023-02-28");
    unnumbered["number"] = json!(" ");
    check(event("vn.loa.document.issued.v1", unnumbered), "missing", "/data/number", "number");
    check(event("vn.loa.article.withdrawn.v1", json!({ "id": "bai-1", "revision": 2 })), "missing", "/data/at", "at");
}

#[test]
fn a_refusal_quotes_little_and_nothing_that_could_forge_a_log_line() {
    let refusal =
        decode_value(&with("/type", json!(format!("a\nb\u{1b}[31m{}", "x".repeat(500))))).expect_err("a refusal");
    assert!(
        refusal.sentence().len() < 400 && !refusal.sentence().contains('\n') && !refusal.sentence().contains('\u{1b}')
    );
}
