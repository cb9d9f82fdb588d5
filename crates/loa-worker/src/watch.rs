//! Looking at the broker from time to time: is the topology there, and how deep are the queues of this service.
//!
//! What it sees becomes a dependency of `/readyz` ([`TOPOLOGY`]) and gauges; what no queue took is a fault. A broker that is away is said by the bus's own
//! connections: then the topology stays what it was, and depths are unknown (`NaN`), which is not the same as none.

use crate::{DependencyState, Status};
use loa_bus::{Bus, BusErrorKind, Found, Queue, UNROUTED, error_chain};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The dependency that says whether exchanges and queues are there.
pub const TOPOLOGY: &str = "topology";
/// The fault that says that something lies in `loa.unrouted`.
const UNROUTED_FAULT: &str = "unrouted messages";

/// Begins the names of faults of the topology. They cost no news yet, or not all: completeness is counted by itself.
pub const TOPOLOGY_FAULT: &str = "topology ";

/// What is looked at.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// The queues whose depth is measured: those that this service consumes, so that no two services measure one.
    pub queues: Vec<Queue>,
    /// Whether what no binding took is counted, too.
    pub unrouted: bool,
    /// The time between two looks.
    pub every: Duration,
    /// The time between two looks at everything that the broker's administrator may have changed; `None`: never.
    pub inspect_every: Option<Duration>,
}

/// Looks until `stop`.
pub async fn watch(options: WatchOptions, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
    status.expect(TOPOLOGY);
    let (mut inspect_at, mut faults) = (options.inspect_every.map(|_| Instant::now()), BTreeSet::new());
    while !stop.is_cancelled() {
        let looking = async {
            look_at_topology(&*bus, &status).await;
            look_at_depths(&options, &*bus, &status).await;
            if inspect_at.is_some_and(|at| at <= Instant::now()) {
                inspect(&*bus, &status, &mut faults).await;
                inspect_at = options.inspect_every.map(|every| Instant::now() + every);
            }
            tokio::time::sleep(options.every).await;
        };
        // either way nothing is owed
        let _ = stop.run_until_cancelled(looking).await;
    }
}

async fn look_at_topology(bus: &dyn Bus, status: &Status) {
    match bus.check().await {
        Ok(not_known) => {
            // what we may not look at is not missing: consuming and publishing say what they meet
            let is_news = status.report(TOPOLOGY, DependencyState::Up);
            match not_known.len() {
                0 if is_news => tracing::info!("exchanges and queues are there"),
                1.. if is_news => {
                    tracing::warn!(not_known = %not_known.join(", "), "whether exchanges and queues are there cannot be checked: this broker lets only those look who have the right `configure`; going on without");
                }
                _ => {}
            }
        }
        Err(error) if matches!(error.kind, BusErrorKind::Unroutable | BusErrorKind::Refused) => {
            let why = error_chain(&error);
            if status.report(TOPOLOGY, DependencyState::Down(why.clone())) {
                tracing::error!(error = %why, "exchanges or queues are missing; what is published meanwhile does not reach every outlet");
            }
        }
        // not reached: the bus's own connections say so
        Err(error) => tracing::debug!(%error, "the topology cannot be looked at"),
    }
}

/// Differences become faults, which make no process unready: what is published still reaches some outlets, or all until a
/// limit is met. `known` are the names of those that stand.
async fn inspect(bus: &dyn Bus, status: &Status, known: &mut BTreeSet<String>) {
    let findings = match bus.inspect().await {
        Ok(findings) => findings,
        Err(error) => {
            tracing::debug!(%error, "the topology cannot be inspected");
            return;
        }
    };
    let faults: BTreeMap<String, String> = findings
        .iter()
        .filter(|finding| finding.is_fault())
        .map(|finding| (format!("{TOPOLOGY_FAULT}{}", finding.what), finding.to_string()))
        .collect();
    // silence ends no fault: only what was looked at and found right does
    let right: BTreeSet<String> = findings
        .iter()
        .filter(|finding| matches!(finding.found, Found::Right | Found::Remark(_)))
        .map(|finding| format!("{TOPOLOGY_FAULT}{}", finding.what))
        .collect();
    let could_look = !findings.iter().any(|finding| matches!(finding.found, Found::NotKnown(_)));
    let ends = |name: &&String| !faults.contains_key(*name) && (could_look || right.contains(*name));
    for ended in known.iter().filter(ends) {
        status.fault(ended, None);
        tracing::info!(fault = %ended, "the topology is as it should be again");
    }
    known.retain(|name| !ends(&name));
    known.extend(faults.keys().cloned());
    for (name, sentence) in faults {
        if status.fault(&name, Some(sentence.clone())) {
            tracing::error!(fault = %name, "{sentence}");
        }
    }
}

/// What it means that so many messages lie in `loa.unrouted`, for operators; `None`: nothing does.
pub fn unrouted_words(count: u64) -> Option<String> {
    let messages = match count {
        0 => return None,
        1 => "1 message lies".to_owned(),
        _ => format!("{count} messages lie"),
    };
    Some(format!(
        "{messages} in {UNROUTED}: no queue takes the routing key, so no outlet has the news. `loa dead-letters list --queue \
         unrouted` names them, and `loa dead-letters show` the key that brings each to every outlet"
    ))
}

async fn look_at_depths(options: &WatchOptions, bus: &dyn Bus, status: &Status) {
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
        match &unrouted {
            // its connections say why; what was known stays
            Err(error) => tracing::debug!(%error, "the number of unrouted messages is unknown"),
            Ok(count) => {
                let said = unrouted_words(*count);
                if status.fault(UNROUTED_FAULT, said.clone()) {
                    match said {
                        Some(said) => tracing::error!("{said}"),
                        None => tracing::info!("nothing lies in {UNROUTED} any more"),
                    }
                }
            }
        }
        metrics::gauge!("loa_unrouted_messages").set(unrouted.map_or(f64::NAN, |count| count as f64));
    }
}
