//! Tests of the stand-in itself, over a bare socket: what it records, and that it misbehaves as
//! told.

use super::*;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends raw bytes and reads until the stand-in closes.
async fn talk(stand_in: &HttpStandIn, raw: &str) -> String {
    let mut stream = TcpStream::connect(stand_in.address()).await.unwrap();
    stream.write_all(raw.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const POST: &str =
    "POST /hook?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nWebhook-Id: evt_1\r\nContent-Length: 4\r\n\r\nbody";

#[tokio::test]
async fn a_request_is_recorded_and_answered() {
    let stand_in = HttpStandIn::start().await.unwrap();
    let mut heard = stand_in.listen();
    assert!(talk(&stand_in, POST).await.starts_with("HTTP/1.1 204 "));
    let requests = stand_in.wait_for(1).await;
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", "/hook?a=b"));
    assert_eq!(requests[0].header("webhook-id"), Some("evt_1"));
    assert_eq!(requests[0].text(), "body");
    assert_eq!(heard.recv().await.unwrap(), requests[0]);
    stand_in.stop().await;
    assert!(TcpStream::connect(stand_in.address()).await.is_err(), "a stopped stand-in listens no more");
}

#[tokio::test]
async fn the_script_is_followed_and_then_the_rule() {
    let stand_in = HttpStandIn::start().await.unwrap();
    stand_in.script([Reply::status(500), Reply::retry_after(429, "7")]);
    stand_in.answer_with(|request| if request.path == "/other" { Reply::status(404) } else { Reply::text(200, "ok") });
    assert!(talk(&stand_in, POST).await.starts_with("HTTP/1.1 500 "));
    assert!(talk(&stand_in, POST).await.contains("retry-after: 7\r\n"));
    assert!(talk(&stand_in, POST).await.ends_with("\r\n\r\nok"));
    assert!(talk(&stand_in, &POST.replace("/hook?a=b", "/other")).await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn one_connection_carries_several_requests_chunked_ones_too() {
    let stand_in = HttpStandIn::start().await.unwrap();
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n";
    let answer = talk(&stand_in, &format!("{chunked}{chunked}{POST}")).await;
    assert_eq!(answer.matches("HTTP/1.1 204").count(), 3);
    assert_eq!(stand_in.requests().iter().map(Request::text).collect::<Vec<_>>(), ["abcde", "abcde", "body"]);
}

#[tokio::test]
async fn it_misbehaves_as_told() {
    let stand_in = HttpStandIn::start().await.unwrap();
    stand_in.script([Reply::Close, Reply::Garbage, Reply::Huge(100_000)]);
    assert_eq!(talk(&stand_in, POST).await, "");
    assert!(talk(&stand_in, POST).await.starts_with("220 "));
    assert!(talk(&stand_in, POST).await.len() > 100_000);
    for endless in [Reply::Never, Reply::Drip(Duration::from_millis(1)), Reply::Continues] {
        stand_in.script([endless]);
        let talking = talk(&stand_in, POST);
        assert!(tokio::time::timeout(Duration::from_millis(50), talking).await.is_err());
    }
}

#[tokio::test]
async fn garbage_and_oversized_requests_are_not_recorded() {
    let stand_in = HttpStandIn::start().await.unwrap();
    for bad in [
        "\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ] {
        assert_eq!(talk(&stand_in, bad).await, "");
    }
    assert!(stand_in.requests().is_empty());
}
