//! What a page costs to read grows with its length, whatever it is of. Sizes are bounded; what would be beyond them is refused
//! by a count. No clock is looked at: a reader that cost the square of these sizes would not come to an end.

#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use loa_portal::{PAGE_BYTES_MAX, PageError, read};
use proptest::prelude::*;

/// What is wrong, in English.
trait Told {
    fn told(&self) -> String;
}

impl Told for PageError {
    fn told(&self) -> String {
        loa_words::Language::English.words().page_error(self)
    }
}

/// The zone of the portals.
fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn page(body: &str) -> String {
    format!(
        "<html><body><h1>Họp dân</h1><p>Thời gian đăng: 16/11/2023 08:02:22 AM</p>{body}<p>Xã Na Son họp dân.</p></body></html>"
    )
}

#[test]
fn links_and_emphasis_left_open_do_not_multiply_a_page() {
    let address = format!("https://a.vn/{}", "x".repeat(1_900));
    let long = page(&format!("<a href=\"{address}\">{}", "a<br>".repeat(20_000)));
    assert!(matches!(read(long.as_bytes(), None, &zone()), Err(PageError::Grows { .. })));
    let tags: String = ["<b>", "<i>", "<u>", "<em>"].concat().repeat(30);
    let bold = page(&format!("{tags}{}", "<br>".repeat(50_000)));
    assert!(matches!(read(bold.as_bytes(), None, &zone()), Err(PageError::Grows { .. } | PageError::TooCostly { .. })));
    let honest = page(&"<p><b>Ngày</b> 16/11 <a href=\"/tin/1\">xem thêm</a></p>".repeat(2_000));
    read(honest.as_bytes(), None, &zone()).expect("a long article");
}

#[test]
fn an_address_too_long_or_with_a_user_name_is_no_link() {
    for href in [format!("https://a.vn/{}", "x".repeat(3_000)), "https://dienbiendong.gov.vn@evil.example/".to_owned()]
    {
        let html = page(&format!("<p>Mở đầu.</p><p>Xem <a href=\"{href}\">ở đây</a> nhé</p>"));
        let article = read(html.as_bytes(), None, &zone()).expect("read").article.unwrap();
        assert!(
            article.content_html.contains("ở đây") && !article.content_html.contains("<a"),
            "{}",
            article.content_html
        );
    }
}

#[test]
fn pages_built_to_hold_a_reader_up_are_read_or_refused() {
    let n = 30_000;
    let style = "x".repeat(100_000);
    for (name, body) in [
        ("leads", format!("<div class=\"lead\">{}</div>", "<p>tin</p>".repeat(5_000))),
        ("a style asked for each text", format!("<nav style=\"{style}\">{}</nav>", "a<!---->".repeat(n))),
        ("openings", "<".repeat(n)),
        ("comments", "<!--".repeat(n)),
        ("tables", "<table><tr><td>".repeat(200)),
        ("line breaks in a table", format!("<table>{}", "<br>".repeat(n))),
        ("labels", "<p>Văn bản</p>".repeat(3_000)),
        ("numbers", "<p>Số/Ký hiệu: 1/KL</p>".repeat(3_000)),
        ("posted twice", "<p>Thời gian đăng: 16/11/2023</p>".repeat(3_000)),
        ("choices", format!("<select>{}</select>", "<option value=\"https://a.vn\">a".repeat(3_000))),
        (
            "addresses",
            format!("<base href=\"https://a.vn/{}/\">{}", "x".repeat(1_500), "<a href=1>a</a>".repeat(3_000)),
        ),
        ("references", "&amp;".repeat(n)),
        ("one line", "chữ ".repeat(n)),
    ] {
        match read(page(&body).as_bytes(), None, &zone()) {
            Ok(read) => assert_eq!(read.article.as_ref().unwrap().title, "Họp dân", "{name}"),
            Err(error) => assert!(error.told().len() > 20, "{name}: {error:?}"),
        }
    }
    let text = format!("Họp dân\n\nThời gian đăng: 16/11/2023 08:02:22 AM\n{}", "• \u{200b}a\n".repeat(n));
    read(text.as_bytes(), None, &zone()).expect("a text of many lines");
    assert!(matches!(read(&vec![b'<'; PAGE_BYTES_MAX + 1], None, &zone()), Err(PageError::TooLarge { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_page_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "<p>", "</p>", "<a href=/x>", "</a>", "<b>", "<table>", "<td>", "<nav>", "<div class=lead>", "<select><option value=http://a.vn>", "<base href=x>",
        "<br>", "Văn bản", "Số/Ký hiệu: 1", "Thời gian đăng: 16/11/2023", "Nguồn tin: a", "x", "&amp;", "<!--", "-->", "<script>", "\u{202e}", "\0", "<svg>", "</body>", "<frameset>",
    ]), 0..40), times in 1_usize..20) {
        let body = pieces.concat().repeat(times);
        let _ = read(page(&body).as_bytes(), "https://dienbiendong.gov.vn/".parse().ok().as_ref(), &zone());
    }
}
