//! The test rig: ledger, clock and service, stepped by hand.

use loa_area::Directory;
use loa_domain::{DeliveryId, DeliveryState, EndpointId, Event, RetrySchedule};
use loa_store::{Attempt, DeliveryQuery, DeliveryView, PushDoors, PushLedger};
use loa_store_sql::PushStore;
use loa_svc_push::{Config, NewEndpoint, Service};
use loa_testkit::{
    build::calendar,
    clock::HandClock,
    http::{HttpStandIn, Request},
};
use loa_webhook::{Secret, VerifyError, verify};
use loa_worker::Progress;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

pub struct Stage {
    pub folder: TempDir,
    pub ledger: Arc<dyn PushLedger>,
    pub clock: HandClock,
    pub service: Service,
}

/// Delays of 5 s, 60 s and 300 s without jitter, so that instants can be named; loopback is allowed by network.
pub fn config() -> Config {
    Config {
        retry: RetrySchedule { delays_seconds: vec![5, 60, 300], jitter_percent: 0, retry_after_seconds_max: 3_600 },
        allow_networks: vec!["127.0.0.0/8".into()],
        ..Config::default()
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        // another test may have installed it
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(&folder).await;
        let clock = HandClock::at("2023-11-16T01:05:00Z");
        let service = service(config, &ledger, &clock);
        Self { folder, ledger, clock, service }
    }

    /// A second process on the same ledger.
    pub fn another(&self, config: Config) -> Service {
        service(config, &self.ledger, &self.clock)
    }

    /// Adds an endpoint at this stand-in.
    pub async fn endpoint(&self, receiver: &HttpStandIn, path: &str) -> (EndpointId, Secret) {
        let asked = NewEndpoint { url: receiver.url(path), ..NewEndpoint::default() };
        let added = self.service.add_endpoint(asked).await.unwrap();
        (added.endpoint.id, added.secret)
    }

    pub async fn accept(&self, events: &[Event]) {
        self.service.accept(events).await.unwrap();
    }

    /// Steps until nothing is due, waiting for each round of attempts to end.
    pub async fn run_until_idle(&self) {
        run_until_idle(&self.service).await;
    }

    pub async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.run_until_idle().await;
    }

    pub async fn deliveries(&self) -> Vec<DeliveryView> {
        let query = DeliveryQuery { limit: 1_000, ..DeliveryQuery::default() };
        let mut found = self.ledger.deliveries(&query).await.unwrap();
        found.reverse();
        found
    }

    pub async fn states(&self) -> Vec<(u64, DeliveryState)> {
        let mut states: Vec<_> = self.deliveries().await.into_iter().map(|d| (d.revision, d.state)).collect();
        states.sort();
        states
    }

    /// The only delivery, with its attempts.
    pub async fn only(&self) -> (DeliveryView, Vec<Attempt>) {
        let all = self.deliveries().await;
        assert_eq!(all.len(), 1, "{all:?}");
        self.one(&all[0].id).await
    }

    pub async fn one(&self, id: &DeliveryId) -> (DeliveryView, Vec<Attempt>) {
        self.ledger.delivery(id).await.unwrap()
    }

    /// What the receiver's own check says.
    pub fn verify(&self, request: &Request, secret: &Secret) -> Result<(), VerifyError> {
        verify(|name| request.header(name), &request.body, std::slice::from_ref(secret), self.clock.now())
    }
}

pub async fn run_until_idle(service: &Service) {
    loop {
        let progress = service.step().await.unwrap();
        service.drain().await.unwrap();
        if progress == Progress::Idle {
            return;
        }
    }
}

pub fn service(config: Config, ledger: &Arc<dyn PushLedger>, clock: &HandClock) -> Service {
    let (directory, portals) = (Arc::new(Directory::empty()), loa_testkit::build::portals());
    Service::new(config, PushDoors::of(ledger), directory, calendar(), portals, clock.world(1), None).unwrap()
}

async fn open(folder: &TempDir) -> Arc<dyn PushLedger> {
    Arc::new(PushStore::open(folder.path().join("push.db")).await.unwrap())
}
