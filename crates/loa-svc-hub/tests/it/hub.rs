//! The hub, with a feed and subscribers that are stand-ins. Each test turns the wheel by hand; none sleeps.

use crate::tokens::Tokens;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use jiff::SignedDuration;
use loa_domain::HubState;
use loa_http::ClientAddress;
use loa_store::{HubLedger, HubQuery, HubSubscriptionView};
use loa_store_sql::PushStore;
use loa_svc_hub::{Config, Identity, OperationError, Service};
use loa_testkit::{
    clock::HandClock,
    http::{HttpStandIn, Reply, Request as Heard},
};
use loa_worker::Progress;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use url::Url;

const PUBLIC: &str = "https://loa.example.gov.vn/tin/";
const TOPIC: &str = "https://loa.example.gov.vn/tin/feeds/all.atom";
const HUB: &str = "https://loa.example.gov.vn/tin/hub";
/// The longest that one verification lasts (`config/default.toml`, `hub.in_flight_max`).
const VERIFICATION_SECONDS_MAX: usize = 5;
const TYPE: &str = "application/atom+xml; charset=utf-8";

/// What the feed says now.
type Said = Arc<Mutex<Reply>>;

struct Town {
    _folder: TempDir,
    ledger: Arc<dyn HubLedger>,
    clock: HandClock,
    service: Service,
    router: Router,
    feed: HttpStandIn,
    said: Said,
    /// A subscriber that behaves.
    reader: HttpStandIn,
}

fn hub() -> Config {
    let mut config =
        Config { allow_networks: vec!["127.0.0.0/8".into()], total_timeout_ms: 5_000, ..Config::default() };
    config.retry.jitter_percent = 0;
    config
}

/// Says back what it is asked, and takes what it is given.
fn behaves(request: &Heard) -> Reply {
    match request.method.as_str() {
        "GET" => Reply::text(200, query(request).get("hub.challenge").map_or("", String::as_str)),
        _ => Reply::status(204),
    }
}

fn query(request: &Heard) -> BTreeMap<String, String> {
    let url = Url::parse(&format!("http://x{}", request.path)).unwrap();
    url.query_pairs().into_owned().collect()
}

fn document(text: &str, tag: &str, modified: &str) -> Reply {
    let reply = Reply::text(200, text).with("content-type", TYPE).with("etag", &format!("\"{tag}\""));
    reply.with("last-modified", modified)
}

impl Town {
    async fn new() -> Self {
        Self::with(hub()).await
    }

    async fn with(hub: Config) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let ledger: Arc<dyn HubLedger> = Arc::new(PushStore::open(folder.path().join("push.db")).await.unwrap());
        let clock = HandClock::at("2023-11-16T01:05:00Z");
        let (feed, reader) = (HttpStandIn::start().await.unwrap(), HttpStandIn::start().await.unwrap());
        let said: Said = Arc::new(Mutex::new(document("một", "1", "Thu, 16 Nov 2023 01:00:00 GMT")));
        feed.answer_with({
            let said = said.clone();
            move |request| {
                let said = said.lock().unwrap().clone();
                let Reply::Answer { status: 200, headers, .. } = &said else { return said };
                let etag = headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.as_str());
                if request.header("if-none-match") == etag { Reply::status(304) } else { said }
            }
        });
        reader.answer_with(behaves);
        let service = start(hub, &ledger, &clock, &feed);
        let router = service.router(Arc::new(Tokens));
        Self { _folder: folder, ledger, clock, service, router, feed, said, reader }
    }

    fn another(&self, hub: Config) -> Service {
        start(hub, &self.ledger, &self.clock, &self.feed)
    }

    async fn post(&self, form: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send("application/x-www-form-urlencoded", form.into_bytes()).await
    }

    async fn send(&self, content_type: &str, body: Vec<u8>) -> (StatusCode, HeaderMap, String) {
        let request = Request::post("/hub").header("content-type", content_type).body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 10_000).await.unwrap();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Asks, and is answered 202.
    async fn ask(&self, mode: &str, callback: &str, more: &[(&str, &str)]) {
        let mut form = vec![("hub.mode", mode), ("hub.topic", TOPIC), ("hub.callback", callback)];
        form.extend(more);
        let (status, _, body) = self.post(&form).await;
        assert_eq!(status, 202, "{body}");
    }

    async fn run_until_idle(&self) {
        run_until_idle(&self.service).await;
    }

    async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.run_until_idle().await;
    }

    /// The feed says something else, and an event says so.
    async fn change(&self, text: &str, second: u64) {
        *self.said.lock().unwrap() = document(text, text, &format!("Thu, 16 Nov 2023 01:00:{second:02} GMT"));
        self.service.something_happened();
        self.advance(10).await;
    }

    async fn listed(&self) -> Vec<HubSubscriptionView> {
        self.service.subscriptions(&HubQuery { limit: 100, ..HubQuery::default() }).await.unwrap()
    }

    fn posts(&self) -> Vec<Heard> {
        posts(&self.reader)
    }
}

fn posts(reader: &HttpStandIn) -> Vec<Heard> {
    reader.requests().into_iter().filter(|request| request.method == "POST").collect()
}

fn start(hub: Config, ledger: &Arc<dyn HubLedger>, clock: &HandClock, feed: &HttpStandIn) -> Service {
    let identity = Identity { public_url: PUBLIC.parse().unwrap(), feed_url: feed.url("/").parse().unwrap() };
    // no two processes have the same dice
    static SEED: AtomicU64 = AtomicU64::new(7);
    let world = clock.world(SEED.fetch_add(1_000_000, Ordering::Relaxed));
    Service::new(hub, &identity, ledger.clone(), world).unwrap()
}

async fn run_until_idle(service: &Service) {
    loop {
        let progress = service.step().await.unwrap();
        service.drain().await.unwrap();
        if progress == Progress::Idle {
            return;
        }
    }
}

#[tokio::test]
async fn a_subscriber_is_asked_and_then_told_of_each_change_with_the_very_bytes() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb?k=a%20b"), &[("foo", "bar"), ("hub.foo", "hub.bar")]).await;
    assert_eq!(town.reader.requests(), [], "answered at once, asked afterwards");
    town.run_until_idle().await;
    let asked = town.reader.requests();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].path.starts_with("/cb?k=a%20b&hub.mode=subscribe&hub.topic="), "{}", asked[0].path);
    let said = query(&asked[0]);
    assert_eq!((said["hub.topic"].as_str(), said["hub.lease_seconds"].as_str()), (TOPIC, "864000"));
    assert!(said["hub.challenge"].len() >= 32 && !said.contains_key("hub.foo"));
    assert_eq!(town.listed().await[0].state, HubState::Active);
    town.advance(600).await;
    assert_eq!(town.posts(), [], "what stands already is not told");

    town.change("hai", 1).await;
    town.change("ba", 2).await;
    let told = town.posts();
    assert_eq!(told.iter().map(Heard::text).collect::<Vec<_>>(), ["hai", "ba"]);
    assert_eq!(told[0].path, "/cb?k=a%20b");
    assert_eq!(told[0].header("content-type"), Some(TYPE));
    assert_eq!(told[0].header("link"), Some(format!("<{HUB}>; rel=\"hub\", <{TOPIC}>; rel=\"self\"").as_str()));
    assert_eq!(told[0].header("x-hub-signature"), None);
    let fetches = town.feed.requests();
    assert!(
        fetches
            .iter()
            .all(|fetch| fetch.path == "/feeds/all.atom" && fetch.header("accept-encoding") == Some("identity"))
    );
    assert!(fetches.iter().skip(1).all(|fetch| fetch.header("if-none-match").is_some()));
}

#[tokio::test]
async fn what_is_told_is_signed_as_the_subscriber_asked() {
    use loa_domain::SignatureAlgorithm as Algorithm;
    let town = Town::new().await;
    let signatures = [("", Algorithm::Sha256), ("sha1", Algorithm::Sha1), ("sha512", Algorithm::Sha512)];
    for (name, _) in signatures {
        let more = [("hub.secret", "bí mật"), ("hub.signature_algorithm", name)];
        town.ask("subscribe", &town.reader.url(&format!("/{name}")), &more).await;
    }
    town.run_until_idle().await;
    town.change("hai", 1).await;
    let told = town.posts();
    assert_eq!(told.len(), 3);
    for (name, algorithm) in signatures {
        let one = told.iter().find(|one| one.path == format!("/{name}")).unwrap();
        let expected = loa_webhook::websub::hub_signature(algorithm, "bí mật".as_bytes(), &one.body);
        assert_eq!(one.header("x-hub-signature"), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn who_leaves_is_asked_and_told_no_more() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    town.ask("unsubscribe", &town.reader.url("/%63b"), &[("hub.lease_seconds", "5")]).await;
    town.run_until_idle().await;
    let said = query(town.reader.requests().last().unwrap());
    assert_eq!((said["hub.mode"].as_str(), said.contains_key("hub.lease_seconds")), ("unsubscribe", false));
    assert_eq!(town.listed().await, []);
    town.change("hai", 1).await;
    assert_eq!(town.posts(), []);
}

#[tokio::test]
async fn a_request_that_is_wrong_is_refused_in_a_sentence_and_nobody_is_called() {
    let town = Town::new().await;
    let callback = town.reader.url("/cb");
    let secret = "s".repeat(200);
    for (form, expected) in [
        (vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC)], "hub.callback is missing"),
        (vec![("hub.mode", "subscribe"), ("hub.callback", &callback)], "hub.topic is missing"),
        (vec![("hub.topic", TOPIC), ("hub.callback", &callback)], "hub.mode is missing"),
        (vec![("hub.mode", "x"), ("hub.topic", TOPIC), ("hub.callback", &callback)], "hub.mode is"),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", "https://other.example/"), ("hub.callback", &callback)],
            "none of this hub's: its topics are the feeds at https://loa.example.gov.vn/tin/feeds/",
        ),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", "https://10.0.0.1/")],
            "hub.allow_networks",
        ),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", "http://[::1]/")],
            "not a public address",
        ),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", "https://0xA9FEA9FE/")],
            "169.254.169.254",
        ),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", "https://u:p@s.example/")],
            "user name",
        ),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", "https://s.example:0/")],
            "hub.callback has port 0",
        ),
        (
            vec![("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", &callback), ("hub.secret", &secret)],
            "hub.secret",
        ),
    ] {
        let (status, headers, body) = town.post(&form).await;
        assert_eq!(status, 400, "{form:?}");
        assert!(
            body.contains(expected) && headers["content-type"].to_str().unwrap().starts_with("text/plain"),
            "{body}"
        );
    }
    assert_eq!(town.send("application/json", b"{}".to_vec()).await.0, 415);
    assert_eq!(town.send("application/x-www-form-urlencoded", vec![b'a'; 20_000]).await.0, 413);
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let request = Request::builder().method(method).uri("/hub").body(Body::empty()).unwrap();
        let response = town.router.clone().oneshot(request).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["allow"].to_str().unwrap()),
            (405, "POST"),
            "{method}"
        );
    }
    town.run_until_idle().await;
    assert_eq!((town.listed().await, town.feed.requests(), town.reader.requests()), (vec![], vec![], vec![]));
}

#[tokio::test]
async fn every_request_that_can_be_read_is_answered_alike_and_at_once_whatever_comes_of_it() {
    let town = Town::new().await;
    let nowhere = "http://127.0.0.1:65535/".to_owned();
    let missing = "https://loa.example.gov.vn/tin/feeds/category-khong-co.atom";
    let mut answers = Vec::new();
    for (mode, topic, callback) in [
        ("subscribe", TOPIC, town.reader.url("/cb")),
        ("subscribe", TOPIC, nowhere),
        ("subscribe", missing, town.reader.url("/cb")),
        ("unsubscribe", TOPIC, town.reader.url("/never-subscribed")),
    ] {
        answers.push(town.post(&[("hub.mode", mode), ("hub.topic", topic), ("hub.callback", &callback)]).await);
    }
    let (status, headers, body) = &answers[0];
    assert_eq!((status.as_u16(), body.as_str(), headers.get("location")), (202, "", None));
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    assert_eq!((town.feed.requests(), town.reader.requests()), (vec![], vec![]), "nobody was asked meanwhile");
}

#[tokio::test]
async fn a_callback_whose_name_leads_into_the_house_is_not_called() {
    let town = Town::with(Config { allow_networks: Vec::new(), ..hub() }).await;
    let callback = town.reader.url("/cb").replace("127.0.0.1", "localhost");
    town.ask("subscribe", &callback, &[]).await;
    town.run_until_idle().await;
    town.advance(1_000).await;
    assert_eq!((town.listed().await, town.reader.requests()), (vec![], vec![]));
}

#[tokio::test]
async fn who_asks_for_a_feed_that_moved_is_told_and_who_was_subscribed_stays() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/stays"), &[]).await;
    town.run_until_idle().await;
    *town.said.lock().unwrap() = Reply::redirect("https://loa.example.gov.vn/tin/feeds/area-moi.atom");
    town.advance(100).await;
    town.ask("subscribe", &town.reader.url("/comes"), &[]).await;
    town.advance(60).await;
    let said = query(town.reader.requests().last().unwrap());
    assert_eq!(said["hub.mode"], "denied");
    assert!(said["hub.reason"].contains("moved"), "{said:?}");
    let callbacks: Vec<String> = town.listed().await.into_iter().map(|one| one.callback).collect();
    assert_eq!(callbacks, [town.reader.url("/stays")]);
    assert!(town.feed.requests().iter().all(|fetch| fetch.path == "/feeds/all.atom"), "no redirect was followed");
}

#[tokio::test]
async fn a_callback_that_does_not_confirm_is_not_subscribed() {
    let town = Town::new().await;
    for (path, wrong) in [
        ("/wrong", Reply::text(200, "something else")),
        ("/more", Reply::Huge(5_000_000)),
        ("/none", Reply::status(204)),
        ("/elsewhere", Reply::redirect(&town.reader.url("/cb"))),
        ("/unknown", Reply::status(404)),
        ("/broken", Reply::status(500)),
    ] {
        town.reader.always(wrong);
        town.ask("subscribe", &town.reader.url(path), &[]).await;
        town.run_until_idle().await;
        assert_eq!(town.listed().await, [], "{path}");
    }
    town.advance(1_000).await;
    assert_eq!(town.reader.requests().len(), 6, "each was asked once, and no redirect was followed");
}

#[tokio::test]
async fn a_callback_that_gives_no_answer_is_asked_a_few_times_with_another_challenge_each() {
    let town = Town::with(Config { total_timeout_ms: 300, ..hub() }).await;
    let mut asked = 0;
    for silent in
        [Reply::Never, Reply::Close, Reply::Garbage, Reply::Drip(Duration::from_millis(200)), Reply::status(503)]
    {
        town.reader.always(silent.clone());
        town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
        for (wait, tries) in [(0, 1), (9, 1), (1, 2), (60, 3), (10_000, 3)] {
            town.advance(wait).await;
            assert_eq!(town.reader.requests().len(), asked + tries, "{silent:?} after {wait} s");
        }
        asked += 3;
        assert_eq!(town.listed().await, [], "{silent:?}");
    }
    let mut challenges: Vec<String> =
        town.reader.requests().iter().map(|r| query(r)["hub.challenge"].clone()).collect();
    challenges.sort();
    challenges.dedup();
    assert_eq!(challenges.len(), asked);
}

#[tokio::test]
async fn a_host_that_streams_interim_answers_is_called_for_two_minutes_of_an_hour_at_most() {
    let town = Town::with(Config { total_timeout_ms: 100, ..hub() }).await;
    town.reader.always(Reply::Continues);
    for number in 0..60 {
        town.ask("subscribe", &town.reader.url(&format!("/{number}")), &[]).await;
    }
    for _ in 0..60 {
        town.advance(60).await;
    }
    let seconds = town.reader.requests().len() * VERIFICATION_SECONDS_MAX;
    assert!(seconds <= 120, "{seconds} s");
}

#[tokio::test]
async fn who_asks_for_a_feed_that_is_not_there_is_told_so() {
    let town = Town::new().await;
    *town.said.lock().unwrap() = Reply::status(404);
    town.ask("subscribe", &town.reader.url("/cb?k=1"), &[]).await;
    town.run_until_idle().await;
    let said = query(&town.reader.requests()[0]);
    assert_eq!((said["hub.mode"].as_str(), said["hub.topic"].as_str(), said["k"].as_str()), ("denied", TOPIC, "1"));
    assert!(!said["hub.reason"].is_empty());
    assert_eq!(town.listed().await, []);
}

#[tokio::test]
async fn a_feed_that_is_away_keeps_requests_waiting() {
    let town = Town::new().await;
    *town.said.lock().unwrap() = Reply::status(503);
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    for _ in 0..5 {
        town.advance(30).await;
    }
    assert_eq!((town.reader.requests().len(), town.listed().await.len()), (0, 1));
    *town.said.lock().unwrap() = document("một", "1", "Thu, 16 Nov 2023 01:00:00 GMT");
    town.advance(60).await;
    assert_eq!(town.listed().await[0].state, HubState::Active);
}

#[tokio::test]
async fn what_a_subscriber_does_not_take_is_tried_again_and_then_dropped_while_its_subscription_lives_on() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    town.reader.always(Reply::status(500));
    town.change("hai", 1).await;
    assert_eq!(town.posts().len(), 1);
    for (wait, made) in [(9, 1), (1, 2), (60, 3), (300, 4), (1_800, 5), (7_200, 6), (14_400, 7), (100_000, 7)] {
        town.advance(wait).await;
        assert_eq!(town.posts().len(), made, "after {wait} s more");
    }
    assert_eq!(town.listed().await[0].state, HubState::Active);
    town.reader.answer_with(behaves);
    town.change("ba", 2).await;
    assert_eq!(town.posts().last().unwrap().text(), "ba");
    assert!(!town.listed().await[0].owed);
}

#[tokio::test]
async fn any_2xx_is_a_yes_and_what_stands_behind_it_is_not_read() {
    let town = Town::with(Config { total_timeout_ms: 2_000, ..hub() }).await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    let answers = [Reply::Huge(50_000_000), Reply::status(202), Reply::text(299, "hub.mode=unsubscribe")];
    for (second, (text, answer)) in (1..).zip(["hai", "ba", "bốn"].into_iter().zip(answers)) {
        town.reader.always(answer);
        town.change(text, second).await;
        let one = town.listed().await.remove(0);
        assert_eq!((one.owed, one.state, town.posts().len()), (false, HubState::Active, second as usize), "{text}");
    }
}

#[tokio::test]
async fn several_changes_that_wait_become_one_call_with_the_newest() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    town.reader.always(Reply::retry_after(503, "1000"));
    for (second, text) in (1..).zip(["hai", "ba", "bốn", "năm"]) {
        town.change(text, second).await;
    }
    assert_eq!(town.posts().len(), 1, "the host rests as long as it asked");
    town.reader.answer_with(behaves);
    town.advance(1_000).await;
    assert_eq!(town.posts().iter().map(Heard::text).collect::<Vec<_>>(), ["hai", "năm"]);
}

#[tokio::test]
async fn gone_ends_the_subscription_and_a_redirect_is_only_a_failure() {
    let town = Town::new().await;
    let other = HttpStandIn::start().await.unwrap();
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    town.reader.always(Reply::redirect(&other.url("/")));
    town.change("hai", 1).await;
    assert_eq!((other.requests().len(), town.listed().await[0].owed), (0, true));
    town.reader.always(Reply::status(410));
    town.change("ba", 2).await;
    assert_eq!(town.listed().await, []);
    town.change("bốn", 3).await;
    assert_eq!(town.posts().len(), 2);
}

#[tokio::test]
async fn a_slow_host_delays_nobody_else() {
    let hosts = Config { allow_hosts: vec!["localhost".into()], total_timeout_ms: 20_000, ..hub() };
    let town = Town::with(Config { in_flight_max: 4, ..hosts }).await;
    let slow = HttpStandIn::start_on("127.0.1.1:0".parse().unwrap(), CancellationToken::new()).await.unwrap();
    slow.answer_with(behaves);
    for path in 0..10 {
        town.ask("subscribe", &slow.url(&format!("/{path}")), &[]).await;
    }
    // another name of the same machine is another host
    town.ask("subscribe", &town.reader.url("/cb").replace("127.0.0.1", "localhost"), &[]).await;
    town.run_until_idle().await;
    slow.always(Reply::Never);
    *town.said.lock().unwrap() = document("hai", "2", "Thu, 16 Nov 2023 01:00:01 GMT");
    town.clock.advance(Duration::from_secs(100));
    while town.posts().is_empty() {
        town.service.step().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(posts(&slow).len() <= 2, "a host has no more than two calls at a time");
}

/// One machine under every address of 127.0.0.0/8: as many hosts as somebody likes.
async fn everywhere() -> HttpStandIn {
    let machine = HttpStandIn::start_on("0.0.0.0:0".parse().unwrap(), CancellationToken::new()).await.unwrap();
    machine.answer_with(behaves);
    machine
}

#[tokio::test]
async fn one_machine_under_many_names_is_asked_no_more_than_a_network_may_be() {
    let config = Config { requests_per_host_burst: 2, requests_per_host_seconds: 60, ..hub() };
    let town = Town::with(config).await;
    let machine = everywhere().await;
    for n in 1..=12 {
        town.ask("subscribe", &machine.url("/cb").replace("0.0.0.0", &format!("127.0.2.{n}")), &[]).await;
    }
    town.ask("subscribe", &machine.url("/other").replace("0.0.0.0", "127.0.3.1"), &[]).await;
    town.run_until_idle().await;
    let asked = |path: &str| machine.requests().iter().filter(|request| request.path.starts_with(path)).count();
    assert_eq!((asked("/cb"), asked("/other")), (4, 1), "as much as two hosts, and others as ever");
    for _ in 0..10 {
        town.advance(60).await;
    }
    assert_eq!(asked("/cb"), 8, "who is over it is tried twice more, and then dropped: nothing piles up");
    assert_eq!(town.listed().await.len(), 9);
}

#[tokio::test]
async fn one_machine_under_many_names_takes_half_of_the_places_at_most() {
    let town = Town::with(Config { in_flight_max: 4, total_timeout_ms: 8_000, ..hub() }).await;
    let machine = everywhere().await;
    for n in 1..=6 {
        town.ask("subscribe", &machine.url("/cb").replace("0.0.0.0", &format!("127.0.2.{n}")), &[]).await;
    }
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    for _ in 0..7 {
        town.advance(30).await; // one of them is asked at a time
    }
    assert_eq!(town.listed().await.iter().filter(|one| one.state == HubState::Active).count(), 7);
    machine.always(Reply::Never);
    *town.said.lock().unwrap() = document("hai", "2", "Thu, 16 Nov 2023 01:00:01 GMT");
    town.clock.advance(Duration::from_secs(100));
    while town.posts().is_empty() {
        town.service.step().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(posts(&machine).len() <= 2, "half of four");
    machine.answer_with(behaves);
    while posts(&machine).len() < 6 {
        town.clock.advance(Duration::from_secs(5));
        town.service.step().await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_lease_is_granted_within_bounds_and_ends() {
    let town = Town::new().await;
    for (asked, granted) in [("60", "86400"), ("100000", "100000"), ("99999999999999999999", "2592000")] {
        town.ask("subscribe", &town.reader.url("/cb"), &[("hub.lease_seconds", asked)]).await;
        town.run_until_idle().await;
        assert_eq!(query(town.reader.requests().last().unwrap())["hub.lease_seconds"], granted);
    }
    town.advance(2_592_000).await;
    assert_eq!(town.listed().await, []);
    town.change("hai", 1).await;
    assert_eq!(town.posts(), []);
}

#[tokio::test]
async fn a_ping_has_our_topics_looked_at_and_tells_only_what_changed() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    town.advance(100).await;
    *town.said.lock().unwrap() = document("hai", "2", "Thu, 16 Nov 2023 01:00:01 GMT");
    let (fetches, ping) = (town.feed.requests().len(), async |topic: &str| {
        town.post(&[("hub.mode", "publish"), ("hub.url", topic)]).await.0
    });
    assert_eq!(ping("https://169.254.169.254/").await, 204);
    town.run_until_idle().await;
    assert_eq!(town.feed.requests().len(), fetches, "a topic that is not ours is nobody's business");
    town.clock.advance(Duration::from_secs(1));
    assert_eq!(ping(TOPIC).await, 204);
    town.run_until_idle().await;
    assert_eq!(town.posts().len(), 1);
    assert_eq!(ping(TOPIC).await, 204);
    town.advance(10).await;
    assert_eq!(town.posts().len(), 1);
}

#[tokio::test]
async fn a_replica_of_the_feeds_that_lags_behind_takes_nothing_back() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    town.change("hai", 1).await;
    *town.said.lock().unwrap() = document("một", "1", "Thu, 16 Nov 2023 01:00:00 GMT");
    town.advance(100).await;
    assert_eq!(town.posts().len(), 1);
    town.advance(300).await;
    let texts: Vec<String> = town.posts().iter().map(Heard::text).collect();
    assert_eq!(texts, ["hai", "một"], "what is said for minutes is the truth: somebody restored the feeds");
}

#[tokio::test]
async fn a_document_that_is_too_long_is_not_told() {
    let town = Town::with(Config { document_bytes_max: 10_000, ..hub() }).await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    *town.said.lock().unwrap() = document(&"x".repeat(10_001), "2", "Thu, 16 Nov 2023 01:00:01 GMT");
    town.advance(100).await;
    assert_eq!(town.posts(), []);
    town.change("hai", 2).await;
    assert_eq!(town.posts().len(), 1);
}

#[tokio::test]
async fn what_died_after_the_call_and_before_the_record_is_called_again() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    *town.said.lock().unwrap() = document("hai", "2", "Thu, 16 Nov 2023 01:00:01 GMT");
    let doomed = town.another(hub());
    town.clock.advance(Duration::from_secs(100));
    for _ in ["it fetches", "it calls"] {
        doomed.drain().await.unwrap();
        doomed.step().await.unwrap();
    }
    while town.posts().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(doomed); // its result is never recorded
    town.run_until_idle().await;
    assert_eq!(town.posts().len(), 1, "until the lease ends, it is nobody else's");
    town.advance(60).await;
    assert_eq!(town.posts().iter().map(Heard::text).collect::<Vec<_>>(), ["hai", "hai"]);
    assert!(!town.listed().await[0].owed);
}

#[tokio::test]
async fn a_host_cannot_be_called_without_end_by_asking_for_it() {
    let config = Config { requests_per_host_burst: 3, requests_per_host_seconds: 60, ..hub() };
    let town = Town::with(config).await;
    let ask = async |path: &str| {
        let callback = town.reader.url(path);
        town.post(&[("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", &callback)]).await
    };
    for path in ["/1", "/2", "/3"] {
        assert_eq!(ask(path).await.0, 202);
    }
    let (status, headers, _) = ask("/4").await;
    assert_eq!((status.as_u16(), headers["retry-after"].to_str().unwrap()), (429, "61"));
    town.run_until_idle().await;
    assert_eq!(town.reader.requests().len(), 3);
    town.clock.advance(Duration::from_secs(60));
    assert_eq!((ask("/4").await.0, ask("/5").await.0), (StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn one_client_takes_its_share_whatever_names_it_gives_and_keeps_nobody_else_from_subscribing() {
    let config = Config { requests_per_client_burst: 3, requests_per_client_seconds: 60, ..hub() };
    let town = Town::with(config).await;
    let ask = async |client: &str, number: u32| {
        let callback = format!("https://name-{number}.invalid/");
        let form = [("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.callback", &callback)];
        let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::post("/hub").body(Body::from(form)).unwrap();
        request.extensions_mut().insert(ClientAddress(client.parse().unwrap()));
        town.router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    for number in 0..3 {
        assert_eq!(ask("203.0.113.1", number).await, 202);
    }
    assert_eq!(ask("203.0.113.2", 3).await, 429, "a network is one client");
    assert_eq!(ask("198.51.100.1", 4).await, 202);
    assert_eq!(ask("2001:db8:1::1", 5).await, 202);
    town.clock.advance(Duration::from_secs(60));
    assert_eq!(ask("203.0.113.1", 6).await, 202);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_looked_up_once_more_and_then_takes_no_room() {
    let town = Town::with(hub()).await;
    let waits = async || town.ledger.hub_next_due().await.unwrap().verify_at.is_some();
    for (resolver_works, seconds) in [(false, [10, 60]), (true, [0, 10])] {
        if resolver_works {
            town.ask("subscribe", &town.reader.url("/cb").replace("127.0.0.1", "localhost"), &[]).await;
        }
        town.ask("subscribe", "https://no-such-name.invalid/cb", &[]).await;
        town.run_until_idle().await;
        for wait in seconds {
            assert!(waits().await, "the resolver may be away");
            town.advance(wait).await;
        }
        assert!(!waits().await, "after {seconds:?}");
    }
}

#[tokio::test]
async fn a_flood_of_combinations_keeps_nobody_from_subscribing_to_a_feed_and_delays_no_fetch() {
    let town = Town::with(Config { topics_max: 20, total_timeout_ms: 20_000, ..hub() }).await;
    let combination = |n: u32| format!("https://loa.example.gov.vn/tin/feeds/area-a+area-b{n}.atom");
    // the feed service never ends writing a combination
    town.feed.answer_with(|request| match request.path.contains('+') {
        true => Reply::Never,
        false => document("một", "1", "Thu, 16 Nov 2023 01:00:00 GMT"),
    });
    let mut refused = 0;
    for n in 0..30 {
        let form =
            [("hub.mode", "subscribe"), ("hub.topic", &combination(n)), ("hub.callback", &town.reader.url("/cb"))];
        let (status, headers, body) = town.post(&form).await;
        if status != 202 {
            assert_eq!((status.as_u16(), headers.contains_key("retry-after")), (503, true));
            assert!(body.contains("combinations"), "{body}");
            refused += 1;
        }
    }
    assert_eq!(refused, 26, "a fifth of twenty topics may be combinations");
    town.ask("subscribe", &town.reader.url("/feed"), &[]).await;
    while town.reader.requests().is_empty() {
        town.service.step().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(town.reader.requests()[0].path.starts_with("/feed?"));
    let fetches = town.feed.requests().into_iter().filter(|fetch| fetch.path.contains('+')).count();
    assert!(fetches <= 1, "one combination is fetched at a time: {fetches}");
}

#[tokio::test]
async fn a_clock_stepped_back_by_an_hour_silences_nothing_for_longer_than_a_poll() {
    let town = Town::new().await;
    for path in ["/told", "/fails"] {
        town.ask("subscribe", &town.reader.url(path), &[]).await;
    }
    town.run_until_idle().await;
    let until = town.listed().await[0].ends_at;
    town.reader.answer_with(|request| match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/fails") => Reply::status(500),
        _ => behaves(request),
    });
    town.change("hai", 1).await;
    town.clock.set(town.clock.now() - SignedDuration::from_hours(1));
    let before = town.posts().len();
    // no event, no ping: a change that only a fetch can find
    *town.said.lock().unwrap() = document("ba", "3", "Thu, 16 Nov 2023 01:00:02 GMT");
    town.run_until_idle().await;
    for _ in 0..7 {
        town.advance(10).await;
    }
    let since = &town.posts()[before..];
    let told = |path: &str| -> Vec<String> { since.iter().filter(|one| one.path == path).map(Heard::text).collect() };
    assert_eq!(told("/told"), ["ba"], "within a poll, and once");
    let tries = told("/fails");
    assert!((2..=4).contains(&tries.len()), "its schedule goes on as it was, without a storm: {tries:?}");
    // and what is new: asked at once, fetched when an event says so
    town.ask("subscribe", &town.reader.url("/new"), &[]).await;
    town.run_until_idle().await;
    town.change("bốn", 3).await;
    assert_eq!(town.posts().iter().filter(|one| one.text() == "bốn").count(), 3);
    assert!(town.listed().await.iter().all(|one| one.ends_at <= until), "no lease became longer");
}

#[tokio::test]
async fn a_clock_stepped_ahead_by_an_hour_and_back_ends_no_lease_and_calls_nobody_twice() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    town.change("hai", 1).await;
    let (fetches, told) = (town.feed.requests().len(), town.posts().len());
    for hours in [1, -1] {
        town.clock.set(town.clock.now() + SignedDuration::from_hours(hours));
        town.run_until_idle().await;
        town.advance(1).await;
        assert!(town.feed.requests().len() - fetches <= 6, "no storm of fetches");
        assert_eq!((town.posts().len(), town.listed().await[0].state), (told, HubState::Active));
    }
    town.change("ba", 2).await;
    assert_eq!(town.posts().len(), told + 1);
}

#[tokio::test]
async fn a_confirmation_that_was_never_recorded_is_asked_for_again_but_not_without_end() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    let looker = town.another(hub());
    looker.step().await.unwrap();
    looker.drain().await.unwrap();
    let die = async |asked: usize| {
        let doomed = town.another(hub());
        doomed.step().await.unwrap();
        while town.reader.requests().len() < asked {
            tokio::task::yield_now().await;
        }
        drop(doomed); // the answer was yes, and is never recorded
        town.clock.advance(Duration::from_secs(60));
    };
    die(1).await;
    die(2).await;
    town.run_until_idle().await;
    let mut challenges: Vec<String> =
        town.reader.requests().iter().map(|r| query(r)["hub.challenge"].clone()).collect();
    assert_eq!((challenges.len(), town.listed().await[0].state), (3, HubState::Active));
    challenges.dedup();
    assert_eq!(challenges.len(), 3, "each time another challenge");
    town.ask("subscribe", &town.reader.url("/deadly"), &[]).await;
    for asked in 4..=6 {
        die(asked).await;
    }
    town.run_until_idle().await;
    let callbacks: Vec<String> = town.listed().await.into_iter().map(|one| one.callback).collect();
    assert_eq!((callbacks, town.reader.requests().len()), (vec![town.reader.url("/cb")], 6), "three times and no more");
}

#[tokio::test]
async fn an_operator_ends_a_subscription_and_the_subscriber_is_told() {
    let town = Town::new().await;
    town.ask("subscribe", &town.reader.url("/cb"), &[]).await;
    town.run_until_idle().await;
    let id = town.listed().await[0].id.clone();
    town.service.remove(&id).await.unwrap();
    town.run_until_idle().await;
    assert_eq!(query(town.reader.requests().last().unwrap())["hub.mode"], "denied");
    assert_eq!(town.listed().await, []);
    let again = town.service.remove(&id).await.unwrap_err();
    assert!(matches!(again, OperationError::NoSubscription(unknown) if unknown == id));
}

#[tokio::test]
async fn where_no_hub_is_wanted_there_is_none() {
    let town = Town::with(Config { enabled: false, ..hub() }).await;
    assert_eq!(town.post(&[("hub.mode", "publish"), ("hub.topic", TOPIC)]).await.0, 404);
    assert_eq!(town.service.step().await.unwrap(), Progress::Idle);
}
