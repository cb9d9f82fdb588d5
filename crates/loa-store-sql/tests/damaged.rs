//! What an engine finds wrong with a ledger's file is the file's: said with its name and what to do, held, and over when the
//! file is whole again.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use loa_domain::{FeedName, TroubleKind};
use loa_store::{FeedArrival, FeedChanges, FeedViews, StoreError, StoreErrorKind};
use loa_store_conformance::build::{Draft, at};
use loa_store_sql::FeedStore;
use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const PAGE: usize = 4096;

async fn ledger(articles: u64) -> (tempfile::TempDir, PathBuf, FeedStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.db");
    let store = FeedStore::open(&path).await.unwrap();
    take_in(&store, 0..articles).await.unwrap();
    (folder, path, store)
}

async fn take_in(store: &FeedStore, numbers: std::ops::Range<u64>) -> Result<(), StoreError> {
    let arrivals: Vec<_> = numbers
        .map(|n| FeedArrival { event: Draft::of(&format!("bai-{n:04}")).live(), feeds: vec![FeedName::All] })
        .collect();
    store.accept(&arrivals, at(1)).await.map(drop)
}

/// Overwrites the pages that hold articles; returns what they held.
async fn overwrite(path: &Path) -> Vec<(u64, Vec<u8>)> {
    poke(path, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let mut content = Vec::new();
    File::open(path).unwrap().read_to_end(&mut content).unwrap();
    let pages = content.chunks(PAGE).enumerate().skip(1);
    let kept: Vec<_> = pages
        .filter(|(_, page)| page.windows(5).any(|bytes| bytes == b"bai-0"))
        .map(|(number, page)| ((number * PAGE) as u64, page.to_vec()))
        .collect();
    assert!(kept.len() > 3);
    write(path, &kept.iter().map(|(at, _)| (*at, vec![0x5a; PAGE])).collect::<Vec<_>>());
    // by another process: whoever remembers pages reads them anew
    poke(path, "PRAGMA user_version = 7").await;
    kept
}

fn write(path: &Path, pages: &[(u64, Vec<u8>)]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    for (at, page) in pages {
        file.seek(SeekFrom::Start(*at)).unwrap();
        file.write_all(page).unwrap();
    }
}

/// By another connection.
async fn poke(path: &Path, sql: &'static str) {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn damaged_pages_are_unavailable_with_the_file_and_the_way_back_and_over_when_they_are_whole_again() {
    let (_folder, path, store) = ledger(200).await;
    let kept = overwrite(&path).await;
    let error = take_in(&store, 200..210).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    let said = error.to_string();
    assert!(said.contains("feed.db is damaged") && said.contains("loa restore"), "{said}");
    let trouble = store.place().condition().await.trouble.unwrap();
    assert_eq!(trouble.kind, TroubleKind::Damaged);
    assert!(trouble.place.ends_with("feed.db"), "{trouble:?}");
    assert!(store.place().examine().await.is_err());

    write(&path, &kept);
    take_in(&store, 200..210).await.unwrap();
    assert_eq!(
        store.entries(&FeedName::All, None, 500).await.unwrap().len(),
        210,
        "nothing is lost, nothing half written"
    );
    assert_eq!(store.place().condition().await.trouble, None);
}

#[tokio::test]
async fn trouble_that_nobody_meets_again_is_over_when_every_page_was_found_whole() {
    let (_folder, path, store) = ledger(200).await;
    let kept = overwrite(&path).await;
    store.entries(&FeedName::All, None, 500).await.unwrap_err();
    assert!(store.place().condition().await.trouble.is_some());
    write(&path, &kept);
    assert_eq!(store.place().condition().await.trouble, None, "though nobody reads that feed again");
}

#[tokio::test]
async fn a_header_of_zeros_is_found_by_looking() {
    let (_folder, path, store) = ledger(10).await;
    poke(&path, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let mut header = vec![0; 100];
    File::open(&path).unwrap().read_exact(&mut header).unwrap();
    write(&path, &[(0, vec![0; 100])]);
    let trouble = store.place().condition().await.trouble.unwrap();
    assert!(trouble.place.ends_with("feed.db"), "{trouble:?}");
    write(&path, &[(0, header)]);
    assert_eq!(store.place().condition().await.trouble, None);
    take_in(&store, 10..20).await.unwrap();
}

#[tokio::test]
async fn a_file_that_was_deleted_takes_nothing_in_that_would_be_gone_with_it() {
    let (folder, path, store) = ledger(10).await;
    store.close().await;
    let store = FeedStore::open(&path).await.unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::remove_file(&path).unwrap();
    for error in [take_in(&store, 10..20).await.unwrap_err(), store.entries(&FeedName::All, None, 5).await.unwrap_err()]
    {
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("was deleted or moved away"), "{error}");
    }
    assert!(!path.exists(), "and makes no empty one in its place");
    for beside in ["feed.db-wal", "feed.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(beside));
    }
    std::fs::rename(&copy, &path).unwrap();
    take_in(&store, 10..20).await.unwrap();
    drop(store);
    let store = FeedStore::open(&path).await.unwrap();
    assert_eq!(
        store.entries(&FeedName::All, None, 500).await.unwrap().len(),
        20,
        "what was taken in is in the new file"
    );
}

#[tokio::test]
async fn what_stands_in_a_log_that_was_deleted_is_brought_into_the_file() {
    let (folder, path, store) = ledger(50).await;
    std::fs::remove_file(folder.path().join("feed.db-wal")).unwrap();
    let error = take_in(&store, 50..60).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("feed.db-wal was deleted"), "{error}");
    store.place().condition().await;
    take_in(&store, 50..60).await.unwrap();
    assert_eq!(store.place().condition().await.trouble, None);
    drop(store);
    let store = FeedStore::open(&path).await.unwrap();
    assert_eq!(store.entries(&FeedName::All, None, 500).await.unwrap().len(), 60, "nothing acknowledged is lost");
}

#[tokio::test]
async fn a_file_that_was_emptied_charges_no_message() {
    let (_folder, path, store) = ledger(10).await;
    poke(&path, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    assert!(store.place().condition().await.trouble.is_some());
    let error = take_in(&store, 10..20).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
}
