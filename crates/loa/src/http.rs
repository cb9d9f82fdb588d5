//! The HTTP listener: connections in bounded number, each with a deadline for the head of a request
//! and one for the whole of it, so that nobody can hold what others need by sending slowly, or
//! nothing.
//!
//! It knows no route. `bare.rs` dresses what no service answered. `loa-http` compresses public pages
//! that are not compressed yet.

use crate::bare;
use axum::{Router, http::StatusCode, middleware, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use loa_http::{Peer, TrustedProxies, compress_public_pages, note_client_address};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tower_http::{add_extension::AddExtension, catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

/// The longest head of a request, in bytes: an address of 8 kB and twice as much of everything else.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// What one listener puts up with.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest wait for the head of a request, on a connection that is kept open too.
    pub head: Duration,
    /// Longest time for a request, from its head to its answer; the body arrives in it.
    pub request: Duration,
    /// Connections at a time; others wait in the system's queue. Half of the 1,024 files that a process may usually
    /// open: ledgers and outgoing connections must never go without.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(15), request: Duration::from_secs(30), connections: 512 }
    }
}

/// Serves until `stop`; requests in flight are answered.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    proxies: TrustedProxies,
    limits: Limits,
    stop: CancellationToken,
) {
    let router = router
        .layer(middleware::from_fn_with_state(Arc::new(proxies), note_client_address))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits.request))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(bare::dressed))
        .layer(middleware::from_fn(compress_public_pages));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD_BYTES_MAX);
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    let next = async |listener: &mut TcpListener| {
        // the semaphore is never closed
        let place = places.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(listener).await;
        (place, stream, Peer(address.ip()))
    };
    while let Some((place, stream, peer)) = stop.run_until_cancelled(next(&mut listener)).await {
        let (server, watcher) = (server.clone(), open.watcher());
        let service = TowerToHyperService::new(AddExtension::new(router.clone(), peer));
        tokio::spawn(async move {
            let connection = server.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(error = %error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        Extension,
        routing::{get, post},
    };
    use loa_http::ClientAddress;
    use std::net::SocketAddr;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    async fn serving(limits: Limits) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let router = Router::new()
            .route("/", get(async || "xin chào"))
            .route("/v1/articles", post(async |_: axum::body::Bytes| "taken"))
            .route("/who", get(async |Extension(ClientAddress(address))| address.to_string()))
            .route("/panic", get(async || -> String { panic!("on purpose") }));
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
            for expected in [&format!("content-type: {content_type}"), words, "x-content-type-options: nosniff"] {
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
}
