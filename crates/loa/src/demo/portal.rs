//! The demo's provincial portal: takes webhooks and verifies each signature, as the real one does.
//!
//! It answers 204 or 401 and remembers what it received.

use anyhow::Context;
use loa_testkit::http::{HttpStandIn, Reply, Request};
use loa_webhook::{Secret, verify};
use loa_worker::World;
use serde_json::Value;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// Webhooks remembered; beyond it the oldest are forgotten.
const KEPT_MAX: usize = 1_000;

/// A webhook as the portal saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: jiff::Timestamp,
    /// `webhook-id`.
    pub id: String,
    /// The event's type.
    pub event_type: String,
    /// The article's id.
    pub subject: String,
    /// Its revision.
    pub revision: u64,
    /// Why the signature is not good; `None`: it is.
    pub fault: Option<String>,
    /// The body, as sent.
    pub body: String,
}

/// The portal.
pub struct ProvincialPortal {
    stand_in: HttpStandIn,
    secret: Arc<OnceLock<Secret>>,
    seen: Arc<Mutex<VecDeque<Seen>>>,
}

impl ProvincialPortal {
    /// Starts on a free port of this machine.
    pub async fn start(world: World, stop: CancellationToken) -> anyhow::Result<Self> {
        let stand_in = HttpStandIn::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), stop)
            .await
            .context("cannot start the stand-in portal")?;
        let secret: Arc<OnceLock<Secret>> = Arc::default();
        let seen: Arc<Mutex<VecDeque<Seen>>> = Arc::default();
        let (known, kept) = (secret.clone(), seen.clone());
        stand_in.answer_with(move |request| {
            let webhook = look(request, known.get(), world.now());
            let reply = Reply::status(if webhook.fault.is_none() { 204 } else { 401 });
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == KEPT_MAX {
                kept.pop_front();
            }
            kept.push_back(webhook);
            reply
        });
        Ok(Self { stand_in, secret, seen })
    }

    /// Where webhooks are to be posted.
    pub fn url(&self) -> String {
        self.stand_in.url("/api/loa")
    }

    /// Hands the portal the secret that it shares with us.
    pub fn learn_secret(&self, secret: Secret) {
        // a second one would be a defect of the demo; the first stays
        self.secret.get_or_init(|| secret);
    }

    /// What came so far, oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn look(request: &Request, secret: Option<&Secret>, now: jiff::Timestamp) -> Seen {
    let verdict = match secret {
        None => Err("no secret was agreed yet".to_owned()),
        Some(secret) => verify(|name| request.header(name), &request.body, std::slice::from_ref(secret), now)
            .map_err(|fault| fault.to_string()),
    };
    let event: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Seen {
        at: now,
        id: request.header("webhook-id").unwrap_or_default().to_owned(),
        event_type: text(&event["type"]),
        subject: text(&event["subject"]),
        revision: event["data"]["revision"].as_u64().unwrap_or_default(),
        fault: verdict.err(),
        body: request.text(),
    }
}
