//! Endpoints: added, enabled and disabled, given other secrets.

use crate::StoreError;
use async_trait::async_trait;
use loa_domain::{Endpoint, EndpointId, EndpointState};

/// What operators decide about endpoints.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// Adds an endpoint. `Conflict` when its id is taken.
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<(), StoreError>;

    /// Enables or disables an endpoint. `NotFound`.
    async fn set_endpoint_state(&self, id: &EndpointId, state: &EndpointState) -> Result<(), StoreError>;

    /// Replaces an endpoint's secrets. `NotFound`.
    async fn set_secrets(&self, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<(), StoreError>;
}
