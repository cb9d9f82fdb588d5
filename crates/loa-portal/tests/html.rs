//! HTML pages: what is kept of their form, and what never comes through.

#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use loa_domain::LeftOut;
use loa_portal::{PortalPage, read};
use url::Url;

/// The zone of the portals.
fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn body(inner: &str) -> PortalPage {
    let html =
        format!("<!doctype html><html><body><h1>Tiêu đề</h1><p>Thời gian đăng: 16/11/2023</p>{inner}</body></html>");
    read(html.as_bytes(), Some(&Url::parse("https://a.gov.vn/tin/x.aspx").unwrap()), &zone())
        .unwrap_or_else(|e| panic!("refused: {e:?}"))
}

#[test]
fn links_lists_and_tables_of_the_body_are_kept() {
    let page = body(
        "<p class=sapo>Mở đầu</p><p>Xem <a href=\"../van-ban?a=1&amp;b=2\" onclick=\"x()\">văn <b>bản</b></a> này</p><ul><li>Một</li><li>Hai</li></ul>\
         <table><tr><th>Xã</th><th>Hộ</th></tr><tr><td>Na Son</td><td>21</td></tr></table>",
    );
    assert_eq!(page.article.as_ref().unwrap().summary, "Mở đầu");
    assert_eq!(
        page.article.as_ref().unwrap().content_html,
        "<p>Xem <a href=\"https://a.gov.vn/van-ban?a=1&amp;b=2\">văn <b>bản</b></a> này</p>\n<ul>\n<li>Một</li>\n<li>Hai</li>\n</ul>\n\
         <table><tr><th>Xã</th><th>Hộ</th></tr><tr><td>Na Son</td><td>21</td></tr></table>"
    );
    assert_eq!(page.article.as_ref().unwrap().content_text, "Xem văn bản này\nMột\nHai\nXã | Hộ; Na Son | 21");
    assert!(page.report.is_empty(), "{:?}", page.report);
}

#[test]
fn the_first_picture_is_the_main_one_and_others_stay_in_place() {
    let page = body(
        "<p>Mở đầu</p><figure><img src='/a.jpg'><figcaption>Lễ hội</figcaption></figure><p>Thân</p><img src='b.png' alt='Hai \"bà\"'><img src='data:image/gif;base64,R0'><p>Kết</p>",
    );
    let images: Vec<_> = page
        .article
        .as_ref()
        .unwrap()
        .images
        .iter()
        .map(|i| (i.name.as_str(), i.alt.as_str(), i.url.as_ref().unwrap().path().to_owned()))
        .collect();
    assert_eq!(images, [("a.jpg", "Lễ hội", "/a.jpg".to_owned()), ("b.png", "Hai \"bà\"", "/tin/b.png".to_owned())]);
    assert_eq!(
        page.article.as_ref().unwrap().content_html,
        "<p>Thân</p>\n<p><img src=\"https://a.gov.vn/tin/b.png\" alt=\"Hai &quot;bà&quot;\"></p>\n<p>Kết</p>"
    );
}

#[test]
fn scripts_hidden_parts_and_dangerous_addresses_never_come_through() {
    let page = body(
        "<p>Một</p><script>alert('x')</script><div hidden>ẩn</div><div style='display: none'>ẩn</div>\
         <p>Hai <a href='javascript:alert(1)' style='x'>ở đây</a> &lt;script&gt;</p>",
    );
    assert_eq!(page.article.as_ref().unwrap().content_html, "<p>Hai ở đây &lt;script&gt;</p>");
    assert!(page.report.is_empty());
}

#[test]
fn a_player_is_told() {
    let page = body("<p>Một</p><p>Hai</p><iframe src='https://youtube.com/embed/1'></iframe>");
    let told = &page.report[0];
    assert_eq!((&told.why, told.text.as_str()), (&LeftOut::Player, "iframe https://youtube.com/embed/1"));
}

#[test]
fn a_line_break_parts_lines_and_open_emphasis_goes_on() {
    let page = body("<div><b>Mở đầu<br>Thân <i>bài</b></i><br>Nguồn tin: A</div>");
    assert_eq!(page.article.as_ref().unwrap().summary, "Mở đầu");
    assert_eq!(page.article.as_ref().unwrap().content_html, "<p><b>Thân <i>bài</i></b></p>");
    assert_eq!(page.article.as_ref().unwrap().source_name, "A");
}

#[test]
fn the_pages_own_id_and_address_are_kept() {
    let html = "<html><head><meta name=article-id content='tin-77'><link rel=canonical href='/tin/77'></head><body><h1>T</h1>\
        <p>Thời gian đăng: 16/11/2023</p><p>Thân</p></body></html>";
    let page = read(html.as_bytes(), Some(&Url::parse("https://a.gov.vn/x?y").unwrap()), &zone()).unwrap();
    assert_eq!(page.article.as_ref().unwrap().id.as_str(), "tin-77");
    assert_eq!(page.article.as_ref().unwrap().url.as_ref().unwrap().as_str(), "https://a.gov.vn/tin/77");
}

#[test]
fn the_heading_is_the_title_and_lines_between_are_told_with_their_line() {
    let html = "<html><body>\n<h1>Tiêu đề</h1>\n<p>Cỡ chữ: A</p>\n<p>Thời gian đăng: 16/11/2023</p>\n<p>Thân</p></body></html>";
    let page = read(html.as_bytes(), None, &zone()).unwrap();
    assert_eq!(page.article.as_ref().unwrap().title, "Tiêu đề");
    let told = &page.report[0];
    assert_eq!((told.line, &told.why, told.text.as_str()), (3, &LeftOut::PageTool, "Cỡ chữ: A"));
}
