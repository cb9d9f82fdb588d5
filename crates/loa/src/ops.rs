//! What machines ask of a process: `/healthz` (it lives), `/readyz` (its dependencies are up),
//! `/metrics`.
//!
//! The answers come from `loa_worker::Status`, the bus and the metrics recorder. No ledger is
//! asked.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use loa_bus::Bus;
use loa_domain::{Fault, FaultName, Trouble};
use loa_words::Language;
use loa_worker::{Clock, DependencyState, Status, trouble_of_bus};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

#[derive(Clone)]
struct Ops {
    status: Arc<Status>,
    bus: Option<Arc<dyn Bus>>,
    metrics: PrometheusHandle,
    clock: Clock,
}

/// The three addresses. `bus` is looked at, too, where the process has one.
pub fn router(status: Arc<Status>, bus: Option<Arc<dyn Bus>>, metrics: PrometheusHandle, clock: Clock) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
        .with_state(Ops { status, bus, metrics, clock })
}

/// What `/readyz` answers; `docs/operating/broker.md` has its kinds.
#[derive(Debug, Serialize)]
struct Readiness {
    /// Whether every dependency is up.
    ready: bool,
    /// Whether there is no fault but of the topology, which cost no news yet or are counted as gaps.
    complete: bool,
    /// By name, as the manual has them: `bus loa.feed`, `store feed`.
    dependencies: BTreeMap<String, ReadyDependency>,
    /// What is wrong although it makes no process unready, by name: `completeness feed`.
    faults: BTreeMap<String, ReadyFault>,
}

/// What a process needs to work.
#[derive(Debug, Serialize)]
struct ReadyDependency {
    /// Whether it works.
    up: bool,
    /// Why it does not, as a word of a closed list, to match on: `disk_full`. Absent when it is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// The same in English, with what to do and what an engine or the broker said. Its wording may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
}

/// Something that an operator must see.
#[derive(Debug, Serialize)]
struct ReadyFault {
    /// A word of a closed list, to match on: `not_received`.
    kind: &'static str,
    /// The same in English, with what to do. Its wording may change.
    sentence: String,
}

impl ReadyDependency {
    fn new(trouble: Option<Trouble>) -> Self {
        Self {
            up: trouble.is_none(),
            kind: trouble.as_ref().map(|trouble| trouble.kind.as_str()),
            sentence: trouble.as_ref().map(|trouble| Language::English.words().trouble(trouble)),
        }
    }
}

impl ReadyFault {
    fn new(fault: &Fault, now: jiff::Timestamp) -> Self {
        Self { kind: fault.kind(), sentence: Language::English.words().fault(fault, now) }
    }
}

/// 200 when every dependency is up, else 503; the body names each. Neither backlog nor a fault (what an outlet has not received,
/// a silent binding) is a reason to be unready: taking a process out of service would mend neither, and would cost readers and
/// editors what still works. The body names faults, and says `complete` only when
/// there is none but of the topology, which cost no news yet or are counted as gaps.
async fn readyz(State(ops): State<Ops>) -> impl IntoResponse {
    let now = (ops.clock)();
    let states = ops.status.dependencies().into_iter().map(|(name, state)| {
        let trouble = match state {
            DependencyState::Up => None,
            DependencyState::Down(trouble) => Some(trouble),
        };
        (name.to_string(), ReadyDependency::new(trouble))
    });
    let connections = ops.bus.iter().flat_map(|bus| bus.connections());
    let connections =
        connections.map(|(name, health)| (name.to_owned(), ReadyDependency::new(trouble_of_bus(&health))));
    let dependencies: BTreeMap<String, ReadyDependency> = states.chain(connections).collect();
    let faults = ops.status.faults();
    let answer = Readiness {
        ready: dependencies.values().all(|dependency| dependency.up),
        complete: faults.keys().all(|name| matches!(name, FaultName::Topology(_))),
        dependencies,
        faults: faults.iter().map(|(name, fault)| (name.to_string(), ReadyFault::new(fault, now))).collect(),
    };
    let status = if answer.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(answer))
}

/// Everything measured. Ages are computed now, so that they grow even where the loop that should renew them hangs.
async fn metrics_text(State(ops): State<Ops>) -> String {
    ops.status.measure_ages((ops.clock)());
    ops.metrics.render()
}
