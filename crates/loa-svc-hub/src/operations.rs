//! What operators do with the hub's subscriptions, for the API and the command line alike.

use crate::Service;
use loa_domain::HubSubscriptionId;
use loa_store::{HubQuery, HubSubscriptionView, StoreError, StoreErrorKind};

/// What a subscriber is told whose subscription an operator ends.
const REMOVED: &str = "the operator of this hub ended the subscription";

/// Why what an operator asked for was not done. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// There is no such subscription.
    #[error("the hub has no subscription {0}")]
    NoSubscription(HubSubscriptionId),
    /// The ledger.
    #[error("the hub's ledger did not do it")]
    Ledger(#[from] StoreError),
}

impl Service {
    /// Subscriptions at the hub, in the order in which they were first asked for.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn subscriptions(&self, query: &HubQuery) -> Result<Vec<HubSubscriptionView>, OperationError> {
        Ok(self.0.ledger.hub_subscriptions(query).await?)
    }

    /// Ends a subscription; its subscriber is told by whoever runs the hub.
    ///
    /// # Errors
    /// [`OperationError::NoSubscription`], `Ledger`.
    pub async fn remove(&self, id: &HubSubscriptionId) -> Result<(), OperationError> {
        let done = self.0.ledger.hub_remove(id, REMOVED, self.0.world.now()).await;
        done.map_err(|error| match error.kind {
            StoreErrorKind::NotFound => OperationError::NoSubscription(id.clone()),
            _ => OperationError::Ledger(error),
        })?;
        tracing::info!(subscription = %id, "a subscription at the hub was ended by an operator");
        Ok(())
    }
}
