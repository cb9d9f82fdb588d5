//! What a process says of itself: on `/readyz` which doors are open, on `/metrics` how long ago something last happened.
//! Backlog is not a reason to be unready.

use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorState {
    /// Open.
    Open,
    /// Not open; a sentence.
    Shut(String),
}

/// The doors of one process, by name (`bus feed`, `ledger feed`), and its instants. Shared; each loop reports its own.
#[derive(Debug, Default)]
pub struct Status {
    doors: Mutex<BTreeMap<String, DoorState>>,
    instants: Mutex<BTreeMap<(&'static str, &'static str), Timestamp>>,
}

impl Status {
    /// Reports a door. Returns whether that is news, so that a log line is written once per change.
    pub fn report(&self, door: &str, state: DoorState) -> bool {
        let open = if state == DoorState::Open { 1.0 } else { 0.0 };
        metrics::gauge!("loa_door_open", "door" => door.to_owned()).set(open);
        locked(&self.doors).insert(door.to_owned(), state.clone()).as_ref() != Some(&state)
    }

    /// A door that nobody has tried yet counts as shut: a process is not ready before it knows.
    pub fn expect(&self, door: &str) {
        locked(&self.doors).entry(door.to_owned()).or_insert_with(|| DoorState::Shut("not tried yet".to_owned()));
    }

    /// All doors with their states.
    pub fn doors(&self) -> BTreeMap<String, DoorState> {
        locked(&self.doors).clone()
    }

    /// Why a door is shut; `None` where it is open or nobody has reported it.
    pub fn shut(&self, door: &str) -> Option<String> {
        match locked(&self.doors).get(door) {
            Some(DoorState::Shut(why)) => Some(why.clone()),
            _ => None,
        }
    }

    /// Whether all doors are open.
    pub fn ready(&self) -> bool {
        locked(&self.doors).values().all(|door| *door == DoorState::Open)
    }

    /// Notes when something last happened (`loa_heartbeat_age_seconds`, `loa.feed`), or, for what waits, since when it
    /// does. An age that is computed when it is asked for stays true even if the loop that should renew it hangs.
    pub fn note(&self, metric: &'static str, subject: &'static str, at: Timestamp) {
        locked(&self.instants).insert((metric, subject), at);
    }

    /// Forgets what was noted: nothing waits any more.
    pub fn forget(&self, metric: &'static str, subject: &'static str) {
        locked(&self.instants).remove(&(metric, subject));
    }

    /// When it last happened; `None` where nobody has noted it.
    pub fn noted(&self, metric: &'static str, subject: &'static str) -> Option<Timestamp> {
        locked(&self.instants).get(&(metric, subject)).copied()
    }

    /// Sets the gauge of everything noted to its age. An instant of the future (another machine's clock) has the age 0.
    pub fn measure_ages(&self, now: Timestamp) {
        for ((metric, subject), at) in locked(&self.instants).iter() {
            let age = now.duration_since(*at).as_secs_f64().max(0.0);
            if subject.is_empty() {
                metrics::gauge!(*metric).set(age);
            } else {
                metrics::gauge!(*metric, "queue" => *subject).set(age);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
