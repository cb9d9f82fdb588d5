//! Pages that differ from the seed in one thing: those that are accepted, and those that are
//! refused, with the sentence.

#![allow(clippy::unwrap_used)]

use jiff::{civil::date, tz::TimeZone};
use loa_domain::{DateFault, LeftOut};
use loa_portal::{PageError, PortalPage, read};
use unicode_normalization::UnicodeNormalization;

/// What is wrong, in English.
trait Told {
    fn told(&self) -> String;
}

impl Told for PageError {
    fn told(&self) -> String {
        loa_words::Language::English.words().page_error(self)
    }
}

const SEED: &str = include_str!("../fixtures/seed.txt");

/// The zone of the portals.
fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn page(text: &str) -> PortalPage {
    read(text.as_bytes(), None, &zone()).unwrap_or_else(|e| panic!("refused: {e:?}"))
}

fn seed() -> PortalPage {
    page(SEED)
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    assert_eq!(read(text.as_bytes(), None, &zone()).map(|page| page.article).unwrap_err().told(), expected);
}

/// The seed without its line 1, 3, … (1 and up).
fn without(lines: &[usize]) -> String {
    SEED.lines()
        .enumerate()
        .filter(|(place, _)| !lines.contains(&(place + 1)))
        .map(|(_, line)| format!("{line}\n"))
        .collect()
}

fn posted(written: &str) -> Result<String, PageError> {
    let text = SEED.replace("16/11/2023 08:02:22 AM", written);
    let at = read(text.as_bytes(), None, &zone())?.article.as_ref().unwrap().published_at.unwrap();
    Ok(at.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(7))).datetime().to_string())
}

#[test]
fn a_page_without_title_is_refused() {
    refused(
        &without(&[1]),
        "the page has no title: it has no heading, and no line near the time of posting (line 2) can be one; put the title on a line of its own above the time",
    );
}

#[test]
fn a_page_without_date_is_refused() {
    let sentence = "the page does not say when it was posted: no line is a date, or begins with a label such as `Thời gian đăng` or `Ngày đăng` before one, and no date for machines can be read; \
                    add a line, for instance `Thời gian đăng: 16/11/2023 08:02:22 AM`";
    refused(&without(&[3]), sentence);
    assert!(posted("").unwrap_err().told().contains("cannot be: it has no day/month/year"));
    assert!(matches!(
        read(SEED.replace("Thời gian đăng: 16/11/2023 08:02:22 AM", "Thời gian đăng:").as_bytes(), None, &zone()),
        Err(PageError::ImpossibleDate { .. })
    ));
}

#[test]
fn a_date_that_cannot_be_is_refused_with_the_reason() {
    refused(
        &SEED.replace("16/11/2023 08", "31/02/2023 08"),
        "the time of posting \"31/02/2023 08:02:22 AM\" (line 3) cannot be: there is no day 31 in month 2 of 2023; \
         write day/month/year hour:minute:second, for instance 16/11/2023 08:02:22 AM",
    );
    for (written, why) in [
        ("11/16/2023 08:02:22 AM", "there is no month 16 (the day comes first)"),
        ("29/02/2023", "there is no day 29 in month 2 of 2023"),
        ("00/11/2023", "there is no day 0 in month 11 of 2023"),
        ("16/11/2023 25:02:22", "there is no time 25:02:22"),
        ("16/11/2023 08:61", "there is no time 8:61:00"),
        ("16/11/2023 13:02:22 AM", "hour 13 is not before noon"),
        ("16/11/23 08:02", "the year 23 must have four digits"),
        ("2023/11/16", "the day comes first, and 2023 is none"),
        ("16/11/9999", "no page is of the year 9999"),
        ("hôm qua", "it has no day/month/year"),
    ] {
        let said = posted(written).unwrap_err().told();
        assert!(said.contains(&format!("cannot be: {why};")), "{written}: {said}");
    }
}

#[test]
fn the_day_comes_first_and_the_clock_may_have_twelve_or_twenty_four_hours() {
    for (written, expected) in [
        ("16/11/2023 08:02:22 AM", "2023-11-16T08:02:22"),
        ("16/11/2023 08:02:22 PM", "2023-11-16T20:02:22"),
        ("16/11/2023 12:05:00 PM", "2023-11-16T12:05:00"),
        ("16/11/2023 12:05:00 AM", "2023-11-16T00:05:00"),
        ("16/11/2023 08:02:22 pm", "2023-11-16T20:02:22"),
        ("16/11/2023 8:02 CH", "2023-11-16T20:02:00"),
        ("16/11/2023 8:02 SA", "2023-11-16T08:02:00"),
        ("16/11/2023 20:02:22", "2023-11-16T20:02:22"),
        ("16/11/2023 20:02:22 PM", "2023-11-16T20:02:22"),
        ("05/06/2023 00:00", "2023-06-05T00:00:00"),
        ("5-6-2023 7:02", "2023-06-05T07:02:00"),
        ("Thứ Năm, 16/11/2023, 08:02 (GMT+7)", "2023-11-16T08:02:00"),
        ("08h02 ngày 16.11.2023", "2023-11-16T08:02:00"),
        ("16/11/2023\u{a0}08:02:22\u{a0}AM", "2023-11-16T08:02:22"),
        ("16/11/2023", "2023-11-16T00:00:00"),
    ] {
        assert_eq!(posted(written).unwrap(), expected, "{written}");
    }
}

#[test]
fn an_empty_body_is_refused() {
    let sentence = "the article \"Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP\" has no body: no text stands between its lead and what follows; \
                    import the page with the whole article";
    refused(&without(&[9]), sentence);
    refused(&without(&[5, 7, 9]), sentence);
    refused(
        "Tiêu đề\nThời gian đăng: 16/11/2023\n",
        "the article \"Tiêu đề\" has no body: no text stands between its lead and what follows; import the page with the whole article",
    );
}

#[test]
fn an_empty_page_is_refused() {
    for empty in ["", " \r\n\t\n", "\u{feff}", "<html><body> </body></html>"] {
        assert_eq!(read(empty.as_bytes(), None, &zone()).unwrap_err(), PageError::Empty, "{empty:?}");
    }
}

#[test]
fn an_unknown_encoding_is_refused_and_never_guessed() {
    let said = |bytes: &[u8]| read(bytes, None, &zone()).unwrap_err().told();
    assert_eq!(
        said(b"Tin\n\n\xd0i\xea\xfb"),
        "the encoding is not known: byte 6 (0xd0) is not UTF-8 (line 3); save the page as UTF-8 and import it again"
    );
    let unmarked: Vec<u8> = SEED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(said(&unmarked).starts_with("the encoding is not known"));
    assert!(said(b"\xff\xfe\x00\x00T\x00\x00\x00").contains("UTF-32"));
    assert!(said(b"\xff\xfeT\x00\xc3").contains("UTF-16 but is cut or broken"));
    assert!(said(&SEED.as_bytes()[..SEED.find("Điện").unwrap() + 1]).contains("is not UTF-8"));
}

#[test]
fn utf_8_and_utf_16_with_their_marks_are_read() {
    let marked = |units: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(SEED.encode_utf16()).flat_map(units).collect()
    };
    assert_eq!(page(&format!("\u{feff}{SEED}")), seed());
    assert_eq!(read(&marked(u16::to_le_bytes), None, &zone()).unwrap(), seed());
    assert_eq!(read(&marked(u16::to_be_bytes), None, &zone()).unwrap(), seed());
}

#[test]
fn decomposed_letters_windows_line_ends_and_hard_spaces_change_nothing() {
    assert_eq!(page(&SEED.nfd().collect::<String>()), seed());
    assert_eq!(page(&SEED.replace('\n', "\r\n")), seed());
    assert_eq!(page(&SEED.replace('\n', "\r")), seed());
    assert_eq!(page(&SEED.replace(' ', "\u{a0}")), seed());
}

#[test]
fn the_label_may_say_tin_and_the_date_may_stand_on_the_next_line() {
    assert_eq!(page(&SEED.replace("Thời gian đăng:", "Thời gian đăng tin:")), seed());
    let moved = page(&SEED.replace("Thời gian đăng: 16", "THỜI GIAN ĐĂNG:\n16"));
    assert_eq!(moved.article, seed().article);
}

#[test]
fn the_count_of_readers_is_read_wherever_it_stands() {
    for text in [
        SEED.replace("08:02:22 AM", "08:02:22 AM\nĐã xem: 486"),
        SEED.replace("08:02:22 AM", "08:02:22 AM Đã xem: 486"),
        SEED.replace("Nguồn tin:", "Đã xem: 486\nNguồn tin:"),
        SEED.replace("Các tin tức khác:", "Đã xem: 486 lượt\n\nCác tin tức khác:"),
    ] {
        let page = page(&text);
        assert_eq!(page.article.as_ref().unwrap().views, Some(486));
        assert_eq!(page.article.as_ref().unwrap().content_html, seed().article.as_ref().unwrap().content_html);
        assert_eq!(page.report.len(), 1, "only the counter without a number: {:?}", page.report);
    }
}

#[test]
fn a_picture_and_a_source_may_be_missing() {
    let page = page(&without(&[7, 11]));
    assert!(page.article.as_ref().unwrap().images.is_empty());
    assert_eq!(page.article.as_ref().unwrap().source_name, "");
    assert_eq!(page.article.as_ref().unwrap().summary, seed().article.as_ref().unwrap().summary);
    assert_eq!(page.article.as_ref().unwrap().content_html, seed().article.as_ref().unwrap().content_html);
}

#[test]
fn an_article_of_one_paragraph_has_a_body_and_no_lead() {
    let article = page("Họp dân\nThời gian đăng: 16/11/2023\nXã Na Son họp dân.\nNguồn tin: A").article.unwrap();
    assert_eq!((article.summary.as_str(), article.content_html.as_str()), ("", "<p>Xã Na Son họp dân.</p>"));
}

#[test]
fn a_placeholder_date_is_told_and_not_given_to_the_article() {
    for written in ["01/01/1900", "01/01/1900 12:00:00 AM", "1/1/0001 12:00:00 AM", "01/01/1970 07:00"] {
        let page = page(&SEED.replace("16/11/2023 08:02:22 AM", written));
        assert_eq!(page.article.as_ref().unwrap().published_at, None);
        assert_eq!(page.report[0].line, 3);
        assert_eq!(page.report[0].why, LeftOut::PlaceholderTime);
        assert!(page.article.as_ref().unwrap().id.as_str().ends_with("-undated"));
    }
}

#[test]
fn lines_that_belong_to_nothing_are_told_with_their_place() {
    let text = SEED
        .replace("Nguồn tin:", "Nguồn tin: A\nBiên tập: B\nNguồn tin:")
        .replace("Điện Biên Đông: 4", "Trang chủ > Tin tức\nĐiện Biên Đông: 4");
    let page = page(&text);
    assert_eq!(page.article.as_ref().unwrap().source_name, "A");
    assert_eq!(page.article.as_ref().unwrap().title, seed().article.as_ref().unwrap().title);
    let told: Vec<_> = page.report.iter().map(|line| (line.line, line.text.as_str())).collect();
    assert_eq!(
        told[..3],
        [(1, "Trang chủ > Tin tức"), (13, "Biên tập: B"), (14, "Nguồn tin: Nguyễn Thịnh-huyện Điện Biên Đông")]
    );
}

#[test]
fn another_item_with_an_impossible_date_is_kept_without_it_and_told() {
    let page = page(&SEED.replacen("(22/01/2024 )", "(32/01/2024 )", 1));
    assert_eq!(page.other_items.len(), 10);
    assert_eq!(page.other_items[0].posted_on, None);
    let fault = DateFault::Day { day: 32, month: 1, year: 2_024 };
    assert_eq!(page.report[0].why, LeftOut::OtherArticleDate { fault });
}

#[test]
fn a_document_may_say_its_day_issuer_and_title_by_label() {
    let page = page(&SEED.replace(
        "Số/Ký hiệu: 553/BC-UBND\n",
        "Số/Ký hiệu: 553/BC-UBND\n    Trích yếu: Báo cáo: kết quả\n    Ngày ban hành: 03/12/2021\n    Cơ quan ban hành: UBND huyện\n",
    ));
    let document = page.documents.last().unwrap();
    assert_eq!((document.kind.as_str(), document.title.as_str()), ("Báo cáo", "kết quả"));
    assert_eq!((document.issued_on, document.issuer.as_str()), (Some(date(2021, 12, 3)), "UBND huyện"));
    assert_eq!(document.id.as_str(), "van-ban-553-bc-ubnd-2021");
}

#[test]
fn two_papers_of_one_number_are_two() {
    let text = SEED.replace("1184/KL-UBND", "553/BC-UBND");
    let ids: std::collections::BTreeSet<_> = page(&text).documents.into_iter().map(|document| document.id).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_title_without_latin_letters_or_of_great_length_still_makes_an_id() {
    let id = |title: &str| {
        page(&SEED.replace("Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP", title))
            .article
            .as_ref()
            .unwrap()
            .id
            .to_string()
    };
    assert!(id("!!!").starts_with("tin-"));
    let long = "Đồng bào ".repeat(60);
    assert!(id(&long).len() <= 200);
    assert_ne!(id(&long), id(&format!("{long} khác")));
    assert_eq!(id(&long), id(&long));
}

#[test]
fn a_page_that_would_hold_the_parser_up_is_refused() {
    let deep = format!("<html>{}", "<div>".repeat(5_000));
    let refused = read(deep.as_bytes(), None, &zone()).expect_err("too deep");
    assert!(matches!(refused, PageError::TooCostly { .. }) && format!("{refused:?}").contains("512"), "{refused:?}");
    let large = "a".repeat(loa_portal::PAGE_BYTES_MAX + 1);
    assert!(
        read(large.as_bytes(), None, &zone())
            .unwrap_err()
            .told()
            .starts_with("the page has 2097153 bytes, more than the 2097152 allowed")
    );
}
