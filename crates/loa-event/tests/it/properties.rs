//! Properties: no bytes panic, decoding is stable, and encoding what was decoded loses nothing.

use crate::{CALENDAR, DIRECTORY, decode_bytes, decode_value, minimal};
use loa_domain::Event;
use loa_event::{RefusalKind, decode, encode_event};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Text as an editor, a word processor or an attacker sends it.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "[\\x00-\\x{ff}]{0,40}",
        "(xã |Na Son|Tìa Dình|đỏ|\u{302}|\u{323}|\u{200b}| |\n|&amp;|<b>|</p>|<p|\"){0,12}",
    ]
}

fn html() -> impl Strategy<Value = String> {
    let pieces = [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<a href='/x?a&b'>",
        "</a>",
        "<img src=x alt='a>b'>",
        "<script>",
        "</script>",
        "<ul><li>",
        "<table><tr><td>",
        "</table>",
        "&amp;",
        "&#0;",
        "&#x302;",
        "&lt;",
        "&nbsp;",
        "<svg>",
        "</svg>",
        "<style>",
        "<!--",
        "-->",
        "<textarea>",
        "<select>",
        "<math><mtext>",
        "<template>",
        "<noscript>",
        "<pre>\n\n",
        "e\u{323}",
        "Na Son",
        " ",
        "\n",
        "\u{0}",
        "<br>",
        "<font color=red>",
        "<h2>",
        "<plaintext>",
        "<title>",
        "<![CDATA[",
        "<frameset>",
        "<body onload=x>",
        "\"",
        "'",
        "=",
        "<iframe src=https://youtu.be/a></iframe>",
        "<video><source src=/a.mp4>",
        "<object data=/a.pdf>",
        "<img data-src=/1.jpg src=''>",
        "<noscript><img src=/1.jpg>",
        "</noscript>",
        "<math><mfrac><mn>1</mn><mi>b",
        "<svg><text>7",
        "<input value='x'>",
        "<w:x>",
        "<o:p>",
        "§iÖn Biªn ",
        "Ð",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..25).prop_map(|parts| parts.concat())
}

fn article() -> impl Strategy<Value = Value> {
    (text(), text(), html(), text(), 1_u64..1_000_000, 631_200_000_i64..4_100_000_000, any::<u32>()).prop_map(
        |(title, summary, html, source_name, revision, second, nanosecond)| {
            let at = jiff::Timestamp::new(second, i32::try_from(nanosecond % 1_000_000_000).expect("small"))
                .expect("an instant");
            let mut event = minimal();
            event["time"] = json!(at);
            let data = &mut event["data"];
            data["title"] = json!(format!("T{title}"));
            data["summary"] = json!(summary);
            data["content_html"] = json!(html);
            data["source_name"] = json!(source_name);
            data["revision"] = json!(revision);
            data["published_at"] = json!(at);
            event
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), structured in any::<bool>(), id in any::<String>()) {
        let content_type = structured.then_some("application/cloudevents+json");
        let headers = [("ce-id".to_owned(), id.clone()), (format!("ce-{id}"), id)].into();
        let _ = decode(content_type, &headers, None, &bytes, &DIRECTORY, &CALENDAR);
    }

    #[test]
    fn a_good_event_with_one_byte_changed_is_decoded_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = minimal().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Err(refusal) = decode_bytes(&bytes) {
            prop_assert!(!refusal.sentence().is_empty());
        }
    }

    #[test]
    fn decoding_what_was_encoded_gives_the_same_event(event in article()) {
        let decoded = decode_value(&event);
        // letters thrown at random may look like an old encoding in part
        prop_assume!(!decoded.as_ref().is_err_and(|refusal| refusal.kind() == RefusalKind::OldEncoding));
        let event = decoded.map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
        let bytes = encode_event(&event);
        let again = decode_bytes(&bytes).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
        // the hash is of the data as they were sent, which are not normalised
        let content_hash = again.content_hash.clone();
        prop_assert_eq!(&again, &Event { original_bytes: bytes.clone(), content_hash, ..event });
        prop_assert_eq!(encode_event(&again), bytes);
    }
}
