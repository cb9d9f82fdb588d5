//! What a back-file costs, and how soon news is seen: `cargo run --release -p loa-svc-feed --example back_file -- 100000`.
//!
//! Takes so many articles of ten years into a ledger of its own, walks back from `/feeds/all.atom` over every archive
//! document, and counts that each article was reached; then publishes a hundred articles a second for ten seconds while the
//! feed is asked for again and again, and says when each was seen.
#![allow(clippy::unwrap_used, missing_docs)] // a tool for the hand: it stops where something is wrong
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a tool for the hand: it reads its argument, measures and prints"
)]

use axum::{body::Body, http::Request};
use jiff::{Timestamp, ToSpan};
use loa_area::{AreaFile, Directory};
use loa_domain::{Article, Event};
use loa_store_sql::FeedStore;
use loa_svc_feed::{Config, Identity, Service};
use loa_testkit::build::{article, published};
use loa_worker::World;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tower::ServiceExt;

const BATCH: usize = 256;
const PER_SECOND: usize = 100;
const SECONDS: usize = 10;

fn event(id: &str, at: Timestamp) -> Event {
    let text = "Ủy ban nhân dân xã triển khai nhiệm vụ phát triển kinh tế, xã hội, quốc phòng, an ninh. ".repeat(20);
    published(Article {
        published_at: at,
        modified_at: at,
        content_html: format!("<p>{id} {text}</p>"),
        ..article(id, 1)
    })
}

async fn get(service: &Service, path: &str) -> String {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let answer = service.router().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    String::from_utf8(axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(":entry/").skip(1).map(|rest| rest.split(['<', '"']).next().unwrap())
}

#[tokio::main]
async fn main() {
    let count: usize = std::env::args().nth(1).map_or(100_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let ledger = Arc::new(FeedStore::open(folder.path().join("feed.db")).await.unwrap());
    let areas = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
                 na-son,03205,Na Son,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,,,\n";
    let directory = Arc::new(Directory::load(&[AreaFile { label: "areas.csv", text: areas }]).unwrap());
    let identity = Identity {
        portals: loa_testkit::build::portals(),
        portal_name: "Cổng thông tin".into(),
        portal_url: "https://dienbiendong.example/".parse().unwrap(),
        public_url: "https://loa.example.vn/".parse().unwrap(),
        tag_authority: "loa.example.vn".into(),
        tag_date: "2026-01-01".into(),
        zone: jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap(),
        hub: None,
    };
    let config = Config { last_good_dir: folder.path().join("last-good"), ..Config::default() };
    let world = World { clock: Arc::new(Timestamp::now), random: Arc::new(|bytes| bytes.fill(7)) };
    let service = Service::new(config, identity, ledger, directory, world).unwrap();

    let first: Timestamp = "2014-01-05T01:00:00Z".parse().unwrap();
    let began = Instant::now();
    for from in (0..count).step_by(BATCH) {
        let batch: Vec<Event> = (from..count.min(from + BATCH))
            .map(|n| event(&format!("bai-{n}"), first + (i64::try_from(n * 5_256_000 / count).unwrap()).minutes()))
            .collect();
        service.accept(&batch).await.unwrap();
    }
    println!("taken in: {count} in {:.1} s", began.elapsed().as_secs_f64());

    let (began, mut seen, mut documents, mut largest, mut slowest) =
        (Instant::now(), BTreeSet::new(), 0, 0, Duration::ZERO);
    let mut next = Some("/feeds/all.atom".to_owned());
    while let Some(path) = next {
        let asked = Instant::now();
        let text = get(&service, &path).await;
        slowest = slowest.max(asked.elapsed());
        documents += 1;
        largest = largest.max(text.len());
        seen.extend(ids(&text).map(str::to_owned));
        next = text.split("<link ").find(|link| link.contains("rel=\"prev-archive\"")).map(|link| {
            let address = link.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
            address.trim_start_matches("https://loa.example.vn").to_owned()
        });
    }
    assert_eq!(seen.len(), count, "every article was reached");
    println!(
        "walked: {documents} documents in {:.1} s, the slowest {:.0} ms, the largest {largest} bytes",
        began.elapsed().as_secs_f64(),
        slowest.as_secs_f64() * 1e3
    );

    let (bus, status, stop) = (
        Arc::new(
            loa_bus_sqlite::SqliteBus::open(folder.path().join("bus.db"), Arc::new(Timestamp::now)).await.unwrap(),
        ),
        Arc::default(),
        tokio_util::sync::CancellationToken::new(),
    );
    loa_bus::Administer::declare(&*bus).await.unwrap();
    let running = tokio::spawn({
        let (service, stop) = (service.clone(), stop.clone());
        async move { service.run(bus, status, stop).await }
    });
    let publishing = tokio::spawn({
        let service = service.clone();
        async move {
            let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / PER_SECOND as u64));
            let mut at = BTreeMap::new();
            for n in 0..PER_SECOND * SECONDS {
                tick.tick().await;
                let began = Instant::now();
                service.accept(&[event(&format!("tin-{n}"), Timestamp::now())]).await.unwrap();
                at.insert(format!("tin-{n}"), began);
            }
            at
        }
    });
    let (mut seen_at, since) = (BTreeMap::new(), Instant::now());
    while since.elapsed() < Duration::from_secs(SECONDS as u64 + 3) {
        let text = get(&service, "/feeds/all.atom").await;
        let now = Instant::now();
        for id in ids(&text).filter(|id| id.starts_with("tin-")) {
            seen_at.entry(id.to_owned()).or_insert(now);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let published = publishing.await.unwrap();
    stop.cancel();
    running.await.unwrap();
    let mut waits: Vec<Duration> =
        published.iter().filter_map(|(id, at)| Some(seen_at.get(id)?.saturating_duration_since(*at))).collect();
    waits.sort();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100].as_secs_f64() * 1e3;
    println!(
        "seen: {} of {}; half within {:.0} ms, 99 of 100 within {:.0} ms, all within {:.0} ms",
        waits.len(),
        published.len(),
        at(50),
        at(99),
        at(100)
    );
}
