//! A bell: rung by whoever made work, heard by the loop that does it. Fast, and allowed to be missed: the sweep is true.

use tokio::sync::Notify;

/// A bell that remembers one ring.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// Rings; a loop that is busy hears it when it is done.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits for a ring. Cancel-safe.
    pub async fn heard(&self) {
        self.0.notified().await;
    }
}
