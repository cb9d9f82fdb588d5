//! One signed request, and what came of it.
//!
//! The endpoint, the bytes and the instant come from `step.rs`; `loa_webhook` signs and judges. Nothing here decides what
//! follows or knows the ledger.

use bytes::Bytes;
use jiff::Timestamp;
use loa_domain::{AttemptError, Endpoint, ServerWords};
use loa_egress::{Guard, explain};
use loa_webhook::{Answer, CONTENT_TYPE, Failure, Secret, WebhookId, judge_failure, judge_status, sign};
use reqwest::{Client, Response, header};
use std::{error::Error, time::Duration};
use tokio::time::{Instant, timeout};

/// Bytes of an answer that are read; enough for a word of explanation and for using the connection again.
const ANSWER_READ_MAX: usize = 16 * 1024;
/// Bytes of an answer that are kept for the log.
const ANSWER_KEPT_MAX: usize = 1024;
/// Longest wait for an answer's body once its status is known: the status has decided already.
const ANSWER_BODY_MAX: Duration = Duration::from_secs(5);
/// The header that numbers the attempts for people who read a receiver's log.
const HEADER_ATTEMPT: &str = "loa-attempt";
/// The header that says whose it is, by the portal's slug; absent: the home portal's. Whose it is for certain says `source`, which
/// is signed.
const HEADER_PORTAL: &str = "loa-portal";

/// What one request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The status, when an answer came.
    pub(crate) status: Option<u16>,
    /// Why none came.
    pub(crate) failure: Option<Failure>,
    /// What follows.
    pub(crate) answer: Answer,
    /// What the receiver, the resolver or the system said.
    pub(crate) words: ServerWords,
    /// From the beginning to the last byte read.
    pub(crate) duration: Duration,
}

impl Sent {
    /// No request could be made, or none came back whole.
    pub(crate) fn failed(failure: Failure, words: &str, began: Instant) -> Self {
        Self {
            status: None,
            failure: Some(failure),
            answer: judge_failure(failure),
            words: ServerWords::new(words),
            duration: began.elapsed(),
        }
    }

    /// Why it failed; `None` for 2xx.
    pub(crate) fn error(&self) -> Option<AttemptError> {
        match (self.failure, self.answer) {
            (Some(failure), _) => Some(failure.into()),
            (None, Answer::Delivered) => None,
            (None, _) => Some(AttemptError::Http),
        }
    }
}

/// What is sent.
pub(crate) struct Call<'a> {
    pub(crate) id: &'a WebhookId,
    /// The original bytes.
    pub(crate) body: Bytes,
    /// 1 for the first.
    pub(crate) attempt: u32,
    /// The slug of another portal than the home portal.
    pub(crate) portal: Option<&'a str>,
}

/// The client, its guard, and nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) client: Client,
    pub(crate) guard: Guard,
}

impl Sender {
    /// Sends to the endpoint, signed with its secrets for the instant `at`. Never longer than the total timeout.
    pub(crate) async fn send(&self, to: &Endpoint, call: Call<'_>, at: Timestamp) -> Sent {
        let Call { id, body, attempt, portal } = call;
        let began = Instant::now();
        if self.guard.check(&to.url).is_err() {
            return Sent::failed(Failure::Refused, "", began);
        }
        let secrets = to.secrets.iter().cloned().map(Secret::new).collect::<Result<Vec<_>, _>>();
        let signed = match secrets.map(|secrets| sign(id, at, &body, &secrets)) {
            Ok(Ok(signed)) => signed,
            Ok(Err(error)) => return cannot_sign(to, &error, began),
            Err(error) => return cannot_sign(to, &error, began),
        };
        let mut request = self
            .client
            .post(to.url.clone())
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header(header::ACCEPT, "*/*")
            .header(HEADER_ATTEMPT, attempt)
            .body(body);
        if let Some(portal) = portal {
            request = request.header(HEADER_PORTAL, portal);
        }
        for (name, value) in signed.iter() {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) => answered(response, at, began).await,
            Err(error) => {
                let (failure, detail) = explain(&error.without_url());
                // that a name does not resolve, or may not be called, is said in words of ours
                let is_ours = matches!(failure, Failure::Refused | Failure::Dns);
                Sent::failed(failure, if is_ours { "" } else { &detail }, began)
            }
        }
    }
}

fn cannot_sign(to: &Endpoint, error: &dyn Error, began: Instant) -> Sent {
    tracing::error!(endpoint = %to.id, %error, "a webhook cannot be signed");
    Sent::failed(Failure::Ours, "", began)
}

async fn answered(mut response: Response, at: Timestamp, began: Instant) -> Sent {
    let status = response.status().as_u16();
    let requested_wait =
        response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // an instant a little later than `at` would be truer, but the requested wait is rounded to seconds anyway
    let answer = judge_status(status, requested_wait.as_deref(), at);
    let kept = timeout(ANSWER_BODY_MAX, read(&mut response)).await;
    let mut words = String::new();
    if let Some(location) = location.filter(|_| (300..400).contains(&status)) {
        words.push_str(&format!("Location: {location} "));
    }
    // a body that does not end says nothing
    words.push_str(&String::from_utf8_lossy(&kept.unwrap_or_default()));
    Sent { status: Some(status), failure: None, answer, words: ServerWords::new(&words), duration: began.elapsed() }
}

/// The beginning of an answer's body. An answer that breaks off is as good as what came of it.
async fn read(response: &mut Response) -> Vec<u8> {
    let (mut kept, mut seen) = (Vec::new(), 0);
    while seen < ANSWER_READ_MAX {
        let Ok(Some(chunk)) = response.chunk().await else { break };
        seen += chunk.len();
        let room = ANSWER_KEPT_MAX - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    kept
}
