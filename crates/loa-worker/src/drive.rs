//! The driving loop: step until idle, then wait for the bell or the sweep.
//!
//! A step claims due work, acts, records; it knows what failed and has recorded it. What the loop sees as an error is
//! the ledger being away: it backs off and goes on for ever. A step that panics is a defect of ours and is taken the same
//! way: what it had claimed comes back when its lease ends.

use crate::{Bell, DoorState, Status};
use futures_util::FutureExt;
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
    /// The loop's name, for logs, metrics and `/readyz` (`ledger {name}`).
    pub name: &'static str,
    /// The longest time between two steps when no bell rings.
    pub sweep: Duration,
    /// The shortest wait after an error; doubles up to `backoff_max`.
    pub backoff_min: Duration,
    /// The longest wait after an error.
    pub backoff_max: Duration,
}

impl DriveOptions {
    /// Sweep each second; back off from 200 ms to 10 s.
    pub fn named(name: &'static str) -> Self {
        Self {
            name,
            sweep: Duration::from_secs(1),
            backoff_min: Duration::from_millis(200),
            backoff_max: Duration::from_secs(10),
        }
    }
}

/// Runs `step` until `stop`. The step in progress is finished, never cut: how long that may take is the step's own limit.
pub async fn drive<S, F, E>(options: DriveOptions, bell: &Bell, status: &Status, stop: &CancellationToken, mut step: S)
where
    S: FnMut() -> F,
    F: Future<Output = Result<Progress, E>>,
    E: Error,
{
    let door = format!("ledger {}", options.name);
    status.expect(&door);
    let mut backoff = options.backoff_min;
    while !stop.is_cancelled() {
        let failure = match AssertUnwindSafe(async { step().await }).catch_unwind().await {
            Ok(Ok(progress)) => {
                if status.report(&door, DoorState::Open) {
                    tracing::info!(worker = options.name, "ledger reached");
                }
                backoff = options.backoff_min;
                if progress == Progress::Worked {
                    // let others have their turn: a full backlog must not starve the process
                    tokio::task::yield_now().await;
                    continue;
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = bell.heard() => {}
                    () = tokio::time::sleep(options.sweep) => {}
                }
                continue;
            }
            Ok(Err(error)) => {
                metrics::counter!("loa_step_errors_total", "worker" => options.name).increment(1);
                chain(&error)
            }
            Err(panic) => {
                metrics::counter!("loa_step_panics_total", "worker" => options.name).increment(1);
                let words = panic_words(&*panic);
                tracing::error!(worker = options.name, panic = %words, "a step panicked: a defect of ours; trying again");
                format!("a step panicked: {words}")
            }
        };
        if status.report(&door, DoorState::Shut(failure.clone())) {
            tracing::warn!(worker = options.name, error = %failure, "step failed; trying again until it works");
        }
        // no bell: who rings while the ledger is away must not make us knock faster
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

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
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
        let (bell, status, stop, calls) =
            (Bell::default(), Status::default(), CancellationToken::new(), AtomicU32::new(0));
        let options = DriveOptions { backoff_min: Duration::from_millis(1), ..DriveOptions::named("test") };
        drive(options, &bell, &status, &stop, || {
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
        let (bell, status, stop, calls) =
            (Bell::default(), Status::default(), CancellationToken::new(), AtomicU32::new(0));
        let options = DriveOptions { backoff_min: Duration::from_millis(1), ..DriveOptions::named("test") };
        drive(options, &bell, &status, &stop, || {
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
