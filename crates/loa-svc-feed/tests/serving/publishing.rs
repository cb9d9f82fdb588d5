//! From event to feed: what appears, what stays, what goes, whatever the order.

use crate::house::{FORMATS, House};
use loa_domain::{Article, Event};
use loa_testkit::build::{article, published, withdrawn};
use std::time::Duration;

const FEEDS: [&str; 4] = ["all", "category-tin-tuc", "area-na-son", "area-na-son-moi"];

/// Publishes with the reach the directory gives: the area and its successor.
fn live(article: Article) -> Event {
    let mut event = published(article);
    event.reach = ["na-son", "na-son-moi"].map(|id| loa_domain::AreaId::new(id).unwrap()).to_vec();
    event
}

#[tokio::test]
async fn a_published_article_is_in_every_feed_it_belongs_to_in_every_format() {
    let house = House::new().await;
    house.take(&[live(article("a", 1))]).await;
    for feed in FEEDS {
        for format in FORMATS {
            let answer = house.get(&format!("/feeds/{feed}.{format}")).await;
            assert_eq!(answer.status, 200, "{feed}.{format}");
            let found = answer.feed();
            assert_eq!(found.entries.len(), 1, "{feed}.{format}");
            assert_eq!(found.entries[0].id, "tag:loa.example.vn,2026-01-01:entry/a");
            assert_eq!(found.entries[0].title.as_ref().unwrap().content, "Bản tin a");
        }
        assert!(house.get(&format!("/feeds/{feed}")).await.text().contains("Bản tin a"), "{feed} as page");
    }
    assert!(house.get("/feeds/documents.rss").await.feed().entries.is_empty());
    assert!(house.get("/feeds/area-pu-nhi.rss").await.feed().entries.is_empty());
}

#[tokio::test]
async fn an_update_replaces_its_entry_in_feeds_that_are_at_hand() {
    let house = House::new().await;
    house.take(&[live(article("a", 1))]).await;
    let before = house.get("/feeds/all.atom").await;
    house.take(&[live(article("a", 2))]).await;
    let after = house.get("/feeds/all.atom").await;
    let (old, new) = (&before.feed().entries[0], &after.feed().entries[0]);
    assert_eq!(new.id, old.id);
    assert_eq!(new.published, old.published);
    assert!(new.updated > old.updated);
    assert_eq!(new.title.as_ref().unwrap().content, "Bản tin a (sửa lần 1)");
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn an_article_that_moves_leaves_the_feeds_it_no_longer_belongs_to() {
    let house = House::new().await;
    house.take(&[live(article("a", 1))]).await;
    assert_eq!(house.get("/feeds/area-na-son.json").await.ids(), ["a"]);
    let moved = Article { areas: vec![loa_domain::AreaId::new("pu-nhi").unwrap()], ..article("a", 2) };
    house.take(&[published(moved)]).await;
    assert!(house.get("/feeds/area-na-son.json").await.ids().is_empty());
    assert_eq!(house.get("/feeds/area-pu-nhi.json").await.ids(), ["a"]);
}

#[tokio::test]
async fn a_withdrawn_article_leaves_every_feed_with_a_tombstone_and_is_gone() {
    let house = House::new().await;
    house.take(&[live(article("a", 1)), live(article("b", 1))]).await;
    for feed in FEEDS {
        assert_eq!(house.get(&format!("/feeds/{feed}.rss")).await.ids().len(), 2);
    }
    let found = house.get("/a/a").await;
    assert_eq!(found.status, 302);
    assert_eq!(found.header("location"), "https://dienbiendong.example/bai-viet/a");

    house.take(&[withdrawn("a", 2)]).await;
    for feed in FEEDS {
        for format in FORMATS {
            assert_eq!(house.get(&format!("/feeds/{feed}.{format}")).await.ids(), ["b"], "{feed}.{format}");
        }
        let atom = house.get(&format!("/feeds/{feed}.atom")).await.text();
        let stone = atom.find("<at:deleted-entry ref=\"tag:loa.example.vn,2026-01-01:entry/a\"").expect("a tombstone");
        assert!(stone < atom.find("<entry").unwrap(), "before the first entry");
        assert!(!house.get(&format!("/feeds/{feed}")).await.text().contains("Bản tin a"), "{feed} as page");
    }
    let gone = house.get("/a/a").await;
    assert_eq!(gone.status, 410);
    assert!(gone.text().contains("Tin này đã được gỡ") && gone.text().contains("Đăng nhầm"));
    assert_eq!(house.get("/a/nobody").await.status, 404);
}

#[tokio::test]
async fn published_again_after_a_withdrawal_it_stands_without_a_tombstone() {
    let house = House::new().await;
    house.take(&[live(article("a", 1)), withdrawn("a", 2), live(article("a", 3))]).await;
    let atom = house.get("/feeds/all.atom").await;
    assert_eq!(atom.ids(), ["a"]);
    assert!(!atom.text().contains("deleted-entry"));
    assert_eq!(house.get("/a/a").await.status, 302);
}

#[tokio::test]
async fn any_order_and_repetition_of_the_same_events_gives_the_same_bytes() {
    let moved = Article { areas: vec![loa_domain::AreaId::new("pu-nhi").unwrap()], ..article("a", 2) };
    let events =
        [live(article("a", 1)), published(moved), withdrawn("a", 3), live(article("b", 1)), live(article("b", 2))];
    let mut expected: Option<Vec<(String, Vec<u8>)>> = None;
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 0, 3, 2], [3, 2, 1, 0, 4]] {
        let house = House::new().await;
        house.get("/feeds/all.rss").await; // cached from the beginning: written anew at each step
        for at in order {
            house.take(&[events[at].clone()]).await;
            house.take(&[events[order[0]].clone()]).await;
        }
        let mut found = Vec::new();
        for feed in FEEDS.into_iter().chain(["area-pu-nhi"]) {
            for form in ["", ".rss", ".atom", ".json"] {
                let answer = house.get(&format!("/feeds/{feed}{form}")).await;
                found.push((answer.header("etag").to_owned(), answer.body));
            }
        }
        for path in ["/feeds", "/feeds.opml"] {
            let answer = house.get(path).await;
            found.push((answer.header("etag").to_owned(), answer.body));
        }
        let once_there = house.get("/feeds/area-pu-nhi.atom").await.text();
        assert!(once_there.contains("deleted-entry"), "order {order:?}: it stood there once");
        match &expected {
            None => expected = Some(found),
            Some(expected) => assert!(*expected == found, "order {order:?}"),
        }
    }
}

#[tokio::test]
async fn after_a_restart_readers_get_the_same_bytes_and_validators() {
    let mut house = House::new().await;
    house.take(&[live(article("a", 1)), live(article("b", 1)), withdrawn("b", 2)]).await;
    let paths = [
        "/feeds/all.rss",
        "/feeds/all.atom",
        "/feeds/all.json",
        "/feeds/all",
        "/feeds/area-na-son.rss",
        "/feeds/area-pu-nhi.rss",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(house.get(path).await);
    }
    house.clock.advance(Duration::from_secs(86_400));
    house = house.restarted().await;
    for (path, before) in paths.iter().zip(&before) {
        let after = house.get(path).await;
        assert!(after.body == before.body, "{path}");
        for name in ["etag", "last-modified"] {
            assert_eq!(after.header(name), before.header(name), "{path} {name}");
            assert!(!after.header(name).is_empty());
        }
        house.step().await.unwrap();
    }
}

#[tokio::test]
async fn last_modified_steps_with_every_version_and_never_goes_back() {
    let house = House::new().await;
    let mut last = String::new();
    let mut at: Option<jiff::Timestamp> = None;
    for revision in 1..=4 {
        house.take(&[live(article("a", revision))]).await;
        let answer = house.get("/feeds/all.rss").await;
        let modified = loa_http::parse_http_date(answer.header("last-modified")).unwrap();
        assert!(at.is_none_or(|earlier| modified > earlier), "{last} then {}", answer.header("last-modified"));
        (last, at) = (answer.header("last-modified").to_owned(), Some(modified));
        if revision == 2 {
            house.clock.set("2020-01-01T00:00:00Z".parse().unwrap());
            house.clock.advance(Duration::from_secs(4 * 365 * 86_400));
        }
    }
    house.step().await.unwrap();
    assert_eq!(house.get("/feeds/all.rss").await.header("last-modified"), last, "no change, no step");
}

#[tokio::test]
async fn an_entry_dated_in_the_future_appears_at_its_time() {
    let house = House::new().await;
    let at: jiff::Timestamp = "2024-06-01T08:00:00Z".parse().unwrap();
    let later = Article { published_at: at, modified_at: at, ..article("mai", 1) };
    house.take(&[live(article("a", 1)), live(later)]).await;
    assert_eq!(house.get("/feeds/all.rss").await.ids(), ["a"]);
    house.clock.set(at);
    house.step().await.unwrap();
    assert_eq!(house.get("/feeds/all.rss").await.ids(), ["mai", "a"]);
}

#[tokio::test]
async fn a_change_dated_in_the_future_dates_nothing_until_its_time() {
    let house = House::new().await;
    let at: jiff::Timestamp = "2099-06-01T08:00:00Z".parse().unwrap();
    house.take(&[live(article("a", 1)), live(Article { modified_at: at, ..article("b", 1) })]).await;
    let mut gone = withdrawn("c", 2);
    if let loa_domain::Change::Withdrawn(withdrawal) = &mut gone.change {
        withdrawal.at = at;
    }
    house.take(&[gone]).await;
    for feed in FEEDS.into_iter().chain(["area-na-son-moi+area-pu-nhi"]) {
        for format in FORMATS {
            let text = house.get(&format!("/feeds/{feed}.{format}")).await.text();
            assert!(text.contains("Bản tin b") && !text.contains("2099"), "{feed}.{format}: {text}");
        }
        assert!(!house.get(&format!("/feeds/{feed}")).await.text().contains("2099"), "{feed} as page");
    }
    assert!(!house.get("/feeds/all/2023-11.atom").await.text().contains("2099"));
    assert!(!house.get("/feeds").await.text().contains("2099"));
    house.clock.set(at);
    house.step().await.unwrap();
    assert!(house.get("/feeds/all.atom").await.text().contains("2099-06-01"), "its time has come");
}

#[tokio::test]
async fn the_address_of_an_article_leads_to_its_own_portal_only() {
    let house = House::new().await;
    for (id, url, status) in [
        ("own", "https://dienbiendong.example/1", 302),
        ("www", "https://www.dienbiendong.example/1", 302),
        ("below", "http://tin.dienbiendong.example:8080/1", 302),
        ("moved", "https://cong.dienbiendong-moi.example/1", 302),
        ("other", "https://evil.example/1?<script>", 200),
        ("alike", "https://evildienbiendong.example/1", 200),
        ("reversed", "https://dienbiendong.example.evil.example/1", 200),
        ("disguised", "https://dienbiendong.example@evil.example/1", 200),
        ("named", "https://user@dienbiendong.example/1", 200),
    ] {
        house.take(&[live(Article { url: url.parse().unwrap(), ..article(id, 1) })]).await;
        let answer = house.get(&format!("/a/{id}")).await;
        assert_eq!(answer.status, status, "{url}");
        if status == 200 {
            let page = answer.text();
            assert!(
                page.contains("Tin này ở một trang khác") && page.contains("evil") | page.contains("user"),
                "{page}"
            );
            assert!(!page.contains("href=\"https://") && !page.contains("<script>"), "{page}");
        }
    }
}

#[tokio::test]
async fn a_feed_written_at_its_first_request_follows_every_later_change() {
    let house = House::new().await;
    assert!(house.get("/feeds/category-tin-tuc.rss").await.status == 404, "nothing of it was ever heard");
    house.take(&[live(article("a", 1))]).await;
    assert_eq!(house.get("/feeds/category-tin-tuc.rss").await.ids(), ["a"]);
    for (n, id) in ["b", "c", "d"].into_iter().enumerate() {
        house.take(&[live(article(id, 1))]).await;
        assert_eq!(house.get("/feeds/category-tin-tuc.rss").await.ids().len(), n + 2);
    }
}
