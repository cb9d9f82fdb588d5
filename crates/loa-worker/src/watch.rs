//! Looking at the broker from time to time: is the topology there, and how deep are the queues of this service.
//!
//! What it sees is a door of `/readyz` ([`TOPOLOGY`]) and gauges. A broker that is away is the bus's own doors' business: then
//! the topology stays what it was, and depths are unknown (`NaN`), which is not the same as none.

use crate::{DoorState, Status, drive::chain};
use loa_bus::{Bus, BusErrorKind, Queue};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// The door that says whether exchanges and queues are there.
pub const TOPOLOGY: &str = "topology";

/// What is looked at.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// The queues whose depth is measured: those that this service consumes, so that no two services measure one.
    pub queues: Vec<Queue>,
    /// Whether what no binding took is counted, too.
    pub unrouted: bool,
    /// The time between two looks.
    pub every: Duration,
}

/// Looks until `stop`.
pub async fn watch(options: WatchOptions, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
    status.expect(TOPOLOGY);
    while !stop.is_cancelled() {
        let looking = async {
            look_at_topology(&*bus, &status).await;
            look_at_depths(&options, &*bus).await;
            tokio::time::sleep(options.every).await;
        };
        // either way nothing is owed
        let _ = stop.run_until_cancelled(looking).await;
    }
}

async fn look_at_topology(bus: &dyn Bus, status: &Status) {
    match bus.check().await {
        Ok(()) => {
            if status.report(TOPOLOGY, DoorState::Open) {
                tracing::info!("exchanges and queues are there");
            }
        }
        Err(error) if matches!(error.kind, BusErrorKind::Unroutable | BusErrorKind::Refused) => {
            let why = chain(&error);
            if status.report(TOPOLOGY, DoorState::Shut(why.clone())) {
                tracing::error!(error = %why, "exchanges or queues are missing; what is published meanwhile does not reach every outlet");
            }
        }
        // not reached: the bus's own doors say so
        Err(error) => tracing::debug!(%error, "the topology cannot be looked at"),
    }
}

async fn look_at_depths(options: &WatchOptions, bus: &dyn Bus) {
    for queue in &options.queues {
        let depth = bus.depth(*queue).await;
        if let Err(error) = &depth {
            tracing::debug!(queue = %queue, %error, "a queue's depth is unknown");
        }
        let (ready, dead) = depth.map_or((f64::NAN, f64::NAN), |(ready, dead)| (ready as f64, dead as f64));
        metrics::gauge!("loa_queue_ready_messages", "queue" => queue.name()).set(ready);
        metrics::gauge!("loa_queue_dead_messages", "queue" => queue.name()).set(dead);
    }
    if options.unrouted {
        let unrouted = bus.unrouted().await;
        if let Err(error) = &unrouted {
            tracing::debug!(%error, "the number of unrouted messages is unknown");
        }
        metrics::gauge!("loa_unrouted_messages").set(unrouted.map_or(f64::NAN, |count| count as f64));
    }
}
