//! The desk at which letters are written: so many at a time, and none is left unfinished when the process ends.

use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

/// Letters that are written at a time; others wait for a place, and their askers with them.
const AT_A_TIME: usize = 8;

/// How long an asker waits for a place: slow mail servers of some must not keep the others waiting for nothing.
const PLACE_WAIT: Duration = Duration::from_secs(10);

/// Letters that are being written.
pub(crate) struct Desk {
    places: Arc<Semaphore>,
    letters: TaskTracker,
}

impl Default for Desk {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_A_TIME)), letters: TaskTracker::new() }
    }
}

impl Desk {
    /// Waits for a place; `None`: there was none in time.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        // the semaphore is never closed
        tokio::time::timeout(PLACE_WAIT, self.places.clone().acquire_owned()).await.ok()?.ok()
    }

    /// Has a letter written, in this place.
    pub(super) fn write(&self, place: OwnedSemaphorePermit, letter: impl Future<Output = ()> + Send + 'static) {
        self.letters.spawn(async move {
            letter.await;
            drop(place);
        });
    }

    /// Returns when every letter that was begun is finished. Further ones may be begun meanwhile.
    pub(crate) async fn cleared(&self) {
        self.letters.close();
        self.letters.wait().await;
        self.letters.reopen();
    }
}
