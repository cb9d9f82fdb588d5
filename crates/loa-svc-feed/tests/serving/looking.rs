//! The search page: finding a feed by a name, and building a combination, without scripts.

use crate::house::House;
use base64::{Engine, prelude::BASE64_STANDARD};
use loa_testkit::build::{article, published};

const AFTER_THE_REFORM: &str = "2026-01-01T00:00:00Z";
const AREAS: &str = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
    na-son,03205,Na Son,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,2025-07-01,na-son-moi,\n\
    tia-dinh,03384,Tìa Dình,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,2025-07-01,na-son-moi,\n\
    na-son-moi,03203,Na Son,Xã,,Tỉnh Điện Biên,2025-07-01,,,\n\
    tan-lap-1,10001,Tân Lập,Xã,,Tỉnh Lào Cai,2025-07-01,,,\n\
    tan-lap-2,10002,Tân Lập,Xã,,Tỉnh Quảng Trị,2025-07-01,,,\n";

async fn house() -> House {
    let house = House::among(AREAS, AFTER_THE_REFORM).await;
    house.take(&[published(article("a", 1))]).await;
    house
}

#[tokio::test]
async fn a_name_of_today_or_of_former_times_with_or_without_accents_finds_the_feed_to_follow() {
    let house = house().await;
    for (typed, found) in [
        ("na son", "area-na-son-moi"),
        ("Xã Na Son", "area-na-son-moi"),
        ("Tìa Dình", "area-na-son-moi"),
        ("tia d", "area-na-son-moi"),
        ("03384", "area-na-son-moi"),
        ("giao duc", "category-giao-duc"),
        ("Giáo dục", "category-giao-duc"),
        ("văn bản", "documents"),
        ("tan lap quang tri", "area-tan-lap-2"),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        let page = house.get(&format!("/feeds?q={query}")).await.text();
        assert!(page.contains(&format!("href=\"/feeds/{found}\"")), "{typed}: {page}");
    }
    let page = house.get("/feeds?q=tia+dinh").await.text();
    assert!(page.contains("Xã Tìa Dình (đến 30/06/2025), Huyện Điện Biên Đông, Tỉnh Điện Biên"), "{page}");
    assert!(page.contains("Nay thuộc <a href=\"/feeds/area-na-son-moi\">Xã Na Son</a>."), "{page}");
    assert!(house.get("/feeds?q=khong+co").await.text().contains("Không tìm thấy nguồn tin nào."));
}

#[tokio::test]
async fn namesakes_are_told_apart_by_their_province() {
    let house = house().await;
    let page = house.get("/feeds/area-tan-lap-1").await.text();
    assert!(page.contains("Tin về xã Tân Lập, Tỉnh Lào Cai"), "{page}");
    assert!(house.get("/feeds/area-na-son-moi").await.text().contains("Tin về xã Na Son<"), "where there is none");
}

#[tokio::test]
async fn what_was_picked_leads_to_its_feed_and_too_little_or_too_much_is_said() {
    let house = house().await;
    let built = house.get("/feeds?q=&pick=category-giao-duc&pick=area-na-son&pick=area-tan-lap-1&build=1").await;
    assert_eq!(built.status, 303);
    assert_eq!(
        built.header("location"),
        "/feeds/area-na-son-moi+area-tan-lap-1+category-giao-duc",
        "with the successor of what is no more, at the one address"
    );
    assert_eq!(house.get("/feeds?pick=documents&build=1").await.header("location"), "/feeds/documents");
    let none = house.get("/feeds?build=1&pick=area-nowhere&pick=all").await;
    assert_eq!(none.status, 200);
    assert!(none.text().contains("Chưa chọn mục nào."));
    let slugs = (0..9).map(|n| {
        published(loa_domain::Article {
            category: loa_domain::Category { slug: format!("c{n}").parse().unwrap(), label: format!("C{n}") },
            ..article(&format!("c{n}"), 1)
        })
    });
    house.take(&slugs.collect::<Vec<_>>()).await;
    let nine: Vec<String> = (0..9).map(|n| format!("pick=category-c{n}")).collect();
    let many = house.get(&format!("/feeds?build=1&{}", nine.join("&"))).await.text();
    assert!(many.contains("Đã chọn quá nhiều.") && many.contains("value=\"category-c8\" checked"), "{many}");
}

#[tokio::test]
async fn what_was_picked_is_kept_while_looking_for_more() {
    let house = house().await;
    let page = house.get("/feeds?q=tan+lap&pick=area-na-son-moi").await.text();
    assert!(page.contains("<input type=\"hidden\" name=\"pick\" value=\"area-na-son-moi\">"), "{page}");
    assert!(page.contains("value=\"area-na-son-moi\" checked"), "{page}");
    assert!(page.contains("/feeds?pick=area-na-son-moi&amp;pick=area-tan-lap-2#tu-chon"), "{page}");
}

#[tokio::test]
async fn nonsense_and_markup_are_looked_for_as_text_and_cost_no_large_answer() {
    let house = house().await;
    let plain = house.get("/feeds").await;
    for query in [
        format!("q={}", "%3Cscript%3Ealert(1)%3C/script%3E".repeat(300)),
        format!("q={}", "x".repeat(10_000)),
        format!("q={}", "%00%ff%fe%e2%80%ae".repeat(500)),
        format!("pick={}", "area-".repeat(2_000)),
        "pick=area-na-son-moi%2B&pick=%22%3E%3Cscript%3E".to_owned(),
        "q[]=1&&&==;q".to_owned(),
    ] {
        let answer = house.get(&format!("/feeds?{query}")).await;
        assert_eq!(answer.status, 200, "{query:.80}");
        let page = answer.text();
        assert_eq!(page.matches("<script").count(), 1, "none but ours: {query:.80}");
        assert!(page.len() < plain.body.len() + 5_000, "{query:.80}: {}", page.len());
    }
    let unknown = house.get("/feeds?utm_source=zalo").await;
    assert_eq!(unknown.header("etag"), plain.header("etag"), "what was not asked makes no other page");
}

#[tokio::test]
async fn the_address_of_a_feed_is_in_a_labelled_field_and_the_one_script_is_the_one_allowed() {
    let house = house().await;
    let answer = house.get("/feeds/area-na-son-moi").await;
    let page = answer.text();
    assert!(page.contains("<label for=\"address\">"), "{page}");
    assert!(page.contains(
        "<input id=\"address\" type=\"text\" readonly value=\"https://loa.example.vn/feeds/area-na-son-moi.rss\" data-copy>"
    ));
    for reader in [
        "feed:https://loa.example.vn/feeds/",
        "https://feedly.com/i/subscription/feed%2Fhttps%3A%2F%2Floa.example.vn%2F",
        "https://www.inoreader.com/?add_feed=https%3A%2F%2Floa.example.vn%2F",
        "https://www.newsblur.com/?url=https%3A%2F%2Floa.example.vn%2F",
        "https://theoldreader.com/feeds/subscribe?url=https%3A%2F%2Floa.example.vn%2F",
    ] {
        assert!(page.contains(reader), "{reader}: {page}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let hash = BASE64_STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, script.as_bytes()));
    let policy = answer.header("content-security-policy");
    assert!(policy.contains(&format!("script-src 'sha256-{hash}';")), "{policy}; the script is sha256-{hash}");
}

#[tokio::test]
async fn xml_documents_name_a_style_for_people_who_open_them_in_a_browser() {
    let house = house().await;
    for path in ["/feeds/all.rss", "/feeds/all.atom", "/feeds.opml"] {
        let text = house.get(path).await.text();
        assert_eq!(text.lines().nth(1), Some("<?xml-stylesheet type=\"text/css\" href=\"/feeds.css\"?>"), "{path}");
    }
    let style = house.get("/feeds.css").await;
    assert_eq!((style.status.as_u16(), style.header("content-type")), (200, "text/css; charset=utf-8"));
}

#[tokio::test]
async fn a_browser_that_opens_a_feed_is_given_a_type_that_it_styles_and_a_reader_the_exact_one() {
    let house = house().await;
    for (path, exact) in [
        ("/feeds/all.rss", "application/rss+xml; charset=utf-8"),
        ("/feeds/all.atom", "application/atom+xml; charset=utf-8"),
        ("/feeds.opml", "text/x-opml; charset=utf-8"),
        ("/feeds/all.json", "application/feed+json"),
    ] {
        let asked = async |to: &str| house.ask(axum::http::Method::GET, path, &[("sec-fetch-dest", to)]).await;
        let (reader, script, browser) = (house.get(path).await, asked("empty").await, asked("document").await);
        assert_eq!((reader.header("content-type"), script.header("content-type")), (exact, exact));
        let styled = if exact.contains("json") { exact } else { "application/xml; charset=utf-8" };
        assert_eq!(browser.header("content-type"), styled, "{path}");
        assert_eq!(browser.header("etag"), reader.header("etag"), "the same document");
        assert!(browser.body == reader.body && browser.header("vary") == reader.header("vary"));
        assert_eq!(reader.header("vary").contains("Sec-Fetch-Dest"), !exact.contains("json"));
    }
}

#[tokio::test]
async fn a_country_of_areas_makes_no_larger_page_than_a_district() {
    let head = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n";
    let rows = (0..3_400).map(|n| format!("xa-{n},{n:05},Tân Lập {n},Xã,,Tỉnh Quảng Trị,2025-07-01,,,\n"));
    let house = House::among(&(head.to_owned() + &rows.collect::<String>()), AFTER_THE_REFORM).await;
    let events = (0..200).map(|n| {
        published(loa_domain::Article {
            areas: vec![format!("xa-{n}").parse().unwrap()],
            ..article(&format!("a{n}"), 1)
        })
    });
    house.service.accept(&events.collect::<Vec<_>>()).await.unwrap();
    house.step().await.unwrap();
    let page = house.get("/feeds").await;
    assert!(page.text().contains("Còn 140 địa bàn khác có tin"));
    assert!(page.body.len() < 120_000, "{} bytes", page.body.len());
    let found = house.get("/feeds?q=tan+lap").await;
    assert!(found.text().contains("Còn 3370 địa bàn khác phù hợp") && found.text().contains("3400 kết quả, trang 1"));
    let second = house.get("/feeds?q=tan+lap&page=2&pick=documents").await.text();
    assert!(second.contains("3400 kết quả, trang 2") && second.contains("Còn 3340 địa bàn khác"), "{second}");
    assert!(second.contains("/feeds?q=tan+lap&amp;pick=documents#ket-qua"), "back, with what was picked: {second}");
    assert!(second.contains("/feeds?q=tan+lap&amp;page=3&amp;pick=documents#ket-qua"), "and on: {second}");
    let rows = |page: &str| page.matches("Chọn để gộp<span").count();
    assert_eq!((rows(&found.text()), rows(&second)), (30, 30));
    let last = house.get("/feeds?q=tan+lap&page=1000000").await.text();
    assert!(last.contains("trang 20") && !last.contains("Trang sau"), "enough to read: {last}");
    assert!(found.body.len() < 120_000, "{} bytes", found.body.len());
}
