//! The throttle: readers that repeatedly take the same bytes in full, and that nothing about
//! anybody is kept.

use crate::house::{Answer, FULL_RESPONSES_MAX, House};
use axum::http::Method;
use loa_testkit::build::{article, published, withdrawn};
use std::time::Duration;

const SOMEBODY: Option<&str> = Some("203.0.113.7");
const DOCUMENTS: [&str; 6] = [
    "/feeds/all.rss",
    "/feeds/all.atom",
    "/feeds/all.json",
    "/feeds.opml",
    "/feeds/area-pu-nhi+category-giao-duc.atom",
    "/feeds/all/2023-11.atom",
];

async fn house() -> House {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    house
}

impl House {
    /// Takes all that it may.
    async fn take_all(&self, path: &str) -> Answer {
        for n in 1..FULL_RESPONSES_MAX {
            assert_eq!(self.ask_from(SOMEBODY, Method::GET, path, &[]).await.status, 200, "{path} {n}");
        }
        self.ask_from(SOMEBODY, Method::GET, path, &[]).await
    }
}

#[tokio::test]
async fn who_takes_an_unchanged_document_in_full_again_and_again_is_told_when_to_come_back() {
    let house = house().await;
    for path in DOCUMENTS {
        let last = house.take_all(path).await;
        assert_eq!(last.status, 200, "{path}");
        house.clock.advance(Duration::from_secs(100));
        let refused = house.ask_from(SOMEBODY, Method::GET, path, &[]).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "500"), "{path}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(refused.header("cache-control"), "no-store");
        for name in ["vary", "access-control-allow-origin", "x-content-type-options"] {
            assert_eq!(refused.header(name), last.header(name), "{path} {name}");
        }
        let problem: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!((&problem["status"], &problem["title"]), (&429.into(), &"Too many full responses".into()));
        assert!(problem["detail"].as_str().unwrap().contains("If-None-Match"), "{problem}");

        house.clock.advance(Duration::from_secs(500));
        assert_eq!(house.ask_from(SOMEBODY, Method::GET, path, &[]).await.status, 200, "{path}: when told");
    }
}

#[tokio::test]
async fn whoever_says_what_they_have_or_asks_for_the_head_alone_is_never_counted_nor_refused() {
    let house = house().await;
    for path in DOCUMENTS {
        let etag = house.get(path).await.header("etag").to_owned();
        let rows = [
            (Method::GET, vec![("if-none-match", etag.as_str())], 304),
            (Method::GET, vec![("if-none-match", "\"an-older-one\"")], 200),
            (Method::GET, vec![("if-modified-since", "Wed, 01 Jan 2020 00:00:00 GMT")], 200),
            (Method::HEAD, vec![], 200),
        ];
        let check = async |when: &str| {
            for (method, headers, expected) in &rows {
                for _ in 0..=FULL_RESPONSES_MAX {
                    let answer = house.ask_from(SOMEBODY, method.clone(), path, headers).await;
                    assert_eq!(answer.status, *expected, "{when}: {method} {path} {headers:?}");
                }
            }
        };
        check("uncounted").await;
        assert_eq!(house.take_all(path).await.status, 200, "{path}: those did not count");
        assert_eq!(house.ask_from(SOMEBODY, Method::GET, path, &[]).await.status, 429, "{path}");
        check("unrefused").await;
    }
}

#[tokio::test]
async fn others_other_documents_other_codings_and_later_versions_are_counted_apart_and_pages_not_at_all() {
    let house = house().await;
    let path = "/feeds/all.atom";
    house.take_all(path).await;
    let ask = async |client, path, coding| {
        house.ask_from(client, Method::GET, path, &[("accept-encoding", coding)]).await.status.as_u16()
    };
    assert_eq!(ask(SOMEBODY, path, "identity").await, 429);
    assert_eq!(ask(Some("203.0.113.8"), path, "identity").await, 200);
    assert_eq!(ask(SOMEBODY, "/feeds/all.rss", "identity").await, 200);
    assert_eq!(ask(SOMEBODY, path, "gzip").await, 200);
    for _ in 0..=FULL_RESPONSES_MAX {
        assert_eq!(ask(None, path, "identity").await, 200, "nobody known");
        assert_eq!(ask(SOMEBODY, "/feeds/all", "identity").await, 200, "a page");
        assert_eq!(ask(SOMEBODY, "/feeds", "identity").await, 200, "a page");
    }
    house.take(&[published(article("b", 1))]).await;
    assert_eq!(ask(SOMEBODY, path, "identity").await, 200, "it changed");
}

#[tokio::test]
async fn no_answer_sets_a_cookie_or_looks_at_one() {
    let house = house().await;
    house.take(&[published(article("b", 1)), withdrawn("b", 2)]).await;
    house.take_all("/feeds/all.rss").await;
    let refused = house.ask_from(SOMEBODY, Method::GET, "/feeds/all.rss", &[]).await;
    assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (429, ""));
    let others = [
        "/feeds",
        "/feeds/all",
        "/feeds?q=pu+nhi",
        "/feeds/area-no.rss",
        "/feeds/area-na-son.atom",
        "/a/a",
        "/a/b",
        "/a/c",
    ];
    let mut seen = Vec::new();
    for path in DOCUMENTS.into_iter().chain(others) {
        let plain = house.get(path).await;
        let known = house.ask(Method::GET, path, &[("cookie", "session=abc; id=1")]).await;
        for answer in [&plain, &known] {
            assert!(!answer.headers.contains_key("set-cookie"), "{path}");
            assert!(!answer.header("vary").to_lowercase().contains("cookie"), "{path}");
        }
        assert!((known.status, known.headers, known.body) == (plain.status, plain.headers, plain.body), "{path}");
        seen.push(plain.status.as_u16());
    }
    for status in [200, 302, 404, 410] {
        assert!(seen.contains(&status), "{status} is among {seen:?}");
    }
}
