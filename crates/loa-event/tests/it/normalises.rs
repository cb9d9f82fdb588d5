//! What comes out is clean, whatever went in: text, HTML, addresses, areas.

use crate::{CALENDAR, DIRECTORY, STRUCTURED, article, article_with, decode_value, minimal, with};
use loa_event::{decode_with_notes, text_of_html};
use serde_json::json;
use std::collections::BTreeMap;

#[test]
fn text_is_nfc_and_legal_in_xml_and_a_title_is_one_plain_line() {
    let title =
        article_with("/data/title", json!(" Đie\u{302}\u{323}n\u{a0}Bie\u{302}n\r\n\u{0}\u{b}<b>Đông</b> &amp; "))
            .title;
    assert_eq!(title, "Điện Biên <b>Đông</b> &amp;", "markup in a title is text");
    assert_eq!(article_with("/data/summary", json!("một\r\nhai\u{202e}")).summary, "một\nhai");
}

#[test]
fn of_a_body_only_harmless_html_with_absolute_addresses_is_left() {
    let check = |html: &str, expected: &str| {
        assert_eq!(article_with("/data/content_html", json!(html)).content_html, expected, "{html}");
    };
    check("<p>a</p><script>alert(1)</script>", "<p>a</p>");
    check("<style>p{}</style><p style=\"color:red\" onclick=\"x()\">a</p>", "<p>a</p>");
    check(
        "<iframe src=\"https://evil/\">x</iframe><object>y</object>a",
        "<p>Xem trang: <a href=\"https://evil/\" rel=\"noopener noreferrer\">evil</a></p>ya",
    );
    check("<form action=\"/x\"><input name=a><button>Gửi</button></form>a", "a");
    check("<svg><script>1</script></svg><math><mi>x</mi></math>a", "x a");
    check("<img src=\"/anh/1.jpg\" alt=\"Ảnh\">", "<img src=\"https://dienbiendong.gov.vn/anh/1.jpg\" alt=\"Ảnh\">");
    check("<img src=\"2.jpg\" onerror=\"x()\">", "<img src=\"https://dienbiendong.gov.vn/tin/2.jpg\">");
    check("<img src=\"data:image/gif;base64,R0\">", "");
    check(
        "<a href=\"../van-ban?a=1&b=2\">x</a>",
        "<a href=\"https://dienbiendong.gov.vn/van-ban?a=1&amp;b=2\" rel=\"noopener noreferrer\">x</a>",
    );
    check("<a href=\"javascript:alert(1)\">x</a>", "<a rel=\"noopener noreferrer\">x</a>");
    check("<a href=\"jav&#x09;ascript:alert(1)\">x</a>", "<a rel=\"noopener noreferrer\">x</a>");
    check("<a href=\"mailto:ubnd@a.vn\">x</a>", "<a href=\"mailto:ubnd@a.vn\" rel=\"noopener noreferrer\">x</a>");
    check("a &#0;&#xb;&#x202e;&lt; Đie&#x302;&#x323;n <p>b", "a &lt; Điện <p>b</p>");
    check("<!-- x --><p>a<br>b</p>", "<p>a<br>b</p>");
}

#[test]
fn the_text_of_a_body_has_a_line_for_each_block_and_joins_inline_markup() {
    assert_eq!(
        text_of_html("<p>xã <b>Na</b> <i>Son</i>,</p><ul><li>T<b>ì</b>a&nbsp;Dình</li></ul>"),
        "xã Na Son,\nTìa Dình"
    );
    assert_eq!(text_of_html("a &amp;lt; b &lt;p&gt;<img alt=\"a>b\">c"), "a &lt; b <p>c");
    assert_eq!(text_of_html(""), "");
}

#[test]
fn what_is_left_unsaid_has_its_default() {
    let event = decode_value(&minimal()).expect("good");
    let article = article(&event);
    assert_eq!((article.language.as_str(), article.summary.as_str(), article.content_html.as_str()), ("vi", "", ""));
    assert_eq!(article.modified_at, article.published_at);
    assert_eq!((event.time, event.key.id.as_str()), (None, "e-1"));
    let early = article_with("/data/modified_at", json!("2023-11-15T00:00:00+07:00"));
    assert_eq!(early.modified_at, early.published_at, "nothing changes before it is published");
    let file = article_with("/data/attachments", json!([{ "url": "https://a.vn/1" }])).attachments.remove(0);
    assert_eq!((file.media_type.as_str(), file.bytes, file.title.as_str()), ("application/octet-stream", 0, ""));
}

#[test]
fn two_spellings_of_a_category_are_one() {
    // the last two with a Cyrillic `с`, and in full width
    for written in ["tin-tuc", "Tin tức", "TIN_TUC", "Tin tu\u{301}\u{31b}c", "Tin tứс", "Ｔｉｎ ｔｕｃ"] {
        assert_eq!(
            article_with("/data/category", json!({ "slug": written })).category.slug.as_str(),
            "tin-tuc",
            "{written}"
        );
    }
}

#[test]
fn areas_that_are_named_win_over_areas_in_the_text() {
    let ids = |article: loa_domain::Article| article.areas.iter().map(ToString::to_string).collect::<Vec<_>>();
    let found = ids(article_with("/data/title", json!("Lạc đỏ Na Son được mùa")));
    assert_eq!(found.len(), 1, "{found:?}");
    // 03205 was Xã Na Son until 2025-06-30; 03203 is Xã Na Son since, and was the town before.
    assert_eq!(ids(article_with("/data/areas", json!([{ "code": "03205" }]))), found);
    assert_eq!(ids(article_with("/data/areas", json!([{ "code": "03205", "date": "2024-01-01" }]))), found);
    assert_eq!(ids(article_with("/data/areas", json!([found[0], { "id": found[0] }]))), found, "no repeats");
    let later = ids(article_with("/data/areas", json!([{ "code": "03203", "date": "2025-08-01" }])));
    assert_eq!(later.len(), 1);
    assert_ne!(later, found);

    let mut event = with("/data/title", json!("Bí xanh Tìa Dình"));
    event["data"]["areas"] = json!([found[0]]);
    assert_eq!(ids(article(&decode_value(&event).expect("good")).clone()), found);
}

#[test]
fn an_area_the_directory_does_not_know_is_noted_and_the_text_is_searched_instead() {
    let mut event = with("/data/title", json!("Lạc đỏ Na Son được mùa"));
    event["data"]["areas"] = json!(["sao-hoa", { "code": "99999" }]);
    let body = event.to_string();
    let (event, notes) =
        decode_with_notes(STRUCTURED, &BTreeMap::new(), None, body.as_bytes(), &DIRECTORY, &CALENDAR).expect("good");
    assert_eq!(article(&event).areas.len(), 1);
    let pointers: Vec<_> = notes.iter().map(|note| note.pointer.as_str()).collect();
    assert_eq!(pointers, ["/data/areas/0", "/data/areas/1"]);
    assert!(notes[1].sentence().contains("99999") && notes[1].sentence().contains("2023-11-16"), "{notes:?}");
}

#[test]
fn an_article_of_the_past_reaches_the_successors_of_its_area() {
    let event = decode_value(&with("/data/title", json!("Lạc đỏ Na Son được mùa"))).expect("good");
    let areas = article(&event).areas.clone();
    assert!(
        event.reach.len() > areas.len() && areas.iter().all(|area| event.reach.contains(area)),
        "{:?}",
        event.reach
    );
    assert!(event.reach.is_sorted());
}
