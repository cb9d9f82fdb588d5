//! One fetch of a topic: a conditional request to where readers find the feed.
//!
//! The topic and its validators come from the ledger; the document, or that it is unchanged, missing or out of reach, goes
//! back into it. The fetch does not know who is subscribed.

use crate::service::Inner;
use jiff::{SignedDuration, Timestamp};
use loa_egress::explain;
use loa_http::parse_http_date;
use loa_store::{DueTopic, FetchOutcome};
use reqwest::{Response, StatusCode, header};

/// How long a document that is older than what is kept is taken for a replica's that lags behind. After that it is the
/// truth: somebody restored the feeds.
const LAGGING_MAX: SignedDuration = SignedDuration::from_mins(5);

impl Inner {
    /// Fetches a topic.
    pub(crate) async fn fetch(&self, due: &DueTopic) -> FetchOutcome {
        let Some(topic) = self.topics.find(&due.topic) else {
            return counted("missing", FetchOutcome::Missing("this is not a topic of this hub any more".into()));
        };
        let mut request = self
            .reader
            .get(format!("{}/{}", self.feeds, topic.path))
            .header(header::ACCEPT_ENCODING, "identity")
            // what a cache on the way kept is what was told already
            .header(header::CACHE_CONTROL, "no-cache");
        if let Some(etag) = &due.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        match request.send().await {
            Ok(response) => self.read(response, due).await,
            Err(error) => {
                let (failure, detail) = explain(&error.without_url());
                tracing::warn!(topic = %due.topic, class = failure.as_str(), %detail, "the hub could not fetch a topic");
                counted("failed", FetchOutcome::Failed)
            }
        }
    }

    async fn read(&self, response: Response, due: &DueTopic) -> FetchOutcome {
        let status = response.status();
        match status {
            StatusCode::NOT_MODIFIED => return counted("unchanged", FetchOutcome::Unchanged),
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return counted("missing", FetchOutcome::Missing("there is no such feed".into()));
            }
            status if status.is_redirection() => {
                return counted(
                    "missing",
                    FetchOutcome::Missing(
                        "this feed has moved: fetch it to learn its address, and subscribe to that".into(),
                    ),
                );
            }
            status => {
                tracing::warn!(topic = %due.topic, %status, "the hub could not fetch a topic");
                return counted("failed", FetchOutcome::Failed);
            }
        }
        let said = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, content_type) = (said(header::ETAG), said(header::CONTENT_TYPE).unwrap_or_default());
        let modified_at = said(header::LAST_MODIFIED).and_then(|value| parse_http_date(&value));
        if self.lags(due, modified_at) {
            tracing::info!(topic = %due.topic, "the hub was shown an older version than it knows; fetching again");
            return counted("stale", FetchOutcome::Failed);
        }
        match self.document(response).await {
            Ok(body) => counted("read", FetchOutcome::Read { etag, modified_at, content_type, body: body.into() }),
            Err(why) => {
                tracing::error!(topic = %due.topic, why, "the hub cannot take a topic's document");
                counted("failed", FetchOutcome::Failed)
            }
        }
    }

    /// Whether these bytes are older than those that are kept: a replica of the feed service that is slower than the other.
    fn lags(&self, due: &DueTopic, modified_at: Option<Timestamp>) -> bool {
        let (Some(kept), Some(changed_at)) = (due.modified_at, due.changed_at) else { return false };
        let recent = self.world.now().duration_since(changed_at) < LAGGING_MAX;
        recent && modified_at.is_none_or(|modified_at| modified_at < kept)
    }

    async fn document(&self, mut response: Response) -> Result<Vec<u8>, &'static str> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.config.document_bytes_max => {
                    return Err("it is longer than hub.document_bytes_max");
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(_) => return Err("it broke off"),
            }
        }
    }
}

fn counted(outcome: &'static str, fetch: FetchOutcome) -> FetchOutcome {
    metrics::counter!("loa_hub_fetches_total", "outcome" => outcome).increment(1);
    fetch
}
