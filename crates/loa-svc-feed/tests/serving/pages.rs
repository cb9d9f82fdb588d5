//! What people see in a browser.

use crate::house::House;
use loa_domain::Article;
use loa_testkit::build::{article, published, withdrawn};

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
async fn what_looks_like_markup_in_a_title_or_an_address_is_shown_not_obeyed() {
    let house = House::new().await;
    let title = "<script>alert(1)</script> & \"Tin\"";
    house.take(&[published(Article { title: title.into(), ..article("a", 1) })]).await;
    for path in ["/feeds/all", "/feeds"] {
        let page = house.get(path).await.text();
        assert!(!page.replace("<script>for (const field", "").contains("<script"), "none but ours: {path}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Tin&quot;"), "{path}");
    }
    let page = house.get("/feeds/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert_eq!(page.status, 404);
    assert!(!page.text().contains("<script"));
}
