//! The desk at which mails of the form are written: so many at a time, and none is left unfinished when the process ends.

use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

/// Mails that are written at a time; others wait for a place, and their clients with them.
const AT_A_TIME: usize = 8;

/// How long a client waits for a place: slow mail servers of some must not keep the others waiting for nothing.
const PLACE_WAIT: Duration = Duration::from_secs(10);

/// Mails that are being written.
pub(crate) struct Desk {
    places: Arc<Semaphore>,
    mails: TaskTracker,
}

impl Default for Desk {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_A_TIME)), mails: TaskTracker::new() }
    }
}

impl Desk {
    /// Waits for a place; `None`: there was none in time.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        // the semaphore is never closed
        tokio::time::timeout(PLACE_WAIT, self.places.clone().acquire_owned()).await.ok()?.ok()
    }

    /// Has a mail written, in this place.
    pub(crate) fn write(&self, place: OwnedSemaphorePermit, mail: impl Future<Output = ()> + Send + 'static) {
        self.mails.spawn(async move {
            mail.await;
            drop(place);
        });
    }

    /// Returns when every mail that was begun is finished. Further ones may be begun meanwhile.
    pub(crate) async fn cleared(&self) {
        self.mails.close();
        self.mails.wait().await;
        self.mails.reopen();
    }
}
