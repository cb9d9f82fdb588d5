//! Pages like those on which other programs that read pages went wrong, by what they got wrong: the
//! text, the time, the title, the pictures, the address, the letters. They are made by hand.

#![allow(clippy::unwrap_used)]

use jiff::tz::TimeZone;
use loa_portal::{PageError, PageField, PortalArticle, PortalPage, read};

/// What is wrong, in English.
trait Told {
    fn told(&self) -> String;
}

impl Told for PageError {
    fn told(&self) -> String {
        loa_words::Language::English.words().page_error(self)
    }
}

const TITLE: &str = "Xã Na Son có bốn sản phẩm đạt chuẩn OCOP";
const ONE: &str = "Sáng 15/11, xã Na Son công bố bốn sản phẩm đạt chuẩn OCOP ba sao của địa phương.";
const TWO: &str = "Các sản phẩm gồm mật ong, chè Shan tuyết, gạo nếp và rượu ngô của các hợp tác xã.";
const COOKIES: &str = "<p>Trang web này sử dụng cookie để cải thiện trải nghiệm của bạn khi truy cập.</p>\
    <p>Bằng việc tiếp tục sử dụng, bạn đồng ý với chính sách bảo mật của chúng tôi.</p>\
    <p>Bạn có thể thay đổi lựa chọn bất cứ lúc nào trong phần cài đặt của trình duyệt.</p>";

fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
}

fn page(head: &str, body: &str) -> String {
    format!("<!DOCTYPE html><html><head><meta charset=\"utf-8\">{head}</head><body>{body}</body></html>")
}

/// An article whose time is written so.
fn posted(time: &str) -> String {
    format!("<div class=\"main\"><h1>{TITLE}</h1><div class=\"date\">{time}</div><p>{ONE}</p><p>{TWO}</p></div>")
}

fn article_of(page: &PortalPage) -> &PortalArticle {
    page.article.as_ref().unwrap()
}

#[track_caller]
fn understood(html: &str) -> PortalPage {
    read(html.as_bytes(), None, &zone()).unwrap_or_else(|e| panic!("refused: {e:?}"))
}

#[track_caller]
fn refused(html: &str) -> PageError {
    match read(html.as_bytes(), None, &zone()) {
        Err(error) => error,
        Ok(page) => panic!("it is read: {:?} {:?}", page.article, page.evidence),
    }
}

/// Lead and body, a line each.
fn text(page: &PortalPage) -> Vec<&str> {
    let article = article_of(page);
    let lead = Some(article.summary.as_str()).filter(|lead| !lead.is_empty());
    lead.into_iter().chain(article.content_text.lines()).collect()
}

fn local(page: &PortalPage) -> String {
    article_of(page).published_at.unwrap().to_zoned_datetime(zone()).strftime("%d/%m/%Y %H:%M").to_string()
}

#[test]
fn a_banner_about_cookies_and_a_window_are_never_the_text_however_short_the_article() {
    let short =
        format!("<div class=\"main\"><h1>{TITLE}</h1><div class=\"date\">16/11/2023 08:02</div><p>{ONE}</p></div>");
    for banner in [
        format!("<div id=\"cookie-consent\" class=\"cc-window\">{COOKIES}</div>"),
        format!("<div class=\"cookieBanner\">{COOKIES}</div>"),
        format!("<div class=\"gdpr\">{COOKIES}</div>"),
        format!("<div class=\"x\">{COOKIES}</div>"),
        format!("<div role=\"dialog\">{}</div>", COOKIES.replace("cookie", "dữ liệu")),
        format!("<div class=\"modal fade\">{}</div>", COOKIES.replace("cookie", "dữ liệu")),
        format!("<dialog>{}</dialog>", COOKIES.replace("cookie", "dữ liệu")),
    ] {
        let read = understood(&page("", &format!("{short}{banner}")));
        assert_eq!(text(&read), [ONE], "{banner}");
        let is_seen = !banner.starts_with("<dialog>");
        assert_eq!(read.report.is_empty(), !is_seen, "what is seen and left out is told: {:?}", read.report);
    }
    // what the window hides from screen readers is the article
    let read = understood(&page(
        "",
        &format!("<div aria-hidden=\"true\">{}</div><div role=\"dialog\">{COOKIES}</div>", posted("16/11/2023 08:02")),
    ));
    assert_eq!(text(&read), [ONE, TWO]);
}

#[test]
fn what_nobody_sees_on_the_page_is_never_published() {
    const LINKS: &str =
        "<p>Cá cược trực tuyến, nhà cái <a href=\"https://bet.example/\">uy tín hàng đầu</a> hôm nay.</p>";
    for style in [
        "display:none",
        "position:absolute; left:-9999px",
        "position: fixed; top: -5000px !important",
        "height:0;overflow:hidden",
        "max-height: 1px; overflow: hidden",
        "font-size:0",
        "text-indent:-9999px",
        "position:absolute;overflow:hidden;clip:rect(0 0 0 0)",
    ] {
        let body = posted("16/11/2023 08:02")
            .replace(&format!("<p>{TWO}"), &format!("<div style=\"{style}\">{LINKS}</div><p>{TWO}"));
        let read = understood(&page("", &body));
        assert_eq!(text(&read), [ONE, TWO], "{style}");
        assert!(!article_of(&read).content_html.contains("bet.example"), "{style}");
    }
    for style in ["position:relative;left:-10px", "overflow:hidden;height:400px", "text-indent:30px", "font-size:14px"]
    {
        let body = posted("16/11/2023 08:02")
            .replace("<div class=\"main\">", &format!("<div class=\"main\" style=\"{style}\">"));
        assert_eq!(text(&understood(&page("", &body))), [ONE, TWO], "{style}");
    }
}

#[test]
fn an_advertisement_and_the_ways_to_the_neighbours_are_no_text() {
    let body = posted("16/11/2023 08:02")
        .replace(&format!("<p>{TWO}"), &format!("<div class=\"adsbygoogle\"><p>Mua ngay hôm nay để được giảm giá năm mươi phần trăm.</p></div><p>{TWO}"))
        .replace("</p></div>", "</p><div><a href=\"https://x.vn/a\">« Bài trước: Xã Pu Nhi trồng rừng</a> <a href=\"https://x.vn/b\">Bài sau: Phường B ra quân »</a></div></div>");
    assert_eq!(text(&understood(&page("", &body))), [ONE, TWO]);
}

#[test]
fn an_answer_of_the_server_is_no_article() {
    for title in ["Just a moment...", "404 - Không tìm thấy trang", "403 Forbidden", "Error 404", "Trang không tồn tại"]
    {
        let body = posted("16/11/2023 08:02").replace(TITLE, title);
        for html in [page("", &body), page(&format!("<title>{title}</title>"), &posted("16/11/2023 08:02"))] {
            assert!(matches!(refused(&html), PageError::OfServer { .. }), "{title}");
        }
    }
    let real = "404 hộ nghèo của xã được hỗ trợ nhà ở";
    let body = posted("16/11/2023 08:02").replace(TITLE, real);
    assert_eq!(article_of(&understood(&page("", &body))).title, real);
}

#[test]
fn one_title_in_two_headings_is_one() {
    let head = format!("<title>{TITLE}</title>");
    let body = format!("<div class=\"small-screens\"><h1>{TITLE}</h1></div>{}", posted("16/11/2023 08:02"));
    let read = understood(&page(&head, &body));
    assert_eq!((article_of(&read).title.as_str(), text(&read)), (TITLE, vec![ONE, TWO]));
}

#[test]
fn letters_that_were_read_in_another_encoding_and_saved_so_are_refused() {
    let html = page("", &posted("16/11/2023 08:02"));
    let (start, end) = (html.find("<h1>").unwrap(), html.find("</body>").unwrap());
    let twice: String = html[start..end].bytes().map(char::from).collect();
    let error = refused(&format!("{}{twice}{}", &html[..start], &html[end..]));
    assert!(matches!(error, PageError::Encoding { .. }), "{error:?}");
    let quoted = posted("16/11/2023 08:02").replace("công bố", "«công bố sản phẩm văn hoá» và «xã hội hoá»");
    assert_eq!(text(&understood(&page("", &quoted))).len(), 2, "a quotation may end so");
}

#[test]
fn what_readers_say_is_neither_text_nor_a_list_of_articles_however_its_heading_counts_it() {
    let said: String = (0..6)
        .map(|n| {
            format!(
                "<div><b>Nguyễn Văn A{n}</b><p>Tôi rất đồng tình với chủ trương này của xã nhà.</p><span>17/11/2023 10:0{n}</span></div>"
            )
        })
        .collect();
    for heading in ["Bình luận (6)", "6 bình luận", "Ý kiến bạn đọc (6)", "6 Comments", "Bình luận: 6"]
    {
        let body = posted("16/11/2023 08:02").replace("</p></div>", &format!("</p><h3>{heading}</h3>{said}</div>"));
        let read = understood(&page("", &body));
        assert_eq!((text(&read), local(&read).as_str()), (vec![ONE, TWO], "16/11/2023 08:02"), "{heading}");
    }
    for names in
        ["id=\"binh-luan\"", "class=\"box_binhluan\" id=\"ykien\"", "id=\"disqus_thread\"", "class=\"fb-comments\""]
    {
        let body = posted("16/11/2023 08:02").replace("</p></div>", &format!("</p><div {names}>{said}</div></div>"));
        let read = understood(&page("", &body));
        assert_eq!((text(&read), local(&read).as_str()), (vec![ONE, TWO], "16/11/2023 08:02"), "{names}");
    }
}

#[test]
fn a_time_counted_from_the_visit_is_no_lead_and_no_date() {
    for said in ["2 giờ trước", "Cách đây 3 ngày", "Khoảng 1 giờ trước", "Hôm qua, 08:02", "vừa xong", "3 days ago"]
    {
        let body = posted(&format!("<time datetime=\"2023-11-16T08:02:00+07:00\">{said}</time>"));
        let read = understood(&page("", &body));
        assert_eq!((text(&read), local(&read).as_str()), (vec![ONE, TWO], "16/11/2023 08:02"), "{said}");
        assert!(read.report.iter().any(|line| line.text == said), "{:?}", read.report);
        assert!(matches!(refused(&page("", &posted(said))), PageError::NoDate), "{said}");
    }
    let body = posted("16/11/2023 08:02").replace(TWO, "Hai giờ trước, đoàn đã về tới xã và làm việc với thôn.");
    assert_eq!(text(&understood(&page("", &body))).len(), 2, "a sentence is a sentence");
}

#[test]
fn day_and_month_the_other_way_round_are_told_and_never_guessed() {
    let for_machines = |at: &str| {
        format!(
            "<script type=\"application/ld+json\">{{\"@type\":\"NewsArticle\",\"headline\":\"{TITLE}\",\"datePublished\":\"{at}\"}}</script>"
        )
    };
    let turned = for_machines("2023-11-12T08:02:00+07:00");
    for time in ["11/12/2023 08:02", "11/12/2023", "Ngày đăng: 11/12/2023 08:02"] {
        let error = refused(&page(&turned, &posted(time)));
        assert!(matches!(error, PageError::Undecided { field: PageField::PublishedAt, .. }), "{time}: {error:?}");
        let said = error.told();
        assert!(said.contains("11/12/2023") && said.contains("2023-11-12"), "{said}");
    }
    let said = refused(&page("", &posted("Chủ nhật, 11/12/2023 08:02"))).told();
    assert!(said.contains("with the month first (2023-11-12)"), "{said}");
    // the day of the week, a month in words, or machines that agree leave no doubt
    for time in ["Thứ hai, 11/12/2023 08:02", "11 tháng 12 năm 2023 08:02", "2023-12-11 08:02"] {
        assert_eq!(local(&understood(&page(&turned, &posted(time)))), "11/12/2023 08:02", "{time}");
    }
    let same = for_machines("2023-12-11T08:02:00+07:00");
    assert_eq!(local(&understood(&page(&same, &posted("11/12/2023 08:02")))), "11/12/2023 08:02");
}

#[test]
fn a_time_that_is_written_with_its_zone_is_of_that_zone() {
    for (time, expected) in [
        ("2023-11-15T18:30:00Z", "16/11/2023 01:30"),
        ("2023-11-16T08:02:00+07:00", "16/11/2023 08:02"),
        ("2023-11-16T08:02:00+00:00", "16/11/2023 15:02"),
        ("16/11/2023 08:02 (GMT+7)", "16/11/2023 08:02"),
        ("Ngày đăng: 16/11/2023 01:02 GMT", "16/11/2023 08:02"),
    ] {
        assert_eq!(local(&understood(&page("", &posted(time)))), expected, "{time}");
    }
}

#[test]
fn the_last_change_beside_the_time_of_posting_is_not_it() {
    let both = "<time class=\"entry-date published\" datetime=\"2023-11-16T08:02:00+07:00\">16/11/2023</time> \
                <time class=\"updated\" datetime=\"2024-01-05T08:00:00+07:00\">05/01/2024</time>";
    assert_eq!(local(&understood(&page("", &posted(both)))), "16/11/2023 08:02");
    let never_changed =
        "<time class=\"entry-date published updated\" datetime=\"2023-11-16T08:02:00+07:00\">16/11/2023</time>";
    assert_eq!(local(&understood(&page("", &posted(never_changed)))), "16/11/2023 08:02");
    let only = understood(&page(
        "",
        &posted("<time class=\"updated\" datetime=\"2024-01-05T08:00:00+07:00\">05/01/2024</time>"),
    ));
    assert!(only.evidence.iter().any(|e| e.field == PageField::PublishedAt && e.is_assumed), "{:?}", only.evidence);
}

#[test]
fn a_line_that_looks_like_the_time_and_cannot_be_is_named_with_the_reason() {
    for (time, why) in [
        ("11/16/2023 08:02 AM", "there is no month 16"),
        ("16/11/2023 24:00", "there is no time 24:00:00"),
        ("16/11/23 08:02", "the year 23 must have four digits"),
    ] {
        let error = refused(&page("", &posted(time)));
        assert!(matches!(&error, PageError::ImpossibleDate { text, .. } if *text == time.into()), "{time}: {error:?}");
        assert!(error.told().contains(why), "{error:?}");
    }
}

#[test]
fn dates_for_machines_are_read_from_json_ld_with_the_slips_that_systems_make() {
    let script = |json: &str| format!("<script type=\"application/ld+json\">{json}</script>");
    let article =
        format!("\"@type\":\"NewsArticle\",\"headline\":\"{TITLE}\",\"datePublished\":\"2023-11-16T08:02:00+07:00\"");
    for json in [
        format!("//<![CDATA[\n{{{article}}}\n//]]>"),
        format!("{{{article}}};"),
        format!("{{\"description\":\"Một\nhai\tba\",{article}}}"),
        format!("{{{}}}", article.replace("NewsArticle", "http://schema.org/NewsArticle")),
        format!("{{\"@type\":\"WebPage\",\"mainEntity\":{{{article}}}}}"),
    ] {
        assert_eq!(local(&understood(&page(&script(&json), &posted("")))), "16/11/2023 08:02", "{json}");
    }
}

#[test]
fn the_sites_name_in_every_head_is_not_the_title() {
    let body = |h1: &str| {
        format!(
            "<h1>{h1}</h1><div><h2>{TITLE}</h2><div class=\"date\">16/11/2023 08:02</div><p>{ONE}</p><p>{TWO}</p></div>"
        )
    };
    for (head, h1) in [
        ("<title>Xã Na Son</title><meta property=\"og:title\" content=\"Xã Na Son\">", "Xã Na Son"),
        (
            "<title>Na Son ngày nay</title><meta property=\"og:title\" content=\"Na Son ngày nay\"><meta property=\"og:site_name\" content=\"Na Son ngày nay\">",
            "Na Son ngày nay",
        ),
    ] {
        let error = refused(&page(head, &body(h1)));
        assert!(matches!(error, PageError::Undecided { field: PageField::Title, .. }), "{error:?}");
        assert!(error.told().contains(h1) && error.told().contains(TITLE), "{error:?}");
    }
    let head =
        format!("<title>Xã Na Son | {TITLE}</title><meta property=\"og:title\" content=\"{TITLE} - Xã Na Son\">");
    assert_eq!(article_of(&understood(&page(&head, &posted("16/11/2023 08:02")))).title, TITLE);
}

#[test]
fn a_picture_has_its_real_address_wherever_a_script_keeps_it() {
    const BLANK: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
    let at = |picture: &str| {
        let body = posted("16/11/2023 08:02").replace(&format!("<p>{TWO}"), &format!("<p>{picture}</p><p>{TWO}"));
        let head = "<link rel=\"canonical\" href=\"https://xa.gov.vn/tin/1.html\">";
        let read = understood(&page(head, &body));
        let found =
            article_of(&read).images.iter().map(|image| image.url.as_ref().unwrap().to_string()).collect::<Vec<_>>();
        (found, read.report)
    };
    for (picture, expected) in [
        (format!("<img src=\"{BLANK}\" data-srcset=\"/a.jpg 300w, /b.jpg 1024w\">"), "/b.jpg"),
        (format!("<img src=\"{BLANK}\" data-lazy-srcset=\"/a.jpg 300w, /b.jpg 1024w\">"), "/b.jpg"),
        (format!("<img src=\"{BLANK}\" srcset=\"{BLANK} 1w\" data-srcset=\"/a.jpg 300w\">"), "/a.jpg"),
        (
            format!(
                "<picture><source srcset=\"/a.webp\" type=\"image/webp\"><source data-srcset=\"/a.jpg\"><img src=\"{BLANK}\"></picture>"
            ),
            "/a.jpg",
        ),
        ("<img srcset=\"/c,w_300/a.jpg 300w, /c,w_1024/a.jpg 1024w\">".to_owned(), "/c,w_1024/a.jpg"),
        ("<img src=\"/a.jpg\" data-url=\"https://xa.gov.vn/tin/1.html\">".to_owned(), "/a.jpg"),
        ("<img src=\"/a.jpg\" data-original=\"{&quot;w&quot;:1}\">".to_owned(), "/a.jpg"),
        ("<img src=\"/themes/loading.svg\" data-image=\"/a.jpg\" loading=\"lazy\">".to_owned(), "/a.jpg"),
        ("<img data-actualsrc=\"/a.jpg\">".to_owned(), "/a.jpg"),
        ("<img src=\"\" data-src-small=\"/s.jpg\" data-src-large=\"/l.jpg\">".to_owned(), "/l.jpg"),
    ] {
        assert_eq!(at(&picture).0, [format!("https://xa.gov.vn{expected}")], "{picture}");
    }
    let (found, report) = at("<img class=\"lazy\" src=\"/blank.gif\" alt=\"Lễ công bố\">");
    assert!(found.is_empty() && report.iter().any(|line| line.text.contains("Lễ công bố")), "it is told: {report:?}");
}

#[test]
fn a_canonical_link_begins_where_the_page_says_that_addresses_begin() {
    let head = "<base href=\"https://xa.gov.vn/\"><link rel=\"canonical\" href=\"tin/2023/ocop.html\">";
    let body =
        posted("16/11/2023 08:02").replace(&format!("<p>{TWO}"), &format!("<p><img src=\"pic/a.jpg\"></p><p>{TWO}"));
    let read = understood(&page(head, &body));
    assert_eq!(article_of(&read).url.as_ref().unwrap().as_str(), "https://xa.gov.vn/tin/2023/ocop.html");
    assert_eq!(article_of(&read).images[0].url.as_ref().unwrap().as_str(), "https://xa.gov.vn/pic/a.jpg");
}

#[test]
fn an_encoding_is_heard_however_the_page_writes_it() {
    let (scripts, article) = ("<script>var a = 1;</script>".repeat(300), posted("16/11/2023 08:02"));
    for (before, declared) in [
        ("", "<meta charset='windows-1258'>"),
        ("", "<meta charset = \"windows-1258\">"),
        ("", "<meta http-equiv=\"Content-Type\" content=\"text/html; charset= Windows-1258\">"),
        ("<?xml version=\"1.0\" encoding=\"windows-1258\"?>", ""),
        (scripts.as_str(), "<meta charset=\"windows-1258\">"),
    ] {
        let html = format!("<html><head>{before}{declared}</head><body>{article}</body></html>");
        let html = if before.starts_with("<?") { format!("{before}<html><body>{article}</body></html>") } else { html };
        let page = read(&windows_1258(&html), None, &zone()).unwrap_or_else(|e| panic!("{declared}: {e:?}"));
        assert_eq!(article_of(&page).title, TITLE, "{declared}");
    }
}

/// Letters with their tones apart, as that encoding has them.
fn windows_1258(text: &str) -> Vec<u8> {
    use unicode_normalization::UnicodeNormalization;
    let is_tone = |c: &char| matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}');
    let apart = text.chars().flat_map(|c| {
        let parts: Vec<char> = std::iter::once(c).nfd().collect();
        let letter: String = parts.iter().copied().filter(|c| !is_tone(c)).nfc().collect();
        letter.chars().chain(parts.into_iter().filter(is_tone)).collect::<Vec<_>>()
    });
    let byte = |c: char| match c {
        'ă' => 0xe3,
        'Ă' => 0xc3,
        'đ' => 0xf0,
        'Đ' => 0xd0,
        'ơ' => 0xf5,
        'Ơ' => 0xd5,
        'ư' => 0xfd,
        'Ư' => 0xdd,
        '\u{300}' => 0xcc,
        '\u{301}' => 0xec,
        '\u{303}' => 0xde,
        '\u{309}' => 0xd2,
        '\u{323}' => 0xf2,
        c => u8::try_from(u32::from(c)).unwrap(),
    };
    apart.map(byte).collect()
}
