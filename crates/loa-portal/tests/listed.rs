//! What names articles: feeds, sitemaps, JSON lists and list pages, as portals of several families write them.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use jiff::tz::TimeZone;
use loa_domain::Selectors;
use loa_domain::{LeftOut, SourceClue};
use loa_portal::{Listed, PageError, SourceForm, article_of, read_selected, read_source, without_visitor};
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

fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn read(text: &str) -> Result<Listed, PageError> {
    read_source(text.as_bytes(), &url("https://xa.example/tin/"), &zone(), &Selectors::default())
}

/// Address, title and time of each item.
fn items(listed: &Listed) -> Vec<(&str, &str, Option<String>)> {
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    listed.items.iter().map(|item| (item.address.as_str(), item.title.as_str(), time(item.published_at))).collect()
}

#[test]
fn an_rss_feed_of_leads_gives_links_and_times() {
    let listed = read(
        "\u{feff}<?xml version='1.0'?><rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>Tin</title>\
         <link>https://xa.example/</link><atom:link href='https://xa.example/rss' rel='self'/>\
         <item><title><![CDATA[Họp <b>dân</b> &amp; bầu trưởng bản]]></title><link>/news/hop-dan-1.html</link>\
         <guid isPermaLink='false'>news_1</guid><description>Lead &lt;img src='x.jpg'&gt;</description>\
         <pubDate>Thu, 16 Nov 2023 08:02:22 +0700</pubDate></item>\
         <item><title>Không có địa chỉ</title></item></channel></rss>",
    )
    .unwrap();
    assert_eq!(listed.form, SourceForm::Feed);
    let time = Some("2023-11-16T01:02:22Z".to_owned());
    assert_eq!(items(&listed), [("https://xa.example/news/hop-dan-1.html", "Họp dân & bầu trưởng bản", time)]);
    assert_eq!(listed.items[0].content, None);
    assert_eq!(listed.why, SourceClue::FeedRoot);
    let left = &listed.left_out[0];
    assert_eq!((left.text.as_str(), &left.why), ("Không có địa chỉ", &LeftOut::EntryWithoutAddress));
}

#[test]
fn an_atom_feed_gives_whole_texts_authors_and_changes() {
    let listed = read(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>Tin</title><updated>2023-11-17T00:00:00Z</updated>\
         <entry><title type='html'>Họp d&amp;acirc;n</title><link rel='edit' href='/x'/><link href='https://xa.example/1'/>\
         <author><name>Nguyễn Văn A</name></author><published>2023-11-16T08:02:22+07:00</published>\
         <updated>2023-11-17T08:00:00+07:00</updated><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Một.</p></div></content>\
         </entry></feed>",
    )
    .unwrap();
    let item = &listed.items[0];
    assert_eq!((item.title.as_str(), item.author.as_str()), ("Họp dân", "Nguyễn Văn A"));
    assert_eq!(item.changed_at.unwrap().to_string(), "2023-11-17T01:00:00Z");
    assert!(item.content.as_deref().unwrap().contains("<p>Một.</p>"));
}

#[test]
fn an_item_with_its_whole_text_is_read_as_a_page_is() {
    let listed = read(
        "<rss><channel><item><title>Họp dân bàn việc làng</title><link>https://xa.example/1.html</link><dc:creator>Nguyễn Văn A</dc:creator>\
         <description>Xã Na Son họp dân.</description><pubDate>Thu, 16 Nov 2023 08:02:22 +0700</pubDate>\
         <content:encoded><![CDATA[<p>Xã Na Son họp dân bàn việc làng sáng nay.</p><p><img src='/anh/1.jpg' alt='Ảnh'></p>\
         <p>Bà con đồng tình với phương án làm đường.</p>]]></content:encoded></item></channel></rss>",
    )
    .unwrap();
    let article = article_of(&listed.items[0], &zone()).unwrap().unwrap().article.unwrap();
    assert_eq!(article.title, "Họp dân bàn việc làng");
    assert_eq!(article.published_at.unwrap().to_string(), "2023-11-16T01:02:22Z");
    assert_eq!(article.url.unwrap().as_str(), "https://xa.example/1.html");
    assert_eq!(article.author, "Nguyễn Văn A");
    assert_eq!(article.images[0].url.as_ref().unwrap().as_str(), "https://xa.example/anh/1.jpg");
    assert!(article.content_html.contains("Bà con đồng tình"), "{}", article.content_html);
}

#[test]
fn an_instant_article_is_read_without_the_head_and_foot_of_its_own() {
    let listed = read(
        "<rss><channel><item><title>Họp dân bàn việc làng</title><link>https://xa.example/1.html</link>\
         <pubDate>Thu, 16 Nov 2023 08:02:22 +0700</pubDate><content:encoded><![CDATA[<!doctype html><html><head><meta charset='utf-8'>\
         <link rel='canonical' href='https://xa.example/1.html'></head><body><article><header><h1>Họp dân bàn việc làng</h1>\
         <h2>Xã Na Son họp dân.</h2><time class='op-published' datetime='2023-11-20T00:00:00Z'>20/11/2023 07:00</time></header>\
         <p>Sáng nay, cả bản về nhà văn hóa.</p><footer><small>© 2023</small></footer></article></body></html>]]></content:encoded></item></channel></rss>",
    )
    .unwrap();
    let article = article_of(&listed.items[0], &zone()).unwrap().unwrap().article.unwrap();
    assert_eq!(article.published_at.unwrap().to_string(), "2023-11-16T01:02:22Z");
    assert_eq!(article.summary, "Xã Na Son họp dân.");
    assert!(!article.content_html.contains('©') && article.content_html.contains("cả bản"), "{}", article.content_html);
}

#[test]
fn posts_of_wordpress_give_whole_texts_in_utc_and_their_next_page() {
    let post = |n: u32| {
        format!(
            "{{\"link\":\"https://xa.example/{n}/\",\"status\":\"publish\",\"date_gmt\":\"2023-11-16T01:02:22\",\
             \"modified_gmt\":\"2023-11-16T01:02:22\",\"title\":{{\"rendered\":\"Họp dân &#8211; {n}\"}},\
             \"content\":{{\"rendered\":\"<p>Một.</p>\",\"protected\":{}}},\"excerpt\":{{\"rendered\":\"\"}}}}",
            n == 2
        )
    };
    let text = format!("[{},{}]", post(1), post(2));
    let address = url("https://xa.example/wp-json/wp/v2/posts?per_page=2");
    let listed = read_source(text.as_bytes(), &address, &zone(), &Selectors::default()).unwrap();
    assert_eq!(listed.form, SourceForm::WordPress);
    let time = Some("2023-11-16T01:02:22Z".to_owned());
    assert_eq!(items(&listed)[0], ("https://xa.example/1/", "Họp dân – 1", time));
    assert_eq!(
        (listed.items[0].content.is_some(), listed.items[1].content.is_some()),
        (true, false),
        "one has a password"
    );
    assert_eq!(listed.next.unwrap().as_str(), "https://xa.example/wp-json/wp/v2/posts?per_page=2&page=2");
    let refused = read("{\"code\":\"rest_disabled\",\"message\":\"REST is off\"}").unwrap_err();
    assert!(refused.told().contains("REST is off"), "{refused:?}");
}

#[test]
fn a_sitemap_gives_the_newest_first_and_an_index_its_sitemaps() {
    let listed = read(
        "<urlset xmlns:news='x'><url><loc>https://xa.example/1</loc><lastmod>2023-11-15</lastmod></url>\
         <url><loc>https://xa.example/2</loc><news:news><news:publication_date>2023-11-16T08:02:22+07:00</news:publication_date>\
         <news:title>Họp dân</news:title></news:news></url></urlset>",
    )
    .unwrap();
    let time = Some("2023-11-16T01:02:22Z".to_owned());
    assert_eq!(items(&listed), [("https://xa.example/2", "Họp dân", time), ("https://xa.example/1", "", None)]);
    let index = read(
        "<sitemapindex><sitemap><loc>https://xa.example/a.xml</loc><lastmod>2023-01-01</lastmod></sitemap>\
         <sitemap><loc>https://xa.example/b.xml</loc><lastmod>2023-02-01</lastmod></sitemap></sitemapindex>",
    )
    .unwrap();
    let children: Vec<_> = index.children.iter().map(|child| child.address.as_str()).collect();
    assert_eq!(children, ["https://xa.example/b.xml", "https://xa.example/a.xml"]);
}

#[test]
fn of_a_sitemap_that_is_too_long_the_newest_are_taken_and_of_what_says_no_time_both_ends() {
    let entry = |n: usize, at: &str| format!("<url><loc>https://xa.example/{n}</loc>{at}</url>");
    let undated: String = (0..3_000).map(|n| entry(n, "")).collect();
    let dated: String = (3_000..3_010).map(|n| entry(n, "<lastmod>2023-11-15</lastmod>")).collect();
    let listed = read(&format!("<urlset>{undated}{dated}</urlset>")).unwrap();
    assert!(listed.is_cut && listed.items.len() == loa_portal::ITEMS_MAX, "{}", listed.items.len());
    let has = |n: usize| listed.items.iter().any(|item| item.address.path() == format!("/{n}"));
    assert!((3_000..3_010).all(has) && has(0) && has(2_999) && !has(1_500));
    assert!(!read(&format!("<urlset>{dated}</urlset>")).unwrap().is_cut);
}

#[test]
fn a_page_behind_a_redirect_has_its_pictures_there_and_stays_the_page_of_its_address() {
    let page = "<html><head><title>Họp dân</title></head><body><article><h1>Xã họp dân bàn việc làng</h1>\
        <p>Thời gian đăng: 16/11/2023 08:02:22</p><p>Bà con đến dự họp đông đủ tại nhà văn hóa của bản, có ảnh kèm theo.</p><p>Cuộc họp bàn việc làm đường vào bản và kéo dài đến trưa.</p>\
        <p><img src='anh/1.jpg'></p></article></body></html>";
    let [listed, found]: [Url; 2] =
        ["https://xa.example/tin/7", "https://xa.example/bai/2023/7.html"].map(|url| url.parse().unwrap());
    let read =
        read_selected(page.as_bytes(), &listed, &found, &zone(), None, &Default::default()).unwrap().article.unwrap();
    assert_eq!(read.url, Some(listed));
    let pictures: Vec<_> = read.images.iter().filter_map(|image| image.url.as_ref()).map(Url::as_str).collect();
    assert_eq!(pictures, ["https://xa.example/bai/2023/anh/1.jpg"]);
}

#[test]
fn a_list_page_gives_its_articles_and_not_its_menu() {
    let row = |n: u32| {
        format!(
            "<li><a href='/tin/hop-dan-{n}.html?UserKey=7'>Xã họp dân bàn việc làng {n}</a> <span>(1{n}/11/2023)</span></li>"
        )
    };
    let page = format!(
        "<html><head><link rel='alternate' type='application/rss+xml' href='/rss'></head><body>\
         <nav><a href='/gioi-thieu/lich-su.html'>Lịch sử hình thành và phát triển</a></nav>\
         <div class='top'><a href='/van-ban/chi-dao.html'>Văn bản chỉ đạo điều hành mới</a></div>\
         <ul>{}{}{}</ul><a href='https://tinh.example/x.html'>Cổng thông tin điện tử tỉnh nhà</a>\
         <div><a href='?PageIndex=1'>1</a> <a href='?PageIndex=2'>2</a></div></body></html>",
        row(3),
        row(2),
        row(1)
    );
    let listed = read(&page).unwrap();
    let got: Vec<_> = listed
        .items
        .iter()
        .map(|item| (without_visitor(&item.address).to_string(), item.posted_on.unwrap().to_string()))
        .collect();
    let want = [3, 2, 1].map(|n| (format!("https://xa.example/tin/hop-dan-{n}.html"), format!("2023-11-1{n}")));
    assert_eq!(got, want);
    assert_eq!(listed.next.unwrap().as_str(), "https://xa.example/tin/?PageIndex=2");
    assert_eq!(listed.feeds[0].as_str(), "https://xa.example/rss");
    assert_eq!(listed.left_out.len(), 2, "{:?}", listed.left_out);
}

#[test]
fn a_list_without_days_is_told_by_the_form_of_its_addresses() {
    let row = |n: u32| format!("<div><a href='/Pages/ChiTiet.aspx?nid={n}'>Xã họp dân bàn việc làng {n}</a></div>");
    let page = format!(
        "<html><body><div><a href='/Pages/GioiThieu.aspx'>Giới thiệu chung về huyện nhà</a></div>{}{}{}</body></html>",
        row(1),
        row(2),
        row(3)
    );
    let listed = read(&page).unwrap();
    assert_eq!(listed.items.len(), 3, "{listed:?}");
    assert_eq!(read("<html><body><p>Bảo trì</p></body></html>").unwrap_err(), PageError::NoList);
}

#[test]
fn a_selector_takes_the_links_it_names_and_says_when_it_finds_nothing() {
    let page = "<html><body><div class='n'><h3><a href='/1.html'>Một</a></h3><i>16/11/2023 08:02</i></div><a href='/2.html'>Hai ba bốn năm sáu</a></body></html>";
    let read = |links: &str| {
        let selectors = Selectors { links: Some(links.into()), ..Selectors::default() };
        read_source(page.as_bytes(), &url("https://xa.example/tin/"), &zone(), &selectors)
    };
    let time = Some("2023-11-16T01:02:00Z".to_owned());
    assert_eq!(items(&read("div.n").unwrap()), [("https://xa.example/1.html", "Một", time)]);
    for (selector, why) in [("div.x", "finds nothing"), ("div[", "cannot be read")] {
        let error = read(selector).unwrap_err().told();
        assert!(error.contains(why) && error.contains(selector), "{error:?}");
    }
}

#[test]
fn selectors_for_a_page_take_what_they_name_and_evidence_takes_the_rest() {
    let page = "<html><body><h1>Cổng thông tin xã A</h1><div id='t'>Họp dân bàn việc làng</div><em class='d'>16/11/2023 08:02</em>\
                <div class='c'><p>Xã Na Son họp dân bàn việc làng.</p></div><b class='s'>Đài xã</b></body></html>";
    let selectors = Selectors {
        title: Some("#t".into()),
        time: Some(".d".into()),
        body: Some(".c".into()),
        source: Some(".s".into()),
        links: None,
    };
    let address = url("https://xa.example/1.html");
    let article =
        read_selected(page.as_bytes(), &address, &address, &zone(), None, &selectors).unwrap().article.unwrap();
    assert_eq!((article.title.as_str(), article.source_name.as_str()), ("Họp dân bàn việc làng", "Đài xã"));
    assert_eq!(article.published_at.unwrap().to_string(), "2023-11-16T01:02:00Z");
    let lost = Selectors { time: Some(".gone".into()), ..selectors };
    let error = read_selected(page.as_bytes(), &address, &address, &zone(), None, &lost).unwrap_err();
    assert!(error.told().contains("finds nothing"), "{error:?}");
}

#[test]
fn what_is_broken_is_refused_with_its_line() {
    let error = read("<rss><channel>\n<item><title>a</title>\n</channel></rss>").unwrap_err();
    assert!(matches!(error, PageError::BrokenXml { line: 3, .. }), "{error:?}");
    assert!(matches!(read("{\"a\":"), Err(PageError::BrokenJson { .. })));
    assert_eq!(read("  ").unwrap_err(), PageError::Empty);
}
