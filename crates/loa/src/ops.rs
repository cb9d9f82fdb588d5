//! What machines ask of a process: `/healthz` (it lives), `/readyz` (its doors are open), `/metrics`.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use loa_bus::{Bus, Health};
use loa_worker::{Clock, DoorState, Status};
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

/// 200 when every door is open, else 503; the body names each door. Backlog is not a reason to be unready.
async fn readyz(State(ops): State<Ops>) -> impl IntoResponse {
    let mut doors: BTreeMap<String, String> = ops
        .status
        .doors()
        .into_iter()
        .map(|(door, state)| match state {
            DoorState::Open => (door, "open".to_owned()),
            DoorState::Shut(why) => (door, format!("shut: {why}")),
        })
        .collect();
    let mut ready = ops.status.ready();
    for (door, health) in ops.bus.iter().flat_map(|bus| bus.doors()) {
        ready &= health == Health::Up;
        let text = if health == Health::Up { "open".to_owned() } else { format!("shut: {health}") };
        doors.insert(door.to_owned(), text);
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "doors": doors })))
}

/// Everything measured. Ages are computed now, so that they grow even where the loop that should renew them hangs.
async fn metrics_text(State(ops): State<Ops>) -> String {
    ops.status.measure_ages((ops.clock)());
    ops.metrics.render()
}
