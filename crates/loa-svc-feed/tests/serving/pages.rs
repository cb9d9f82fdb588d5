//! What people see in a browser.

use crate::{house::House, order::document};
use loa_domain::Article;
use loa_testkit::build::{article, published, withdrawn};
use std::collections::BTreeSet;

#[tokio::test]
async fn pages_announce_their_feeds_with_the_exact_types_readers_compare() {
    let house = House::new().await;
    let page = house.get("/feeds/area-pu-nhi").await.text();
    for (media_type, extension) in
        [("application/rss+xml", "rss"), ("application/atom+xml", "atom"), ("application/feed+json", "json")]
    {
        let link = format!("<link rel=\"alternate\" type=\"{media_type}\" title=\"");
        let href = format!("href=\"https://loa.example.vn/feeds/area-pu-nhi.{extension}\"");
        assert!(page.lines().any(|line| line.starts_with(&link) && line.contains(&href)), "{media_type}: {page}");
    }
    assert!(page.contains("<html lang=\"vi\">") && page.contains("Tin về xã Pu Nhi"));
    assert!(house.get("/feeds").await.text().contains("type=\"application/rss+xml\" title=\"Tất cả tin bài (RSS)\""));
}

#[tokio::test]
async fn the_list_of_feeds_names_areas_and_categories_as_people_do() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    let page = house.get("/feeds").await.text();
    for expected in [
        "Nguồn tin",
        "Tất cả tin bài",
        "Văn bản",
        "Giáo dục",
        "Tin tức",
        "Xã Na Son (đến 30/06/2025)",
        "2 địa bàn chưa có tin",
        "Xã Pu Nhi",
        "Bản tin a",
        "href=\"/feeds/category-tin-tuc\"",
        "https://loa.example.vn/feeds.opml",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    let opml = house.get("/feeds.opml").await;
    assert_eq!(opml.header("content-type"), "text/x-opml; charset=utf-8");
    for name in ["all", "documents", "category-giao-duc", "category-tin-tuc", "area-na-son"] {
        assert!(opml.text().contains(&format!("xmlUrl=\"https://loa.example.vn/feeds/{name}.rss\"")), "{name}");
    }
    assert!(!opml.text().contains("area-pu-nhi"), "an empty area is not worth a subscription");
}

#[tokio::test]
async fn the_list_of_feeds_follows_what_is_published() {
    let house = House::new().await;
    assert!(house.get("/feeds").await.text().contains("Chưa có tin nào."));
    house.take(&[published(article("a", 1))]).await;
    assert!(house.get("/feeds").await.text().contains("Bản tin a"));
    assert!(house.get("/feeds.opml").await.text().contains("category-tin-tuc"));
}

#[tokio::test]
async fn a_category_keeps_its_name_when_its_last_article_is_withdrawn() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    house.take(&[withdrawn("a", 2)]).await;
    for path in ["/feeds", "/feeds.opml", "/feeds/category-tin-tuc", "/feeds/category-tin-tuc.atom"] {
        let text = house.get(path).await.text();
        assert!(text.contains("Tin tức") && !text.contains(">tin-tuc<"), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_feeds_page_has_the_items_of_its_documents_and_a_document_its_number_issuer_and_kind() {
    let house = House::new().await;
    house.take(&[published(article("a", 1)), published(article("b", 1)), document("vb", 1), withdrawn("b", 2)]).await;
    for feed in ["all", "documents", "category-tin-tuc", "area-pu-nhi", "area-pu-nhi+documents"] {
        let page = house.get(&format!("/feeds/{feed}")).await.text();
        let json: serde_json::Value =
            serde_json::from_slice(&house.get(&format!("/feeds/{feed}.json")).await.body).unwrap();
        let listed = |item: &serde_json::Value| {
            format!("<a href=\"{}\">{}</a></h3>", item["url"].as_str().unwrap(), item["title"].as_str().unwrap())
        };
        let expected: Vec<String> = json["items"].as_array().unwrap().iter().map(listed).collect();
        let found: Vec<String> =
            page.split("<h3>").skip(1).map(|rest| format!("{}</h3>", rest.split("</h3>").next().unwrap())).collect();
        assert_eq!(found, expected, "{feed}, in their order");
        let facts = [
            "<dt>Số/Ký hiệu</dt><dd>1/KL-UBND</dd>",
            "<dt>Loại văn bản</dt><dd>Kết luận</dd>",
            "<dt>Cơ quan ban hành</dt><dd>UBND</dd>",
        ];
        let has_it = feed != "category-tin-tuc";
        assert!(facts.iter().all(|fact| page.contains(fact) == has_it), "{feed}: {page}");
    }
}

#[tokio::test]
async fn every_page_has_a_title_of_its_own_and_steps_no_heading_over() {
    let house = House::new().await;
    house.take(&[published(article("a", 1)), published(article("b", 1)), withdrawn("b", 2)]).await;
    let mut titles = BTreeSet::new();
    for path in [
        "/feeds",
        "/feeds?q=na+son",
        "/feeds?q=nothing",
        "/feeds?pick=documents",
        "/feeds/all",
        "/feeds/documents",
        "/feeds/category-tin-tuc",
        "/feeds/category-tin-tuc/2023-11",
        "/feeds/area-pu-nhi",
        "/feeds/area-pu-nhi+documents",
        "/feeds/x",
        "/a/b",
        "/a/c",
    ] {
        // words that were searched for stand in the title where a page of ours asked
        let own_page = [("sec-fetch-site", "same-origin")];
        let page = house.ask(axum::http::Method::GET, path, &own_page).await.text();
        let title = page.split("<title>").nth(1).unwrap().split("</title>").next().unwrap().to_owned();
        assert!(titles.insert(title.clone()), "{path}: {title} was there before");
        let levels: Vec<u32> =
            page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)).collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{path}: one h1 of {levels:?}");
        assert!(
            levels.first() == Some(&1) && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
            "{path}: {levels:?}"
        );
    }
}

#[tokio::test]
async fn pages_that_are_made_for_one_request_are_packed_and_an_error_is_no_matter_of_conditions() {
    let house = House::new().await;
    house.take(&[published(article("b", 1)), withdrawn("b", 2)]).await;
    for (path, status) in [("/feeds?q=na+son", 200), ("/feeds/x", 404), ("/a/b", 410), ("/a/c", 404)] {
        let headers = [("accept-encoding", "gzip"), ("if-none-match", "*")];
        let answer = house.ask(axum::http::Method::GET, path, &headers).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (status, "gzip"), "{path}");
        assert_eq!(answer.header("vary"), "Accept-Encoding", "{path}");
        assert!(answer.body.len() < house.get(path).await.body.len() / 2, "{path}");
    }
}

#[tokio::test]
async fn what_looks_like_markup_in_a_title_or_an_address_is_shown_not_obeyed() {
    let house = House::new().await;
    let title = "<script>alert(1)</script> & \"Tin\"";
    house.take(&[published(Article { title: title.into(), ..article("a", 1) })]).await;
    for path in ["/feeds/all", "/feeds"] {
        let page = house.get(path).await.text();
        assert_eq!(page.matches("<script").count(), 1, "none but ours: {path}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Tin&quot;"), "{path}");
    }
    let page = house.get("/feeds/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert_eq!(page.status, 404);
    assert!(!page.text().contains("<script"));
}

#[tokio::test]
async fn what_a_link_says_is_shown_to_nobody_and_its_answer_is_kept_by_nobody() {
    const ADVERT: &str = "goi-0900-nhan-qua";
    let house = House::new().await;
    house.take(&[published(article("b", 1)), withdrawn("b", 2)]).await;
    for path in [
        format!("/feeds/{ADVERT}"),
        format!("/feeds/{ADVERT}.rss"),
        format!("/feeds/all/{ADVERT}"),
        format!("/feeds/{ADVERT}%2f..%2fall"),
        format!("/feeds/category-{ADVERT}"),
        format!("/feeds?q={ADVERT}"),
        format!("/a/{ADVERT}"),
        "/a/b".to_owned(),
    ] {
        let answer = house.get(&path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(!answer.text().contains(ADVERT), "{path}");
    }
    for (site, is_shown) in [("same-origin", true), ("cross-site", false), ("none", false)] {
        let path = format!("/feeds?q={ADVERT}");
        let answer = house.ask(axum::http::Method::GET, &path, &[("sec-fetch-site", site)]).await;
        assert_eq!(answer.text().contains(ADVERT), is_shown, "{site}");
    }
}
