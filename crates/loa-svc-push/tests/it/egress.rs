//! Where webhooks may not go: when an endpoint is added and, by the same rules, when one is delivered to.

use crate::stage::{Stage, config, run_until_idle};
use loa_domain::{AttemptError, DeliveryState};
use loa_svc_push::{Config, NewEndpoint, OperationError};
use loa_testkit::{
    build::{article, published},
    http::HttpStandIn,
};
use loa_words::Language;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a machine allows whose operator allowed nothing.
fn strict() -> Config {
    Config { allow_networks: Vec::new(), ..config() }
}

#[tokio::test]
async fn a_private_address_is_refused_when_an_endpoint_is_added() {
    let stage = Stage::with(strict()).await;
    for url in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0177.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:192.168.1.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://localhost/",
        "http://example.gov.vn/",
        "ftp://example.gov.vn/",
        "https://a:b@example.gov.vn/",
        "",
    ] {
        let asked = NewEndpoint { url: url.into(), ..NewEndpoint::default() };
        let refusal = stage.service.add_endpoint(asked).await;
        assert!(matches!(refusal, Err(OperationError::Address(_))), "{url}: {refusal:?}");
    }
    assert!(stage.service.endpoints().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_address_that_is_no_longer_allowed_is_not_called() {
    let stage = Stage::new().await;
    let portal = HttpStandIn::start().await.unwrap();
    stage.endpoint(&portal, "/").await;
    stage.accept(&[published(article("bai-1", 1))]).await;
    let stricter = stage.another(strict());
    run_until_idle(&stricter).await;
    assert!(portal.requests().is_empty());
    let (delivery, log) = stage.only().await;
    assert_eq!((delivery.state, log[0].error), (DeliveryState::Pending, Some(AttemptError::Blocked)));
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to_at_the_moment_of_connecting() {
    let named = Config { allow_hosts: vec!["localhost".into()], ..strict() };
    let stage = Stage::with(named).await;
    let portal = HttpStandIn::start().await.unwrap();
    let url = format!("https://localhost:{}/", portal.address().port());
    stage.service.add_endpoint(NewEndpoint { url, ..NewEndpoint::default() }).await.unwrap();
    stage.accept(&[published(article("bai-1", 1))]).await;
    // over https a name passes the check of the address as written; only the resolver can refuse it
    let stricter = stage.another(strict());
    run_until_idle(&stricter).await;
    assert!(portal.requests().is_empty());
    let (_, log) = stage.only().await;
    assert_eq!(log[0].error, Some(AttemptError::Blocked), "{log:?}");
    let said = Language::English.words().attempt(log[0].error, log[0].status, &log[0].words);
    assert!(said.contains("push.allow_hosts") && said.contains("push.allow_networks"), "{said}");
}

#[tokio::test]
async fn a_host_allowed_by_name_is_called_over_plain_http() {
    let stage = Stage::with(Config { allow_hosts: vec!["localhost".into()], ..strict() }).await;
    let portal = HttpStandIn::start().await.unwrap();
    let url = format!("http://localhost:{}/", portal.address().port());
    stage.service.add_endpoint(NewEndpoint { url, ..NewEndpoint::default() }).await.unwrap();
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    assert_eq!(portal.requests().len(), 1);
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_tls_is_a_failure_by_name() {
    let stage = Stage::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    stage.service.add_endpoint(NewEndpoint { url, ..NewEndpoint::default() }).await.unwrap();
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    plain.await.unwrap();
    let (_, log) = stage.only().await;
    assert_eq!((log[0].error, log[0].status), (Some(AttemptError::Tls), None), "{log:?}");
}

#[tokio::test]
async fn the_same_address_is_not_added_twice() {
    let stage = Stage::new().await;
    let portal = HttpStandIn::start().await.unwrap();
    let (id, _) = stage.endpoint(&portal, "/").await;
    let again = stage.service.add_endpoint(NewEndpoint { url: portal.url("/"), ..NewEndpoint::default() }).await;
    assert!(matches!(again, Err(OperationError::Exists(known)) if known == id));
}
