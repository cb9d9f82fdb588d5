//! Days and months are those of `site.zone`, in pages, in archives, and for areas that end, wherever the site is.

use crate::house::House;
use jiff::Timestamp;
use loa_domain::{Article, Event};
use loa_testkit::build::{article, published};
use std::time::Duration;

fn at(id: &str, instant: &str) -> Event {
    let published_at: Timestamp = instant.parse().unwrap();
    published(Article { published_at, modified_at: published_at, ..article(id, 1) })
}

#[tokio::test]
async fn an_entry_stands_in_the_month_of_the_day_that_pages_give_it_whatever_the_zone() {
    // 00:30 on 1 July in Vietnam, 13:30 on 30 June in New York; 22:00 on 30 June, 05:00 on 1 July on Kiritimati
    for (zone, instant, date, month, no_month) in [
        ("Asia/Ho_Chi_Minh", "2024-06-30T17:30:00Z", "01/07/2024 00:30", "2024-07", "2024-06"),
        ("America/New_York", "2024-06-30T17:30:00Z", "30/06/2024 13:30", "2024-06", "2024-07"),
        ("Asia/Ho_Chi_Minh", "2024-06-30T15:00:00Z", "30/06/2024 22:00", "2024-06", "2024-07"),
        ("Pacific/Kiritimati", "2024-06-30T15:00:00Z", "01/07/2024 05:00", "2024-07", "2024-06"),
    ] {
        let house = House::in_zone(zone, "2024-08-01T00:00:00Z").await;
        house.take(&[at("a", instant)]).await;
        let page = house.get("/feeds/all").await.text();
        assert!(page.contains(date), "{zone}: {date} in {page}");
        let archive = house.get(&format!("/feeds/all/{month}")).await;
        assert_eq!(archive.status, 200, "{zone} {month}");
        assert!(archive.text().contains(date), "{zone}");
        for form in [".rss", ".atom", ".json"] {
            assert_eq!(house.get(&format!("/feeds/all/{month}{form}")).await.ids(), ["a"], "{zone} {month}{form}");
        }
        assert_eq!(house.get(&format!("/feeds/all/{no_month}")).await.status, 404, "{zone} {no_month}");
    }
}

#[tokio::test]
async fn an_area_ends_at_midnight_of_the_site() {
    for (zone, last_minute) in
        [("Asia/Ho_Chi_Minh", "2025-06-30T16:59:30Z"), ("America/New_York", "2025-07-01T03:59:30Z")]
    {
        let house = House::in_zone(zone, last_minute).await;
        assert_eq!(house.get("/feeds/area-na-son.rss").await.status, 200, "{zone}");
        house.clock.advance(Duration::from_secs(31));
        assert_eq!(house.get("/feeds/area-na-son.rss").await.status, 301, "{zone}");
    }
}
