//! Behaviours of a good feed publisher that no other file here tests. The whole list:
//! `docs/feed-behaviours.md`.

use crate::house::{FORMATS, House};
use axum::http::Method;
use loa_domain::{Article, Category, CategorySlug};
use loa_testkit::build::{article, published, withdrawn};
use std::time::Duration;

async fn tell(house: &House, path: &str) -> (String, String, String) {
    let answer = house.get(path).await;
    let first = answer.feed().entries.into_iter().next().unwrap();
    (first.id, first.published.unwrap().to_rfc3339(), first.updated.map(|at| at.to_rfc3339()).unwrap_or_default())
}

#[tokio::test]
async fn the_id_of_an_entry_outlives_its_category_its_areas_and_its_withdrawal() {
    let house = House::new().await;
    let category = Category { slug: CategorySlug::new("y-te").unwrap(), label: "Y tế".into() };
    let moved = Article {
        category,
        areas: vec!["pu-nhi".parse().unwrap()],
        url: "https://ten-mien-moi.vn/khac".parse().unwrap(),
        ..article("a", 2)
    };
    for event in [published(article("a", 1)), published(moved), withdrawn("a", 3), published(article("a", 4))] {
        let gone = event.content().is_none();
        house.take(&[event]).await;
        for format in FORMATS {
            let answer = house.get(&format!("/feeds/all.{format}")).await;
            assert!(gone || answer.feed().entries[0].id == "tag:loa.example.vn,2026-01-01:entry/a");
            assert!(
                format == "rss" || answer.text().contains("tag:loa.example.vn,2026-01-01:entry/a"),
                "as a tombstone too"
            );
        }
    }
}

#[tokio::test]
async fn a_small_edit_changes_the_bytes_and_the_tag_and_no_date_of_the_entry() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    for format in FORMATS {
        let path = format!("/feeds/all.{format}");
        let (told, etag) = (tell(&house, &path).await, house.get(&path).await.header("etag").to_owned());
        let revision = 2 + FORMATS.iter().position(|one| *one == format).unwrap() as u64;
        let small = Article {
            revision,
            content_html: format!("<p>Sửa lỗi chính tả, bản {revision}.</p>"),
            modified_at: article("a", 1).modified_at,
            ..article("a", 1)
        };
        house.service.accept(&[published(small)]).await.unwrap();
        house.step().await.unwrap();
        assert_eq!(tell(&house, &path).await, told, "{format}");
        assert_ne!(house.get(&path).await.header("etag"), etag, "{format}");
    }
}

#[tokio::test]
async fn what_is_withdrawn_from_behind_the_window_has_its_tombstone() {
    let house = House::new().await;
    let old = Article { published_at: "2020-01-01T00:00:00Z".parse().unwrap(), ..article("cu", 1) };
    let news: Vec<_> = (0..50).map(|n| published(article(&format!("b{n}"), 1))).chain([published(old)]).collect();
    house.service.accept(&news).await.unwrap();
    house.step().await.unwrap();
    let before = house.get("/feeds/all.atom").await;
    assert!(!before.ids().contains(&"cu".to_owned()), "it had left the window");
    house.take(&[withdrawn("cu", 2)]).await;
    let after = house.get("/feeds/all.atom").await;
    assert!(after.text().contains("<at:deleted-entry ref=\"tag:loa.example.vn,2026-01-01:entry/cu\""));
    assert_ne!(after.header("last-modified"), before.header("last-modified"));
    assert_eq!(house.get("/a/cu").await.status, 410);
}

#[tokio::test]
async fn last_modified_survives_a_clock_set_back_and_a_restart() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    let date = async |house: &House| {
        loa_http::parse_http_date(house.get("/feeds/all.rss").await.header("last-modified")).unwrap()
    };
    let first = date(&house).await;
    assert!(first <= house.clock.now(), "never of the future");
    let house = house.restarted().await;
    house.clock.set("2024-05-01T00:00:00Z".parse().unwrap());
    assert_eq!(date(&house).await, first, "the same version, the same date");
    house.take(&[withdrawn("a", 2)]).await;
    assert!(date(&house).await > first, "a later version, a later date, whatever the clock says");
}

#[tokio::test]
async fn accept_and_unknown_queries_make_no_other_document() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    for format in FORMATS {
        let path = format!("/feeds/all.{format}");
        let plain = house.get(&path).await;
        for accept in ["application/atom+xml", "text/html", "application/json;q=0.1", "*/*", "image/*"] {
            let asked = house.ask(Method::GET, &format!("{path}?utm_source=zalo"), &[("accept", accept)]).await;
            assert!(
                asked.body == plain.body && asked.header("content-type") == plain.header("content-type"),
                "{accept}"
            );
            assert_eq!(asked.header("etag"), plain.header("etag"));
        }
        assert!(!plain.header("vary").to_lowercase().split(',').any(|name| name.trim() == "accept"));
        assert_eq!(plain.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn all_feeds_of_an_entry_change_in_one_step() {
    let house = House::new().await;
    let paths = ["all", "category-tin-tuc", "area-na-son", "area-na-son+area-pu-nhi", "area-na-son+category-tin-tuc"];
    house.take(&[published(article("a", 1))]).await;
    for path in paths {
        assert_eq!(house.get(&format!("/feeds/{path}.atom")).await.ids(), ["a"], "{path}");
    }
    house.service.accept(&[published(article("b", 1)), withdrawn("a", 2)]).await.unwrap();
    for path in paths {
        assert_eq!(house.get(&format!("/feeds/{path}.atom")).await.ids(), ["a"], "{path}: nothing before the step");
    }
    house.step().await.unwrap();
    for path in paths {
        assert_eq!(house.get(&format!("/feeds/{path}.atom")).await.ids(), ["b"], "{path}");
    }
}

#[tokio::test]
async fn ttl_cache_control_and_update_hints_say_the_same() {
    let house = House::new().await;
    house.clock.advance(Duration::from_secs(1));
    let rss = house.get("/feeds/all.rss").await;
    let (text, kept) = (rss.text(), rss.header("cache-control").to_owned());
    assert!(kept.contains("max-age=900") && kept.contains("stale-if-error="), "{kept}");
    assert!(!kept.contains("no-store") && rss.header("expires").is_empty());
    for hint in
        ["<ttl>15</ttl>", "<sy:updatePeriod>hourly</sy:updatePeriod>", "<sy:updateFrequency>4</sy:updateFrequency>"]
    {
        assert!(text.contains(hint), "four times an hour is every 15 minutes: {text}");
    }
}
