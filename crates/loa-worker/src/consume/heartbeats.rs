//! Hearing heartbeats: which came through, by which binding, and whose.
//!
//! A heartbeat that came through proves the whole path from its publisher to this queue, by the binding that took it. What is
//! heard waits in [`Status`] until it is noted in intake's ledger, where what *all* replicas heard is judged.

use crate::{Status, status::CLOCKS_DIFFER_MAX};
use jiff::Timestamp;
use loa_bus::{
    HEARTBEAT_HOST, HEARTBEAT_INSTALLATION, HEARTBEAT_SENT_AT, Queue, Received, Settlement, Tag, routing_key_matches,
};
use loa_domain::{Fault, FaultName};
use loa_store::HeardHeartbeat;

/// The age of the newest heartbeat that came through, for each queue.
pub const HEARTBEAT_AGE: &str = "loa_heartbeat_age_seconds";
/// The longest name of a machine or installation that is kept, in characters: anybody may publish a heartbeat.
const NAME_CHARS_MAX: usize = 64;

/// Counts heartbeats, and notes the newest: its age is how long ago the whole path, from publisher to outlet, last worked.
pub(super) fn hear(queue: Queue, heartbeats: Vec<Received>, status: &Status) -> Vec<(Tag, Settlement)> {
    metrics::counter!("loa_heartbeats_total", "queue" => queue.name()).increment(heartbeats.len() as u64);
    for heartbeat in &heartbeats {
        note(queue, heartbeat, status);
    }
    heartbeats.into_iter().map(|received| (received.tag, Settlement::Ack)).collect()
}

fn note(queue: Queue, received: &Received, status: &Status) {
    let header = |name| received.message.headers.get(name);
    let Some(said_at) = header(HEARTBEAT_SENT_AT).and_then(|at| at.parse::<Timestamp>().ok()) else { return };
    let heard_at = status.now().unwrap_or(said_at);
    // A clock ahead of ours must not hide later heartbeats: nothing was sent after it was heard.
    let sent_at = said_at.min(heard_at);
    let is_to_come = |at: Timestamp| status.now().is_some_and(|now| at > now);
    // what was noted before this machine's clock was set back must not hide it either
    if status.noted(HEARTBEAT_AGE, queue.name()).is_none_or(|known| known < sent_at || is_to_come(known)) {
        status.note(HEARTBEAT_AGE, queue.name(), sent_at);
    }
    let name = |header: &str| header.chars().take(NAME_CHARS_MAX).collect::<String>();
    let host = header(HEARTBEAT_HOST).map(|host| name(host)).unwrap_or_default();
    compare_clocks(status, &host, said_at, heard_at);
    let Some(installation) = header(HEARTBEAT_INSTALLATION) else { return };
    let takes =
        |binding: &&&str| !received.routing_key.is_empty() && routing_key_matches(binding, &received.routing_key);
    status.heard(HeardHeartbeat {
        queue: queue.name().to_owned(),
        binding: queue.bindings().iter().find(takes).map_or(String::new(), |binding| (*binding).to_owned()),
        installation: name(installation),
        host,
        sent_at,
        first_at: heard_at,
        heard_at,
    });
}

/// The most machines whose clocks are told apart.
const CLOCKS_MAX: usize = 16;

/// Says whose clock is ahead.
fn compare_clocks(status: &Status, host: &str, said_at: Timestamp, heard_at: Timestamp) {
    let fault = Fault::ClockAhead { host: host.to_owned() };
    if said_at.duration_since(heard_at) <= CLOCKS_DIFFER_MAX {
        return status.ended(&fault.name());
    }
    let stand = status.faults();
    let clocks = stand.keys().filter(|name| matches!(name, FaultName::Clock(_))).count();
    // anybody may publish heartbeats, under any number of names
    if clocks < CLOCKS_MAX || stand.contains_key(&fault.name()) {
        status.fault(fault);
    }
}
