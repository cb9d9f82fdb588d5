//! The wake-up of a loop: whoever makes work wakes the loop that does it.
//!
//! A wake-up makes a loop fast and may be missed; the loop's poll finds the work all the same. It says nothing about which
//! work there is: the ledger knows.

use std::sync::Arc;
use tokio::sync::Notify;

/// Wakes one loop, and remembers one wake-up while the loop is busy. Clones wake the same loop.
#[derive(Debug, Clone, Default)]
pub struct WakeUp(Arc<Notify>);

impl WakeUp {
    /// Wakes the loop; one that is busy goes on as soon as it is done.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits for a wake-up. Cancel-safe.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}
