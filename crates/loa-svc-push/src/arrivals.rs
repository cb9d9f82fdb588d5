//! What `loa_worker::consume` asks of the push outlet: decode a message, accept a batch.

use crate::Service;
use async_trait::async_trait;
use loa_bus::{DeadReason, Message};
use loa_domain::Event;
use loa_worker::{AcceptError, Handler, accept_error, decode_event};

#[async_trait]
impl Handler for Service {
    type Item = Event;

    fn decode(&self, message: &Message) -> Result<Event, DeadReason> {
        decode_event(message, &self.0.directory, &self.0.calendar, &self.0.portals.list())
    }

    async fn refresh(&self) -> Result<(), AcceptError> {
        self.0.portals.refreshed().await
    }

    async fn accept(&self, batch: Vec<Event>) -> Result<(), AcceptError> {
        Service::accept(self, &batch).await.map(drop).map_err(accept_error)
    }
}
