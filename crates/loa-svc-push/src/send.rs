//! One signed request and what came of it. Decides nothing: `loa_webhook` judges, `step.rs` records.

use crate::egress::{Guard, ResolveError};
use bytes::Bytes;
use jiff::Timestamp;
use loa_domain::Endpoint;
use loa_webhook::{Answer, CONTENT_TYPE, Failure, Secret, WebhookId, judge_failure, judge_status, sign};
use reqwest::{Client, Response, header};
use std::{error::Error, io, time::Duration};
use tokio::time::{Instant, timeout};

/// Bytes of an answer that are read; enough for a word of explanation and for using the connection again.
const ANSWER_READ_MAX: usize = 16 * 1024;
/// Bytes of an answer that are kept for the log.
const ANSWER_KEPT_MAX: usize = 1024;
/// Characters of a log line's detail.
const DETAIL_MAX: usize = 1_000;
/// Longest wait for an answer's body once its status is known: the status has decided already.
const ANSWER_BODY_MAX: Duration = Duration::from_secs(5);
/// The header that numbers the attempts for people who read a receiver's log.
const HEADER_ATTEMPT: &str = "loa-attempt";

/// What one request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The status, when an answer came.
    pub(crate) status: Option<u16>,
    /// Why none came.
    pub(crate) failure: Option<Failure>,
    /// What follows.
    pub(crate) answer: Answer,
    /// A sentence for operators: no control characters, no secrets.
    pub(crate) detail: String,
    /// From the beginning to the last byte read.
    pub(crate) duration: Duration,
}

impl Sent {
    /// No request could be made, or none came back whole.
    pub(crate) fn failed(failure: Failure, detail: &str, began: Instant) -> Self {
        Self {
            status: None,
            failure: Some(failure),
            answer: judge_failure(failure),
            detail: printable(detail, DETAIL_MAX),
            duration: began.elapsed(),
        }
    }

    /// The word for the log: empty for 2xx, `http` for other answers, else the failure's.
    pub(crate) fn error_class(&self) -> &'static str {
        match (self.failure, self.answer) {
            (Some(failure), _) => failure.as_str(),
            (None, Answer::Delivered) => "",
            (None, _) => "http",
        }
    }
}

/// The client, its guard, and nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) client: Client,
    pub(crate) guard: Guard,
}

impl Sender {
    /// Sends `body` to the endpoint, signed with its secrets for the instant `at`. Never longer than the total timeout.
    pub(crate) async fn send(&self, to: &Endpoint, id: &WebhookId, body: Bytes, attempt: u32, at: Timestamp) -> Sent {
        let began = Instant::now();
        if let Err(refusal) = self.guard.check(&to.url) {
            return Sent::failed(Failure::Refused, &refusal.to_string(), began);
        }
        let secrets = to.secrets.iter().cloned().map(Secret::new).collect::<Result<Vec<_>, _>>();
        let signed = match secrets.map(|secrets| sign(id, at, &body, &secrets)) {
            Ok(Ok(signed)) => signed,
            Ok(Err(error)) => return Sent::failed(Failure::Ours, &error.to_string(), began),
            Err(error) => return Sent::failed(Failure::Ours, &error.to_string(), began),
        };
        let mut request = self
            .client
            .post(to.url.clone())
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header(header::ACCEPT, "*/*")
            .header(HEADER_ATTEMPT, attempt)
            .body(body);
        for (name, value) in signed.iter() {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) => answered(response, at, began).await,
            Err(error) => {
                let (failure, detail) = explain(&error.without_url());
                Sent::failed(failure, &detail, began)
            }
        }
    }
}

async fn answered(mut response: Response, at: Timestamp, began: Instant) -> Sent {
    let status = response.status().as_u16();
    let wish = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // an instant a little later than `at` would be truer, but the wish is rounded to seconds anyway
    let answer = judge_status(status, wish.as_deref(), at);
    let kept = timeout(ANSWER_BODY_MAX, read(&mut response)).await;
    let mut detail = format!("HTTP {status}");
    if let Some(location) = location.filter(|_| (300..400).contains(&status)) {
        detail.push_str(&format!(", a redirect to {location}, which is not followed: correct the endpoint's address"));
    }
    match kept {
        Ok(kept) if kept.is_empty() => {}
        Ok(kept) => detail.push_str(&format!(": {}", String::from_utf8_lossy(&kept))),
        Err(_) => detail.push_str(" (its body did not end)"),
    }
    Sent {
        status: Some(status),
        failure: None,
        answer,
        detail: printable(&detail, DETAIL_MAX),
        duration: began.elapsed(),
    }
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

/// Which failure it was, by the types in the chain of causes and never by their text.
pub(crate) fn explain(error: &reqwest::Error) -> (Failure, String) {
    let mut detail = error.to_string();
    let (mut named, mut tls) = (None, false);
    let mut cause = error.source();
    while let Some(inner) = cause {
        detail = format!("{detail}: {inner}");
        named = named.or_else(|| match inner.downcast_ref::<ResolveError>() {
            Some(ResolveError::Refused(refusal)) => Some((Failure::Refused, refusal.to_string())),
            Some(lookup @ ResolveError::LookUp { .. }) => Some((Failure::Dns, lookup.to_string())),
            None => None,
        });
        tls |= is_tls(inner);
        cause = inner.source();
    }
    match named {
        Some(named) => named,
        None if error.is_timeout() => (Failure::Timeout, detail),
        None if tls => (Failure::Tls, detail),
        None if error.is_connect() => (Failure::Connect, detail),
        None => (Failure::Protocol, detail),
    }
}

/// Whether it is a TLS error. An `io::Error` does not show what it wraps in `source()`, and may wrap another one.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let mut wrapped = error.downcast_ref::<io::Error>();
    let mut innermost = error.is::<rustls::Error>();
    while let Some(inner) = wrapped.and_then(io::Error::get_ref) {
        innermost = inner.is::<rustls::Error>();
        wrapped = inner.downcast_ref::<io::Error>();
    }
    innermost
}

/// One line that can stand in a log and on a page.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    loa_domain::clean_line(&line).chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_receiver_says_cannot_break_a_log_line() {
        assert_eq!(printable("a\r\nb\u{1b}[31mc\u{202e}", 100), "a b [31mc");
        assert_eq!(printable(&"ạ".repeat(2_000), 1_000).chars().count(), 1_000);
    }
}
