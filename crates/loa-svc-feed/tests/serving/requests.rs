//! What readers send with a request: validators, codings, methods, names.

use crate::house::{Answer, FORMATS, House};
use axum::http::Method;
use loa_testkit::build::{article, published};
use std::io::Read;

const DOCUMENTS: [&str; 6] =
    ["/feeds/all.rss", "/feeds/all.atom", "/feeds/all.json", "/feeds/all", "/feeds", "/feeds.opml"];

async fn house() -> House {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    house
}

fn same_but_body(one: &Answer, other: &Answer) {
    for name in ["etag", "last-modified", "cache-control", "vary", "x-content-type-options"] {
        assert!(!one.header(name).is_empty(), "{name}");
        assert_eq!(one.header(name), other.header(name), "{name}");
    }
}

#[tokio::test]
async fn the_conditional_matrix_holds_on_every_representation_in_every_coding_for_get_and_head() {
    let house = house().await;
    let later = "Fri, 01 Jan 2044 00:00:00 GMT";
    let earlier = "Wed, 01 Jan 2020 00:00:00 GMT";
    for path in DOCUMENTS {
        for coding in ["identity", "gzip", "br", "zstd"] {
            let full = house.ask(Method::GET, path, &[("accept-encoding", coding)]).await;
            let (etag, modified) = (full.header("etag").to_owned(), full.header("last-modified").to_owned());
            let (weak, list) = (format!("W/{etag}"), format!("\"x\", {etag}"));
            let added = etag.trim_matches('"').split('-').next().unwrap().to_owned() + "-gzip";
            let added = format!("\"{added}\"");
            let rows: [(&[(&str, &str)], u16); 11] = [
                (&[("if-none-match", &etag)], 304),
                (&[("if-none-match", &weak)], 304),
                (&[("if-none-match", "*")], 304),
                (&[("if-none-match", &list)], 304),
                (&[("if-none-match", "\"x\""), ("if-modified-since", &modified)], 200),
                (&[("if-none-match", &etag), ("if-modified-since", earlier)], 304),
                (&[("if-modified-since", later)], 304),
                (&[("if-modified-since", "hôm qua")], 200),
                (&[("if-modified-since", &modified)], 304),
                (&[("if-modified-since", earlier)], 200),
                (&[("if-none-match", &added)], 304),
            ];
            for (headers, expected) in rows {
                for method in [Method::GET, Method::HEAD] {
                    let mut headers = headers.to_vec();
                    headers.push(("accept-encoding", coding));
                    let answer = house.ask(method.clone(), path, &headers).await;
                    assert_eq!(answer.status, expected, "{method} {path} {headers:?}");
                    same_but_body(&full, &answer);
                    if expected == 304 || method == Method::HEAD {
                        assert!(answer.body.is_empty(), "{method} {path} {headers:?}");
                    } else {
                        assert!(answer.body == full.body);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn the_list_of_feeds_has_one_address() {
    assert_eq!(house().await.get("/feeds/").await.status, 308);
}

#[tokio::test]
async fn each_coding_goes_to_those_who_take_it_and_reads_back_equal() {
    let house = house().await;
    for path in DOCUMENTS {
        let plain = house.get(path).await;
        assert_eq!(plain.header("content-encoding"), "");
        for (accepted, expected) in [("gzip, deflate", "gzip"), ("gzip, br", "br"), ("zstd", "zstd")] {
            let packed = house.ask(Method::GET, path, &[("accept-encoding", accepted)]).await;
            assert_eq!(packed.header("content-encoding"), expected, "{path}");
            assert_ne!(packed.header("etag"), plain.header("etag"), "one tag for each representation");
            assert!(packed.header("vary").starts_with("Accept-Encoding"));
            assert_eq!(packed.header("content-length"), packed.body.len().to_string());
            assert!(packed.body.len() < plain.body.len());
            if expected == "gzip" {
                assert!(unpacked(&packed) == plain.body, "{path}");
            }
        }
        let refused = house.ask(Method::GET, path, &[("accept-encoding", "gzip;q=0")]).await;
        assert_eq!(refused.header("content-encoding"), "", "{path}");
    }
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut text).unwrap();
    text
}

#[tokio::test]
async fn every_answer_is_the_same_bytes_in_memory_not_a_copy_of_them() {
    let house = house().await;
    for path in DOCUMENTS {
        for coding in ["identity", "gzip", "br", "zstd"] {
            let (one, other) = (house.shared(path, coding).await, house.shared(path, coding).await);
            assert!(one.len() > 100 && one == other, "{path} {coding}");
            assert_eq!(one.as_ptr(), other.as_ptr(), "{path} {coding}");
        }
    }
}

#[tokio::test]
async fn a_coding_that_was_asked_for_once_is_right_for_every_later_version() {
    let house = house().await;
    for revision in 2..4 {
        for path in DOCUMENTS {
            let plain = house.get(path).await;
            for coding in ["gzip", "br", "zstd"] {
                let packed = house.ask(Method::GET, path, &[("accept-encoding", coding)]).await;
                assert_eq!(packed.header("content-encoding"), coding);
                assert_eq!(packed.header("etag").replace(&format!("-{coding}"), ""), plain.header("etag"), "{path}");
                assert!(coding != "gzip" || unpacked(&packed) == plain.body, "{path}");
            }
        }
        house.take(&[published(article("a", revision))]).await;
    }
}

#[tokio::test]
async fn the_list_of_feeds_says_when_it_last_changed_and_never_goes_back() {
    let mut house = house().await;
    let before = house.get("/feeds.opml").await;
    house.clock.advance(std::time::Duration::from_secs(3_600));
    house = house.restarted().await;
    let after = house.get("/feeds.opml").await;
    same_but_body(&before, &after);
    house.take(&[published(article("b", 1))]).await;
    let page = house.get("/feeds").await;
    let dates = [&after, &page].map(|answer| loa_http::parse_http_date(answer.header("last-modified")));
    assert!(dates[1] > dates[0], "{dates:?}");
}

#[tokio::test]
async fn head_says_what_get_says_without_a_body() {
    let house = house().await;
    for path in DOCUMENTS {
        let (get, head) = (house.get(path).await, house.ask(Method::HEAD, path, &[]).await);
        same_but_body(&get, &head);
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty());
    }
}

#[tokio::test]
async fn each_representation_says_what_it_is_and_how_long_it_keeps() {
    let house = house().await;
    let types = ["application/rss+xml; charset=utf-8", "application/atom+xml; charset=utf-8", "application/feed+json"];
    for (format, expected) in FORMATS.into_iter().zip(types) {
        let answer = house.get(&format!("/feeds/all.{format}")).await;
        assert_eq!(answer.header("content-type"), expected);
        assert_eq!(answer.header("cache-control"), "public, max-age=900, stale-if-error=86400", "as the feed's ttl");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert!(house.get("/feeds/all.rss").await.text().contains("<ttl>15</ttl>"));
    let page = house.get("/feeds/all").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_not() {
    let house = house().await;
    for path in ["/feeds", "/feeds/all.rss", "/feeds.opml", "/a/a"] {
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let answer = house.ask(method.clone(), path, &[]).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(answer.header("allow").contains("GET"), "{method} {path}: {:?}", answer.headers);
        }
    }
    let preflight = house.ask(Method::OPTIONS, "/feeds/all.rss", &[("origin", "https://x.example")]).await;
    assert!(preflight.status.is_success());
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert!(preflight.header("access-control-allow-headers").contains("If-None-Match"));
}

#[tokio::test]
async fn a_feed_that_can_be_named_is_there_though_empty_and_one_that_cannot_is_not() {
    let house = House::new().await;
    for name in ["all", "documents", "area-pu-nhi", "area-na-son", "category-giao-duc"] {
        for format in FORMATS {
            let answer = house.get(&format!("/feeds/{name}.{format}")).await;
            assert_eq!(answer.status, 200, "{name}.{format}");
            assert!(answer.feed().entries.is_empty());
            assert!(!answer.body.is_empty());
        }
    }
    for name in [
        "area-pu-nh",
        "category-giao-duk",
        "al",
        "all.xml",
        "all.rss.rss",
        "ALL.rss",
        "area-.rss",
        "%00",
        "..%2fx",
        "area-x y",
    ] {
        let answer = house.get(&format!("/feeds/{}", name.replace(' ', "%20"))).await;
        assert_eq!(answer.status, 404, "{name}");
        assert!(answer.text().contains("Không có nguồn tin này"), "{name}");
    }
    assert!(
        house.get("/feeds/category-giao-duk.rss").await.text().contains("/feeds/category-giao-duc\""),
        "a suggestion"
    );
}

#[tokio::test]
async fn every_feed_document_names_its_hub_and_itself_in_one_header_whether_it_changed_or_not() {
    let house = house().await;
    for format in FORMATS {
        let path = format!("/feeds/all.{format}");
        let link = format!("<https://loa.example.vn/hub>; rel=\"hub\", <https://loa.example.vn{path}>; rel=\"self\"");
        let full = house.ask(Method::GET, &path, &[]).await;
        assert!(full.text().contains("https://loa.example.vn/hub"), "in the document too");
        let etag = full.header("etag").to_owned();
        let unchanged = house.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
        let head = house.ask(Method::HEAD, &path, &[]).await;
        for (answer, status) in [(&full, 200), (&unchanged, 304), (&head, 200)] {
            assert_eq!((answer.status.as_u16(), answer.header("link")), (status, link.as_str()), "{path}");
        }
    }
    assert_eq!(house.ask(Method::GET, "/feeds/all", &[]).await.header("link"), "", "the page is no topic");
}
