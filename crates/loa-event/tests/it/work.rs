//! What strangers send costs as much as it is long: work is counted, never time.

use crate::{CALENDAR, DIRECTORY, STRUCTURED, article_with, decode_bytes, decode_value, with};
use loa_event::{decode_with_notes, limits::EVENT_BYTES_MAX, strict_json, work_of_cleaning};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use url::Url;

const PIECES: &[&str] = &[
    "<",
    "<<",
    "<!--",
    "-->",
    "</",
    "<a ",
    "<a<a",
    "<aaaaaaaaaaaaaaaaaaaaaaaaaaaa<",
    "&",
    "&#",
    "&#x",
    "&amp;",
    "<b>",
    "<b><i>",
    "<b>x</b>",
    "<span>",
    "<span ",
    "<font a=\"",
    "<p>",
    "<ul><li>",
    "<svg>",
    "<math>",
    "]]>",
    "<![CDATA[",
    "<a b=\"",
    "<a b='",
    "<a><b></a></b>",
    "<p><a href=x></p>",
    "<pre>\n",
    "<img src=1>",
    "<img width=1>",
    "<img ",
    "<br>",
    "\0",
    "\u{302}",
    "e\u{302}",
    "\u{200b}",
    "\r\n",
    "Na Son ",
    "<table><br>",
    "<textarea>",
    "<script>",
];

fn base() -> Url {
    "https://dienbiendong.gov.vn/tin/bai-1".parse().expect("an address")
}

#[test]
fn cleaning_twice_the_body_is_about_twice_the_work() {
    for piece in PIECES {
        for start in ["", "<table><td><p><b><i>"] {
            let [once, twice] = [4_000, 8_000]
                .map(|bytes| work_of_cleaning(&format!("{start}{}", piece.repeat(bytes / piece.len())), &base()));
            // as many steps any short body may take
            let slack = 4 * loa_html::STEPS_AT_LEAST;
            assert!(twice <= once * 5 / 2 + slack, "{start}{piece}: {once}, then {twice}");
        }
    }
}

#[test]
fn a_set_of_addresses_is_looked_at_once_however_many_pictures_stand_beside_it() {
    let [once, twice] = [1, 2].map(|times| {
        let (set, pictures) = ("x:, ".repeat(40_000 * times), "<img>".repeat(3_000 * times));
        let body = format!("<picture><source srcset=\"{set}\">{pictures}</picture>");
        let own = format!("<img srcset=\"{set}\"><noscript>{body}</noscript>{body}");
        [body, own].map(|body| work_of_cleaning(&body, &base()))
    });
    for (once, twice) in once.into_iter().zip(twice) {
        assert!(twice <= once * 5 / 2, "{once}, then {twice}");
    }
}

#[test]
fn our_own_passes_look_at_each_byte_a_few_times_and_no_more() {
    // nothing here is a tag to the parser: the work is that of our passes
    for piece in ["<", "<<<", "</", "<>", "< ", "&", "&#", "< a", "<1", "<\u{e0}"] {
        let body = piece.repeat(20_000 / piece.len());
        let work = work_of_cleaning(&body, &base());
        assert!(work <= 300 * body.len() as u64, "{piece}: {work} for {}", body.len());
    }
}

#[test]
fn a_body_is_measured_before_it_is_cleaned() {
    let too_long = "<".repeat(EVENT_BYTES_MAX + 1);
    assert_eq!(work_of_cleaning(&too_long, &base()), 0, "its length alone refuses it");
    let refused = |html: String, says: &str| {
        // an event that was taken is not shown: it has a byte for each of its bytes
        let outcome = decode_value(&with("/data/content_html", json!(html)));
        let refusal = outcome.map(|event| event.key).expect_err(says);
        assert!(refusal.sentence().contains(says) && refusal.pointer == "/data/content_html", "{refusal}");
    };
    refused("<div>".repeat(1_000), "512 elements inside each other");
    refused(format!("<!-- <a x=' --><p {}>", "a=1 ".repeat(60_000)), "attributes in one tag");
    refused(format!("<p><a href=\"https://a.vn/{}\">{}", "x".repeat(200_000), "<p>x".repeat(10_000)), "grows");
    refused(format!("<table>{}", "<br>".repeat(15_000)), "misnested");
    // each becomes as long as the article's own address
    let long = format!("https://a.vn/{}/1", "x".repeat(1_900));
    let mut event = with("/data/content_html", json!("<a href=2>x</a>".repeat(5_000)));
    event["data"]["url"] = json!(long);
    let refusal = decode_value(&event).expect_err("ten megabytes of addresses");
    assert!(refusal.sentence().contains("grows to"), "{refusal}");
}

#[test]
fn a_long_honest_body_is_taken_however_many_tags_it_has() {
    let row = "<tr><td><b>Xã Na Son</b></td><td><strong><a href=\"/vb/1\">1184/KL-UBND</a></strong></td></tr>";
    let table = format!("<table><tbody>{}</tbody></table>", row.repeat(2_000));
    assert!(article_with("/data/content_html", json!(table)).content_html.len() > 100_000);
}

#[test]
fn text_far_beyond_its_limit_is_refused_by_its_length_alone() {
    for name in ["title", "source_name", "summary"] {
        let refusal = decode_value(&with(&format!("/data/{name}"), json!("a".repeat(300_000)))).expect_err("too long");
        assert!(refusal.sentence().contains("300000 bytes"), "{refusal}");
    }
    let padded = format!("{}Họp dân{}", " ".repeat(3_000), "\n".repeat(3_000));
    assert_eq!(article_with("/data/title", json!(padded)).title, "Họp dân");
}

#[test]
fn json_built_to_hold_a_reader_up_ends() {
    let n = 100_000;
    for (name, text) in [
        ("lists", "[".repeat(n)),
        ("objects", "{\"a\":".repeat(n)),
        ("a long number", "1".repeat(n)),
        ("a long fraction", format!("0.{}e-{}", "1".repeat(n), "9".repeat(50))),
        ("an exponent", format!("1e{}", "9".repeat(n))),
        ("escapes", format!("\"{}\"", "\\u0041".repeat(n))),
        ("half surrogates", format!("\"{}", "\\ud800".repeat(n))),
        ("backslashes", format!("\"{}", "\\\\".repeat(n))),
        ("many names", format!("{{{}\"x\":1}}", (0..n).map(|i| format!("\"{i}\":1,")).collect::<String>())),
        (
            "one name twice at the end",
            format!("{{{}\"0\":1}}", (0..n).map(|i| format!("\"{i}\":1,")).collect::<String>()),
        ),
        ("a long name", format!("{{\"{}\":[}}", "n".repeat(n))),
        ("white space", " ".repeat(n)),
        ("many items", format!("[{}1]", "1,".repeat(n))),
    ] {
        if let Err(refusal) = strict_json(text.as_bytes()) {
            assert!(!refusal.sentence().is_empty() && refusal.to_string().len() < 1_000, "{name}: {refusal}");
        }
        assert!(decode_bytes(text.as_bytes()).is_err(), "{name} is no event");
    }
}

#[test]
fn what_is_left_out_of_a_body_is_told() {
    let html = "<p>a<img src=/t.gif width=1 height=1><a href=https://portal.gov.vn@evil.example/>b</a></p>";
    let body = with("/data/content_html", json!(html)).to_string();
    let (event, notes) =
        decode_with_notes(STRUCTURED, &BTreeMap::new(), None, body.as_bytes(), &DIRECTORY, &CALENDAR).expect("good");
    assert_eq!(crate::article(&event).content_html, "<p>a<a rel=\"noopener noreferrer\">b</a></p>");
    let told: Vec<_> = notes.iter().map(|note| (note.pointer.as_str(), note.sentence())).collect();
    assert!(told[0].1.starts_with("1 pictures") && told[1].1.starts_with("1 addresses with a user name"), "{told:?}");
    assert!(told.iter().all(|(pointer, _)| *pointer == "/data/content_html"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_body_takes_more_work_than_its_length_allows(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..40), times in 1_usize..12) {
        let body = pieces.concat().repeat(times);
        let work = work_of_cleaning(&body, &base());
        // four readings at most, each within the bound of the parser; addresses may make a body longer than it came
        let bound = 4 * (loa_html::STEPS_PER_BYTE * (8 * body.len() as u64 + 65_536) + loa_html::STEPS_AT_LEAST + 4_096 * 2_000);
        prop_assert!(work <= bound, "{work} for {} bytes", body.len());
    }
}
