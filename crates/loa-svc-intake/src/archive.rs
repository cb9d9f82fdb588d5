//! The archive of every event of every producer, exactly as it was on the bus, and the replay from
//! it.

use crate::{IntakeError, Service};
use async_trait::async_trait;
use loa_bus::{BusErrorKind, DeadReason, Message, Outgoing, Publish, Queue, Route};
use loa_domain::{Event, with_causes};
use loa_event::{STRUCTURED, routing_key};
use loa_store::{ArchiveQuery, Archived, StoreError};
use loa_worker::{AcceptError, Handler, REPLAY_HEADER, accept_error, decode_event};
use std::collections::BTreeMap;

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
            article: event.subject(),
            revision: event.version().revision,
            content_hash: event.content_hash.clone(),
            routing_key: routing_key(event),
            body: event.original_bytes.clone(),
            at,
        };
        let fresh = self.0.ledger.archive(&batch.iter().map(archived).collect::<Vec<_>>()).await?;
        metrics::counter!("loa_archived_total").increment(fresh);
        Ok(fresh)
    }

    /// Sends archived events again to the queue of one outlet, in the order of the archive, under their own ids: what
    /// an outlet has accepted before changes nothing there. `limit` of the query is ignored; `progress` hears the number
    /// sent so far. An event that the bus does not take as it is holds up no other.
    ///
    /// # Errors
    /// When the ledger or the bus does not answer; what was sent before stays sent, and sending it again is harmless.
    pub async fn replay<B: Publish + ?Sized>(
        &self,
        bus: &B,
        queue: Queue,
        query: ArchiveQuery,
        mut progress: impl FnMut(u64),
    ) -> Result<Replayed, IntakeError> {
        let mut query = ArchiveQuery { limit: REPLAY_PAGE, ..query };
        let mut replayed = Replayed::default();
        loop {
            let page = self.0.ledger.archived(&query).await?;
            let Some(last) = page.last() else { return Ok(replayed) };
            query.after = last.sequence;
            let names: Vec<_> = page.iter().map(|event| (event.article.clone(), event.key.clone())).collect();
            let batch: Vec<Outgoing> = page.into_iter().map(|event| again(event, queue)).collect();
            for (outcome, (article, key)) in bus.publish(batch).await.into_iter().zip(names) {
                match outcome {
                    Ok(()) => replayed.sent += 1,
                    Err(error) if error.kind == BusErrorKind::Rejected => {
                        replayed.rejected += 1;
                        replayed
                            .example
                            .get_or_insert_with(|| format!("event {} of {article}: {}", key.id, with_causes(&error)));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            progress(replayed.sent);
        }
    }
}

/// What a replay came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Events sent.
    pub sent: u64,
    /// Events that the bus does not take as they are.
    pub rejected: u64,
    /// One of these, and why.
    pub example: Option<String>,
}

fn again(event: Archived, queue: Queue) -> Outgoing {
    let message = Message {
        id: event.key.sent_id().to_owned(),
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
        decode_event(message, &self.0.directory, &self.0.portal.calendar, &self.0.portal.portals.list())
    }

    async fn refresh(&self) -> Result<(), AcceptError> {
        self.0.portal.portals.refreshed().await
    }

    async fn accept(&self, batch: Vec<Event>) -> Result<(), AcceptError> {
        Service::accept(self, &batch).await.map(drop).map_err(accept_error)
    }
}
