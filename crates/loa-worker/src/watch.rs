//! Looking at the broker from time to time: is the topology there, and how deep are the queues of this service.
//!
//! What it sees becomes a dependency of `/readyz` ([`Dependency::Topology`]) and gauges; what no queue took is a fault. A broker
//! that is away is said by the bus's own connections: then the topology stays what it was, and depths are unknown (`NaN`), which
//! is not the same as none.

use crate::{DependencyState, Status, trouble_of};
use loa_bus::{Bus, BusErrorKind, Finding, Queue};
use loa_domain::{Dependency, Fault, FaultName, TopologyState, with_causes};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What is looked at.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// The queues whose depth is measured: those that this service consumes, so that no two services measure one.
    pub queues: Vec<Queue>,
    /// Whether what no binding took is counted, too.
    pub unrouted: bool,
    /// The time between two looks.
    pub every: Duration,
    /// The time between two looks at what the broker's administrator may have changed; `None`: never.
    pub inspect_every: Option<Duration>,
    /// How much of it is looked at.
    pub inspection: Inspection,
}

/// How much of the topology is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// Arguments, bindings, policies, and what an interrupted change left behind.
    Everything,
    /// The latter alone: the broker's management API is not to be asked.
    Leftovers,
}

/// Looks until `stop`.
pub async fn watch(options: WatchOptions, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
    status.expect(Dependency::Topology);
    let (mut inspect_at, mut faults) = (options.inspect_every.map(|_| Instant::now()), BTreeSet::new());
    while !stop.is_cancelled() {
        let looking = async {
            look_at_topology(&*bus, &status).await;
            look_at_depths(&options, &*bus, &status).await;
            if inspect_at.is_some_and(|at| at <= Instant::now()) {
                inspect(options.inspection, &*bus, &status, &mut faults).await;
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
            let is_news = status.report(Dependency::Topology, DependencyState::Up);
            match not_known.len() {
                0 if is_news => tracing::info!("exchanges and queues are there"),
                1.. if is_news => {
                    let not_known: Vec<String> = not_known.iter().map(ToString::to_string).collect();
                    tracing::warn!(not_known = %not_known.join(", "), "whether exchanges and queues are there cannot be checked: this broker lets only those look who have the right `configure`; going on without");
                }
                _ => {}
            }
        }
        Err(error) if matches!(error.kind, BusErrorKind::Unroutable | BusErrorKind::Refused) => {
            let why = with_causes(&error);
            if status.report(Dependency::Topology, DependencyState::Down(trouble_of(&error))) {
                tracing::error!(error = %why, "exchanges or queues are missing; what is published meanwhile does not reach every outlet");
            }
        }
        // not reached: the bus's own connections say so
        Err(error) => tracing::debug!(%error, "the topology cannot be looked at"),
    }
}

/// Differences become faults, which make no process unready: what is published still reaches some outlets, or all until a
/// limit is met. `known` are the names of those that stand.
async fn inspect(inspection: Inspection, bus: &dyn Bus, status: &Status, known: &mut BTreeSet<FaultName>) {
    let findings = match inspection {
        Inspection::Everything => bus.inspect().await,
        Inspection::Leftovers => bus.leftovers().await,
    };
    let findings = match findings {
        Ok(findings) => findings,
        Err(error) => {
            tracing::debug!(%error, "the topology cannot be inspected");
            return;
        }
    };
    for ended in ended(known, &findings) {
        status.ended(&ended);
        known.remove(&ended);
    }
    for fault in findings.iter().filter_map(topology_fault) {
        known.insert(fault.name());
        status.fault(fault);
    }
}

/// What is wrong with a thing of the topology, as it was found; `None`: nothing, or nobody was asked.
pub fn topology_fault(finding: &Finding) -> Option<Fault> {
    let thing = finding.thing.clone();
    match &finding.state {
        TopologyState::Wrong { differences, mend } => {
            Some(Fault::TopologyDiffers { thing, differences: differences.clone(), mend: mend.clone() })
        }
        TopologyState::NotKnown { why } => Some(Fault::TopologyUnknown { thing, why: why.clone() }),
        TopologyState::Right | TopologyState::Noted { .. } | TopologyState::Absent | TopologyState::NotAsked { .. } => {
            None
        }
    }
}

fn fault_name(finding: &Finding) -> FaultName {
    FaultName::Topology(finding.thing.clone())
}

/// Which of the faults that stand have ended. Silence ends none while something is not known, or was not asked for (a right may
/// have been taken away): only what was looked at itself and found good does, or found gone as it should be.
fn ended(known: &BTreeSet<FaultName>, findings: &[Finding]) -> Vec<FaultName> {
    let faults: BTreeSet<FaultName> = findings.iter().filter(|finding| finding.is_fault()).map(fault_name).collect();
    let good: BTreeSet<FaultName> = findings.iter().filter(|finding| finding.is_good()).map(fault_name).collect();
    let is_open =
        |state: &TopologyState| matches!(state, TopologyState::NotKnown { .. } | TopologyState::NotAsked { .. });
    let all_is_known = !findings.iter().any(|finding| is_open(&finding.state));
    known.iter().filter(|name| !faults.contains(*name) && (all_is_known || good.contains(*name))).cloned().collect()
}

/// What it means that so many messages lie in `loa.unrouted`; `None`: nothing does.
pub fn unrouted(count: u64) -> Option<Fault> {
    (count > 0).then_some(Fault::Unrouted { count })
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
        let lost = bus.unrouted().await;
        match &lost {
            // its connections say why; what was known stays
            Err(error) => tracing::debug!(%error, "the number of unrouted messages is unknown"),
            Ok(count) => status.judge(FaultName::Unrouted, unrouted(*count)),
        }
        metrics::gauge!("loa_unrouted_messages").set(lost.map_or(f64::NAN, |count| count as f64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use loa_domain::{
        ManagementFailure, Remake, TopologyDifference, TopologyMend, TopologyNotAsked, TopologyNotKnown, TopologyThing,
    };

    fn queue(name: &str) -> TopologyThing {
        TopologyThing::Queue { name: name.to_owned() }
    }

    #[test]
    fn a_fault_ends_when_its_thing_is_known_again_or_gone_and_never_by_silence() {
        const API: TopologyThing = TopologyThing::ManagementApi;
        let known: BTreeSet<FaultName> = [queue("a.moving"), queue("b"), API].map(FaultName::Topology).into();
        let ended = |found: Vec<(TopologyThing, TopologyState)>| {
            let findings: Vec<Finding> = found.into_iter().map(|(thing, state)| Finding { thing, state }).collect();
            let ended = ended(&known, &findings);
            ended.iter().map(|name| name.to_string().trim_start_matches("topology ").to_owned()).collect::<Vec<_>>()
        };
        let unknown = || {
            let failure = ManagementFailure::Status { url: "http://mq:15672/".to_owned(), status: 500 };
            TopologyState::NotKnown { why: TopologyNotKnown::Api { failure } }
        };
        let silence = || (TopologyThing::PoliciesOn { queue: "c".to_owned() }, unknown());
        let wrong = || TopologyState::Wrong {
            differences: vec![TopologyDifference::Missing],
            mend: TopologyMend::Make { remake: Remake::Migrate },
        };
        assert!(ended(vec![silence()]).is_empty());
        assert_eq!(ended(vec![silence(), (queue("a.moving"), TopologyState::Absent)]), ["queue a.moving"]);
        assert_eq!(ended(vec![silence(), (API, TopologyState::Right), (queue("b"), wrong())]), ["management API"]);
        // all is known
        assert_eq!(ended(vec![(queue("b"), wrong())]), ["queue a.moving", "management API"]);
        assert!(ended(vec![(API, unknown()), (queue("b"), wrong())]).is_empty());
        let forbidden = || TopologyState::NotAsked { why: TopologyNotAsked::QueueNotTold };
        assert_eq!(ended(vec![(queue("b"), forbidden()), (API, TopologyState::Right)]), ["management API"]);
        assert!(
            ended(vec![(queue("a.moving"), forbidden())]).is_empty(),
            "what is not mentioned may have been forbidden, too"
        );
    }
}
