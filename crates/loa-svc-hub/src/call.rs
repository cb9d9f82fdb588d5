//! One call of a callback, and what follows from its answer.
//!
//! What is due comes from the ledger, one [`CallRecord`] goes back. A call never follows a redirect, and reads no more of an
//! answer than it needs. A callback may hold a secret of its subscriber: no log names it.

use crate::{
    networks::{Busy, NetworkSlot, chosen, of_number},
    service::{Inner, hex, later},
};
use bytes::Bytes;
use loa_domain::{HubReason, LastCall, Network, ServerWords, SignatureAlgorithm};
use loa_egress::{Pin, ResolveError, explain};
use loa_store::{CallClass, CallRecord, DueCall, HostSign, HubCall, HubOutcome};
use loa_webhook::{
    Answer, Failure, Patience, judge_failure, judge_status,
    websub::{Intent, IntentAnswer, hub_signature, intent_url, judge_intent},
};
use reqwest::{RequestBuilder, Response, header};
use std::{net::IpAddr, sync::Arc, time::Duration};
use url::{Host, Url};

/// Random bytes of a challenge.
const CHALLENGE_LENGTH: usize = 24;
/// Tries to deliver after which a version is given up, when the callback says that the request is wrong (404, a redirect).
const SHORT_TRIES_MAX: u32 = 3;
/// How long a subscriber waits in whose network as many are called already as may be.
const TURN_OF_SUBSCRIBERS: Duration = Duration::from_secs(5);
/// The same of a stranger: longer, for a flood of them must not keep the ledger busy.
const TURN_OF_STRANGERS: Duration = Duration::from_secs(30);
/// A resolver that answered so short a time ago is not away.
const RESOLVER_WORKS: Duration = Duration::from_secs(60);
/// The header of the signature (WebSub §7.1).
const SIGNATURE: &str = "x-hub-signature";

/// What a call came to.
struct Heard {
    outcome: HubOutcome,
    sign: HostSign,
    told: LastCall,
    /// The network it went to, when it is worth remembering; else empty.
    network: String,
}

impl Heard {
    fn new(outcome: HubOutcome, sign: HostSign, told: LastCall) -> Self {
        Self { outcome, sign, told, network: String::new() }
    }
}

/// A fact about which nobody said anything.
fn silent(reason: HubReason) -> LastCall {
    LastCall { reason, status: None, words: ServerWords::default() }
}

/// An answer with this status.
fn answered(reason: HubReason, status: u16) -> LastCall {
    LastCall { status: Some(status), ..silent(reason) }
}

/// The way to a callback: a place for one more call in each of its networks, and what its name means for this call.
struct Way {
    place: NetworkSlot,
    _pin: Option<Pin>,
}

/// What is needed to deliver.
struct Document<'a> {
    topic: &'a str,
    content_type: &'a str,
    body: &'a Arc<[u8]>,
    secret: Option<&'a [u8]>,
    algorithm: SignatureAlgorithm,
}

impl Inner {
    /// Calls a callback.
    pub(crate) async fn call(&self, due: &DueCall) -> CallRecord {
        let heard = match Url::parse(&due.callback) {
            Ok(_) if self.is_hopeless(due) => {
                Heard::new(HubOutcome::Dropped, HostSign::Nothing, silent(HubReason::NeverRecorded))
            }
            Ok(callback) => match self.way(due, &callback).await {
                Ok(way) => {
                    let heard = self.reach(due, &callback).await;
                    if heard.told.reason == HubReason::Timeout {
                        way.place.kept_waiting(self.network_rule(), self.world.now().as_millisecond());
                    }
                    heard
                }
                Err(heard) => heard,
            },
            Err(_) => self.unanswered(due, Failure::Ours, ""),
        };
        report(due, &heard);
        CallRecord {
            subscription: due.subscription.clone(),
            about: due.call.about(),
            at: self.world.now(),
            outcome: heard.outcome,
            sign: heard.sign,
            network: heard.network,
            told: heard.told,
        }
    }

    /// The record of a call that panicked.
    pub(crate) fn broken(&self, due: &DueCall) -> CallRecord {
        let heard = self.unanswered(due, Failure::Ours, "");
        CallRecord {
            subscription: due.subscription.clone(),
            about: due.call.about(),
            at: self.world.now(),
            outcome: heard.outcome,
            sign: HostSign::Nothing,
            network: String::new(),
            told: heard.told,
        }
    }

    /// Whether a callback may be called now, as it is written, as its name resolves, and as its networks are called already.
    async fn way(&self, due: &DueCall, callback: &Url) -> Result<Way, Heard> {
        // that it may not be called is said in words of ours, by the reason
        let blocked = |_| self.unanswered(due, Failure::Refused, "");
        self.guard.check(callback).map_err(blocked)?;
        let (networks, pin) = match callback.host() {
            Some(Host::Domain(host)) => {
                let found = self.guard.resolved(host).await.map_err(|error| match error {
                    ResolveError::Refused(refusal) => blocked(refusal),
                    ResolveError::LookUp { source, .. } => self.unanswered(due, Failure::Dns, &source.to_string()),
                })?;
                let (addresses, networks) = chosen(found);
                (networks, Some(self.guard.pin(host, addresses)))
            }
            Some(Host::Ipv4(address)) => (of_number(IpAddr::V4(address)), None),
            Some(Host::Ipv6(address)) => (of_number(IpAddr::V6(address)), None),
            None => (Vec::new(), None),
        };
        let call_class = match due.call {
            HubCall::Deliver { .. } => CallClass::Deliveries,
            HubCall::Verify { .. } | HubCall::Deny { .. } => CallClass::Requests,
        };
        let now_ms = self.world.now().as_millisecond();
        match self.networks.enter(call_class, &networks, self.network_rule(), now_ms) {
            Ok(place) => Ok(Way { place, _pin: pin }),
            Err(busy) => Err(self.busy(due, call_class, busy)),
        }
    }

    /// Where many are called just now, one waits its turn. In a network that is asked too often, one is tried a few times more and
    /// then not subscribed: what waits takes up room that others need.
    fn busy(&self, due: &DueCall, call_class: CallClass, busy: Busy) -> Heard {
        let outcome = match (busy, call_class) {
            (Busy::TooOften, _) => self.ask_again(due),
            (Busy::Full, CallClass::Deliveries) => HubOutcome::Later(later(self.world.now(), TURN_OF_SUBSCRIBERS)),
            (Busy::Full, CallClass::Requests) => HubOutcome::Later(later(self.world.now(), TURN_OF_STRANGERS)),
        };
        let reason = match busy {
            Busy::Full => HubReason::NetworkFull,
            Busy::TooOften => HubReason::NetworkTooOften,
        };
        Heard::new(outcome, HostSign::Nothing, silent(reason))
    }

    async fn reach(&self, due: &DueCall, callback: &Url) -> Heard {
        match &due.call {
            HubCall::Verify { mode, topic, lease_seconds, token, .. } => {
                let challenge = hex(&self.world.bytes::<CHALLENGE_LENGTH>());
                let intent = Intent::Verify {
                    mode: *mode,
                    challenge: &challenge,
                    lease_seconds: *lease_seconds,
                    token: token.as_deref(),
                };
                match self.ask(intent_url(callback, topic, &intent)).send().await {
                    Ok(response) => self.verified(due, response, &challenge).await,
                    Err(error) => self.failed(due, error),
                }
            }
            HubCall::Deny { topic, reason, .. } => {
                match self.ask(intent_url(callback, topic, &Intent::Denied { reason })).send().await {
                    Ok(response) => told(response.status().as_u16()),
                    Err(error) => self.failed(due, error),
                }
            }
            HubCall::Deliver { topic, content_type, body, secret, algorithm, .. } => {
                let document = Document { topic, content_type, body, secret: secret.as_deref(), algorithm: *algorithm };
                match self.delivery(callback, &document).send().await {
                    Ok(response) => self.delivered(due, &response),
                    Err(error) => self.failed(due, error),
                }
            }
        }
    }

    fn ask(&self, url: Url) -> RequestBuilder {
        self.caller.get(url).timeout(self.config.asking_timeout())
    }

    /// The topic as it is, with where it is from, and signed if there is a secret (WebSub §7).
    fn delivery(&self, callback: &Url, document: &Document<'_>) -> RequestBuilder {
        let link = format!("<{}>; rel=\"hub\", <{}>; rel=\"self\"", self.url, document.topic);
        let mut request = self
            .caller
            .post(callback.clone())
            .header(header::CONTENT_TYPE, document.content_type)
            .header(header::LINK, link)
            .header(header::ACCEPT, "*/*");
        if let Some(secret) = document.secret {
            request = request.header(SIGNATURE, hub_signature(document.algorithm, secret, document.body));
        }
        request.body(Bytes::from_owner(document.body.clone()))
    }

    async fn verified(&self, due: &DueCall, mut response: Response, challenge: &str) -> Heard {
        let status = response.status().as_u16();
        let network = response.remote_addr().map(|peer| Network::around(peer.ip()).to_string());
        let body = beginning(&mut response, challenge.len() + 1).await;
        let body = match body {
            Ok(body) => body,
            Err(error) => {
                let failure = if error.is_timeout() { Failure::Timeout } else { Failure::Protocol };
                let mut heard = self.unanswered(due, failure, "");
                heard.told.status = Some(status);
                return heard;
            }
        };
        match judge_intent(status, &body, challenge) {
            IntentAnswer::Confirmed => {
                let network = network.unwrap_or_default();
                let told = answered(HubReason::Confirmed, status);
                Heard { network, ..Heard::new(HubOutcome::Done, HostSign::Nothing, told) }
            }
            IntentAnswer::Refused => {
                let reason = if (200..=299).contains(&status) { HubReason::NotTheChallenge } else { HubReason::Http };
                Heard::new(HubOutcome::Dropped, HostSign::Nothing, answered(reason, status))
            }
            IntentAnswer::Unable => {
                Heard::new(self.ask_again(due), HostSign::Nothing, answered(HubReason::Http, status))
            }
        }
    }

    fn delivered(&self, due: &DueCall, response: &Response) -> Heard {
        let (now, status) = (self.world.now(), response.status().as_u16());
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let answer = judge_status(status, retry_after, now);
        let reason = if answer == Answer::Delivered { HubReason::Taken } else { HubReason::Http };
        let sign = match answer {
            Answer::RetryLater { after: Some(retry_after), pause: true, .. } => HostSign::Pause(later(
                now,
                retry_after.min(Duration::from_secs(self.config.retry.retry_after_seconds_max)),
            )),
            _ => HostSign::Alive,
        };
        Heard::new(self.follows(due, answer), sign, answered(reason, status))
    }

    fn failed(&self, due: &DueCall, error: reqwest::Error) -> Heard {
        let (failure, words) = explain(&error.without_url());
        self.unanswered(due, failure, &words)
    }

    /// There was no answer; a library of ours said this.
    fn unanswered(&self, due: &DueCall, failure: Failure, said: &str) -> Heard {
        let told = LastCall { words: said.into(), ..silent(reason_of(failure)) };
        match due.call {
            HubCall::Deliver { .. } => {
                let outcome = self.follows(due, judge_failure(failure));
                let ours = matches!(failure, Failure::Ours | Failure::Refused);
                let sign = if ours { HostSign::Nothing } else { HostSign::Failing };
                Heard::new(outcome, sign, told)
            }
            // an address that may not be called does not become another within a minute
            _ if failure == Failure::Refused => Heard::new(HubOutcome::Dropped, HostSign::Nothing, told),
            // Nor does a name that is none, for a resolver that knows others. It is looked up once more; then it takes up room
            // that others need.
            _ if failure == Failure::Dns && due.tries > 0 && self.guard.resolver_worked_within(RESOLVER_WORKS) => {
                Heard::new(HubOutcome::Dropped, HostSign::Nothing, told)
            }
            _ => Heard::new(self.ask_again(due), HostSign::Nothing, told),
        }
    }

    /// A request that was called for as often as any may be, and of which nothing was recorded: this process, or another, dies of
    /// it or with it.
    fn is_hopeless(&self, due: &DueCall) -> bool {
        let is_wish = !matches!(due.call, HubCall::Deliver { .. });
        is_wish && usize::try_from(due.tries).unwrap_or(usize::MAX) > self.config.verification_delays_seconds.len()
    }

    /// A request is asked about again a few times, soon: nobody waits for days to be subscribed.
    fn ask_again(&self, due: &DueCall) -> HubOutcome {
        let delay =
            usize::try_from(due.tries).ok().and_then(|tries| self.config.verification_delays_seconds.get(tries));
        match delay {
            Some(seconds) => HubOutcome::Retry(later(self.world.now(), Duration::from_secs(*seconds))),
            None => HubOutcome::Dropped,
        }
    }

    /// What follows from the answer to a delivery.
    fn follows(&self, due: &DueCall, answer: Answer) -> HubOutcome {
        let tries = due.tries.saturating_add(1);
        match answer {
            Answer::Delivered => HubOutcome::Done,
            Answer::Gone => HubOutcome::Gone,
            Answer::GiveUp => HubOutcome::GiveUp,
            Answer::RetryLater { patience: Patience::Short, .. } if tries >= SHORT_TRIES_MAX => HubOutcome::GiveUp,
            Answer::RetryLater { after, .. } => match self.config.retry.delay(tries, self.world.chance(), after) {
                Some(delay) => HubOutcome::Retry(later(self.world.now(), delay)),
                None => HubOutcome::GiveUp,
            },
        }
    }
}

/// A denial was told, whatever came back.
fn told(status: u16) -> Heard {
    Heard::new(HubOutcome::Dropped, HostSign::Nothing, answered(HubReason::DenialTold, status))
}

fn reason_of(failure: Failure) -> HubReason {
    match failure {
        Failure::Dns => HubReason::Dns,
        Failure::Refused => HubReason::Blocked,
        Failure::Connect => HubReason::Connect,
        Failure::Tls => HubReason::Tls,
        Failure::Timeout => HubReason::Timeout,
        Failure::Protocol => HubReason::Protocol,
        Failure::Ours => HubReason::Ours,
    }
}

/// The beginning of a body: enough to see that it is longer than it should be.
async fn beginning(response: &mut Response, most: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut kept = Vec::new();
    while kept.len() < most {
        let Some(chunk) = response.chunk().await? else { break };
        kept.extend_from_slice(&chunk[..chunk.len().min(most - kept.len())]);
    }
    Ok(kept)
}

/// One line for each call that did not come to a good end, and a number for each. Never the callback, which may hold a
/// secret of the subscriber's.
fn report(due: &DueCall, heard: &Heard) {
    let kind = match &due.call {
        HubCall::Verify { .. } => "verify",
        HubCall::Deny { .. } => "deny",
        HubCall::Deliver { .. } => "deliver",
    };
    let (id, host, tries, reason) =
        (&due.subscription, &due.host, due.tries.saturating_add(1), heard.told.reason.as_str());
    let (status, words) = (heard.told.status, &heard.told.words);
    metrics::counter!("loa_hub_calls_total", "kind" => kind, "class" => reason).increment(1);
    match heard.outcome {
        HubOutcome::Done => {
            tracing::info!(subscription = %id, %host, kind, tries, reason, status, %words, "the hub called")
        }
        HubOutcome::Retry(at) => {
            tracing::info!(subscription = %id, %host, kind, tries, reason, status, %words, next_at = %at, "the hub called in vain; again later");
        }
        HubOutcome::Later(at) => {
            tracing::debug!(subscription = %id, %host, kind, reason, status, %words, next_at = %at, "the hub calls later");
        }
        HubOutcome::Dropped if heard.told.reason == HubReason::DenialTold => {
            tracing::info!(subscription = %id, %host, kind, tries, reason, status, %words, "the hub called");
        }
        HubOutcome::Dropped => {
            tracing::warn!(subscription = %id, %host, kind, tries, reason, status, %words, "a request to the hub was not confirmed");
        }
        HubOutcome::GiveUp => {
            tracing::warn!(subscription = %id, %host, kind, tries, reason, status, %words, "the hub gave a change up; the subscription stays");
        }
        HubOutcome::Gone => {
            tracing::info!(subscription = %id, %host, kind, "the subscriber answered 410 Gone; its subscription ends");
        }
    }
}
