//! What operators do with the hub's subscriptions, and how tests turn the wheel by hand.

use crate::{OperationError, Service};
use loa_domain::HubSubscriptionId;
use loa_store::{HubQuery, HubSubscriptionView, StoreError, StoreErrorKind};
use loa_worker::Progress;

/// What a subscriber is told whose subscription an operator ends.
const REMOVED: &str = "the operator of this hub ended the subscription";

impl Service {
    /// Subscriptions at the hub, in the order in which they were first asked for.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn hub_subscriptions(&self, query: &HubQuery) -> Result<Vec<HubSubscriptionView>, OperationError> {
        Ok(self.0.ledger.hub_subscriptions(query).await?)
    }

    /// Ends a subscription; its subscriber is told by whoever runs the hub.
    ///
    /// # Errors
    /// [`OperationError::NoSubscription`], `Ledger`.
    pub async fn remove_hub_subscription(&self, id: &HubSubscriptionId) -> Result<(), OperationError> {
        let done = self.0.ledger.hub_remove(id, REMOVED, self.0.world.now()).await;
        done.map_err(|error| match error.kind {
            StoreErrorKind::NotFound => OperationError::NoSubscription(id.clone()),
            _ => OperationError::Ledger(error),
        })?;
        tracing::info!(subscription = %id, "a subscription at the hub was ended by an operator");
        Ok(())
    }

    /// One turn of the hub's wheel; idle when there is no hub.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn hub_step(&self) -> Result<Progress, StoreError> {
        match &self.0.hub {
            Some(hub) => hub.step().await,
            None => Ok(Progress::Idle),
        }
    }

    /// Waits until the hub has nothing under way, and records what it came to.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn hub_drain(&self) -> Result<(), StoreError> {
        match &self.0.hub {
            Some(hub) => hub.drain().await,
            None => Ok(()),
        }
    }
}
