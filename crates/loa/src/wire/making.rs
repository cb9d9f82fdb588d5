//! Makes what an installation needs before it works: the ledgers' schemas, and the topology of the bus.
//!
//! `loa migrate` does it once and says what it did; `loa up` goes on trying until server and broker are there.

use super::App;
use crate::{config::StoreKind, output::sentence, replays};
use anyhow::Context;
use loa_bus::Declared;
use loa_domain::{Dependency, TopologyOutcome};
use loa_store::{StoreError, StoreErrorKind};
use loa_store_sql::{AccessStore, DigestStore, FeedStore, IntakeStore, PushStore, ReceiptStore, WatchStore};
use loa_words::Language;
use loa_worker::{DependencyState, trouble_of};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between two tries to make the schemas or the topology.
const DECLARE_PAUSE: Duration = Duration::from_secs(1);

impl App {
    /// Makes or updates all ledgers' schema and the topology. Returns one line per thing.
    pub async fn migrate(&self) -> anyhow::Result<Vec<String>> {
        let mut lines = self.migrate_ledgers().await?;
        let bus = self.bus().await?;
        self.wait_for_bus(&bus).await?;
        let things = match self.made_at_opening.get() {
            Some(things) => things.clone(),
            None => bus.declare().await.context("cannot make the topology")?,
        };
        lines.extend(things.iter().map(line));
        lines.extend(replays::due(&*self.intake_ledger().await?, &things, self.world.now()).await?);
        Ok(lines)
    }

    /// For `loa up`: as [`Self::migrate_ledgers`]. A server that is away is no reason to end: then the schemas are made as
    /// soon as it is there, or until `stop`; until then readiness tells that the ledgers are not reached.
    pub async fn migrate_ledgers_in_time(self: &Arc<Self>, stop: &CancellationToken) -> anyhow::Result<()> {
        let is_away = |error: &anyhow::Error| {
            let store = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>());
            self.config.store.kind == StoreKind::Postgres
                && store.is_some_and(|error| error.kind == StoreErrorKind::Unavailable)
        };
        loop {
            let error = match self.migrate_ledgers().await {
                Ok(_) => {
                    self.status.report(Dependency::LedgersMade, DependencyState::Up);
                    return Ok(());
                }
                Err(error) => error,
            };
            let why = sentence(&error);
            let down = DependencyState::Down(trouble_of(error.as_ref()));
            let is_news = self.status.report(Dependency::LedgersMade, down);
            if !is_away(&error) {
                return Err(error);
            }
            if is_news {
                tracing::warn!(error = %why, "the ledgers are not made yet; trying again until they are");
            }
            if stop.run_until_cancelled(tokio::time::sleep(DECLARE_PAUSE)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Makes the topology, now or as soon as the broker is there; until then readiness tells that it is not. Tries again
    /// until it works or `stop`: a broker that is away at the start is no other than one that goes away later.
    pub async fn declare_in_time(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let bus = self.bus().await?;
        let declaring = async {
            let mut told = false;
            loop {
                match bus.declare().await {
                    Ok(things) => {
                        for made in things.iter().filter(|thing| thing.outcome != TopologyOutcome::There) {
                            tracing::debug!(thing = line(made), "the topology");
                        }
                        let ledger = self.intake_ledger().await?;
                        match replays::due(&*ledger, &things, self.world.now()).await {
                            Ok(due) => due.iter().for_each(|line| tracing::warn!("{line}")),
                            Err(error) => tracing::debug!(%error, "whether a replay is due is not known"),
                        }
                        break;
                    }
                    Err(error) => {
                        let down = DependencyState::Down(trouble_of(&error));
                        let why = sentence(&error.into());
                        if self.status.report(Dependency::TopologyMade, down) {
                            tracing::warn!(error = %why, "the topology is not made yet; trying again until it is");
                            told = true;
                        }
                    }
                }
                tokio::time::sleep(DECLARE_PAUSE).await;
            }
            self.status.report(Dependency::TopologyMade, DependencyState::Up);
            if told {
                tracing::info!("the topology is made");
            }
            Ok(())
        };
        // cancelled, nothing is owed
        stop.run_until_cancelled(declaring).await.unwrap_or(Ok(()))
    }

    /// Makes or updates all ledgers' schema. Returns one line per ledger.
    pub async fn migrate_ledgers(&self) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        if self.config.store.kind == StoreKind::Postgres {
            let server = self.postgres().await?;
            let address = || format!("on {}", self.config.store.postgres.shown());
            IntakeStore::on(&server).migrate().await.with_context(address)?;
            FeedStore::on(&server).migrate().await.with_context(address)?;
            DigestStore::on(&server).migrate().await.with_context(address)?;
            PushStore::on(&server).migrate().await.with_context(address)?;
            AccessStore::on(&server).migrate().await.with_context(address)?;
            ReceiptStore::on(&server).migrate().await.with_context(address)?;
            WatchStore::on(&server).migrate().await.with_context(address)?;
        }
        self.read_ledgers().await?;
        self.receipt_ledger().await?.begin(self.world.now()).await.context("the receipts")?;
        for name in ["intake", "feed", "digest", "push", "access", "receipts", "watch"] {
            lines.push(format!("ledger {name}: up to date"));
        }
        Ok(lines)
    }
}

/// What became of a thing of the topology, as commands and the log tell it.
fn line(declared: &Declared) -> String {
    let words = Language::English.words();
    format!("{}: {}", words.topology_thing(&declared.thing), words.topology_outcome(&declared.outcome))
}
