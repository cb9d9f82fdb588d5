//! Work that computes for a while, off the async threads, and only so much of it at once.
//!
//! A waiting caller that is given up (its request's deadline passed) never begins. What has begun runs to its end and keeps
//! its place until then; what it costs grows with its length alone.

use std::sync::Arc;
use tokio::sync::Semaphore;

/// As many pieces of work as one service runs at a time. Each keeps a core busy; more at once only wait for each other.
pub const AT_ONCE_MAX: usize = 4;

/// A bounded number of places for computing.
#[derive(Debug, Clone)]
pub struct Bounded(Arc<Semaphore>);

impl Default for Bounded {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE_MAX)))
    }
}

impl Bounded {
    /// Runs a piece of work when a place is free, and gives back what it comes to. A panic in it goes on in the caller.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        // the semaphore is never closed; were it, the work would still be done
        let place = self.0.clone().acquire_owned().await.ok();
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        match done.await {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::pin,
        sync::{
            atomic::{AtomicUsize, Ordering::SeqCst},
            mpsc,
        },
        task::{Context, Poll, Waker},
    };

    #[tokio::test]
    async fn no_more_work_runs_at_once_than_there_are_places_and_what_is_given_up_never_begins() {
        let bounded = Bounded::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let (told, telling) = (mpsc::channel::<()>(), mpsc::channel::<()>());
        let (begin, has_begun) = told;
        let (release, released) = telling;
        let released = Arc::new(std::sync::Mutex::new(released));
        let work = || {
            let (begun, begin, released) = (begun.clone(), begin.clone(), released.clone());
            move || {
                begun.fetch_add(1, SeqCst);
                begin.send(()).expect("the test listens");
                released.lock().expect("a lock").recv().expect("the test releases");
            }
        };
        let running: Vec<_> = (0..AT_ONCE_MAX)
            .map(|_| {
                let (bounded, work) = (bounded.clone(), work());
                tokio::spawn(async move { bounded.run(work).await })
            })
            .collect();
        tokio::task::spawn_blocking(move || (0..AT_ONCE_MAX).for_each(|_| has_begun.recv().expect("each begins")))
            .await
            .expect("all places are taken");
        {
            let mut one_more = pin!(bounded.run(work()));
            let waits = one_more.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(waits, Poll::Pending));
        }
        (0..AT_ONCE_MAX).for_each(|_| release.send(()).expect("they wait"));
        for one in running {
            one.await.expect("it ends");
        }
        assert_eq!(begun.load(SeqCst), AT_ONCE_MAX, "the one that was given up did not begin");
        assert_eq!(bounded.run(|| 7).await, 7, "places are free again");
    }
}
