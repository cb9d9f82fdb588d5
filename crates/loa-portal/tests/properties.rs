//! Whatever comes in: no panic, and every line of a page that is read is either in the page or in its report.

#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use loa_domain::clean_line;
use loa_portal::{PortalPage, read};
use proptest::prelude::*;

const SEED: &str = include_str!("../fixtures/seed.txt");
const HTML: &str = include_str!("../fixtures/seed.html");

/// The zone of the portals.
fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

/// Every text the page or its report holds, joined.
fn everything(page: &PortalPage) -> String {
    let article = page.article.as_ref().unwrap();
    let mut all =
        vec![article.title.clone(), article.summary.clone(), article.content_text.clone(), article.source_name.clone()];
    all.extend(article.images.iter().flat_map(|image| [image.name.clone(), image.alt.clone()]));
    all.extend(
        page.documents.iter().flat_map(|d| [d.number.clone(), d.kind.clone(), d.title.clone(), d.issuer.clone()]),
    );
    all.extend(page.other_items.iter().map(|item| item.title.clone()));
    all.extend(page.report.iter().map(|line| line.text.clone()));
    all.join("\n")
}

/// Words by which a line can be known; labels, dates and counts are read into other forms.
fn words(line: &str) -> Vec<String> {
    let labels = [
        "Thời gian đăng",
        "Nguồn tin",
        "Các tin tức khác",
        "Trang:",
        "LIÊN KẾT WEBSITE",
        "THỐNG KÊ TRUY CẬP",
        "Số/Ký hiệu",
        "Đã xem",
        "Trích yếu",
        "Ngày ban hành",
    ];
    let line = clean_line(line);
    let rest = line.trim_start_matches(['•', ' ']);
    if rest.starts_with("391-400 of 1863") {
        return Vec::new();
    }
    let rest = labels.iter().find_map(|label| rest.strip_prefix(label)).unwrap_or(rest);
    let is_word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 2;
    rest.split(|c: char| !c.is_alphabetic()).filter(is_word).map(str::to_owned).collect()
}

fn is_accounted_for(text: &str, page: &PortalPage) -> Result<(), TestCaseError> {
    let all = everything(page);
    for line in text.lines() {
        for word in words(line) {
            prop_assert!(all.contains(&word), "{word:?} of {line:?} is neither in the page nor in the report");
        }
    }
    Ok(())
}

#[test]
fn every_line_of_the_seed_is_used_or_told() {
    is_accounted_for(SEED, &read(SEED.as_bytes(), None, &zone()).unwrap()).unwrap();
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn lines_in_any_order_with_any_between_are_used_or_told(
        order in Just(SEED.lines().skip(4).map(str::to_owned).collect::<Vec<_>>()).prop_shuffle(),
        odd in proptest::collection::vec("\\PC{0,30}|Nguồn tin:|Số/Ký hiệu:|Trang: x|  • |Thời gian đăng: abc|Trích yếu: Xyz|Ngày ban hành: không|Tổng truy cập: nhiều", 0..6),
        places in proptest::collection::vec(0_usize..30, 6),
    ) {
        let mut lines: Vec<String> = SEED.lines().take(4).map(str::to_owned).chain(order).collect();
        for (line, place) in odd.into_iter().zip(places) {
            lines.insert(4 + place.min(lines.len() - 4), line);
        }
        let text = lines.join("\n");
        if let Ok(page) = read(text.as_bytes(), None, &zone()) {
            is_accounted_for(&text, &page)?;
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}|(?s).{0,200}") {
        let _ = read(text.as_bytes(), None, &zone());
        let _ = read(format!("T\nThời gian đăng: {text}\nA\nB").as_bytes(), None, &zone());
        let _ = read(format!("T\nThời gian đăng: 1/1/2020\nA\nB\nSố/Ký hiệu: {text}\nTrang: {text}\nCác tin khác\n{text}").as_bytes(), None, &zone());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, None, &zone());
    }

    #[test]
    fn no_broken_html_panics(cuts in proptest::collection::vec((0_usize..12_000, 0_usize..400), 1..6)) {
        let mut html = HTML.to_owned();
        for (at, length) in cuts {
            let floor = |at: usize| (0..=at.min(html.len())).rev().find(|&at| html.is_char_boundary(at)).unwrap_or(0);
            let (from, to) = (floor(at), floor(at + length));
            html.replace_range(from..to, "");
        }
        if let Ok(page) = read(html.as_bytes(), None, &zone()) {
            prop_assert!(!page.article.as_ref().unwrap().title.is_empty() && !page.article.as_ref().unwrap().content_html.is_empty());
        }
    }
}
