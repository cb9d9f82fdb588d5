//! Heartbeats: synthetic messages, published like events and received by every outlet, that prove the
//! whole path. A round is one message for each binding, since a queue that has lost one binding still
//! gets what the others take. Each says when it was sent, by which machine of which installation, so
//! that a second installation on the same broker gives itself away.
//!
//! They must never fill a queue. A queue that nobody empties would keep each one, and message expiry
//! is no way out: an expired message becomes a dead letter. So a queue that is [`crate::rounds::DEPTH_MAX`] deep
//! is left out. Where a broker refuses to tell depths, a queue is left out after [`crate::rounds::DEPTH_MAX`] rounds
//! of which it heard nothing. What was sent counts, never the time: while the broker or this
//! process was away, nothing was sent, and nothing could be heard.
//!
//! While a queue is left out, the others get theirs directly, which proves no binding. So each
//! 21st round goes over the exchange all the same, also to the queue that is left out,
//! which gets some hundred messages a day by it. Each queue in its turn gets one directly while all
//! are left out: a path that works again must show.

use crate::{
    Service,
    rounds::{DEPTH_MAX, Rounds},
};
use jiff::Timestamp;
use loa_bus::{
    BusError, BusErrorKind, HEARTBEAT, HEARTBEAT_BODY, HEARTBEAT_HOST, HEARTBEAT_INSTALLATION, HEARTBEAT_KEYS,
    HEARTBEAT_SENT_AT, Measure, Message, Outgoing, Publish, Queue, Route,
};
use loa_store::StoreError;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
    time::Duration,
};

impl Service {
    /// How often [`Self::beat`] is due; `None`: never.
    pub(crate) fn beat_every(&self) -> Option<Duration> {
        self.0.config.heartbeat_every()
    }

    /// Sends a round of heartbeats to every queue that is not too deep. Returns how many queues were left out.
    ///
    /// # Errors
    /// When the bus did not take it; there is no second try, the next heartbeat is it.
    pub async fn beat<B: Publish + Measure + ?Sized>(&self, bus: &B) -> Result<usize, BusError> {
        bus.takes()?;
        let mut shallow = BTreeSet::new();
        for queue in Queue::ALL {
            let takes = match bus.depth(queue).await {
                Ok((ready, _)) => ready < DEPTH_MAX,
                // a broker that lets only those look who have `configure`
                Err(error) if error.kind == BusErrorKind::Refused => self.may_hear_one(queue).await,
                Err(error) => return Err(error),
            };
            if takes {
                shallow.insert(queue);
            }
        }
        // the way of an event, over the exchange, wherever that is possible
        let directly = self.rounds(|rounds| rounds.directly(shallow));
        let left_out = directly.as_ref().map_or(0, |queues| Queue::ALL.len() - queues.len());
        let routes: Vec<Route> = match &directly {
            None => HEARTBEAT_KEYS.iter().map(|key| Route::Topic((*key).to_owned())).collect(),
            Some(queues) => queues.iter().copied().map(Route::Queue).collect(),
        };
        let message = self.heartbeat().await;
        let batch = routes.into_iter().map(|route| Outgoing { route, message: message.clone() }).collect();
        let outcome = bus.publish(batch).await.into_iter().collect::<Result<(), _>>();
        // of what is refused some queues may have a part; what found no broker is nowhere
        let is_nowhere = outcome.as_ref().is_err_and(|error| error.kind == BusErrorKind::Unavailable);
        if !is_nowhere {
            self.rounds(|rounds| rounds.sent(directly.as_ref()));
        }
        outcome.map(|()| left_out)
    }

    /// Whether a queue whose depth nobody tells is to get a heartbeat, by what it heard of ours.
    async fn may_hear_one(&self, queue: Queue) -> bool {
        match self.last_heard(queue).await {
            Ok(heard) => self.rounds(|rounds| rounds.may_hear_one(queue, heard)),
            // a ledger that is away knows nothing for as long as it is away
            Err(error) => {
                tracing::debug!(%queue, %error, "which heartbeats were heard is not known");
                true
            }
        }
    }

    fn rounds<T>(&self, of: impl FnOnce(&mut Rounds) -> T) -> T {
        of(&mut self.0.rounds.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the newest heartbeat of ours was sent that came through a queue.
    async fn last_heard(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        let (own, heard) = (self.0.ledger.installation().await?, self.0.ledger.heartbeats().await?);
        let ours = heard.into_iter().filter(|one| one.installation == own && one.queue == queue.name());
        Ok(ours.map(|one| one.sent_at).max())
    }

    async fn heartbeat(&self) -> Message {
        let at = self.0.world.now().to_string();
        let mut headers = BTreeMap::from([
            (HEARTBEAT_SENT_AT.to_owned(), at.clone()),
            (HEARTBEAT_HOST.to_owned(), self.0.portal.host.clone()),
        ]);
        match self.0.ledger.installation().await {
            Ok(installation) => drop(headers.insert(HEARTBEAT_INSTALLATION.to_owned(), installation)),
            // the way from here to the outlets is proved all the same
            Err(error) => tracing::debug!(%error, "this heartbeat does not say whose it is"),
        }
        let id = format!("heartbeat-{at}");
        Message { id, content_type: HEARTBEAT.to_owned(), headers, body: HEARTBEAT_BODY.into() }
    }
}
