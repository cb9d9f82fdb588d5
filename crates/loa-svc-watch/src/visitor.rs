//! Asks portals: one request at a time for a host, a pause between, by the rules of `robots.txt`, within bounds of bytes, time
//! and redirects. It knows neither the ledger nor what is done with an answer.

use crate::{Config, robots::RobotsCache};
use jiff::Timestamp;
use loa_domain::{AddressRefusal, Quoted, WatchFailure};
use loa_egress::{ClientError, ClientOptions, Guard, client, explain};
use loa_portal::{ROBOTS_BYTES_MAX, Robots};
use loa_webhook::{EgressPolicy, retry_after};
use loa_worker::World;
use reqwest::{Client, Response, StatusCode, header};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex as Turn, time::Instant};
use url::Url;

/// Redirects that are followed for one address.
const REDIRECTS_MAX: usize = 5;
/// How long a host is left alone that says "too much" without saying for how long.
const PAUSE: Duration = Duration::from_mins(30);
/// The name by which `robots.txt` knows us.
const PRODUCT: &str = "loa";

/// Who we are, and where the portals are.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Where a portal's administrator finds us.
    pub public_url: Url,
    /// The zone in which portals write times.
    pub zone: jiff::tz::TimeZone,
}

/// Asks portals. Clones share their turns.
#[derive(Clone)]
pub struct Visitor(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) zone: jiff::tz::TimeZone,
    pub(crate) world: World,
    agent: String,
    guard: Guard,
    client: Client,
    robots: RobotsCache,
    /// Each host's turn, and when the last request ended.
    turns: Mutex<HashMap<String, Arc<Turn<Option<Instant>>>>>,
}

/// What is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) address: &'a Url,
    pub(crate) etag: Option<&'a str>,
    pub(crate) last_modified: Option<&'a str>,
    pub(crate) bytes_max: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// A document.
    Read(Box<Document>),
    /// It is as it was.
    NotModified,
    /// 404 or 410.
    Missing(u16),
    /// The host wants to be left alone until then.
    Paused(Timestamp),
    /// `robots.txt` or our own rules forbid it: asking again does not help.
    Forbidden(WatchFailure),
    /// It answers, but not with what was asked for, whoever is at fault; with its status.
    Refused(u16, WatchFailure),
    /// It failed.
    Failed(WatchFailure),
}

/// A document, and where it stands.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) bytes: Vec<u8>,
    /// Where it was read from, behind redirects.
    pub(crate) address: Url,
    /// Where the address that was asked for has moved for good.
    pub(crate) moved_to: Option<Url>,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

impl Visitor {
    /// A visitor by these settings.
    ///
    /// # Errors
    /// When a network or a CA file cannot be read.
    pub fn new(config: Config, identity: Identity, world: World) -> Result<Self, crate::setup::SetupError> {
        if let Some(fault) = config.fault() {
            return Err(crate::setup::SetupError::Setting(fault));
        }
        // what portals publish is public: it may be asked for over plain http
        let policy = EgressPolicy::read(&config.allow_hosts, &config.allow_networks, true)?;
        let guard = Guard::new(policy);
        let client = http_client(&config, &guard)?;
        let contact = if config.contact.is_empty() { identity.public_url.as_str() } else { &config.contact };
        let contact: String = contact.chars().filter(char::is_ascii_graphic).collect();
        let agent = format!("Loa/{} (+{contact})", env!("CARGO_PKG_VERSION"));
        let (robots, turns) = (RobotsCache::default(), Mutex::default());
        Ok(Self(Arc::new(Inner { config, zone: identity.zone, world, agent, guard, client, robots, turns })))
    }
}

fn http_client(config: &Config, guard: &Guard) -> Result<Client, ClientError> {
    client(&ClientOptions {
        connect_timeout: Duration::from_millis(config.connect_timeout_ms),
        total_timeout: Duration::from_millis(config.total_timeout_ms),
        idle_per_host: 1,
        trusted_ca_files: &config.trusted_ca_files,
        guard: Some(guard),
    })
}

impl Inner {
    /// Asks for a document, by the rules of its site. Cancel-safe.
    pub(crate) async fn fetch(&self, asked: &Asked<'_>) -> Fetched {
        let (mut address, mut moved_to, mut for_good) = (asked.address.clone(), None, true);
        for _ in 0..=REDIRECTS_MAX {
            // first of all its length: it is held against thousands of a site's rules
            if let Err(why) = self.permitted(&address) {
                return Fetched::Forbidden(why);
            }
            match self.robots_for(&address).await {
                Ok(robots) if robots.allows(&address) => {}
                Ok(_) => return Fetched::Forbidden(WatchFailure::Robots { address: quoted(&address) }),
                Err(stopped) => return stopped,
            }
            // validators are of the address that was asked for, and of what it led to then
            let response = match self.ask(&address, asked.etag, asked.last_modified).await {
                Ok(response) => response,
                Err(failed) => return failed,
            };
            match location(&response, &address) {
                None => return self.read(response, address, moved_to, asked.bytes_max).await,
                Some(Err(why)) => return Fetched::Refused(response.status().as_u16(), why),
                Some(Ok(next)) => {
                    for_good &= matches!(response.status().as_u16(), 301 | 308);
                    address = next;
                    moved_to = for_good.then(|| address.clone());
                }
            }
        }
        let why = WatchFailure::Redirects { address: quoted(asked.address), max: REDIRECTS_MAX };
        Fetched::Refused(StatusCode::FOUND.as_u16(), why)
    }

    /// Whether an address may be asked at all, by our own rules; else why not.
    pub(crate) fn permitted(&self, address: &Url) -> Result<(), WatchFailure> {
        self.guard.check(address).map_err(|refusal| not_allowed(address, refusal))
    }

    async fn read(&self, response: Response, address: Url, moved_to: Option<Url>, bytes_max: usize) -> Fetched {
        let status = response.status();
        match status {
            StatusCode::NOT_MODIFIED => return Fetched::NotModified,
            StatusCode::NOT_FOUND | StatusCode::GONE => return Fetched::Missing(status.as_u16()),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Fetched::Paused(self.paused_until(&response));
            }
            StatusCode::OK => {}
            _ => {
                let why = WatchFailure::Status { address: quoted(&address), status: status.as_u16() };
                let may_pass = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
                let is_theirs = status.is_server_error() || may_pass;
                return if is_theirs { Fetched::Failed(why) } else { Fetched::Refused(status.as_u16(), why) };
            }
        }
        let said = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, last_modified) = (said(header::ETAG), said(header::LAST_MODIFIED));
        match body(response, &address, bytes_max).await {
            Ok(bytes) => Fetched::Read(Box::new(Document { bytes, address, moved_to, etag, last_modified })),
            Err(why @ WatchFailure::TooLong { .. }) => Fetched::Refused(status.as_u16(), why),
            Err(why) => Fetched::Failed(why),
        }
    }

    /// Until when a host wants to be left alone.
    fn paused_until(&self, response: &Response) -> Timestamp {
        let now = self.world.now();
        let said = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wait = said.and_then(|said| retry_after(said, now)).unwrap_or(PAUSE);
        let longest = Duration::from_secs(self.config.retry_after_seconds_max);
        now.saturating_add(wait.clamp(Duration::from_secs(1), longest)).unwrap_or(Timestamp::MAX)
    }

    /// The rules of the site of an address. Its `robots.txt` is looked for where redirects lead (RFC 9309 §2.3.1.2).
    async fn robots_for(&self, address: &Url) -> Result<Arc<Robots>, Fetched> {
        let now = self.world.now();
        if let Some(known) = self.robots.get(address, now) {
            return Ok(known);
        }
        let mut place = address.clone();
        place.set_path("/robots.txt");
        place.set_query(None);
        place.set_fragment(None);
        for _ in 0..=REDIRECTS_MAX {
            let response = match self.ask(&place, None, None).await {
                Ok(response) => response,
                // a site that cannot be reached is not visited
                Err(failed) => return Err(failed),
            };
            let status = response.status();
            match location(&response, &place) {
                Some(Ok(next)) => place = next,
                Some(Err(_)) => break,
                None if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE => {
                    return Err(Fetched::Paused(self.paused_until(&response)));
                }
                None if status.is_server_error() => {
                    tracing::debug!(%place, %status, "a site's rules cannot be had; it is not visited now");
                    return Ok(self.robots.keep(address, Robots::nothing(), false, now));
                }
                None if status == StatusCode::OK => {
                    let bytes = beginning(response, ROBOTS_BYTES_MAX).await;
                    let robots = Robots::read(&String::from_utf8_lossy(&bytes), PRODUCT);
                    return Ok(self.robots.keep(address, robots, true, now));
                }
                None => break,
            }
        }
        Ok(self.robots.keep(address, Robots::everything(), true, now))
    }

    /// One request, in its host's turn.
    async fn ask(&self, address: &Url, etag: Option<&str>, last_modified: Option<&str>) -> Result<Response, Fetched> {
        self.permitted(address).map_err(Fetched::Forbidden)?;
        let turn = self.turn(address.host_str().unwrap_or_default());
        let mut last = turn.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + self.config.pause()).await;
        }
        let mut request = self
            .client
            .get(address.clone())
            .header(header::USER_AGENT, &self.agent)
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::ACCEPT_LANGUAGE, "vi, *;q=0.5");
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(at) = last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, at);
        }
        let sent = request.send().await;
        *last = Some(Instant::now());
        metrics::counter!("loa_watch_requests_total", "outcome" => outcome(&sent)).increment(1);
        sent.map_err(|error| {
            let (failure, detail) = explain(&error.without_url());
            Fetched::Failed(WatchFailure::NoAnswer {
                address: quoted(address),
                error: failure.into(),
                said: detail.into(),
            })
        })
    }

    fn turn(&self, host: &str) -> Arc<Turn<Option<Instant>>> {
        const HOSTS_MAX: usize = 2_000;
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= HOSTS_MAX {
            // those that somebody waits for stay
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        turns.entry(host.to_owned()).or_default().clone()
    }
}

fn not_allowed(address: &Url, refusal: AddressRefusal) -> WatchFailure {
    WatchFailure::NotAllowed { address: quoted(address), refusal: Some(refusal) }
}

/// An address, as far as a sentence shows it.
pub(crate) fn quoted(address: &Url) -> Quoted {
    Quoted::new(address.as_str())
}

fn outcome(sent: &Result<Response, reqwest::Error>) -> &'static str {
    match sent.as_ref().map(|response| response.status().as_u16()) {
        Ok(200..=299) => "read",
        Ok(304) => "unchanged",
        Ok(300..=399) => "redirected",
        Ok(404 | 410) => "missing",
        Ok(429 | 503) => "paused",
        Ok(_) => "refused",
        Err(_) => "failed",
    }
}

/// Where a redirect leads; `None`: it is none.
fn location(response: &Response, address: &Url) -> Option<Result<Url, WatchFailure>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let written = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let next = written.and_then(|written| address.join(written).ok());
    Some(next.ok_or_else(|| WatchFailure::NoLocation { address: quoted(address) }))
}

/// A whole body.
async fn body(mut response: Response, address: &Url, bytes_max: usize) -> Result<Vec<u8>, WatchFailure> {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > bytes_max => {
                return Err(WatchFailure::TooLong { address: quoted(address), max: bytes_max });
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) if error.is_timeout() => return Err(WatchFailure::NotInTime { address: quoted(address) }),
            Err(_) => return Err(WatchFailure::BrokeOff { address: quoted(address) }),
        }
    }
}

/// A body's beginning, up to where it broke off.
async fn beginning(mut response: Response, bytes_max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = bytes_max.saturating_sub(bytes.len());
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() >= bytes_max {
            break;
        }
    }
    bytes
}
