//! What `loa_worker::consume` asks of this service: decode a message, accept a batch.

use crate::Service;
use async_trait::async_trait;
use loa_bus::{DeadReason, Message};
use loa_domain::{Change, Content, Event};
use loa_store::StoreErrorKind;
use loa_worker::{AcceptError, Handler};

#[async_trait]
impl Handler for Service {
    type Item = Event;

    fn decode(&self, message: &Message) -> Result<Event, DeadReason> {
        let content_type = Some(message.content_type.as_str()).filter(|t| !t.is_empty());
        let id = Some(message.id.as_str()).filter(|id| !id.is_empty());
        loa_event::decode(content_type, &message.headers, id, &message.body, &self.0.directory)
            .map(without_body)
            .map_err(|refusal| DeadReason { reason: refusal.sentence.clone(), position: refusal.position() })
    }

    async fn accept(&self, batch: Vec<Event>) -> Result<(), AcceptError> {
        match Service::accept(self, &batch).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == StoreErrorKind::Unavailable => Err(AcceptError::Unavailable(error.into())),
            Err(error) => Err(AcceptError::Failed(error.into())),
        }
    }
}

/// A digest tells title and summary and leads to the portal for the rest. A thousand items may be in hand at a time, so what
/// nobody will read here, up to a mebibyte of each, is not kept.
fn without_body(mut event: Event) -> Event {
    event.frozen = Vec::new();
    if let Change::Live(content) = &mut event.change
        && let Content::Article(article) = &mut **content
    {
        article.content_html = String::new();
    }
    event
}
