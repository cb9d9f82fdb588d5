//! What operators do with endpoints and deliveries, for the API and the command line alike.

use crate::{Service, send::Call};
use bytes::Bytes;
use loa_domain::{
    AddressRefusal, AttemptError, DeliveryId, DisableReason, EgressSettings, Endpoint, EndpointId, EndpointState,
    EventFilter, EventType, ServerWords, clean_line,
};
use loa_egress::ResolveError;
use loa_store::{Attempt, DeliveryQuery, DeliveryView, StoreError, StoreErrorKind};
use loa_webhook::{Answer, Secret, WebhookId, parse_url};
use loa_words::{Language, Notice, Trial};
use serde_json::json;
use std::collections::BTreeSet;

/// Secrets of one endpoint at a time; a further rotation drops the oldest.
const SECRETS_MAX: usize = 4;
/// Bytes of a secret that we make.
const SECRET_LENGTH: usize = 32;
/// Characters of a description or reason.
const TEXT_MAX: usize = 200;
/// The type of a test ping. Not an event of the contract: receivers answer 2xx and forget it.
const TEST_TYPE: &str = "vn.loa.endpoint.test.v1";

/// An endpoint that is to be added.
#[derive(Debug, Clone, Default)]
pub struct NewEndpoint {
    /// Where to: https, unless the configuration allows the host or network.
    pub url: String,
    /// For people; may be empty.
    pub description: String,
    /// Event types it wants; empty: all.
    pub event_types: BTreeSet<EventType>,
    /// A secret of the receiver's choice; `None`: we make one.
    pub secret: Option<Secret>,
}

/// An endpoint that was added, with the one sight of its secret.
#[derive(Debug, Clone)]
pub struct AddedEndpoint {
    /// As it is kept.
    pub endpoint: Endpoint,
    /// To be handed to the receiver; shown once.
    pub secret: Secret,
}

/// What a test ping came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestReport {
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// The status; `None` when no answer came.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whether it was 2xx.
    pub delivered: bool,
    /// What would follow from this answer.
    pub trial: Trial,
    /// Why it was not taken.
    pub error: Option<AttemptError>,
    /// What the receiver, the resolver or the system said.
    pub words: ServerWords,
}

impl TestReport {
    /// What it means and what to do, in a sentence or two.
    pub fn told(&self, language: Language) -> String {
        let words = language.words();
        match self.error {
            None => words.trial(self.trial).to_owned(),
            Some(_) => format!("{} {}", words.attempt(self.error, self.status, &self.words), words.trial(self.trial)),
        }
    }
}

/// Why an operation was not done. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The address may not be called.
    #[error("{}", Language::English.words().address_refusal(.0, EgressSettings::Push))]
    Address(AddressRefusal),
    /// The address's name does not resolve.
    #[error("the name {host} cannot be resolved; check its spelling and the DNS")]
    Unresolved {
        /// The name.
        host: String,
        /// The resolver's word.
        source: std::io::Error,
    },
    /// A description or reason is longer than 200 characters.
    #[error("{0} is longer than 200 characters")]
    TooLong(&'static str),
    /// The address is an endpoint already.
    #[error("this address is already endpoint {0}; enable or test that one")]
    Exists(EndpointId),
    /// There is no such endpoint.
    #[error("there is no endpoint {0}")]
    NoEndpoint(EndpointId),
    /// There is no such delivery.
    #[error("there is no delivery {0}")]
    NoDelivery(DeliveryId),
    /// What was delivered or superseded is not sent again.
    #[error("delivery {0} was delivered or superseded; it is not sent again")]
    Final(DeliveryId),
    /// The ledger failed.
    #[error("the push ledger did not do it")]
    Ledger(#[from] StoreError),
}

impl From<AddressRefusal> for OperationError {
    fn from(refusal: AddressRefusal) -> Self {
        Self::Address(refusal)
    }
}

impl From<ResolveError> for OperationError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Refused(refusal) => Self::Address(refusal),
            ResolveError::LookUp { host, source } => Self::Unresolved { host, source },
        }
    }
}

impl Service {
    /// Adds an endpoint, after the same checks as before each delivery, name look-up included. It is owed what is
    /// accepted from now on.
    ///
    /// # Errors
    /// [`OperationError::Address`], `Unresolved`, `TooLong`, `Exists`, `Ledger`.
    pub async fn add_endpoint(&self, asked: NewEndpoint) -> Result<AddedEndpoint, OperationError> {
        let url = parse_url(asked.url.trim())?;
        self.0.sender.guard.check_resolved(&url).await?;
        let description = bounded("the description", &asked.description)?;
        if let Some(known) = self.0.doors.views.endpoints().await?.into_iter().find(|known| known.url == url) {
            return Err(OperationError::Exists(known.id));
        }
        let secret = asked.secret.unwrap_or_else(|| self.new_secret());
        let endpoint = Endpoint {
            id: self.new_id(),
            url,
            description,
            secrets: vec![secret.as_bytes().to_vec()],
            filter: EventFilter { event_types: asked.event_types },
            state: EndpointState::Enabled,
            created_at: self.0.world.now(),
        };
        self.0.doors.endpoints.add_endpoint(&endpoint).await?;
        tracing::info!(endpoint = %endpoint.id, host = endpoint.url.host_str(), "endpoint added");
        Ok(AddedEndpoint { endpoint, secret })
    }

    /// All endpoints, by id.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, OperationError> {
        Ok(self.0.doors.views.endpoints().await?)
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`OperationError::NoEndpoint`], `Ledger`.
    pub async fn endpoint(&self, id: &EndpointId) -> Result<Endpoint, OperationError> {
        self.0.doors.views.endpoint(id).await?.ok_or_else(|| OperationError::NoEndpoint(id.clone()))
    }

    /// Enables an endpoint: what waited for it becomes due, and past failures are forgotten.
    ///
    /// # Errors
    /// [`OperationError::NoEndpoint`]; `Address` or `Unresolved` when its address may not be called any more; `Ledger`.
    pub async fn enable_endpoint(&self, id: &EndpointId) -> Result<Endpoint, OperationError> {
        let endpoint = self.endpoint(id).await?;
        self.0.sender.guard.check_resolved(&endpoint.url).await?;
        self.set_state(id, EndpointState::Enabled).await?;
        self.0.breakers().forget(id);
        self.0.wake_up.wake();
        self.endpoint(id).await
    }

    /// Disables an endpoint: its deliveries wait. Idempotent.
    ///
    /// # Errors
    /// [`OperationError::NoEndpoint`], `TooLong`, `Ledger`.
    pub async fn disable_endpoint(&self, id: &EndpointId, reason: &str) -> Result<Endpoint, OperationError> {
        let note = bounded("the reason", reason)?;
        self.set_state(id, EndpointState::Disabled { reason: DisableReason::Operator, note }).await?;
        self.endpoint(id).await
    }

    async fn set_state(&self, id: &EndpointId, state: EndpointState) -> Result<(), OperationError> {
        let done = self.0.doors.endpoints.set_endpoint_state(id, &state).await;
        done.map_err(|error| of_endpoint(error, id))?;
        tracing::info!(endpoint = %id, ?state, "endpoint state set");
        Ok(())
    }

    /// Makes a new secret and returns it, for the one time it is shown. With `overlap` the secrets so far stay valid
    /// beside it (each request is signed with all of them) until [`Self::retire_secrets`]; without, they end at once.
    ///
    /// # Errors
    /// [`OperationError::NoEndpoint`], `Ledger`.
    pub async fn rotate_secret(&self, id: &EndpointId, overlap: bool) -> Result<Secret, OperationError> {
        let endpoint = self.endpoint(id).await?;
        let secret = self.new_secret();
        let kept = if overlap { SECRETS_MAX - 1 } else { 0 };
        let mut secrets = vec![secret.as_bytes().to_vec()];
        secrets.extend(endpoint.secrets.into_iter().take(kept));
        self.set_secrets(id, &secrets).await?;
        Ok(secret)
    }

    /// Ends an overlap: only the newest secret stays. Idempotent.
    ///
    /// # Errors
    /// [`OperationError::NoEndpoint`], `Ledger`.
    pub async fn retire_secrets(&self, id: &EndpointId) -> Result<Endpoint, OperationError> {
        let endpoint = self.endpoint(id).await?;
        let newest: Vec<Vec<u8>> = endpoint.secrets.into_iter().take(1).collect();
        self.set_secrets(id, &newest).await?;
        self.endpoint(id).await
    }

    async fn set_secrets(&self, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<(), OperationError> {
        self.0.doors.endpoints.set_secrets(id, secrets).await.map_err(|error| of_endpoint(error, id))?;
        tracing::info!(endpoint = %id, valid = secrets.len(), "endpoint secrets set");
        Ok(())
    }

    /// Sends a signed ping, now, whatever the endpoint's state and breaker, and says what came of it. Changes nothing.
    ///
    /// # Errors
    /// [`OperationError::NoEndpoint`], `Ledger`. That the ping failed is not an error but the report.
    pub async fn test_endpoint(&self, id: &EndpointId) -> Result<TestReport, OperationError> {
        let endpoint = self.endpoint(id).await?;
        let (now, ping) = (self.0.world.now(), WebhookId::of_test(self.0.world.bytes()));
        let message = Language::ALL.map(|language| language.words().notice(Notice::TestWebhook)).join(" / ");
        let body = json!({
            "specversion": "1.0", "id": ping.as_str(), "source": "urn:loa:push", "type": TEST_TYPE,
            "subject": endpoint.id.as_str(), "time": now.to_string(), "datacontenttype": "application/json",
            "data": { "message": message },
        });
        let call = Call { id: &ping, body: Bytes::from(body.to_string()), attempt: 1, portal: None };
        let sent = self.0.sender.send(&endpoint, call, now).await;
        let trial = match sent.answer {
            Answer::Delivered => Trial::Taken,
            Answer::Gone => Trial::WouldDisable,
            Answer::GiveUp => Trial::WouldGiveUp,
            Answer::RetryLater { .. } => Trial::WouldRetry,
        };
        Ok(TestReport {
            endpoint: endpoint.id,
            status: sent.status,
            duration_ms: u64::try_from(sent.duration.as_millis()).unwrap_or(u64::MAX),
            delivered: sent.answer == Answer::Delivered,
            trial,
            error: sent.error(),
            words: sent.words,
        })
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryView>, OperationError> {
        Ok(self.0.doors.views.deliveries(query).await?)
    }

    /// One delivery with its attempts, oldest first.
    ///
    /// # Errors
    /// [`OperationError::NoDelivery`], `Ledger`.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<(DeliveryView, Vec<Attempt>), OperationError> {
        self.0.doors.views.delivery(id).await.map_err(|error| of_delivery(error, id))
    }

    /// Makes a failed delivery due now, with a fresh schedule and the same outward id.
    ///
    /// # Errors
    /// [`OperationError::NoDelivery`], `Final`, `Ledger`.
    pub async fn redrive(&self, id: &DeliveryId) -> Result<(), OperationError> {
        self.0.doors.due_times.redrive(id, self.0.world.now()).await.map_err(|error| of_delivery(error, id))?;
        tracing::info!(delivery = %id, "delivery redriven");
        self.0.wake_up.wake();
        Ok(())
    }

    fn new_secret(&self) -> Secret {
        Secret::new(self.0.world.bytes::<SECRET_LENGTH>().to_vec()).expect("32 bytes are within 24 to 64")
    }

    fn new_id(&self) -> EndpointId {
        let random: String = self.0.world.bytes::<8>().iter().map(|b| format!("{b:02x}")).collect();
        EndpointId::new(format!("ep_{random}")).expect("letters and digits make an id")
    }
}

fn bounded(what: &'static str, text: &str) -> Result<String, OperationError> {
    let line = clean_line(text);
    if line.chars().count() > TEXT_MAX { Err(OperationError::TooLong(what)) } else { Ok(line) }
}

fn of_endpoint(error: StoreError, id: &EndpointId) -> OperationError {
    match error.kind {
        StoreErrorKind::NotFound => OperationError::NoEndpoint(id.clone()),
        _ => OperationError::Ledger(error),
    }
}

fn of_delivery(error: StoreError, id: &DeliveryId) -> OperationError {
    match error.kind {
        StoreErrorKind::NotFound => OperationError::NoDelivery(id.clone()),
        StoreErrorKind::Conflict => OperationError::Final(id.clone()),
        _ => OperationError::Ledger(error),
    }
}
