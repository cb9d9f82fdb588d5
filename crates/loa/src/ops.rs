//! What machines ask of a process: `/healthz` (it lives), `/readyz` (its doors are open), `/metrics`.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use loa_bus::{Bus, Health};
use loa_worker::{DoorState, Status};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

#[derive(Clone)]
struct Ops {
    status: Arc<Status>,
    bus: Option<Arc<dyn Bus>>,
    metrics: PrometheusHandle,
}

/// The three addresses. `bus` is looked at, too, where the process has one.
pub fn router(status: Arc<Status>, bus: Option<Arc<dyn Bus>>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(async |State(ops): State<Ops>| ops.metrics.render()))
        .with_state(Ops { status, bus, metrics })
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
    if let Some(bus) = &ops.bus {
        let health = bus.health();
        ready &= health == Health::Up;
        let text = match health {
            Health::Up => "open".to_owned(),
            Health::Connecting => "shut: connecting".to_owned(),
            Health::Blocked(why) => format!("shut: the broker takes nothing for now: {why}"),
            Health::Down(why) => format!("shut: {why}"),
        };
        doors.insert("bus".to_owned(), text);
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "doors": doors })))
}
