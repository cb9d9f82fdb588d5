//! The HTTP listener: connections in bounded number, of each address a share, each with deadlines for the
//! head of a request, for the whole of it and for taking the answer, so that nobody can hold what others
//! need by sending slowly, by reading slowly, or by doing nothing.
//!
//! It knows no route. `bare.rs` dresses what no service answered. `loa-http` compresses public pages
//! that are not compressed yet.

mod paced;
mod places;

use crate::{bare, config::HttpConfig};
use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, Version, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    serve::Listener,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use loa_http::{Peer, Problem, TrustedProxies, compress_public_pages, note_client_address};
use paced::Paced;
use places::Places;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
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
    /// How far behind a reader may be with taking an answer (`http/paced.rs`).
    pub answer: Duration,
    /// Connections at a time; others wait in the system's queue.
    pub connections: usize,
    /// Connections at a time of one client address (of IPv6: one network). A proxy of ours may have all but so many.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            request: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            connections: 2_048,
            connections_per_address: 64,
        }
    }
}

impl Limits {
    /// For a main listener. Asks the system for as many open files as that takes.
    ///
    /// # Errors
    /// A setting that is out of range, as a sentence.
    pub fn of(config: &HttpConfig) -> anyhow::Result<Self> {
        if let Some(fault) = config.fault() {
            anyhow::bail!(fault);
        }
        // half of the files: ledgers and outgoing connections must never go without
        let wanted = u64::from(config.connections_max);
        let possible = open_files(2 * wanted) / 2;
        if possible < wanted {
            tracing::warn!(
                connections = possible,
                wanted,
                "this process may open too few files for `http.connections_max`; raise its limit (`LimitNOFILE=` of systemd, `ulimit -n`)"
            );
        }
        Ok(Self {
            connections: usize::try_from(possible.min(wanted))?,
            connections_per_address: usize::try_from(config.connections_per_address_max)?,
            ..Self::default()
        })
    }

    /// For a listener of health and metrics alone: few ask, and none of them waits behind readers.
    pub fn of_health() -> Self {
        Self { connections: 32, connections_per_address: 16, ..Self::default() }
    }
}

/// Asks for so many open files; returns how many this process may have.
fn open_files(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    let more = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    let raised = Rlimit { current: Some(more), maximum: limit.maximum };
    if now < more && setrlimit(Resource::Nofile, raised).is_ok() { more } else { now }
}

/// Serves until `stop`; requests in flight are answered.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    proxies: TrustedProxies,
    limits: Limits,
    stop: CancellationToken,
) {
    let proxies = Arc::new(proxies);
    let router = router
        .layer(middleware::from_fn_with_state(proxies.clone(), note_client_address))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits.request))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(well_formed))
        .layer(middleware::from_fn(bare::dressed))
        .layer(middleware::from_fn(compress_public_pages));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD_BYTES_MAX);
    let places = Places::new(limits.connections, limits.connections_per_address);
    let open = GracefulShutdown::new();
    let next = async |listener: &mut TcpListener| {
        let permit = places.any().await;
        let (stream, address) = Listener::accept(listener).await;
        (permit, stream, Peer(address.ip()))
    };
    while let Some((permit, stream, peer)) = stop.run_until_cancelled(next(&mut listener)).await {
        let Some(place) = places.take(permit, peer.0, proxies.has(peer.0)) else {
            counted("share_of_connections");
            continue;
        };
        let (server, watcher) = (server.clone(), open.watcher());
        let service = TowerToHyperService::new(AddExtension::new(router.clone(), peer));
        tokio::spawn(async move {
            let stream = TokioIo::new(Paced::new(stream, limits.answer));
            let connection = server.serve_connection(stream, service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(error = %error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// Refuses what HTTP/1.1 forbids and frameworks let through: a request that names no host, or several (RFC 9112 §3.2). Says that
/// the connection ends where a body was not read because nobody may send it.
async fn well_formed(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        counted("host");
        let detail = "a request names the host that it is for in one `Host` header (RFC 9112 §3.2)";
        return ended(Problem::new(400, "No one host", detail).into_response());
    }
    let has_body = has_body(request.headers());
    let answer = next.run(request).await;
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::PAYLOAD_TOO_LARGE];
    if has_body && refused.contains(&answer.status()) { ended(answer) } else { answer }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

fn ended(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn counted(reason: &'static str) {
    metrics::counter!("loa_http_refusals_total", "service" => "http", "reason" => reason).increment(1);
}

#[cfg(test)]
mod tests;
