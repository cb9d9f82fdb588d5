//! Pages as portals write them, each special in one thing that its file's name says. They are made
//! by hand after real ones; none is copied.

#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use loa_domain::{Clue, LeftOut};
use loa_portal::{PageError, PortalArticle, PortalPage, read, read_list, read_listed};
use std::{fs, path::Path};
use url::Url;

/// What is wrong, in English.
trait Told {
    fn told(&self) -> String;
}

impl Told for PageError {
    fn told(&self) -> String {
        loa_words::Language::English.words().page_error(self)
    }
}

fn bytes(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases").join(file)).unwrap()
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

#[track_caller]
fn page(file: &str) -> PortalPage {
    read(&bytes(file), None, &zone()).unwrap_or_else(|e| panic!("{file} is refused: {e:?}"))
}

#[track_caller]
fn at_address(file: &str, address: &str) -> PortalPage {
    read(&bytes(file), Some(&Url::parse(address).unwrap()), &zone())
        .unwrap_or_else(|e| panic!("{file} is refused: {e:?}"))
}

#[track_caller]
fn refused(file: &str) -> PageError {
    match read(&bytes(file), None, &zone()) {
        Err(error) => error,
        Ok(page) => panic!("{file} is read: {:?}", page.article),
    }
}

fn local(article: &PortalArticle) -> String {
    article.published_at.unwrap().to_zoned_datetime(zone()).strftime("%d/%m/%Y %H:%M:%S").to_string()
}

fn told(page: &PortalPage) -> Vec<&str> {
    page.report.iter().map(|line| line.text.as_str()).collect()
}

/// A page is read as this title, time, and text (lead and paragraphs, a line each), and comes from this source.
#[track_caller]
fn check(file: &str, title: &str, time: &str, text: &[&str], source: &str) -> PortalPage {
    let page = page(file);
    let article = page.article.clone().unwrap();
    assert_eq!(article.title, title, "{file}");
    assert_eq!(local(&article), time, "{file}");
    let lead = Some(article.summary.as_str()).filter(|lead| !lead.is_empty());
    assert_eq!(lead.into_iter().chain(article.content_text.lines()).collect::<Vec<_>>(), text, "{file}");
    assert_eq!(article.source_name, source, "{file}");
    page
}

const MEETING: &str = "Xã Na Son họp dân";
const MEETING_TEXT: &[&str] = &["Xã Na Son họp dân về đường mới.", "Cuộc họp có hai trăm người."];
const TREES: &str = "Phường B ra quân trồng cây";
const TREES_TEXT: &[&str] = &["Sáng nay, phường B ra quân trồng cây.", "Toàn phường trồng một trăm cây."];

#[test]
fn the_day_of_the_visit_and_the_tools_above_a_title_are_neither_time_nor_lead() {
    let text = ["Huyện A thông báo lịch tiếp công dân như sau:", "Ngày 20 hàng tháng, tại phòng tiếp công dân."];
    let title = "Thông báo lịch tiếp công dân của huyện A";
    let page = check("day-of-visit-before-title.txt", title, "21/01/2021 00:00:00", &text, "");
    assert_eq!(told(&page), ["Thursday, 18/07/2024", "Xem với cỡ chữ", "Đính kèm", "Văn phòng huyện A"]);
    assert_eq!(page.article.unwrap().views, Some(87));
    assert!(matches!(refused("only-the-day-of-the-visit.txt"), PageError::UncertainDate { line: 1, .. }));
}

#[test]
fn labels_of_the_time_are_read_as_people_write_them() {
    for (file, time) in [
        ("label-without-colon.txt", "23/01/2019 08:16:00"),
        ("english-label.txt", "07/02/2025 14:38:00"),
        ("only-the-last-change.txt", "07/02/2025 14:38:00"),
        ("dang-luc.txt", "07/02/2025 14:38:00"),
    ] {
        let page = check(file, TREES, time, TREES_TEXT, "");
        assert!(page.report.is_empty(), "{file}: {:?}", page.report);
        let is_assumed = page.evidence.iter().any(|e| e.field == loa_portal::PageField::PublishedAt && e.is_assumed);
        assert_eq!(is_assumed, file == "only-the-last-change.txt", "{file}");
    }
}

#[test]
fn times_are_read_as_people_write_them() {
    for (name, time) in [
        ("dem", "16/11/2023 23:15:00"),
        ("gio-phut", "16/11/2023 08:02:00"),
        ("iso", "16/11/2023 08:02:00"),
        ("joomla", "16/11/2023 08:02:00"),
        ("thang-nam", "16/11/2023 08:02:00"),
        ("00am", "16/11/2023 00:15:00"),
        ("14pm", "16/11/2023 14:02:22"),
    ] {
        let title = format!("Đại hội {name} xã Na Son");
        let text = ["Lead của tin về đại hội.", "Nội dung của tin."];
        check(&format!("time-{name}.txt"), &title, time, &text, "Văn phòng");
    }
}

#[test]
fn a_time_is_found_beside_who_posted_it_sections_and_counters() {
    for (file, time) in [
        ("who-posted-above-the-time.txt", "16/11/2023 08:02:00"),
        ("time-in-the-middle-of-a-line.txt", "16/11/2023 00:00:00"),
        ("menu-and-day-of-visit-above.txt", "16/11/2023 08:02:00"),
        ("time-beside-its-section.html", "16/11/2023 08:02:00"),
    ] {
        check(file, MEETING, time, MEETING_TEXT, "");
    }
}

#[test]
fn a_name_between_title_and_time_is_who_the_article_is_from() {
    let text = ["Sáng nay, hội phụ nữ phường C tổ chức kỷ niệm.", "Buổi lễ có một trăm người dự."];
    let title = "Hội phụ nữ phường C tổ chức kỷ niệm";
    check("bare-time-under-byline.txt", title, "29/08/2025 14:58:00", &text, "Người Viết");
}

#[test]
fn counters_ratings_keywords_and_other_news_are_never_the_text() {
    let text = ["Xã D niêm yết danh sách.", "Danh sách tại trụ sở."];
    let title = "Xã D niêm yết công khai";
    let page = check("nukeviet-counters-behind-time.txt", title, "24/10/2022 10:04:00", &text, "");
    assert_eq!(page.article.unwrap().views, Some(306));
    let page = check("nukeviet-ratings-tags-others.txt", title, "24/10/2022 10:04:00", &text, "Văn phòng xã D");
    assert_eq!(page.article.as_ref().unwrap().author, "Người Viết");
    assert_eq!(page.other_items.len(), 2);
    assert_eq!(page.report.len(), 3, "{:?}", page.report);
    let text = ["Xã Na Son họp dân.", "Cuộc họp bàn về đường mới.", "Người Viết"];
    let page = check("no-known-label-behind.txt", MEETING, "16/11/2023 08:02:22", &text, "");
    let left = [
        "Chia sẻ bài viết",
        "Ý kiến bạn đọc",
        "Cơ quan chủ quản: UBND huyện",
        "Điện thoại: 0215 000 000",
        "Hôm nay: 1234",
    ];
    assert_eq!(told(&page), left);
    assert_eq!((page.other_items.len(), page.visits), (2, Some(12)));
}

#[test]
fn a_source_in_the_middle_is_the_pictures_and_cuts_nothing() {
    let text = [
        "Xã Na Son họp dân về đường mới.",
        "Cuộc họp có hai trăm người.",
        "Đường dài ba cây số, làm trong một năm.",
        "Bà con hiến hai nghìn mét vuông đất.",
    ];
    let page = check("source-in-the-middle.txt", MEETING, "16/11/2023 08:02:22", &text, "Người Viết");
    let image = page.article.unwrap().images.remove(0);
    assert_eq!((image.name.as_str(), image.alt.as_str()), ("anh1.jpg", "Nguồn: Ban quản lý dự án"));
    let page = check("author-and-source-in-one-line.txt", MEETING, "16/11/2023 08:02:22", MEETING_TEXT, "Văn phòng xã");
    assert_eq!(page.article.unwrap().author, "Người Viết");
}

#[test]
fn what_stands_beside_an_article_is_never_it() {
    let page = check("sidebar-first.html", MEETING, "16/11/2023 08:02:00", MEETING_TEXT, "Văn phòng xã");
    assert_eq!(page.report.len(), 4, "the block on the left is told");
    let page = check("column-beside-without-a-name.html", MEETING, "16/11/2023 08:02:00", MEETING_TEXT, "");
    assert_eq!(page.report.len(), 4, "the column on the right is told");
    let text = ["Xã Na Son họp dân về đường mới sáng nay.", "Cuộc họp có hai trăm người.", "Bà con hiến đất."];
    check("lead-beside-the-title.html", MEETING, "16/11/2023 08:02:00", &text, "");
}

#[test]
fn a_list_is_refused_as_an_article() {
    for file in ["listing.txt", "listing-of-one-day.txt", "listing-of-links.html"] {
        assert!(matches!(refused(file), PageError::List { items: 3, .. }), "{file}: {:?}", refused(file));
    }
}

#[test]
fn a_list_is_read_as_a_list() {
    let address = Url::parse("https://huyen.example/tin").unwrap();
    let items = read_list(&bytes("listing-of-links.html"), Some(&address)).unwrap();
    let read: Vec<_> = items
        .iter()
        .map(|item| (item.title.as_str(), item.posted_on.unwrap().to_string(), item.url.as_ref().unwrap().as_str()))
        .collect();
    assert_eq!(read[0], ("Xã Pu Nhi trồng rừng phòng hộ", "2023-11-20".to_owned(), "https://huyen.example/tin/3"));
    assert_eq!((read.len(), read[2].1.as_str()), (3, "2023-11-14"));
    let items = read_list(&bytes("listing.txt"), None).unwrap();
    let titles: Vec<_> = items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["Xã Pu Nhi trồng rừng", "Xã Na Son họp dân", "Xã Phì Nhừ được mùa"]);
    assert_eq!(read_list(&bytes("dang-luc.txt"), None), Err(PageError::NoList));
}

#[test]
fn wordpress_is_read_and_its_address_kept() {
    let page = check("wordpress.html", MEETING, "16/11/2023 08:02:22", MEETING_TEXT, "");
    assert_eq!(page.article.unwrap().url.unwrap().as_str(), "https://huyen.example/xa-na-son-hop-dan/");
    let page = check("wordpress-sidebar-comments.html", MEETING, "16/11/2023 08:02:22", MEETING_TEXT, "");
    assert_eq!(page.files[0].url.as_str(), "https://huyen.example/wp-content/uploads/2023/11/ke-hoach.pdf");
    assert_eq!(page.report.len(), 9, "{:?}", page.report);
}

#[test]
fn nukeviets_visible_time_wins_over_its_wrong_ones_for_machines() {
    let text = ["Xã Na Son họp dân về đường mới.", "Cuộc họp có hai trăm người.", "Bà con hiến đất."];
    for file in ["nukeviet.html", "nukeviet-labelled.html", "nukeviet-laws-left.html"] {
        let page = check(file, MEETING, "16/11/2023 08:02:00", &text, "Văn phòng xã");
        let article = page.article.as_ref().unwrap();
        let picture = article.images[0].url.as_ref().unwrap();
        assert_eq!(picture.as_str(), "https://huyen.example/uploads/news/2023_11/hop-dan.jpg", "{file}");
        assert_eq!(page.files.len(), 1, "{file}");
        assert_eq!(page.files[0].url.as_str(), "https://huyen.example/uploads/news/kh.pdf", "{file}");
        assert_eq!((article.author.as_str(), page.other_items.len()), ("Người Viết", 2), "{file}");
        assert_eq!(told(&page)[..2], ["2023-11-20T09:00:00+07:00", "2023-11-16+0708:02:22"], "{file}");
    }
    let said = refused("nukeviet-hidden-time-only.html").told();
    assert!(said.contains("2023-11-20T09:00:00+07:00") && said.contains("only machines are told it"), "{said}");
}

#[test]
fn relative_addresses_begin_at_the_pages_own_and_none_is_made_up() {
    let page = at_address("relative-pictures.html", "https://xa.example/tin/1.html");
    let article = page.article.unwrap();
    let pictures: Vec<_> = article.images.iter().map(|image| image.url.as_ref().unwrap().as_str()).collect();
    assert_eq!(
        pictures,
        ["https://xa.example/Upload/2023/11/hop-dan.jpg", "https://xa.example/Upload/2023/11/hien-dat.jpg"]
    );
    assert!(article.content_html.contains("<a href=\"https://xa.example/quyet-dinh.pdf\">quyết định</a>"));
    assert_eq!(article.url.unwrap().as_str(), "https://xa.example/tin/1.html");
    assert!(page.report.is_empty(), "{:?}", page.report);

    let page = check(
        "relative-pictures.html",
        MEETING,
        "16/11/2023 08:02:22",
        &["Xã Na Son họp dân về quyết định đường mới.", "Cuộc họp có hai trăm người."],
        "Văn phòng xã",
    );
    let article = page.article.unwrap();
    assert!(article.url.is_none() && article.images.iter().all(|image| image.url.is_none()));
    assert_eq!(page.report.len(), 3);
    assert!(
        page.report.iter().all(|line| matches!(line.why, LeftOut::LinkAddress { .. } | LeftOut::PictureAddress { .. })),
        "{:?}",
        page.report
    );
}

#[test]
fn pictures_that_load_late_have_their_real_addresses() {
    let text = ["Ảnh bốn sản phẩm của huyện.", "Lạc đỏ Na Son.", "Bí xanh Tìa Dình.", "Khoai sọ Phì Nhừ.", "Hết."];
    let page = check("lazy-pictures.html", "Bốn sản phẩm OCOP qua ảnh", "20/11/2026 08:02:22", &text, "Văn phòng");
    let article = page.article.unwrap();
    let names: Vec<_> = article.images.iter().map(|image| image.url.as_ref().unwrap().path()).collect();
    assert_eq!(names, ["/documents/ocop-1.jpg", "/documents/ocop-2.jpg", "/documents/ocop-3.jpg"]);
}

#[test]
fn cells_that_span_numbered_lists_quotations_and_line_breaks_are_kept() {
    let html = page("spans-lists-quotes.html").article.unwrap().content_html;
    for kept in [
        "<ol start=\"3\">\n<li>Có hộ khẩu</li>\n<li>Có đơn</li>\n</ol>",
        "<th rowspan=\"2\">Xã</th><th colspan=\"2\">Dự toán</th>",
        "<td colspan=\"2\">240 (chung)</td>",
        "<a href=\"https://dienbiendong.dienbien.gov.vn/documents/bieu-2.pdf\">Tải về</a>",
        "<blockquote>\n<p>Lời dẫn.</p>\n</blockquote>",
        "<pre>Dòng 1\nDòng 2</pre>",
    ] {
        assert!(html.contains(kept), "{kept} is not in {html}");
    }
}

#[test]
fn an_address_makes_one_id_though_title_and_time_are_mended() {
    let ids: Vec<_> = ["title-with-a-slip.html", "mended-title.html", "mended-time.html"]
        .map(|file| page(file).article.unwrap())
        .into_iter()
        .map(|article| article.address_id.unwrap())
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    let one = page("same-title-same-day-1.txt").article.unwrap();
    let two = page("same-title-same-day-2.txt").article.unwrap();
    assert_eq!((one.id.as_str(), one.address_id), ("thong-bao-20210121", None));
    assert_eq!(one.id, two.id, "without an address title and day are all there is; the importer compares the texts");
    assert_ne!(one.summary, two.summary);
}

#[test]
fn a_front_page_is_nobodys_address() {
    let page = page("canonical-is-the-front-page.html");
    assert!(page.article.unwrap().url.is_none() && matches!(page.report[0].why, LeftOut::FrontPage { .. }));
    let page = at_address("canonical-is-the-front-page.html", "https://xa.example/tin/1.html");
    assert_eq!(page.article.unwrap().url.unwrap().as_str(), "https://xa.example/tin/1.html");
}

#[test]
fn other_portals_systems_are_read() {
    let text = [TREES_TEXT[0], TREES_TEXT[1], "Văn phòng phường"];
    let page = check("liferay-label-without-colon.html", TREES, "23/01/2019 08:16:00", &text, "");
    assert_eq!(page.article.unwrap().views, Some(1056));
    let long =
        ["Xã Na Son họp dân về đường mới.", "Cuộc họp có hai trăm người.", "Bà con hiến hai nghìn mét vuông đất."];
    check("sharepoint-weekday-in-head.html", MEETING, "16/11/2023 08:02:00", &long, "Văn phòng xã");
    let page = check("joomla-details-list.html", MEETING, "16/11/2023 08:02:00", MEETING_TEXT, "");
    assert_eq!(page.article.unwrap().author, "Văn phòng xã");
    let short = ["Xã Na Son họp dân về đường mới.", "Cuộc họp có hai trăm người.", "Bà con hiến đất."];
    check("vnpt-tools-and-footer-in-divs.html", MEETING, "16/11/2023 08:02:00", &short, "");
}

#[test]
fn where_two_disagree_and_nothing_decides_both_are_named() {
    for (file, one, other) in [
        ("two-main-headings.html", "Xã Na Son họp dân", "Xã Pu Nhi trồng rừng"),
        ("site-name-in-main-heading.html", "UBND xã Na Son", "Xã Na Son họp dân"),
        ("two-times-labelled-alike.html", "16/11/2023 08:02", "17/11/2023 09:00"),
        ("times-for-machines-disagree.html", "2023-11-16T01:02:22Z", "2023-11-18T08:02:22+07:00"),
        ("two-dates-in-text-dump.txt", "06/01/2026", "Thứ năm - 16/11/2023 08:02"),
    ] {
        let error = refused(file);
        assert!(matches!(error, PageError::Undecided { .. }), "{file}: {error:?}");
        let said = error.told();
        assert!(said.contains(one) && said.contains(other), "{file}: {said}");
    }
}

#[test]
fn the_name_of_a_section_is_no_title_and_the_clock_of_the_visit_no_time() {
    check("section-in-main-heading.html", MEETING, "16/11/2023 08:02:00", MEETING_TEXT, "");
    assert!(matches!(refused("clock-of-the-visit.html"), PageError::UncertainDate { .. }));
}

#[test]
fn sentences_that_begin_like_a_label_stay_in_the_text() {
    let text = [
        "Cập nhật: đến 17 giờ ngày 20/11/2023, toàn huyện có năm ca mắc.",
        "Đăng ký tiêm: tại trạm y tế xã.",
        "Nguồn: Trạm y tế",
        "Bà con giữ vệ sinh quanh nhà.",
    ];
    let title = "Huyện A có năm ca sốt xuất huyết";
    check("text-begins-like-a-label.txt", title, "20/11/2023 18:00:00", &text, "Văn phòng huyện");
}

#[test]
fn a_list_that_knows_the_title_decides_between_two_headings() {
    let page = read_listed(&bytes("two-main-headings.html"), None, &zone(), Some("Xã Na Son họp dân")).unwrap();
    assert_eq!(page.article.unwrap().title, "Xã Na Son họp dân");
}

#[test]
fn a_time_for_machines_alone_is_taken_and_told_to_be_assumed() {
    let page = check("time-for-machines-only.html", MEETING, "16/11/2023 08:02:22", MEETING_TEXT, "");
    let is_told = |clues: &[Clue]| *clues == [Clue::Machines("article:published_time".into())];
    assert!(page.evidence.iter().any(|e| e.is_assumed && is_told(&e.clues)), "{:?}", page.evidence);
}

#[test]
fn a_documents_own_page_is_a_document() {
    let page = at_address("document-in-a-table.html", "https://huyen.example/van-ban/12.html");
    assert!(page.article.is_none());
    let document = &page.documents[0];
    assert_eq!((document.number.as_str(), document.kind.as_str()), ("12/KH-UBND", "Kế hoạch"));
    assert_eq!(
        (document.title.as_str(), document.issuer.as_str()),
        ("phòng chống cháy rừng mùa khô", "UBND huyện Mẫu")
    );
    assert_eq!(document.issued_on.unwrap().to_string(), "2026-01-06");
    assert_eq!(document.url.as_ref().unwrap().as_str(), "https://huyen.example/van-ban/12.html");
    assert_eq!(page.files[0].url.as_str(), "https://huyen.example/van-ban/12-kh.pdf");
    let page = self::page("document.txt");
    assert_eq!((page.article, page.documents[0].id.as_str()), (None, "van-ban-12-kh-ubnd-2026"));
}

#[test]
fn a_time_below_its_text_and_tools_around_it_cut_nothing() {
    let text = ["Sáng nay, xã Na Son họp dân về đường mới.", "Cuộc họp có hai trăm người."];
    check("time-below-the-text.txt", MEETING, "16/11/2023 08:02:00", &text, "");
    check("share-buttons-above-the-text.html", MEETING, "16/11/2023 08:02:00", MEETING_TEXT, "");
    let title = "Xã Na Son họp dân về đường mới";
    let page = check("names-in-breadcrumbs.txt", title, "16/11/2023 08:02:00", MEETING_TEXT, "");
    assert_eq!(page.article.unwrap().author, "Người Viết");
}

#[test]
fn a_page_in_windows_1258_is_read_where_it_says_so() {
    check("windows-1258.html", MEETING, "16/11/2023 08:02:00", MEETING_TEXT, "");
    let mut undeclared = bytes("windows-1258.html");
    let at = undeclared.windows(12).position(|part| part == b"windows-1258").unwrap();
    undeclared[at..at + 12].copy_from_slice(b"windows-0000");
    assert!(matches!(read(&undeclared, None, &zone()), Err(PageError::Encoding { .. })));
}

#[test]
fn times_are_of_the_zone_that_is_handed_in_unless_the_page_says_another() {
    let utc = |file: &str| {
        read(&bytes(file), None, &TimeZone::UTC).unwrap().article.unwrap().published_at.unwrap().to_string()
    };
    assert_eq!(utc("dang-luc.txt"), "2025-02-07T14:38:00Z");
    assert_eq!(utc("wordpress.html"), "2023-11-16T01:02:22Z");
}

#[test]
fn every_value_of_an_article_has_its_evidence() {
    for file in ["nukeviet.html", "wordpress.html", "author-and-source-in-one-line.txt", "lazy-pictures.html"] {
        let page = page(file);
        let article = page.article.as_ref().unwrap();
        let shown =
            |value: &str| value.is_empty() || page.evidence.iter().any(|e| e.value == value && !e.clues.is_empty());
        let values = [&article.title, &article.summary, &article.content_text, &article.source_name, &article.author];
        assert!(values.into_iter().all(|value| shown(value)), "{file}: {:?}", page.evidence);
        assert!(article.images.iter().all(|image| shown(image.url.as_ref().unwrap().as_str())), "{file}");
    }
}
