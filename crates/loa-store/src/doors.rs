//! What services are handed of a ledger of several doors: each door on its own, so that one that notes receipts can stand in
//! for the ledger's.

use crate::{
    Arrivals, Confirmations, Deliveries, DigestLedger, DigestViews, DueTimes, Endpoints, Mails, Notary, PushLedger,
    PushViews, Runs, Subscriptions,
    noting::{NotingDeliveries, NotingEndpoints, NotingMails, NotingSubscriptions},
};
use std::sync::Arc;

/// What the digest service is handed.
#[derive(Clone)]
pub struct DigestDoors {
    /// How events come in.
    pub arrivals: Arc<dyn Arrivals>,
    /// What people decide.
    pub subscriptions: Arc<dyn Subscriptions>,
    /// What confirming needs.
    pub confirmations: Arc<dyn Confirmations>,
    /// What the schedule does.
    pub runs: Arc<dyn Runs>,
    /// What the sender does.
    pub mails: Arc<dyn Mails>,
    /// What can be asked.
    pub views: Arc<dyn DigestViews>,
}

impl DigestDoors {
    /// Of a ledger; nothing is noted in receipts.
    pub fn of(ledger: &Arc<dyn DigestLedger>) -> Self {
        Self {
            arrivals: ledger.clone(),
            subscriptions: ledger.clone(),
            confirmations: ledger.clone(),
            runs: ledger.clone(),
            mails: ledger.clone(),
            views: ledger.clone(),
        }
    }

    /// Of a ledger; what people decide and what is sent is noted in receipts.
    pub fn noting(ledger: &Arc<dyn DigestLedger>, notary: Notary) -> Self {
        Self {
            subscriptions: Arc::new(NotingSubscriptions::new(ledger.clone(), notary.clone())),
            mails: Arc::new(NotingMails::new(ledger.clone(), notary)),
            ..Self::of(ledger)
        }
    }
}

/// What the push service is handed.
#[derive(Clone)]
pub struct PushDoors {
    /// How events come in.
    pub arrivals: Arc<dyn Arrivals>,
    /// What operators decide.
    pub endpoints: Arc<dyn Endpoints>,
    /// What the deliverer does.
    pub deliveries: Arc<dyn Deliveries>,
    /// When deliveries are due.
    pub due_times: Arc<dyn DueTimes>,
    /// What can be asked.
    pub views: Arc<dyn PushViews>,
}

impl PushDoors {
    /// Of a ledger; nothing is noted in receipts.
    pub fn of(ledger: &Arc<dyn PushLedger>) -> Self {
        Self {
            arrivals: ledger.clone(),
            endpoints: ledger.clone(),
            deliveries: ledger.clone(),
            due_times: ledger.clone(),
            views: ledger.clone(),
        }
    }

    /// Of a ledger; what operators decide and what is attempted is noted in receipts.
    pub fn noting(ledger: &Arc<dyn PushLedger>, notary: Notary) -> Self {
        Self {
            endpoints: Arc::new(NotingEndpoints::new(ledger.clone(), notary.clone())),
            deliveries: Arc::new(NotingDeliveries::new(ledger.clone(), notary)),
            ..Self::of(ledger)
        }
    }
}
