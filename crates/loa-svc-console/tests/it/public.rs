//! The front page.

use crate::House;
use axum::http::StatusCode;
use loa_domain::Article;
use loa_testkit::build::{article, published, withdrawn};
use std::time::Duration;

#[tokio::test]
async fn the_front_page_says_what_loa_is_and_shows_what_stands() {
    let house = House::new().await;
    let (status, headers, page) = house.get("/", "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("Chưa có tin nào") && page.contains("href=\"/subscribe\"") && page.contains("href=\"/feeds\"")
    );
    assert!(page.contains("Cổng &lt;Điện Biên Đông&gt;") && page.contains("lang=\"en\""), "{page}");
    let policy = headers["content-security-policy"].to_str().expect("ASCII");
    assert!(
        policy.contains("default-src 'none'") && !page.contains("<script") && !page.contains(" style="),
        "{policy}"
    );

    let mut first = article("bai-1", 1);
    first.title = "Giá <b>gạo</b> & ngô".into();
    house.stands(published(first)).await;
    house.stands(published(article("bai-2", 1))).await;
    house.stands(withdrawn("bai-2", 2)).await;
    let (_, _, page) = house.get("/", "").await;
    assert!(page.contains("Giá &lt;b&gt;gạo&lt;/b&gt; &amp; ngô") && page.contains("16/11/2023 01:02"), "{page}");
    assert!(page.contains("Tin tức (1)") && !page.contains("Bản tin bai-2"), "withdrawn means gone: {page}");
}

#[tokio::test]
async fn the_front_page_shows_nothing_before_its_time() {
    let house = House::new().await;
    let later = "2023-11-20T04:00:00Z".parse().expect("an instant");
    house.stands(published(Article { published_at: later, modified_at: later, ..article("bai-mai", 1) })).await;
    house.stands(published(article("bai-1", 1))).await;
    let (_, _, page) = house.get("/", "").await;
    assert!(page.contains("Bản tin bai-1") && !page.contains("bai-mai"), "{page}");
    house.clock.advance(Duration::from_secs(3_600));
    assert!(house.get("/", "").await.2.contains("bai-mai"), "its time has come");
}

#[tokio::test]
async fn the_style_sheet_is_our_own_and_may_be_kept() {
    let (status, headers, style) = House::new().await.get("/console/loa.css", "").await;
    assert_eq!((status, headers["content-type"].to_str().expect("ASCII")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(
        headers["cache-control"].to_str().expect("ASCII").contains("max-age") && style.contains("prefers-color-scheme")
    );
    assert!(!style.contains("url(") && !style.contains("@import"));
}
