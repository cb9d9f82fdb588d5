//! What `loa_worker::consume` asks of the digest outlet: decode a message, accept a batch.

use crate::Service;
use async_trait::async_trait;
use loa_bus::{DeadReason, Message};
use loa_domain::{Change, Content, Event};
use loa_worker::{AcceptError, Handler, accept_error, decode_event};

#[async_trait]
impl Handler for Service {
    type Item = Event;

    fn decode(&self, message: &Message) -> Result<Event, DeadReason> {
        decode_event(message, &self.0.directory, &self.0.calendar, &self.0.portals.list()).map(without_body)
    }

    async fn refresh(&self) -> Result<(), AcceptError> {
        self.0.portals.refreshed().await
    }

    async fn accept(&self, batch: Vec<Event>) -> Result<(), AcceptError> {
        Service::accept(self, &batch).await.map(drop).map_err(accept_error)
    }
}

/// A digest tells title and summary and leads to the portal for the rest. A thousand items may be in hand at a time, so what
/// nobody will read here, up to a mebibyte of each, is not kept.
fn without_body(mut event: Event) -> Event {
    event.original_bytes = Vec::new();
    if let Change::Live(content) = &mut event.change
        && let Content::Article(article) = &mut **content
    {
        article.content_html = String::new();
    }
    event
}
