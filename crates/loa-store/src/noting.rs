//! Doors that note receipts beside what they do, for the four doors of which something is noted. A service
//! that is handed `DigestDoors::noting` or `PushDoors::noting` cannot forget it.
//!
//! An outcome is noted before it is recorded; a decision of people is noted after. A crash in between leaves
//! a receipt too many about something that its own ledger knows better, or one too few about something that
//! has not begun. A receipt that cannot be noted is an error like one of the ledger: nothing goes out that a
//! restore would forget.

mod digest;
mod push;

pub(crate) use digest::{NotingMails, NotingSubscriptions};
pub(crate) use push::{NotingDeliveries, NotingEndpoints};

use crate::{Book, Receipt, ReceiptLedger, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

/// Receipts deleted in one go, and how long to wait after a go that found less: pruning never holds sending up.
const PRUNE_MAX: u32 = 1_000;
const PRUNE_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// Writes receipts, and deletes those too old to be of use. Clones share the memory of when.
#[derive(Clone)]
pub struct Notary {
    receipts: Arc<dyn ReceiptLedger>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    kept: SignedDuration,
    begun: Arc<AtomicBool>,
    prune_at_ms: Arc<AtomicI64>,
}

impl Notary {
    /// Notes into this ledger, by this clock, and keeps receipts for this long.
    pub fn new(
        receipts: Arc<dyn ReceiptLedger>,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        kept: SignedDuration,
    ) -> Self {
        Self { receipts, now, kept, begun: Arc::default(), prune_at_ms: Arc::default() }
    }

    async fn note(&self, book: Book, receipts: &[Receipt]) -> Result<(), StoreError> {
        if receipts.is_empty() {
            return Ok(());
        }
        let now = (self.now)();
        if !self.begun.load(Ordering::Relaxed) {
            self.receipts.begin(now).await?;
            self.begun.store(true, Ordering::Relaxed);
        }
        self.receipts.note(book, receipts, now).await?;
        self.prune(now).await
    }

    async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        if now.as_millisecond() < self.prune_at_ms.load(Ordering::Relaxed) {
            return Ok(());
        }
        let before = now.saturating_sub(self.kept).unwrap_or(Timestamp::MIN);
        let pruned = self.receipts.prune(before, PRUNE_MAX).await?;
        if pruned < u64::from(PRUNE_MAX) {
            let next = now.saturating_add(PRUNE_PAUSE).unwrap_or(now);
            self.prune_at_ms.store(next.as_millisecond(), Ordering::Relaxed);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Notary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notary").field("kept", &self.kept).finish_non_exhaustive()
    }
}
