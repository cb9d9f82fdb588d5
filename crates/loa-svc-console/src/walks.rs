//! Walks through letters, one at a time: two at a time would see a part each.
//!
//! A walk that was begun is ended, even when its caller has gone: given up in the middle, it would count as a delivery of what
//! was in hand. So it is a task of the process, which waits for it before the bus is closed. What came of it is told in the log
//! by the walk itself.

use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

/// How long an answer waits for a walk: less than a request may take (30 s), so that it can still say what goes on.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Whose turn it is, and what goes on.
pub(crate) struct Walks {
    turn: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// What a caller can be told of a walk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Walk<T> {
    /// It is done.
    Done(T),
    /// It is begun, and goes on.
    GoesOn,
    /// Another one goes on, and this one was not begun.
    NotBegun,
    /// It broke off; the log says why.
    BrokeOff,
}

impl Walks {
    /// `tasks`: those that the process waits for.
    pub(crate) fn new(tasks: TaskTracker) -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), tasks }
    }

    /// Walks when nobody else does, and waits for it for so long.
    pub(crate) async fn walk<T: Send + 'static>(
        &self,
        within: Duration,
        walk: impl Future<Output = T> + Send + 'static,
    ) -> Walk<T> {
        let until = Instant::now() + within;
        let Ok(Ok(turn)) = timeout_at(until, self.turn.clone().acquire_owned()).await else { return Walk::NotBegun };
        let task = self.tasks.spawn(async move {
            let _turn = turn;
            walk.await
        });
        match timeout_at(until, task).await {
            Ok(Ok(outcome)) => Walk::Done(outcome),
            Ok(Err(error)) => {
                tracing::error!(%error, "a walk through dead letters broke off");
                Walk::BrokeOff
            }
            Err(_) => Walk::GoesOn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_walk_goes_on_when_nobody_waits_for_it_and_the_process_waits_for_its_end() {
        let tasks = TaskTracker::new();
        let walks = Walks::new(tasks.clone());
        let (go_on, gate) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let long = async move {
            gate.await.expect("a word");
            tell.send("done").expect("somebody listens");
        };
        assert_eq!(walks.walk(Duration::ZERO, long).await, Walk::GoesOn);
        assert_eq!(walks.walk(Duration::ZERO, async {}).await, Walk::NotBegun, "it is not its turn");
        // the process is told to stop
        tasks.close();
        assert_eq!(tasks.len(), 1, "it is waited for");
        go_on.send(()).expect("it listens");
        tasks.wait().await;
        assert_eq!(told.await, Ok("done"));
        assert_eq!(walks.walk(ANSWER_WITHIN, async { 7 }).await, Walk::Done(7));
    }
}
