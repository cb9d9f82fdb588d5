//! The real page, as text and as HTML: everything it says, and the lines that are reported as not
//! understood.

#![allow(clippy::unwrap_used)]

use jiff::{civil::date, tz::TimeZone};
use loa_domain::LeftOut;
use loa_portal::{NotUnderstood, Pager, PortalPage, read};
use url::Url;

const TEXT: &str = include_str!("../fixtures/seed.txt");
const HTML: &str = include_str!("../fixtures/seed.html");

/// The zone of the portals.
fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn text() -> PortalPage {
    read(TEXT.as_bytes(), None, &zone()).unwrap()
}

fn html() -> PortalPage {
    let address = Url::parse("https://dienbiendong.dienbien.gov.vn/pages/x.aspx").unwrap();
    read(HTML.as_bytes(), Some(&address), &zone()).unwrap()
}

#[test]
fn the_article_has_title_time_lead_picture_body_and_source() {
    let article = text().article.unwrap();
    assert_eq!(article.title, "Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP");
    assert_eq!(article.published_at.unwrap(), "2023-11-16T08:02:22+07:00".parse().unwrap());
    assert!(article.summary.starts_with("Tại huyện Điện Biên Đông, chương trình \"Mỗi xã một sản phẩm\""));
    assert!(article.summary.ends_with("từ 3 sao trở lên."));
    assert_eq!(article.images.len(), 1);
    assert_eq!(article.images[0].name, "occop.jpg");
    assert_eq!(article.images[0].url, None);
    assert!(
        article.content_html.starts_with("<p>4 sản phẩm đạt chuẩn OCOP của huyện Điện Biên Đông gồm: lạc đỏ Na Son")
    );
    assert!(article.content_html.ends_with("nếp tan Luân Giói./.</p>"));
    assert_eq!(article.source_name, "Nguyễn Thịnh-huyện Điện Biên Đông");
    assert_eq!(article.id.as_str(), "dien-bien-dong-4-san-pham-duoc-chung-nhan-ocop-20231116-080222");
}

#[test]
fn the_ten_other_items_have_their_dates_and_the_list_its_place() {
    let page = text();
    assert_eq!(page.other_items.len(), 10);
    assert_eq!(
        page.other_items[0].title,
        "Ngân hàng Chính sách Xã hội huyện Điện Biên Đông thông báo việc thu phí sử dụng dịch vụ Mobile Banking."
    );
    let days: Vec<_> = page.other_items.iter().map(|item| item.posted_on.unwrap().day()).collect();
    assert_eq!(days, [22, 22, 22, 19, 19, 19, 19, 18, 18, 18]);
    assert!(page.other_items.iter().all(|item| item.posted_on.unwrap().first_of_month() == date(2024, 1, 1)));
    assert_eq!(page.pager, Some(Pager { first: 391, last: 400, total: 1863 }));
}

#[test]
fn the_three_documents_have_number_kind_as_far_as_it_is_said_and_title() {
    let documents = text().documents;
    let said: Vec<_> = documents.iter().map(|d| (d.number.as_str(), d.kind.as_str(), d.title.as_str())).collect();
    assert_eq!(
        said,
        [
            (
                "1184/KL-UBND",
                "Kết luận Thanh tra",
                "Công tác quản lý, ngân sách xã đối với UBND xã Mường Luân, Chiềng Sơ, huyện Điện Biên Đông, tỉnh Điện Biên"
            ),
            (
                "47UBND -UBND-TTr",
                "Kết luận Thanh tra",
                "Công tác quản lý, ngân sách xã đối với UBND xã Xa Dung, huyện Điện Biên Đông, tỉnh Điện Biên"
            ),
            ("553/BC-UBND", "", "Kết quả thực hiện công tác kiểm soát TTHC năm 2021"),
        ]
    );
    assert!(documents[0].id.as_str().starts_with("van-ban-1184-kl-ubnd-"));
}

#[test]
fn the_one_line_without_meaning_is_told() {
    let [told] = text().report.try_into().unwrap();
    assert_eq!(
        told,
        NotUnderstood {
            line: 34,
            text: "Tổng truy cập: Tổng lượt truy cập Trang".into(),
            why: LeftOut::VisitsWithoutNumber
        }
    );
}

#[test]
fn html_of_the_portal_says_the_same_with_addresses() {
    let (text, html) = (text(), html());
    assert_eq!(html.article.as_ref().unwrap().id, text.article.as_ref().unwrap().id, "one article, however it came");
    assert_eq!(html.article.as_ref().unwrap().title, text.article.as_ref().unwrap().title);
    assert_eq!(html.article.as_ref().unwrap().published_at, text.article.as_ref().unwrap().published_at);
    assert_eq!(html.article.as_ref().unwrap().summary, text.article.as_ref().unwrap().summary);
    assert_eq!(html.article.as_ref().unwrap().source_name, text.article.as_ref().unwrap().source_name);
    assert_eq!(
        html.article.as_ref().unwrap().content_text.replace('\n', " "),
        text.article.as_ref().unwrap().content_text
    );
    assert_eq!(html.article.as_ref().unwrap().content_html.matches("<p>").count(), 3);
    assert_eq!(html.article.as_ref().unwrap().images.len(), 1);
    assert_eq!(html.article.as_ref().unwrap().images[0].name, "occop.jpg");
    assert_eq!(
        html.article.as_ref().unwrap().images[0].url.as_ref().unwrap().as_str(),
        "https://dienbiendong.dienbien.gov.vn/PublishingImages/2023-11/occop.jpg"
    );
    assert_eq!(
        html.article.as_ref().unwrap().url.as_ref().unwrap().as_str(),
        "https://dienbiendong.dienbien.gov.vn/pages/2023-11-16/4-san-pham-duoc-chung-nhan-OCOP-7xk2.aspx"
    );
    let titles = |page: &PortalPage| {
        page.other_items.iter().map(|item| (item.title.clone(), item.posted_on)).collect::<Vec<_>>()
    };
    assert_eq!(titles(&html), titles(&text));
    assert!(html.other_items.iter().all(|item| item.url.is_some()));
    assert_eq!(html.pager, text.pager);
    let papers = |page: &PortalPage| {
        page.documents
            .iter()
            .map(|d| (d.id.clone(), d.number.clone(), d.kind.clone(), d.title.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(papers(&html), papers(&text));
    assert!(html.documents.iter().all(|document| document.url.is_some()));
    assert_eq!(html.links.len(), 2);
    assert_eq!(html.links[1].url.as_str(), "https://dichvucong.gov.vn/");
    assert_eq!(html.visits, Some(1_284_337));
}

#[test]
fn what_html_adds_around_the_article_is_told_in_a_few_lines() {
    let told: Vec<LeftOut> = html().report.into_iter().map(|line| line.why).collect();
    assert_eq!(told, [LeftOut::Menu, LeftOut::Menu, LeftOut::OtherFigure, LeftOut::Menu]);
}
