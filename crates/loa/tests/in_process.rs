//! The whole wiring in this process, on a throw-away folder and by a clock wound by hand: an
//! article goes in by HTTP and comes out as the bytes of a feed.
//!
//! Whoever measures or tries the whole without a process of its own begins as this test does. No
//! port is opened and no signal is heard: the routers are called, but where bytes on a connection matter.

// all of this file is a test, its helpers too
#![allow(clippy::unwrap_used)]

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use loa::{App, Config, cmd::serve, config, install_tls_provider, lifecycle::Lifecycle};
use loa_domain::Scope;
use loa_testkit::clock::HandClock;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

/// How long the article may take, on a machine that does other things, too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

async fn call(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await.unwrap();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

/// The defaults, and whose installation it is.
fn settings() -> Config {
    let identity = r#"
        portal = { name = "Xã Na Son", url = "https://portal.example/", source = "https://portal.example/" }
        site = { tag_authority = "portal.example", tag_date = "2026-01-01" }
        areas = { within = ["none"] }
        digest = { from_address = "ban-tin@portal.example" }
    "#;
    config::layered(Some((Path::new("loa.toml"), identity)), []).unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_article_comes_out_as_the_bytes_of_a_feed() {
    install_tls_provider();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.data_dir = folder.path().join("data");
    let clock = HandClock::at("2026-07-06T02:00:00Z");
    let app = Arc::new(App::new(settings, clock.world(7)).unwrap());
    app.migrate().await.unwrap();
    let token = app.create_token("editor", Scope::Publish).await.unwrap();
    let lifecycle = Lifecycle::unattended();
    let router = serve::everything(&app, &lifecycle).await.unwrap();

    let (status, _, before) = call(&router, get("/feeds/all.atom")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!before.contains("<entry>"), "{before}");

    let article = json!({
        "id": "tin-1", "title": "Bốn sản phẩm OCOP", "url": "https://portal.example/tin-1", "content_html": "<p>Tin.</p>",
        "language": "vi", "category": { "slug": "kinh-te", "label": "Kinh tế" }, "published_at": "2026-07-06T01:00:00Z",
    });
    let post = Request::post("/v1/articles")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(article.to_string()))
        .unwrap();
    let (status, _, receipt) = call(&router, post).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{receipt}");

    let arriving = async {
        loop {
            let (status, headers, feed) = call(&router, get("/feeds/all.atom")).await;
            if feed.contains("<entry>") {
                return (status, headers, feed);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (status, headers, feed) = tokio::time::timeout(PATIENCE, arriving).await.expect("the article arrives");
    assert_eq!(status, StatusCode::OK);
    assert!(feed.contains("Bốn sản phẩm OCOP"), "{feed}");
    let changed = headers[header::LAST_MODIFIED].to_str().unwrap();
    assert!(changed.starts_with("Mon, 06 Jul 2026 02:00:"), "by the clock that was handed in: {changed}");

    lifecycle.end().await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_api_says_who_before_how_much() {
    install_tls_provider();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.data_dir = folder.path().join("data");
    let app = Arc::new(App::new(settings, HandClock::at("2026-07-06T02:00:00Z").world(7)).unwrap());
    app.migrate().await.unwrap();
    let lifecycle = Lifecycle::unattended();
    let router = serve::everything(&app, &lifecycle).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    lifecycle.serve(listener, router, &app.config).unwrap();

    let described: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let mut asked = 0;
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["security"].is_null() {
                continue;
            }
            asked += 1;
            let path = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
            let line = format!("{} {}", method.to_uppercase(), path.collect::<Vec<_>>().join("/"));
            // the body is announced, and not one byte of it comes
            let head = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 1000";
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("{line} HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("connection: close"), "{line}: {answer}");
        }
    }
    assert!(asked > 15, "{asked} operations were asked");
    lifecycle.end().await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_identity_no_service_can_be_made() {
    install_tls_provider();
    let folder = tempfile::tempdir().unwrap();
    for unset in ["portal", "site", "areas", "digest"] {
        let mut settings = settings();
        settings.data_dir = folder.path().join(unset);
        match unset {
            "portal" => settings.portal.url = None,
            "areas" => settings.areas.within.clear(),
            "site" => settings.site.tag_date = String::new(),
            _ => settings.digest.from_address = loa_domain::EmailAddress::parse("ban-tin@loa.localhost").unwrap(),
        }
        let app = App::new(settings, HandClock::at("2026-07-06T02:00:00Z").world(7)).unwrap();
        let made = [
            app.intake_service().await.map(drop),
            app.feed_service().await.map(drop),
            app.digest_service().await.map(drop),
            app.push_service().await.map(drop),
            app.hub_service().await.map(drop),
            app.watch_service().await.map(drop),
            app.watch_visitor().map(drop),
            app.console_service(Lifecycle::unattended().tasks()).await.map(drop),
        ];
        for one in made {
            let said = one.expect_err(unset).to_string();
            assert!(said.starts_with("This installation has no identity yet"), "{unset}: {said}");
        }
        app.close().await;
    }
}
