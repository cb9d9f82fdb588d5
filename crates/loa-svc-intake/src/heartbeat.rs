//! Heartbeats: synthetic messages, published like events and received by every outlet, that prove the
//! whole path. A round is one message for each binding, since a queue that has lost one binding still
//! gets what the others take. Each says when it was sent, by which machine of which installation, so
//! that a second installation on the same broker gives itself away.
//!
//! They must never fill a queue. A queue that nobody empties would keep each one, and message expiry
//! is no way out: an expired message becomes a dead letter. So a queue that is [`DEPTH_MAX`] deep
//! gets no more. While there is such a queue, the others get theirs directly, and the age of its
//! last heartbeat goes on growing, which is the truth.

use crate::Service;
use loa_bus::{
    Administer, BusError, BusErrorKind, HEARTBEAT, HEARTBEAT_BODY, HEARTBEAT_HOST, HEARTBEAT_INSTALLATION,
    HEARTBEAT_KEYS, HEARTBEAT_SENT_AT, Message, Outgoing, Publish, Queue, Route,
};
use std::{collections::BTreeMap, time::Duration};

/// The depth from which on a queue gets no heartbeats. Each process that sends may overshoot by one.
const DEPTH_MAX: u64 = 100;

impl Service {
    /// How often [`Self::beat`] is due; `None`: never.
    pub(crate) fn beat_every(&self) -> Option<Duration> {
        self.0.config.heartbeat_every()
    }

    /// Sends a round of heartbeats to every queue that is not too deep. Returns how many queues were left out.
    ///
    /// # Errors
    /// When the bus did not take it; there is no second try, the next heartbeat is it.
    pub async fn beat<B: Publish + Administer + ?Sized>(&self, bus: &B) -> Result<usize, BusError> {
        bus.takes()?;
        let mut shallow = Vec::new();
        for queue in Queue::ALL {
            let depth = match bus.depth(queue).await {
                Ok((ready, _)) => ready,
                // a broker that lets only those look who have `configure`: a heartbeat is small, and comes once in a while
                Err(error) if error.kind == BusErrorKind::Refused => 0,
                Err(error) => return Err(error),
            };
            if depth < DEPTH_MAX {
                shallow.push(queue);
            }
        }
        let left_out = Queue::ALL.len() - shallow.len();
        // the way of an event, over the exchange, wherever that is possible
        let routes: Vec<Route> = if left_out == 0 {
            HEARTBEAT_KEYS.iter().map(|key| Route::Topic((*key).to_owned())).collect()
        } else {
            shallow.into_iter().map(Route::Queue).collect()
        };
        let message = self.heartbeat().await;
        let batch = routes.into_iter().map(|route| Outgoing { route, message: message.clone() }).collect();
        bus.publish(batch).await.into_iter().collect::<Result<(), _>>()?;
        Ok(left_out)
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
