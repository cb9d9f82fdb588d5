//! A restart without the ledger: readers get what they got before, until the ledger is back.

use crate::house::House;
use axum::http::Method;
use loa_testkit::build::{article, published, withdrawn};
use std::{path::Path, sync::atomic::Ordering};

const PATHS: [&str; 7] = [
    "/feeds/all.rss",
    "/feeds/all.atom",
    "/feeds/all.json",
    "/feeds/all",
    "/feeds/category-tin-tuc.rss",
    "/feeds",
    "/feeds.opml",
];

async fn house() -> House {
    let house = House::new().await;
    house.take(&[published(article("a", 1)), published(article("b", 1))]).await;
    house
}

async fn ids(house: &House, path: &str) -> Vec<String> {
    let answer = house.get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.ids()
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[tokio::test]
async fn after_a_restart_without_the_ledger_everything_reads_as_before() {
    let mut house = house().await;
    let mut before = Vec::new();
    for path in PATHS {
        before.push(house.get(path).await);
    }
    house.clock.advance(std::time::Duration::from_secs(86_400));
    house = house.restarted_without_ledger().await;
    let error = house.step().await.unwrap_err();
    assert!(error.to_string().contains("last good state (2 of them"), "what /readyz says: {error}");
    for (path, before) in PATHS.iter().zip(&before) {
        let after = house.get(path).await;
        assert_eq!(after.status, 200, "{path}");
        assert!(after.body == before.body, "{path}");
        for name in ["etag", "last-modified", "cache-control", "content-type"] {
            assert_eq!(after.header(name), before.header(name), "{path} {name}");
        }
        let known = house.ask(Method::GET, path, &[("if-none-match", before.header("etag"))]).await;
        assert_eq!(known.status, 304, "{path}");
        let packed = house.ask(Method::GET, path, &[("accept-encoding", "gzip")]).await;
        assert_eq!(packed.header("content-encoding"), "gzip");
    }
    assert_eq!(house.get("/feeds/area-pu-nhi.rss").await.status, 503, "nobody ever asked for it");
    house.door.shut.store(false, Ordering::SeqCst);
    house.step().await.unwrap();
    for (path, before) in PATHS.iter().zip(&before) {
        let after = house.get(path).await;
        assert!(after.body == before.body, "{path}: from the ledger again");
        assert_eq!(after.header("last-modified"), before.header("last-modified"), "{path}");
    }
    house.take(&[withdrawn("a", 2)]).await;
    assert_eq!(ids(&house, "/feeds/all.rss").await, ["b"]);
}

#[tokio::test]
async fn an_older_state_goes_as_soon_as_the_ledger_is_back_without_any_event() {
    let mut house = house().await;
    assert_eq!(ids(&house, "/feeds/all.rss").await.len(), 2);
    assert_eq!(ids(&house, "/feeds/area-na-son.rss").await.len(), 2);
    let old = tempfile::tempdir().unwrap();
    copied(&house.last_good_dir(), old.path());
    house.take(&[withdrawn("a", 2)]).await;
    copied(old.path(), &house.last_good_dir());
    house = house.restarted_without_ledger().await;
    house.step().await.unwrap_err();
    assert_eq!(ids(&house, "/feeds/all.rss").await.len(), 2, "the best there is");
    house.door.shut.store(false, Ordering::SeqCst);
    house.step().await.unwrap();
    assert_eq!(ids(&house, "/feeds/all.rss").await, ["b"]);
    assert_eq!(
        ids(&house, "/feeds/area-na-son.rss").await,
        ["b"],
        "nobody had asked for it: it is read from the ledger"
    );
}

#[tokio::test]
async fn what_was_withdrawn_while_nobody_read_a_feed_does_not_come_back() {
    let mut house = house().await;
    for path in ["/feeds/all.rss", "/feeds/area-na-son.rss"] {
        assert_eq!(ids(&house, path).await.len(), 2);
    }
    house = house.restarted().await;
    assert_eq!(ids(&house, "/feeds/all.rss").await.len(), 2);
    house.take(&[withdrawn("a", 2)]).await;
    house = house.restarted_without_ledger().await;
    house.step().await.unwrap_err();
    assert_eq!(ids(&house, "/feeds/all.rss").await, ["b"]);
    assert_eq!(house.get("/feeds/area-na-son.rss").await.status, 503, "better nothing than what is not true");

    house.door.shut.store(false, Ordering::SeqCst);
    assert_eq!(ids(&house, "/feeds/area-na-son.rss").await, ["b"]);
    house.service.accept(&[withdrawn("b", 2)]).await.unwrap(); // and no step before the end
    house = house.restarted().await;
    house.step().await.unwrap();
    house = house.restarted_without_ledger().await;
    house.step().await.unwrap_err();
    assert_eq!(house.get("/feeds/area-na-son.rss").await.status, 503, "found out at the next start");
}

#[tokio::test]
async fn a_torn_file_is_not_there_and_a_folder_that_cannot_be_written_stops_nothing() {
    let mut house = house().await;
    for path in ["/feeds/all.rss", "/feeds/area-na-son.rss"] {
        assert_eq!(ids(&house, path).await.len(), 2);
    }
    for entry in std::fs::read_dir(house.last_good_dir()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if String::from_utf8_lossy(&bytes).contains("\"name\":\"all\"") {
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
    house = house.restarted_without_ledger().await;
    house.step().await.unwrap_err();
    assert_eq!(house.get("/feeds/all.rss").await.status, 503);
    assert_eq!(ids(&house, "/feeds/area-na-son.rss").await.len(), 2);

    house.door.shut.store(false, Ordering::SeqCst);
    house.step().await.unwrap();
    std::fs::remove_dir_all(house.last_good_dir()).unwrap();
    std::fs::write(house.last_good_dir(), "a file where the folder was").unwrap();
    house = house.restarted().await;
    house.take(&[published(article("c", 1))]).await;
    assert_eq!(ids(&house, "/feeds/all.rss").await.len(), 3);
}
