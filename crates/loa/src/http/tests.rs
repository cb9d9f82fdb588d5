//! What the listener puts up with and what not, by real sockets.

use super::*;
use axum::{
    Extension,
    extract::State,
    routing::{get, post},
};
use loa_http::{AccessUnavailable, Caller, ClientAddress, Guard, ToPublish, TokenCheck};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Knows no token.
#[derive(Clone)]
struct Nobody;

#[async_trait::async_trait]
impl TokenCheck for Nobody {
    async fn find(&self, _: &str) -> Result<Option<Caller>, AccessUnavailable> {
        Ok(None)
    }
}

impl Guard for Nobody {
    fn tokens(&self) -> &dyn TokenCheck {
        self
    }

    fn service(&self) -> &'static str {
        "test"
    }
}

async fn serving(limits: Limits) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let router = Router::new()
        .route("/", get(async || "xin chào"))
        .route("/v1/articles", post(async |_: axum::body::Bytes| "taken"))
        .route("/who", get(async |Extension(ClientAddress(address))| address.to_string()))
        .route("/guarded", post(async |State(Nobody): State<Nobody>, _: ToPublish, _: axum::body::Bytes| "taken"))
        .route("/long", get(async || vec![b'x'; 32 << 20]))
        .route("/panic", get(async || -> String { panic!("on purpose") }))
        .with_state(Nobody);
    tokio::spawn(serve(listener, router, TrustedProxies::default(), limits, stop.clone()));
    (address, stop)
}

/// Sends what is given, and everything that comes back until the other side closes.
async fn answer(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read to its end");
    answer
}

fn short() -> Limits {
    let moment = Duration::from_millis(100);
    Limits { head: moment, request: moment, ..Limits::default() }
}

#[tokio::test]
async fn services_are_told_who_is_at_the_other_end() {
    let (address, _stop) = serving(Limits::default()).await;
    let request = "GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\nConnection: close\r\n\r\n";
    assert!(answer(address, request).await.ends_with("\r\n\r\n127.0.0.1"), "nobody is a proxy of ours here");
}

#[tokio::test]
async fn who_sends_half_a_request_or_nothing_is_not_waited_for() {
    let (address, _stop) = serving(short()).await;
    assert_eq!(answer(address, "").await, "");
    assert_eq!(answer(address, "GET / HTTP/1.1\r\nHost: x\r\n").await, "");
    let kept_open = answer(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(kept_open.ends_with("xin chào"), "{kept_open}");
    let half = "POST /v1/articles HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    let answer = answer(address, half).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 30\r\n"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let (address, _stop) = serving(Limits { connections: 1, ..short() }).await;
    let idle = TcpStream::connect(address).await.expect("connected");
    let second = answer(address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(second.ends_with("xin chào"), "{second}");
    drop(idle);
}

#[tokio::test]
async fn who_never_reads_an_answer_is_let_go_and_its_place_with_it() {
    const HELD: usize = 8;
    let limits = Limits {
        connections: HELD,
        connections_per_address: HELD,
        answer: Duration::from_millis(200),
        ..Limits::default()
    };
    let (address, _stop) = serving(limits).await;
    let mut held = Vec::new();
    for _ in 0..HELD {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
        held.push(stream);
    }
    // every place is taken by who does not read; each of these is served when one of them was let go
    for _ in 0..HELD {
        let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let served = tokio::time::timeout(Duration::from_secs(60), answer(address, request)).await;
        assert!(served.expect("nobody holds a place for ever").ends_with("xin chào"));
    }
    drop(held);
}

#[tokio::test]
async fn an_address_that_has_its_share_is_turned_away_and_others_are_served() {
    let limits = Limits { connections: 8, connections_per_address: 2, ..Limits::default() };
    let (address, _stop) = serving(limits).await;
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("an answer");
        held.push(stream);
    }
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        // the system may have closed it before this is written
        drop(stream.write_all(request.as_bytes()).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        assert!(answer.is_empty(), "turned away without a word");
    }
    let other = tokio::net::TcpSocket::new_v4().expect("a socket");
    other.bind("127.0.0.2:0".parse().expect("an address")).expect("bound");
    let mut other = other.connect(address).await.expect("connected");
    other.write_all(request.as_bytes()).await.expect("sent");
    let mut first = [0; 12];
    other.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    drop(held);
}

#[tokio::test]
async fn who_may_not_send_a_body_is_told_before_it_is_read_and_the_connection_ends() {
    let (address, _stop) = serving(Limits::default()).await;
    for head in [
        "Content-Length: 1000000\r\n",
        "Content-Length: 1000000\r\nAuthorization: Bearer wrong\r\n",
        "Transfer-Encoding: chunked\r\n",
    ] {
        // no byte of the body is ever sent
        let request = format!("POST /guarded HTTP/1.1\r\nHost: x\r\n{head}\r\n");
        let answer = answer(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_request_of_http_1_1_names_one_host() {
    let (address, _stop) = serving(Limits::default()).await;
    for (head, status) in [
        ("GET / HTTP/1.1\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "400"),
        ("GET http://x/ HTTP/1.1\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\n", "200"),
        ("GET / HTTP/1.0\r\n", "200"),
    ] {
        let answer = answer(address, &format!("{head}Connection: close\r\n\r\n")).await;
        assert!(answer.contains(&format!(" {status} ")), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_request_whose_end_two_programs_may_see_elsewhere_is_refused_or_ends_its_connection() {
    let (address, _stop) = serving(Limits::default()).await;
    let behind = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for (head, status) in [
        (format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", behind.len()), "405"),
        ("Content-Length: 3\r\nContent-Length: 5\r\n".to_owned(), "400"),
        ("Content-Length: +3\r\n".to_owned(), "400"),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), "400"),
        ("Transfer-Encoding : chunked\r\n".to_owned(), "400"),
        ("X: a\rb: c\r\n".to_owned(), "400"),
        ("X: a\r\n Transfer-Encoding: chunked\r\n".to_owned(), "400"),
    ] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{head}\r\n{behind}");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        // a reset, for what was not read, ends it as well
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head}: what stands behind is not answered: {answer}");
    }
}

#[tokio::test]
async fn what_no_service_answers_is_a_page_for_people_and_a_problem_for_machines() {
    let (address, _stop) = serving(Limits::default()).await;
    let ask = async |method: &str, path: &str| {
        answer(address, &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    };
    for (method, path, status, content_type, words) in [
        ("GET", "/nothing", "404", "text/html", "Không tìm thấy trang"),
        ("POST", "/", "405", "text/html", "allow: GET,HEAD"),
        ("GET", "/panic", "500", "text/html", "Có lỗi ở máy chủ"),
        ("GET", "/v1/nothing", "404", "application/problem+json", "there is nothing at this address"),
        ("GET", "/v1/articles", "405", "application/problem+json", "allow: POST"),
        ("GET", "/", "200", "text/plain", "xin chào"),
    ] {
        let answer = ask(method, path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
        let kept = if status == "200" { "" } else { "cache-control: no-store" };
        for expected in [&format!("content-type: {content_type}"), words, "x-content-type-options: nosniff", kept] {
            assert!(answer.contains(expected), "{method} {path}: {expected}: {answer}");
        }
    }
    let head = ask("HEAD", "/nothing").await;
    assert!(head.starts_with("HTTP/1.1 404 ") && !head.contains("<html"), "{head}");
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight_and_takes_nothing_more() {
    let (address, stop) = serving(Limits::default()).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("an answer");
    stop.cancel();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.expect("closed by the server");
    assert!(rest.ends_with("xin chào"), "{rest}");
    assert!(TcpStream::connect(address).await.is_err());
}
