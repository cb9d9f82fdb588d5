//! The suite of `loa-bus`, on files of their own.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

use async_trait::async_trait;
use jiff::Timestamp;
use loa_bus::{Bus, Consumer, conformance::Fixture};
use loa_bus_sqlite::SqliteBus;
use std::sync::Arc;

struct File(tempfile::TempDir);

async fn file() -> File {
    File(tempfile::tempdir().unwrap())
}

#[async_trait]
impl Fixture for File {
    async fn undeclared(&self) -> Arc<dyn Bus> {
        let clock: loa_bus::Clock = Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap());
        Arc::new(SqliteBus::open(self.0.path().join("bus.db"), clock).await.unwrap())
    }

    // What a real `kill -9` leaves behind is tried in `processes.rs`.
    async fn crash(&self, bus: Arc<dyn Bus>, consumers: Vec<Box<dyn Consumer>>) {
        drop(bus);
        drop(consumers);
    }
}

loa_bus::bus_conformance_tests!(file);
