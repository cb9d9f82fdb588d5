//! What cleaning a body takes, counted: so that a test can hold it to the body's length without a clock.

use std::cell::Cell;

/// Bytes that our own passes looked at, and steps of the parser.
#[derive(Debug, Default)]
pub(super) struct Work(Cell<u64>);

impl Work {
    /// Notes that a pass looked at so many bytes.
    pub(super) fn scanned(&self, bytes: usize) {
        self.0.set(self.0.get() + bytes as u64);
    }

    /// Notes steps of the parser.
    pub(super) fn parsed(&self, steps: u64) {
        self.0.set(self.0.get() + steps);
    }

    pub(super) fn total(&self) -> u64 {
        self.0.get()
    }
}
