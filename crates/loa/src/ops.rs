//! What machines ask of a process: `/healthz` (it lives), `/readyz` (its dependencies are up),
//! `/metrics`.
//!
//! The answers come from `loa_worker::Status`, the bus and the metrics recorder. No ledger is
//! asked.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use loa_bus::{Bus, Health};
use loa_worker::{Clock, DependencyState, Status, TOPOLOGY_FAULT};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
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

/// 200 when every dependency is up, else 503; the body names each. Neither backlog nor a fault (what an outlet has not received,
/// a silent binding) is a reason to be unready: taking a process out of service would mend neither, and would cost readers and
/// editors what still works. The body names faults, and says `complete` only when
/// there is none but of the topology, which cost no news yet or are counted as gaps.
async fn readyz(State(ops): State<Ops>) -> impl IntoResponse {
    let mut dependencies: BTreeMap<String, String> = ops
        .status
        .dependencies()
        .into_iter()
        .map(|(name, state)| match state {
            DependencyState::Up => (name, "up".to_owned()),
            DependencyState::Down(why) => (name, format!("down: {why}")),
        })
        .collect();
    let mut ready = ops.status.ready();
    for (name, health) in ops.bus.iter().flat_map(|bus| bus.connections()) {
        ready &= health == Health::Up;
        let text = if health == Health::Up { "up".to_owned() } else { format!("down: {health}") };
        dependencies.insert(name.to_owned(), text);
    }
    let faults = ops.status.faults();
    let complete = !faults.keys().any(|name| !name.starts_with(TOPOLOGY_FAULT));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "dependencies": dependencies, "complete": complete, "faults": faults })))
}

/// Everything measured. Ages are computed now, so that they grow even where the loop that should renew them hangs.
async fn metrics_text(State(ops): State<Ops>) -> String {
    ops.status.measure_ages((ops.clock)());
    ops.metrics.render()
}
