//! The names of this crate's metrics. Labels have few values: two roles, and causes of a fixed set,
//! never words of a queue or a message. `docs/operating/broker.md` says what each means to an
//! operator.

use loa_bus::Health;
use std::time::Duration;

/// The states of [`Health`], one series each: 1 for the one that holds.
const STATES: [&str; 5] = ["up", "connecting", "blocked", "refused", "down"];

/// The state of a connection.
pub(crate) fn link(role: &'static str, health: &Health) {
    for state in STATES {
        let holds = if state == health.as_str() { 1.0 } else { 0.0 };
        metrics::gauge!("loa_bus_connection_state", "role" => role, "state" => state).set(holds);
    }
}

/// A connection was opened.
pub(crate) fn connected(role: &'static str) {
    metrics::counter!("loa_bus_connections_opened_total", "role" => role).increment(1);
}

/// A connection that was open is over.
pub(crate) fn disconnected(role: &'static str, cause: &'static str) {
    metrics::counter!("loa_bus_connections_lost_total", "role" => role, "cause" => cause).increment(1);
}

/// A connection could not be opened.
pub(crate) fn not_connected(role: &'static str, cause: &'static str) {
    metrics::counter!("loa_bus_connect_failures_total", "role" => role, "cause" => cause).increment(1);
}

/// The broker has taken nothing for this much longer.
pub(crate) fn blocked_for(role: &'static str, time: Duration) {
    metrics::counter!("loa_bus_blocked_seconds_total", "role" => role).increment(time.as_secs());
}

/// Counts messages that were handed to the broker and are not decided yet. Dropping the value ends
/// the count.
pub(crate) struct InFlight(f64);

impl InFlight {
    pub(crate) fn of(messages: usize) -> Self {
        let messages = messages as f64;
        metrics::gauge!("loa_bus_publishes_in_flight").increment(messages);
        Self(messages)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!("loa_bus_publishes_in_flight").decrement(self.0);
    }
}

/// Counts messages by outcome: `confirmed`, or the cause of the failure.
pub(crate) fn published(outcome: &'static str, messages: u64) {
    metrics::counter!("loa_bus_published_total", "outcome" => outcome).increment(messages);
}

/// How long a window took from its first message to its last confirm.
pub(crate) fn window(time: Duration) {
    metrics::histogram!("loa_bus_publish_window_seconds").record(time.as_secs_f64());
}

/// Dead letters that wait for a broker that takes no publishes.
pub(crate) fn held_dead_letters(queue: &'static str, count: usize) {
    metrics::gauge!("loa_dead_letters_held", "queue" => queue).set(count as f64);
}
