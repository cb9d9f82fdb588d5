//! Combinations: feeds that readers put together.

use crate::house::{FORMATS, House};
use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use loa_domain::{Article, Category, CategorySlug};
use loa_testkit::build::{article, published, withdrawn};
use std::{sync::atomic::Ordering, time::Duration};

const BOTH: &str = "/feeds/area-na-son+area-pu-nhi";
const SCHOOLS: &str = "/feeds/area-na-son+area-pu-nhi+category-giao-duc";

fn about(id: &str, area: &str, slug: &str) -> loa_domain::Event {
    let category = Category { slug: CategorySlug::new(slug).unwrap(), label: format!("Mục {slug}") };
    published(Article { areas: vec![area.parse().unwrap()], category, ..article(id, 1) })
}

async fn house() -> House {
    let house = House::new().await;
    house
        .take(&[about("a", "na-son", "giao-duc"), about("b", "pu-nhi", "y-te"), about("c", "pu-nhi", "giao-duc")])
        .await;
    house.take(&[published(Article { areas: Vec::new(), ..article("d", 1) })]).await;
    house
}

#[tokio::test]
async fn a_combination_is_its_areas_together_within_its_categories_in_every_format_and_on_its_page() {
    let house = house().await;
    for format in FORMATS {
        assert_eq!(house.get(&format!("{BOTH}.{format}")).await.ids(), ["a", "b", "c"], "{format}");
        let schools = house.get(&format!("{SCHOOLS}.{format}")).await;
        assert_eq!(schools.ids(), ["a", "c"], "{format}");
        assert!(schools.text().contains(&format!("https://loa.example.vn{SCHOOLS}.{format}")), "it says its address");
    }
    assert_eq!(house.get(&format!("{BOTH}/2023-11.atom")).await.status, 404, "its parts have archives, it has none");
    assert!(!house.get(&format!("{BOTH}.atom")).await.text().contains("prev-archive"));
    let categories = house.get("/feeds/category-giao-duc+category-y-te.rss").await;
    assert_eq!(categories.ids(), ["a", "b", "c"]);
    let page = house.get(SCHOOLS).await.text();
    assert!(page.contains("Tin về xã Na Son (đến 30/06/2025) và xã Pu Nhi: Giáo dục"), "{page}");
    assert!(
        page.contains(">Giáo dục</a>"),
        "its parts, by the names that the settings give them, whatever an article says: {page}"
    );
    assert!(page.contains("Bản tin a") && page.contains("Bản tin c") && !page.contains("Bản tin b"));
    assert!(page.contains(&format!("href=\"https://loa.example.vn{SCHOOLS}.atom\"")), "{page}");
}

#[tokio::test]
async fn a_combination_follows_every_change_of_its_parts() {
    let house = house().await;
    let path = format!("{SCHOOLS}.atom");
    assert_eq!(house.get(&path).await.ids(), ["a", "c"]);
    house.take(&[about("e", "na-son", "giao-duc")]).await;
    assert_eq!(house.get(&path).await.ids(), ["a", "c", "e"]);
    house.take(&[withdrawn("c", 2)]).await;
    let after = house.get(&path).await;
    assert_eq!(after.ids(), ["a", "e"]);
    assert!(after.text().contains("<at:deleted-entry"), "withdrawn means gone, here too");
    let etag = after.header("etag").to_owned();
    house.take(&[about("f", "na-son", "y-te")]).await;
    let same = house.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!(same.status, 304, "what is not in it does not change it");
    let later = Article { published_at: "2024-06-01T01:00:00Z".parse().unwrap(), ..article("g", 1) };
    house.take(&[published(Article { areas: vec!["pu-nhi".parse().unwrap()], ..later })]).await;
    let both = format!("{BOTH}.rss");
    assert!(!house.get(&both).await.ids().contains(&"g".to_owned()), "dated in the future");
    house.clock.advance(Duration::from_secs(3600 * 2));
    assert_eq!(house.get(&both).await.ids()[0], "g", "it appears at its time, without a step");
}

#[tokio::test]
async fn a_combination_has_one_address_and_others_lead_there_in_the_same_form() {
    let house = house().await;
    for other in ["area-pu-nhi+area-na-son", "area-pu-nhi+area-na-son+area-pu-nhi", "area-na-son%20area-pu-nhi"] {
        for form in ["", ".rss", ".atom", ".json"] {
            for method in [Method::GET, Method::HEAD] {
                let answer = house.ask(method, &format!("/feeds/{other}{form}"), &[]).await;
                assert_eq!(answer.status, 301, "{other}{form}");
                assert_eq!(answer.header("location"), format!("{BOTH}{form}"), "{other}{form}");
            }
        }
    }
    assert_eq!(house.get("/feeds/area-pu-nhi+area-pu-nhi.rss").await.header("location"), "/feeds/area-pu-nhi.rss");
    assert_eq!(house.get("/feeds/area-na-son%2Barea-pu-nhi.rss").await.status, 200, "some programs encode it");
}

#[tokio::test]
async fn a_combination_of_what_there_is_not_is_missing_and_says_what_is_like_it() {
    let house = house().await;
    let nine: Vec<String> = (0..9).map(|n| format!("category-c{n}")).collect();
    for name in
        ["area-na-son+area-nowhere", "all+area-na-son", "area-na-son+", "+", "area-na-son+area-pu-nh", &nine.join("+")]
    {
        for form in ["", ".rss"] {
            assert_eq!(house.get(&format!("/feeds/{name}{form}")).await.status, 404, "{name}");
        }
    }
    let page = house.get("/feeds/area-na-son+area-pu-nh").await.text();
    assert!(page.contains("/feeds/area-pu-nhi\""), "{page}");
}

#[tokio::test]
async fn looking_at_any_number_of_combinations_leaves_no_trace_in_the_ledger() {
    let house = house().await;
    house.get("/feeds/all.rss").await;
    let kept = house.door.waiting.load(Ordering::SeqCst);
    house.door.full.store(true, Ordering::SeqCst); // whoever writes now, fails
    let parts = ["area-na-son", "area-na-son-moi", "area-pu-nhi", "category-giao-duc", "category-y-te", "documents"];
    for chosen in 0_usize..64 {
        let name: Vec<&str> = (0..6).filter(|n| chosen >> n & 1 == 1).map(|n| parts[n]).collect();
        if name.len() > 1 {
            let answer = house.get(&format!("/feeds/{}.json", name.join("+"))).await;
            assert_eq!(answer.status, 200, "{name:?}");
        }
    }
    assert_eq!(house.door.waiting.load(Ordering::SeqCst), kept);
}

#[tokio::test]
async fn a_combination_answers_by_its_tag_which_a_restart_does_not_change() {
    let house = house().await;
    let path = format!("{BOTH}.rss");
    let first = house.get(&path).await;
    let etag = first.header("etag").to_owned();
    let house = house.restarted().await;
    let again = house.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!(again.status, 304);
    assert_eq!(house.get(&path).await.body, first.body);
}

/// The date that a combination is served under once the second of its last change is over.
async fn dated(house: &House, path: &str) -> Timestamp {
    assert_eq!(
        house.get(path).await.header("last-modified"),
        "",
        "another change within this second would have the same"
    );
    house.clock.advance(Duration::from_secs(10));
    let told = house.get(path).await.header("last-modified").to_owned();
    let at = jiff::fmt::rfc2822::parse(&told).unwrap_or_else(|error| panic!("{told:?}: {error}")).timestamp();
    for (date, status) in
        [(told.as_str(), 304), ("Tue, 01 Jan 2199 00:00:00 GMT", 304), ("Fri, 01 Jan 2016 00:00:00 GMT", 200)]
    {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(
                house.ask(method.clone(), path, &[("if-modified-since", date)]).await.status,
                status,
                "{method} {date}"
            );
        }
    }
    let other = [("if-none-match", "\"other\""), ("if-modified-since", &told)];
    assert_eq!(house.ask(Method::GET, path, &other).await.status, 200, "the tag wins");
    at
}

#[tokio::test]
async fn last_modified_of_a_combination_steps_with_every_version_and_nothing_else_moves_it() {
    // later than the clock that the ledger was made by
    let house = House::among(crate::house::AREAS, "2096-06-01T00:00:00Z").await;
    let path = "/feeds/area-na-son-moi+area-pu-nhi+category-giao-duc.atom".to_owned();
    house.take(&[about("a", "na-son-moi", "giao-duc"), about("b", "pu-nhi", "y-te")]).await;
    let first = dated(&house, &path).await;
    house.take(&[published(Article { areas: Vec::new(), ..article("x", 1) })]).await;
    let same = house.get(&path).await.header("last-modified").to_owned();
    assert_eq!(jiff::fmt::rfc2822::parse(&same).unwrap().timestamp(), first, "what belongs to none of its parts");
    house.take(&[about("c", "pu-nhi", "giao-duc")]).await;
    let second = dated(&house, &path).await;
    house.take(&[withdrawn("c", 2)]).await;
    let third = dated(&house, &path).await;
    assert!(first < second && second < third, "a withdrawal does not take it back");
    let house = house.restarted().await;
    house.take(&[]).await;
    let after = house.get(&path).await.header("last-modified").to_owned();
    assert_eq!(jiff::fmt::rfc2822::parse(&after).unwrap().timestamp(), third, "nor does a restart");

    let later = Article { published_at: house.clock.now() + SignedDuration::from_hours(1), ..article("g", 1) };
    let category = Category { slug: CategorySlug::new("giao-duc").unwrap(), label: "Mục giao-duc".into() };
    house.take(&[published(Article { areas: vec!["pu-nhi".parse().unwrap()], category, ..later })]).await;
    let fourth = dated(&house, &path).await;
    house.clock.advance(Duration::from_secs(3600));
    assert_eq!(house.get(&path).await.ids()[0], "g");
    let fifth = house.get(&path).await.header("last-modified").to_owned();
    assert!(jiff::fmt::rfc2822::parse(&fifth).unwrap().timestamp() > fourth, "what appears at its time steps too");
}

#[tokio::test]
async fn while_the_ledger_is_away_a_combination_at_hand_is_served_on() {
    let house = house().await;
    let path = format!("{BOTH}.rss");
    let good = house.get(&path).await;
    house.take(&[about("e", "na-son", "giao-duc")]).await;
    house.door.shut.store(true, Ordering::SeqCst);
    let away = house.get(&path).await;
    assert_eq!((away.status, away.body), (good.status, good.body), "stale, and better than nothing");
    let other = house.get("/feeds/area-pu-nhi+documents.rss").await;
    assert_eq!(other.status, 503);
    assert_eq!(other.header("retry-after"), "30");
    house.door.shut.store(false, Ordering::SeqCst);
    assert_eq!(house.get(&path).await.ids().len(), 4);
}
