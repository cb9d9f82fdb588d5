//! The synthetic message that proves the whole path: published like an event, received by every outlet, and no event.
//!
//! It must never fill anything. A queue that nobody empties would keep each one, and message expiry is no way out: an
//! expired message becomes a dead letter. So a queue that is [`DEPTH_MAX`] deep gets no more: while there is such a queue,
//! the others get theirs directly, and the age of its last heartbeat goes on growing, which is the truth.

use crate::Service;
use loa_bus::{
    Administer, BusError, HEARTBEAT, HEARTBEAT_KEY, HEARTBEAT_SENT_AT, Message, Outgoing, Publish, Queue, Route,
};
use loa_worker::World;
use std::{collections::BTreeMap, time::Duration};

/// The depth from which on a queue gets no heartbeats. Each process that sends may overshoot by one.
const DEPTH_MAX: u64 = 100;

impl Service {
    /// How often [`Self::beat`] is due; `None`: never.
    pub(crate) fn beat_every(&self) -> Option<Duration> {
        Some(self.0.config.heartbeat_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// Sends one heartbeat to every queue that is not too deep. Returns how many queues were left out.
    ///
    /// # Errors
    /// When the bus did not take it; there is no second try, the next heartbeat is it.
    pub async fn beat<B: Publish + Administer + ?Sized>(&self, bus: &B) -> Result<usize, BusError> {
        bus.takes()?;
        let mut shallow = Vec::new();
        for queue in Queue::ALL {
            if bus.depth(queue).await?.0 < DEPTH_MAX {
                shallow.push(queue);
            }
        }
        let left_out = Queue::ALL.len() - shallow.len();
        // the way of an event, over the exchange, wherever that is possible
        let routes = if left_out == 0 {
            vec![Route::Topic(HEARTBEAT_KEY.to_owned())]
        } else {
            shallow.into_iter().map(Route::Queue).collect()
        };
        let message = heartbeat(&self.0.world);
        let batch = routes.into_iter().map(|route| Outgoing { route, message: message.clone() }).collect();
        bus.publish(batch).await.into_iter().collect::<Result<(), _>>()?;
        Ok(left_out)
    }
}

fn heartbeat(world: &World) -> Message {
    let at = world.now().to_string();
    Message {
        id: format!("heartbeat-{at}"),
        content_type: HEARTBEAT.to_owned(),
        headers: BTreeMap::from([(HEARTBEAT_SENT_AT.to_owned(), at)]),
        body: "{}".into(),
    }
}
