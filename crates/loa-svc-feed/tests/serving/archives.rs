//! The history of a feed: every entry that stands is reached from the feed itself, whatever happens
//! to old entries.

use crate::house::{Answer, FORMATS, House};
use axum::http::Method;
use jiff::{Timestamp, ToSpan};
use loa_domain::{Article, Event};
use loa_testkit::build::{article, published, withdrawn};
use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

fn at(id: &str, instant: &str) -> Event {
    let published_at: Timestamp = instant.parse().unwrap();
    published(Article { published_at, modified_at: published_at, ..article(id, 1) })
}

/// 300 in March of 2024 (of which a hundred at one instant), one in each month of 2023 but June, 60 in May of 2024.
fn years_of_news() -> Vec<Event> {
    let mut events = Vec::new();
    let march: Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
    for n in 0..300 {
        let instant = if n < 100 { march + 1.hour() } else { march + (n * 100).minutes() };
        events.push(at(&format!("m{n:03}"), &instant.to_string()));
    }
    events.extend(
        (1..=12)
            .filter(|month| *month != 6)
            .map(|month| at(&format!("y{month:02}"), &format!("2023-{month:02}-15T00:00:00Z"))),
    );
    events.extend((0..60).map(|n| at(&format!("n{n:02}"), &format!("2024-05-{:02}T0{}:00:00Z", 1 + n / 3, n % 3))));
    events
}

async fn house(events: &[Event]) -> House {
    let house = House::new().await;
    for batch in events.chunks(100) {
        house.service.accept(batch).await.unwrap();
    }
    house.step().await.unwrap();
    house
}

/// The address that a document's link leads to, without the host.
fn led_to(answer: &Answer, format: &str, relation: &str) -> Option<String> {
    let address = if format == "json" {
        let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(relation, "prev-archive");
        json["next_url"].as_str().map(str::to_owned)
    } else {
        let text = answer.text();
        let link = text.split('<').find(|tag| tag.contains("link ") && tag.contains(&format!("rel=\"{relation}\"")))?;
        link.split("href=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned())
    };
    address.map(|address| address.strip_prefix("https://loa.example.vn").unwrap().to_owned())
}

/// Every document from the feed back to its beginning, each fetched once.
async fn walk(house: &House, feed: &str, format: &str) -> Vec<(String, Answer)> {
    let mut next = Some(format!("/feeds/{feed}.{format}"));
    let mut walked: Vec<(String, Answer)> = Vec::new();
    while let Some(path) = next {
        assert!(walked.iter().all(|(seen, _)| *seen != path), "{path} leads back to itself");
        let answer = house.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        next = led_to(&answer, format, "prev-archive");
        walked.push((path, answer));
    }
    walked
}

fn ids(walked: &[(String, Answer)]) -> BTreeSet<String> {
    walked.iter().flat_map(|(_, answer)| answer.ids()).collect()
}

#[tokio::test]
async fn walking_from_a_feed_reaches_every_standing_entry_and_nothing_else() {
    let events = years_of_news();
    let house = house(&events).await;
    let expected: BTreeSet<String> = events.iter().map(|event| event.subject().to_string()).collect();
    for format in FORMATS {
        for feed in ["all", "area-na-son"] {
            let walked = walk(&house, feed, format).await;
            assert_eq!(ids(&walked), expected, "{feed}.{format}");
            let names: Vec<&str> = walked[1..].iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
            let files = |stems: &str| stems.split(' ').map(|stem| format!("{stem}.{format}")).collect::<Vec<_>>();
            let stems = "2024-05 2024-03-2 2024-03 2023-12 2023-11 2023-10 2023-09 2023-08 2023-07 2023-05 2023-04 2023-03 \
                         2023-02 2023-01";
            assert_eq!(names, files(stems), "no month without entries");
            let archived: Vec<String> = walked[1..].iter().flat_map(|(_, answer)| answer.ids()).collect();
            assert_eq!(archived.len(), expected.len(), "each stands in one archive");
            assert!(walked.iter().all(|(_, answer)| answer.ids().len() <= 200));
        }
    }
}

#[tokio::test]
async fn an_archive_says_what_it_is_before_its_first_entry_and_leads_both_ways() {
    let house = house(&years_of_news()).await;
    for format in ["atom", "rss"] {
        let walked = walk(&house, "all", format).await;
        assert!(!walked[0].1.text().contains("archive xmlns") && !walked[0].1.text().contains("<fh:archive"));
        for (place, (path, answer)) in walked.iter().enumerate().skip(1) {
            let text = answer.text();
            let head = &text[..text.find("<entry").or(text.find("<item")).unwrap()];
            if format == "atom" {
                assert!(head.contains("<fh:archive"), "{path}: {head}");
            }
            assert!(text.contains("<fh:archive") && text.contains("http://purl.org/syndication/history/1.0"));
            assert_eq!(led_to(answer, format, "self").as_deref(), Some(path.as_str()));
            assert_eq!(led_to(answer, format, "current"), Some(format!("/feeds/all.{format}")));
            let newer = (place > 1).then(|| walked[place - 1].0.clone());
            assert_eq!(led_to(answer, format, "next-archive"), newer, "{path}");
            assert_eq!(answer.feed().id, walked[1].1.feed().id, "one feed, one id");
        }
    }
}

#[tokio::test]
async fn a_feed_that_shows_all_it_has_leads_to_a_month_that_is_over() {
    let house = house(&[at("a", "2024-05-30T00:00:00Z"), at("b", "2024-05-31T00:00:00Z")]).await;
    let leads = async |house: &House| led_to(&house.get("/feeds/all.atom").await, "atom", "prev-archive");
    assert_eq!(leads(&house).await, None, "there is no other, and nothing more to be read in this one");
    let only = house.get("/feeds/all/2024-05.atom").await;
    assert!(
        only.text().contains("<fh:archive") && only.text().contains("<fh:complete"),
        "whoever has it has everything"
    );
    assert_eq!(led_to(&only, "atom", "current"), None, "nothing is beside what is complete (RFC 5005 §2)");
    assert_eq!(
        only.header("cache-control").split(',').nth(1).map(str::trim),
        Some("max-age=60"),
        "the next month changes it"
    );
    house.take(&[at("c", "2023-01-01T00:00:00Z")]).await;
    assert_eq!(leads(&house).await.as_deref(), Some("/feeds/all/2023-01.atom"));
    assert_eq!(leads(&house).await, led_to(&house.get("/feeds/all/2024-05.atom").await, "atom", "prev-archive"));
    assert_eq!(led_to(&house.get("/feeds/documents.atom").await, "atom", "prev-archive"), None, "nothing, no history");
}

#[tokio::test]
async fn a_late_edit_and_a_withdrawal_rewrite_their_month_and_no_other() {
    let house = house(&years_of_news()).await;
    let ask = async |path: &str| house.get(path).await;
    let (touched, other) = ("/feeds/all/2023-04.atom", "/feeds/all/2023-05.atom");
    let (before, untouched) = (ask(touched).await, ask(other).await);
    let late = Article { published_at: "2023-04-15T00:00:00Z".parse().unwrap(), ..article("y04", 2) };
    house.take(&[published(late)]).await;
    let edited = ask(touched).await;
    assert!(edited.text().contains("sửa lần 1"));
    house.take(&[at("late", "2023-04-20T00:00:00Z"), withdrawn("y04", 3)]).await;
    let rewritten = ask(touched).await;
    assert_eq!(rewritten.ids(), ["late"]);
    assert!(!rewritten.text().contains("y04"), "gone without a word");
    let told = |answer: &Answer| loa_http::parse_http_date(answer.header("last-modified")).unwrap();
    assert!(told(&before) < told(&edited) && told(&edited) < told(&rewritten));
    assert_ne!(before.header("etag"), edited.header("etag"));
    assert_ne!(edited.header("etag"), rewritten.header("etag"));
    let still = ask(other).await;
    assert_eq!(
        (still.header("etag"), still.header("last-modified")),
        (untouched.header("etag"), untouched.header("last-modified"))
    );
    house.take(&[withdrawn("late", 2)]).await;
    assert_eq!(ask(touched).await.status, 404, "nothing is left of the month");
    let expected: BTreeSet<String> = years_of_news().iter().map(|event| event.subject().to_string()).collect();
    let walked = ids(&walk(&house, "all", "atom").await);
    assert_eq!(expected.difference(&walked).collect::<Vec<_>>(), ["y04"]);
    assert_eq!(house.get("/a/y04").await.status, 410);
}

#[tokio::test]
async fn what_is_dated_in_the_future_has_no_archive_and_pushes_nothing_out() {
    let mut events = vec![at("now", "2024-05-31T23:00:00Z"), at("mai", "2024-06-03T00:00:00Z")];
    events.extend((0..150).map(|n| at(&format!("f{n}"), &format!("{}-01-01T00:00:00Z", 2030 + n / 3))));
    let house = house(&events).await;
    assert_eq!(house.get("/feeds/all.json").await.ids(), ["now"]);
    assert_eq!(walk(&house, "all", "atom").await.len(), 1);
    let june = house.get("/feeds/all/2024-06.atom").await;
    assert_eq!(june.ids(), ["now"], "01/06 in Vietnam");
    for name in ["2030-01", "2024-07", "2024-05"] {
        assert_eq!(house.get(&format!("/feeds/all/{name}.atom")).await.status, 404, "{name}");
    }
    house.clock.set("2024-06-03T00:00:00Z".parse().unwrap());
    assert_eq!(house.get("/feeds/all/2024-06.atom").await.ids(), ["mai", "now"], "at its time, without an event");
    house.step().await.unwrap();
    assert_eq!(house.get("/feeds/all.json").await.ids(), ["mai", "now"]);
}

#[tokio::test]
async fn people_walk_by_pages_to_every_entry_that_readers_reach() {
    let house = house(&years_of_news()).await;
    let mut reached = BTreeSet::new();
    let mut next = Some("/feeds/all".to_owned());
    while let Some(path) = next {
        let answer = house.get(&path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(
            answer.header("cache-control").starts_with("public, max-age=60,"),
            "what is withdrawn is gone at a second look"
        );
        let page = answer.text();
        reached.extend(page.split("<h3").skip(1).map(|rest| rest.split("</h3>").next().unwrap().to_owned()));
        assert!(reached.len() < 1_000, "it leads in a circle: {path}");
        let older =
            page.split("<link rel=\"prev\" href=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        if let Some(older) = &older {
            assert!(page.contains(&format!("<a href=\"{older}\">Tin tháng ")), "{path}: in sight, too");
        }
        next = older;
    }
    assert_eq!(reached.len(), years_of_news().len());
    let page = house.get("/feeds/all/2024-03-2").await.text();
    assert!(page.contains("<title>Tất cả tin bài, tháng 3/2024, phần 2 – "), "a title of its own: {page}");
    assert!(page.contains("<link rel=\"next\" href=\"/feeds/all/2024-05\">"), "and back: {page}");
    assert!(page.contains("<link rel=\"alternate\" type=\"application/rss+xml\""), "what to subscribe to is the feed");
    assert!(page.contains("href=\"https://loa.example.vn/feeds/all.rss\""));
}

#[tokio::test]
async fn a_document_has_one_address_and_no_other_is_there() {
    let house = house(&[at("a", "2023-04-15T00:00:00Z")]).await;
    assert_eq!(house.get("/feeds/all/2023-04.atom").await.status, 200);
    for path in [
        "all/2023-04.",
        "all/2023-4",
        "all/2023-4.atom",
        "all/2023-04-1.atom",
        "all/2023-04-2.atom",
        "all/2023-05.atom",
        "all/2023-13.atom",
        "all/0000-01.atom",
        "all/9999-12.atom",
        "all/-001-01.atom",
        "al/2023-04.atom",
        "all/2023-04.xml",
        "all/x.atom",
        "all/2023-04-4294967295.atom",
        "all/2023-04-99999999999999999999.atom",
        "documents/2023-04.atom",
    ] {
        assert_eq!(house.get(&format!("/feeds/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_conditional_matrix_holds_on_archives_and_closed_months_are_kept_for_long() {
    let house = house(&[at("a", "2023-04-15T00:00:00Z"), at("b", "2024-05-31T18:00:00Z")]).await;
    for format in FORMATS {
        let path = format!("/feeds/all/2023-04.{format}");
        let full = house.get(&path).await;
        assert_eq!(full.header("cache-control"), "public, max-age=86400, s-maxage=900, stale-if-error=86400");
        assert!(full.header("vary").starts_with("Accept-Encoding"));
        for headers in [("if-none-match", full.header("etag")), ("if-modified-since", full.header("last-modified"))] {
            for method in [Method::GET, Method::HEAD] {
                let answer = house.ask(method, &path, &[headers]).await;
                assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{path} {headers:?}");
                assert_eq!(answer.header("cache-control"), full.header("cache-control"));
            }
        }
        let open = house.get(&format!("/feeds/all/2024-06.{format}")).await;
        assert_eq!(open.header("cache-control"), "public, max-age=60, stale-if-error=86400");
    }
}

#[tokio::test]
async fn after_a_restart_archives_are_the_same_to_the_byte() {
    let mut house = house(&years_of_news()).await;
    let before = walk(&house, "all", "atom").await;
    house.clock.advance(std::time::Duration::from_secs(3_600));
    house = house.restarted().await;
    for (path, before) in before {
        let after = house.get(&path).await;
        assert!(after.body == before.body, "{path}");
        assert_eq!(after.header("last-modified"), before.header("last-modified"), "{path}");
    }
}

#[tokio::test]
async fn a_thousand_who_ask_for_one_archive_or_feed_at_once_have_it_written_once() {
    let house = Arc::new(house(&years_of_news()).await);
    house.get("/feeds/all.atom").await;
    for path in ["/feeds/all/2024-03.atom", "/feeds/area-na-son.rss"] {
        let before = house.door.reading.load(Ordering::SeqCst);
        let asking: Vec<_> = (0..1_000)
            .map(|_| {
                let house = house.clone();
                tokio::spawn(async move { house.get(path).await.header("etag").to_owned() })
            })
            .collect();
        let mut tags = BTreeSet::new();
        for answer in asking {
            tags.insert(answer.await.unwrap());
        }
        assert_eq!(tags.len(), 1);
        assert_eq!(house.door.reading.load(Ordering::SeqCst) - before, 1, "{path}");
    }
}

#[tokio::test]
async fn while_the_ledger_is_away_archives_at_hand_are_served_and_others_not() {
    let house = house(&years_of_news()).await;
    let before = house.get("/feeds/all/2023-04.atom").await;
    house.service.accept(&[withdrawn("y04", 2)]).await.unwrap();
    house.step().await.unwrap();
    house.door.shut.store(true, Ordering::SeqCst);
    assert!(house.get("/feeds/all/2023-04.atom").await.body == before.body, "the last good state");
    assert_eq!(house.get("/feeds/all/2023-03.atom").await.status, 503);
    house.door.shut.store(false, Ordering::SeqCst);
    assert_eq!(house.get("/feeds/all/2023-04.atom").await.status, 404, "nothing is left of it");
}
