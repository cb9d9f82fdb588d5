//! From the bus to the ledger: decoding, and what a failure of either means for the message.

use crate::Service;
use async_trait::async_trait;
use loa_bus::{DeadReason, Message};
use loa_domain::Event;
use loa_store::StoreErrorKind;
use loa_worker::{AcceptError, Handler};

#[async_trait]
impl Handler for Service {
    type Item = Event;

    fn decode(&self, message: &Message) -> Result<Event, DeadReason> {
        let content_type = Some(message.content_type.as_str()).filter(|text| !text.is_empty());
        loa_event::decode(content_type, &message.headers, Some(&message.id), &message.body, &self.0.directory)
            .map_err(|refusal| DeadReason { position: refusal.position(), reason: refusal.sentence })
    }

    async fn accept(&self, batch: Vec<Event>) -> Result<(), AcceptError> {
        match Service::accept(self, &batch).await {
            Ok(_) => Ok(()),
            // a conflict is another replica at work: the same batch again is right for both
            Err(error) if matches!(error.kind, StoreErrorKind::Unavailable | StoreErrorKind::Conflict) => {
                Err(AcceptError::Unavailable(error.into()))
            }
            Err(error) => Err(AcceptError::Failed(error.into())),
        }
    }
}
