//! The driving loop: step until idle, then wait for a wake-up or the next poll.
//!
//! A step claims due work, acts and records; it has recorded what failed. An error of a step means to the loop that the
//! ledger is away: it backs off and goes on for ever. A step that panics is a defect of ours and is treated the same way:
//! what it had claimed comes back when its lease ends.

use crate::{DependencyState, Status, WakeUp, trouble_of};
use futures_util::FutureExt;
use loa_domain::{Dependency, Trouble, TroubleKind, Worker, with_causes};
use std::{any::Any, error::Error, panic::AssertUnwindSafe, time::Duration};
use tokio_util::sync::CancellationToken;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was done; there may be more: step again at once.
    Worked,
    /// Nothing is due: wait.
    Idle,
}

/// How a loop waits.
#[derive(Debug, Clone)]
pub struct DriveOptions {
    /// Which loop, for logs, metrics and `/readyz`.
    pub worker: Worker,
    /// The longest time between two steps without a wake-up.
    pub poll_interval: Duration,
    /// The shortest wait after an error; doubles up to `backoff_max`.
    pub backoff_min: Duration,
    /// The longest wait after an error.
    pub backoff_max: Duration,
}

impl DriveOptions {
    /// Polls each second; backs off from 200 ms to 10 s.
    pub fn of(worker: Worker) -> Self {
        Self {
            worker,
            poll_interval: Duration::from_secs(1),
            backoff_min: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
        }
    }
}

/// Runs `step` until `stop`. The step in progress is finished, never cut: how long that may take is the step's own limit.
pub async fn drive<S, F, E>(
    options: DriveOptions,
    wake_up: &WakeUp,
    status: &Status,
    stop: &CancellationToken,
    mut step: S,
) where
    S: FnMut() -> F,
    F: Future<Output = Result<Progress, E>>,
    E: Error + 'static,
{
    let (dependency, worker) = (Dependency::Working(options.worker), options.worker.as_str());
    status.expect(dependency);
    let mut backoff = options.backoff_min;
    while !stop.is_cancelled() {
        let (trouble, failure) = match AssertUnwindSafe(async { step().await }).catch_unwind().await {
            Ok(Ok(progress)) => {
                if status.report(dependency, DependencyState::Up) {
                    tracing::info!(worker, "ledger reached");
                }
                backoff = options.backoff_min;
                if progress == Progress::Worked {
                    // let others have their turn: a full backlog must not starve the process
                    tokio::task::yield_now().await;
                    continue;
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = wake_up.woken() => {}
                    () = tokio::time::sleep(options.poll_interval) => {}
                }
                continue;
            }
            Ok(Err(error)) => {
                metrics::counter!("loa_step_errors_total", "worker" => worker).increment(1);
                (trouble_of(&error), with_causes(&error))
            }
            Err(panic) => {
                metrics::counter!("loa_step_panics_total", "worker" => worker).increment(1);
                let words = panic_words(&*panic);
                tracing::error!(worker, panic = %words, "a step panicked: a defect of ours; trying again");
                let said = format!("a step panicked: {words}");
                (Trouble::new(TroubleKind::Defect, said.as_str()), said)
            }
        };
        if status.report(dependency, DependencyState::Down(trouble)) {
            tracing::warn!(worker, error = %failure, "step failed; trying again until it works");
        }
        // no wake-up: new work must not make us ask a ledger faster that is away
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = (backoff * 2).min(options.backoff_max);
    }
}

/// What a panic said.
pub(crate) fn panic_words(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(words), _) => (*words).to_owned(),
        (_, Some(words)) => words.clone(),
        _ => "no words".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Debug, thiserror::Error)]
    #[error("away")]
    struct Away;

    #[tokio::test]
    async fn a_ledger_that_is_away_is_tried_again_and_readiness_says_so_meanwhile() {
        let (wake_up, status, stop, calls) =
            (WakeUp::default(), Status::default(), CancellationToken::new(), AtomicU32::new(0));
        let options = DriveOptions { backoff_min: Duration::from_millis(1), ..DriveOptions::of(Worker::Hub) };
        drive(options, &wake_up, &status, &stop, || {
            let n = calls.fetch_add(1, Ordering::Relaxed);
            let ready = status.ready();
            let stop = &stop;
            async move {
                match n {
                    0 | 1 => {
                        assert!(!ready, "before it was tried, too");
                        Err(Away)
                    }
                    2 => {
                        assert!(!ready);
                        Ok(Progress::Worked)
                    }
                    _ => {
                        assert!(ready);
                        stop.cancel();
                        Ok(Progress::Idle)
                    }
                }
            }
        })
        .await;
        assert_eq!(calls.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn a_step_that_panics_does_not_end_the_loop() {
        let (wake_up, status, stop, calls) =
            (WakeUp::default(), Status::default(), CancellationToken::new(), AtomicU32::new(0));
        let options = DriveOptions { backoff_min: Duration::from_millis(1), ..DriveOptions::of(Worker::Hub) };
        drive(options, &wake_up, &status, &stop, || {
            let n = calls.fetch_add(1, Ordering::Relaxed);
            let (ready, stop) = (status.ready(), &stop);
            async move {
                assert!(n != 0, "the first step panics");
                assert!(!ready, "and readiness says so");
                stop.cancel();
                Ok::<_, Away>(Progress::Idle)
            }
        })
        .await;
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        assert!(status.ready());
    }
}
