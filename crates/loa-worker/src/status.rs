//! What a process says of itself on `/readyz`: which doors are open. Backlog is not a reason to be unready.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// One door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorState {
    /// Open.
    Open,
    /// Not open; a sentence.
    Shut(String),
}

/// The doors of one process, by name (`bus feed`, `ledger feed`). Shared; each loop reports its own.
#[derive(Debug, Default)]
pub struct Status(Mutex<BTreeMap<String, DoorState>>);

impl Status {
    /// Reports a door. Returns whether that is news, so that a log line is written once per change.
    pub fn report(&self, door: &str, state: DoorState) -> bool {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doors.insert(door.to_owned(), state.clone()).as_ref() != Some(&state)
    }

    /// All doors with their states.
    pub fn doors(&self) -> BTreeMap<String, DoorState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether all doors are open.
    pub fn ready(&self) -> bool {
        self.doors().values().all(|door| *door == DoorState::Open)
    }
}
