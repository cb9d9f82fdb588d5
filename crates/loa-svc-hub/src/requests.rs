//! `POST /hub`: requests of subscribers, and pings.
//!
//! A request is written to the ledger and answered at once. Later steps ask its callback whether it is meant, and fetch its
//! topic to see whether there is such a feed (WebSub §5.2). A refusal is a sentence in plain text (§5.1).

use crate::{Service, networks::NetworkRule, service::Inner};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use loa_domain::{AddressRefusal, EgressSettings, HubMode, Network};
use loa_http::ClientAddress;
use loa_store::{HubSubscriptionRequest, HubTaken, StoreError, StoreErrorKind, TopicKind};
use loa_webhook::websub::{HubFault, HubRequest, Subscribing, parse_hub_request, same_address_form};
use loa_words::{Language, Notice};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// When to come back while the ledger is away, or there is no room.
const COME_BACK: Duration = Duration::from_secs(60);

/// The hub's one address.
pub(crate) fn router(service: &Service) -> Router {
    Router::new().route("/hub", post(asked).fallback(only_asked_by_post)).with_state(service.0.clone())
}

/// Feeds name this address, so people open it.
async fn only_asked_by_post() -> impl IntoResponse {
    let said = Language::ALL.map(|language| language.words().notice(Notice::HubIsForReaders)).join("\n");
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], format!("{said}\n"))
}

/// Why a request is not taken. The sentence is the answer, as plain text (WebSub §5.1).
#[derive(Debug, thiserror::Error)]
enum RequestRefusal {
    #[error("send the request as application/x-www-form-urlencoded")]
    MediaType,
    #[error(transparent)]
    Form(#[from] HubFault),
    #[error(
        "hub.topic is none of this hub's: its topics are the feeds at {0}feeds/, as .rss, .atom and .json, by the address that each names as its own"
    )]
    Topic(String),
    #[error("hub.callback may not be called: {}", Language::English.words().address_refusal(.0, EgressSettings::Hub))]
    Callback(AddressRefusal),
    #[error("this hub has as many subscriptions as it takes on; please come back later")]
    Full,
    #[error("this hub has as many subscriptions of callbacks at this host as it takes on")]
    HostFull,
    #[error(
        "this hub has as many subscriptions to combinations of feeds as it takes on; subscribe to the feeds they are made of, or come back later"
    )]
    CombinationsFull,
    #[error("too many requests name callbacks at this host; please come back later")]
    TooOften(Duration),
    #[error("too many requests come from this address; please come back later")]
    AskedTooMuch(Duration),
    #[error("the hub cannot write that down just now; please come back later")]
    Ledger(#[from] StoreError),
}

impl RequestRefusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Form(_) | Self::Topic(_) | Self::Callback(_) => StatusCode::BAD_REQUEST,
            Self::HostFull | Self::TooOften(_) | Self::AskedTooMuch(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Full | Self::CombinationsFull | Self::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn come_back(&self) -> Option<Duration> {
        match self {
            Self::TooOften(wait) | Self::AskedTooMuch(wait) => Some(*wait),
            Self::Full | Self::HostFull | Self::CombinationsFull | Self::Ledger(_) => Some(COME_BACK),
            _ => None,
        }
    }

    /// The word in metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::MediaType | Self::Form(_) => "malformed",
            Self::Topic(_) => "topic",
            Self::Callback(_) => "callback",
            Self::Full | Self::HostFull | Self::CombinationsFull => "full",
            Self::TooOften(_) => "too_often",
            Self::AskedTooMuch(_) => "asked_too_much",
            Self::Ledger(_) => "ledger",
        }
    }
}

async fn asked(
    State(hub): State<Arc<Inner>>,
    client: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    let client = client.map(|Extension(ClientAddress(address))| address);
    match take(&hub, client, &headers, &form).await {
        Ok((status, word)) => {
            metrics::counter!("loa_hub_requests_total", "outcome" => word).increment(1);
            status.into_response()
        }
        Err(refused) => {
            metrics::counter!("loa_hub_requests_total", "outcome" => refused.word()).increment(1);
            match &refused {
                RequestRefusal::Ledger(error) if error.kind == StoreErrorKind::Unavailable => {
                    tracing::warn!(%error, "a request to the hub could not be written down");
                }
                RequestRefusal::Ledger(error) => tracing::error!(%error, kind = ?error.kind, "the push ledger failed"),
                _ => tracing::info!(reason = %refused, "a request to the hub was refused"),
            }
            let mut response = (refused.status(), format!("{refused}\n")).into_response();
            if let Some(wait) = refused.come_back() {
                let seconds = wait.as_secs().saturating_add(1);
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

async fn take(
    hub: &Inner,
    client: Option<IpAddr>,
    headers: &HeaderMap,
    form: &[u8],
) -> Result<(StatusCode, &'static str), RequestRefusal> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    // some old subscribers name none
    if !media_type.is_empty() && !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(RequestRefusal::MediaType);
    }
    let request = parse_hub_request(form)?;
    hub.asked_by(client)?;
    match request {
        HubRequest::Ping(topics) => {
            hub.pinged(&topics).await?;
            Ok((StatusCode::NO_CONTENT, "ping"))
        }
        HubRequest::Subscribing(asked) => {
            let word = asked.mode.as_str();
            hub.subscribing(asked).await?;
            Ok((StatusCode::ACCEPTED, word))
        }
    }
}

impl Inner {
    /// Counts a request of this client. Whatever names its callbacks have, it takes no more of the room than its share. Our own
    /// networks, and clients that are not known, are not counted.
    fn asked_by(&self, client: Option<IpAddr>) -> Result<(), RequestRefusal> {
        let Some(client) = client else { return Ok(()) };
        let interval = Duration::from_secs(self.config.requests_per_client_seconds);
        let rule = NetworkRule {
            in_flight_max: u32::MAX,
            burst: self.config.requests_per_client_burst,
            interval_ms: i64::try_from(interval.as_millis()).unwrap_or(i64::MAX),
        };
        self.clients
            .ask(Network::around(client), rule, self.world.now().as_millisecond())
            .map_err(|_| RequestRefusal::AskedTooMuch(interval))
    }

    /// Something may have changed, says somebody: those topics are fetched. Others are nobody's business.
    async fn pinged(&self, topics: &[String]) -> Result<(), StoreError> {
        let ours: Vec<String> =
            topics.iter().filter_map(|topic| self.topics.find(topic)).map(|topic| topic.url).collect();
        if !ours.is_empty() && self.ledger.hub_fetch_soon(Some(&ours), &self.fetch_rule(), self.world.now()).await? > 0
        {
            self.wake_up.wake();
        }
        Ok(())
    }

    async fn subscribing(&self, asked: Subscribing) -> Result<(), RequestRefusal> {
        let topic = self.topics.find(&asked.topic).ok_or_else(|| RequestRefusal::Topic(self.public_url()))?;
        self.guard.check(&asked.callback).map_err(RequestRefusal::Callback)?;
        let host = asked.callback.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        let (mode, granted) = (asked.mode, self.leases().grant(asked.lease_seconds));
        let request = HubSubscriptionRequest {
            mode,
            topic: topic.url,
            kind: if topic.is_combination { TopicKind::Combination } else { TopicKind::Feed },
            topic_written: asked.topic,
            callback_form: same_address_form(&asked.callback),
            callback: asked.callback.into(),
            host,
            lease_seconds: if mode == HubMode::Subscribe { granted } else { 0 },
            secret: asked.secret,
            algorithm: asked.algorithm,
            token: asked.token,
        };
        match self.ledger.hub_request(&request, &self.limits(), self.world.now()).await? {
            HubTaken::Taken => {}
            HubTaken::Full => return Err(RequestRefusal::Full),
            HubTaken::HostFull => return Err(RequestRefusal::HostFull),
            HubTaken::CombinationsFull => return Err(RequestRefusal::CombinationsFull),
            HubTaken::TooOften(wait) => return Err(RequestRefusal::TooOften(wait)),
        }
        tracing::info!(mode = mode.as_str(), topic = %request.topic, host = %request.host, "the hub was asked");
        self.wake_up.wake();
        Ok(())
    }

    /// The public address, with a `/` at the end.
    fn public_url(&self) -> String {
        self.url.as_str().trim_end_matches("hub").to_owned()
    }
}
