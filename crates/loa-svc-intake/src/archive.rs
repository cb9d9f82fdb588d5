//! The archive: every event of every producer, as it stood on the bus, kept for replay; and the replay itself.

use crate::{IntakeError, Service};
use async_trait::async_trait;
use loa_bus::{DeadReason, Message, Outgoing, Publish, Queue, Route};
use loa_domain::Event;
use loa_event::{STRUCTURED, decode, routing_key};
use loa_store::{ArchiveQuery, Archived, StoreError, StoreErrorKind};
use loa_worker::{AcceptError, Handler};
use std::collections::BTreeMap;

/// The header by which an outlet tells a replayed event from a first one.
const REPLAY_HEADER: &str = "loa-replay";

/// Events read from the archive and published at a time.
const REPLAY_PAGE: u32 = 500;

impl Service {
    /// Keeps a batch in the archive; events kept before are no change. Returns how many are new.
    ///
    /// # Errors
    /// When the ledger does not take them; then it took none.
    pub async fn accept(&self, batch: &[Event]) -> Result<u64, StoreError> {
        let at = self.0.world.now();
        let archived = |event: &Event| Archived {
            sequence: 0,
            key: event.key.clone(),
            event_type: event.event_type,
            article: event.subject().clone(),
            revision: event.version().revision,
            routing_key: routing_key(event),
            body: event.frozen.clone(),
            at,
        };
        let fresh = self.0.ledger.archive(&batch.iter().map(archived).collect::<Vec<_>>()).await?;
        metrics::counter!("loa_archived_total").increment(fresh);
        Ok(fresh)
    }

    /// Sends archived events again to the queue of one outlet, in the order of the archive, under their own ids: what
    /// an outlet has accepted before changes nothing there. `limit` of the query is ignored; `progress` hears the number
    /// sent so far. Returns how many were sent.
    ///
    /// # Errors
    /// When the ledger or the bus does not answer; what was sent before stays sent, and sending it again is harmless.
    pub async fn replay<B: Publish + ?Sized>(
        &self,
        bus: &B,
        queue: Queue,
        query: ArchiveQuery,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, IntakeError> {
        let (mut query, mut sent) = (ArchiveQuery { limit: REPLAY_PAGE, ..query }, 0);
        loop {
            let page = self.0.ledger.archived(&query).await?;
            let Some(last) = page.last() else { return Ok(sent) };
            query.after = last.sequence;
            let batch: Vec<Outgoing> = page.into_iter().map(|event| replayed(event, queue)).collect();
            let count = batch.len() as u64;
            bus.publish(batch).await.into_iter().collect::<Result<(), _>>()?;
            sent += count;
            progress(sent);
        }
    }
}

fn replayed(event: Archived, queue: Queue) -> Outgoing {
    let message = Message {
        id: event.key.id,
        content_type: STRUCTURED.to_owned(),
        headers: BTreeMap::from([(REPLAY_HEADER.to_owned(), "1".to_owned())]),
        body: event.body.into(),
    };
    Outgoing { route: Route::Queue(queue), message }
}

#[async_trait]
impl Handler for Service {
    type Item = Event;

    fn decode(&self, message: &Message) -> Result<Event, DeadReason> {
        decode(Some(&message.content_type), &message.headers, Some(&message.id), &message.body, &self.0.directory)
            .map_err(|refusal| DeadReason { position: refusal.position(), reason: refusal.sentence })
    }

    async fn accept(&self, batch: Vec<Event>) -> Result<(), AcceptError> {
        match Service::accept(self, &batch).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == StoreErrorKind::Unavailable => Err(AcceptError::Unavailable(Box::new(error))),
            Err(error) => Err(AcceptError::Failed(Box::new(error))),
        }
    }
}
