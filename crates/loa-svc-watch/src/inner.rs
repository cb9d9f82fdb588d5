//! What the service holds, for the loop and for each look.

use crate::{Config, Publisher, Visitor};
use loa_domain::FaultName;
use loa_store::WatchLedger;
use loa_worker::{InFlight, WakeUp, World};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// Shared by all clones of the service.
pub(crate) struct Inner {
    pub(crate) visitor: Visitor,
    pub(crate) ledger: Arc<dyn WatchLedger>,
    pub(crate) publisher: Arc<dyn Publisher>,
    pub(crate) world: World,
    pub(crate) wake_up: WakeUp,
    pub(crate) looks: InFlight<String, ()>,
    /// Sources whose faults stand, so that they are taken back.
    pub(crate) told: Mutex<BTreeSet<FaultName>>,
}

impl Inner {
    pub(crate) fn config(&self) -> &Config {
        &self.visitor.0.config
    }
}
