//! The feeds of areas that have ended.

use crate::house::{FORMATS, House};
use loa_domain::Article;
use loa_testkit::build::{article, published};
use std::time::Duration;

const DIVIDED: &str = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
    cu,00001,Cũ,Xã,Huyện X,Tỉnh Y,,2025-07-01,mot:part;hai:part-default,\n\
    chung,00002,Chung,Xã,Huyện X,Tỉnh Y,,2025-07-01,hai,\n\
    mot,00003,Một,Xã,,Tỉnh Y,2025-07-01,,,\n\
    hai,00004,Hai,Xã,,Tỉnh Y,2025-07-01,,,\n\
    bo,00005,Bỏ,Xã,Huyện X,Tỉnh Y,,2025-07-01,,\n";
const LAST_HOUR: &str = "2025-06-30T16:30:00Z"; // 23:30 in Vietnam

async fn house(at: &str) -> House {
    let house = House::among(DIVIDED, at).await;
    let mut event = published(Article { areas: vec!["cu".parse().unwrap()], ..article("a", 1) });
    event.reach = ["cu", "hai", "mot"].map(|id| id.parse().unwrap()).to_vec();
    house.take(&[event]).await;
    house
}

#[tokio::test]
async fn the_feed_of_a_former_area_leads_to_its_one_successor_in_every_form() {
    let house = house("2026-01-01T00:00:00Z").await;
    for form in ["", ".rss", ".atom", ".json"] {
        let answer = house.get(&format!("/feeds/area-chung{form}")).await;
        assert_eq!(answer.status, 301, "{form}");
        assert_eq!(answer.header("location"), format!("/feeds/area-hai{form}"));
        assert_eq!(answer.header("cache-control"), "public, max-age=86400");
    }
    let month = house.get("/feeds/area-chung/2023-11.atom").await;
    assert_eq!(
        (month.status.as_u16(), month.header("location")),
        (301, "/feeds/area-hai/2023-11.atom"),
        "its archives too"
    );
    for name in ["area-mot", "area-bo"] {
        assert_eq!(house.get(&format!("/feeds/{name}.rss")).await.status, 200, "in force, or nothing took its place");
    }
}

#[tokio::test]
async fn until_its_last_day_is_over_an_area_has_its_own_feed() {
    let house = house(LAST_HOUR).await;
    assert_eq!(house.get("/feeds/area-chung.rss").await.status, 200);
    house.clock.advance(Duration::from_secs(60 * 31));
    assert_eq!(house.get("/feeds/area-chung.rss").await.status, 301);
}

#[tokio::test]
async fn the_feed_of_a_divided_area_stays_valid_and_names_its_successors_first() {
    let house = house(LAST_HOUR).await;
    let before: Vec<_> = FORMATS.iter().map(|format| format!("/feeds/area-cu.{format}")).collect();
    for path in &before {
        assert_eq!(house.get(path).await.ids(), ["a"]);
    }
    let dated = house.get(&before[0]).await.header("last-modified").to_owned();
    house.clock.advance(Duration::from_secs(60 * 31));
    house.step().await.unwrap();
    let mut ids = Vec::new();
    for path in &before {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 200, "a reader that follows it must not break");
        assert_ne!(answer.header("last-modified"), dated);
        let feed = answer.feed();
        assert_eq!(feed.entries.len(), 2, "{path}");
        let first = &feed.entries[0];
        assert!(first.title.as_ref().unwrap().content.contains("Xã Cũ"), "{path}");
        let text = answer.text();
        for successor in ["/feeds/area-mot", "/feeds/area-hai", "/feeds/area-hai+area-mot"] {
            assert!(
                text.contains(&format!("https://loa.example.vn{successor}")),
                "{path} leads to {successor}: {text}"
            );
        }
        assert_eq!(
            first.published.unwrap().to_rfc3339(),
            "2025-06-30T17:00:00+00:00",
            "the day on which it was divided"
        );
        ids.push(first.id.clone());
    }
    assert!(ids.iter().all(|id| *id == "tag:loa.example.vn,2026-01-01:farewell/area-cu"), "{ids:?}");
    assert!(house.get("/feeds/area-cu.json").await.text().contains("\"expired\":true"));
    let page = house.get("/feeds/area-cu").await.text();
    for expected in
        ["đã được sắp xếp lại", "href=\"/feeds/area-mot\"", "href=\"/feeds/area-hai+area-mot\"", "Bản tin a"]
    {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let house = house.restarted().await;
    assert_eq!(house.get("/feeds/area-cu.atom").await.feed().entries[0].id, ids[0], "after a restart as well");
}

#[tokio::test]
async fn a_combination_goes_on_with_the_areas_that_took_the_place_of_its_own() {
    let house = house("2026-01-01T00:00:00Z").await;
    let leads = async |from: &str| house.get(&format!("/feeds/{from}.atom")).await.header("location").to_owned();
    assert_eq!(leads("area-chung+category-giao-duc").await, "/feeds/area-hai+category-giao-duc.atom");
    assert_eq!(leads("area-cu+documents").await, "/feeds/area-hai+area-mot+documents.atom");
    assert_eq!(leads("area-chung+area-hai").await, "/feeds/area-hai.atom");
    assert_eq!(house.get("/feeds/area-hai+area-mot.atom").await.ids(), ["a"], "with the news of former times");
    let lists = house.get("/feeds").await.text();
    assert!(!lists.contains("area-chung"), "nobody is sent to a feed that leads on");
}

#[tokio::test]
async fn the_page_of_an_area_says_whose_news_it_has() {
    let house = house("2026-01-01T00:00:00Z").await;
    let page = house.get("/feeds/area-hai").await.text();
    assert!(page.contains("xã Chung (đến 30/06/2025)") && page.contains("xã Cũ (đến 30/06/2025)"), "{page}");
}
