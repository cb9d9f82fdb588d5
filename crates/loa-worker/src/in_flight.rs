//! Work in flight: claimed under a lease, done in a bounded number of slots, recorded many at a time.
//!
//! A step of a service records what ended, claims as much as there are free slots, and starts it; it never waits for the
//! outside world. What a piece of work came to is gathered here until the next step records it. The ledger owns the work
//! all the while: should the process die, the lease ends and the work is claimed again. This file knows neither ledgers
//! nor what is done.
//!
//! ```
//! # use loa_worker::{InFlight, WakeUp};
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let calls = InFlight::new(2, WakeUp::default());
//! // claim up to `calls.free()` rows under the lease `a`, then start each:
//! assert!(calls.start("a", async { 200 }, |_panic| 500));
//! calls.ended().await;
//! while let Some(ended) = calls.take_ended() {
//!     // ledger.record(ended.lease(), ended.results()).await?;
//!     assert_eq!((*ended.lease(), ended.results()), ("a", &[200][..]));
//!     ended.recorded();
//! }
//! # }
//! ```

use crate::WakeUp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::Semaphore, task::JoinError};

/// Work under leases `K` that comes to results `R`. Clones share slots and results.
#[derive(Debug)]
pub struct InFlight<K, R>(Arc<Inner<K, R>>);

#[derive(Debug)]
struct Inner<K, R> {
    slots: Arc<Semaphore>,
    slots_max: u32,
    /// What ended and is not yet in the ledger, by the lease it was claimed under; never more than was claimed.
    results: Mutex<BTreeMap<K, Vec<R>>>,
    wake_up: WakeUp,
}

impl<K, R> InFlight<K, R>
where
    K: Ord + Clone + Send + 'static,
    R: Send + 'static,
{
    /// Room for `slots_max` pieces of work at a time (at least one). Each that ends wakes the loop, which records it.
    pub fn new(slots_max: u32, wake_up: WakeUp) -> Self {
        let slots_max = slots_max.max(1);
        let slots = Arc::new(Semaphore::new(slots_max as usize));
        Self(Arc::new(Inner { slots, slots_max, results: Mutex::default(), wake_up }))
    }

    /// How much more may be started now: the most that a step should claim.
    pub fn free(&self) -> u32 {
        u32::try_from(self.0.slots.available_permits()).unwrap_or(u32::MAX).min(self.0.slots_max)
    }

    /// How much is under way.
    pub fn under_way(&self) -> u32 {
        self.0.slots_max - self.free()
    }

    /// Starts a piece of work in a slot of its own. Work that panics came to what `panicked` says. Returns whether a slot
    /// was free; where none is, nothing is started, and what was claimed comes back when its lease ends.
    pub fn start<F>(&self, lease: K, work: F, panicked: impl FnOnce(JoinError) -> R + Send + 'static) -> bool
    where
        F: Future<Output = R> + Send + 'static,
    {
        let Ok(slot) = self.0.slots.clone().try_acquire_owned() else { return false };
        let inner = self.0.clone();
        tokio::spawn(async move {
            // a task of its own, so that a panic ends there
            let result = tokio::spawn(work).await.unwrap_or_else(panicked);
            inner.results().entry(lease).or_default().push(result);
            // after the result is there: whoever waits for all slots finds all results
            drop(slot);
            inner.wake_up.wake();
        });
        true
    }

    /// Takes what ended under one lease, to be recorded; `None` when nothing did. Unless [`Ended::recorded`] is said, it is
    /// kept for the next call.
    pub fn take_ended(&self) -> Option<Ended<K, R>> {
        let (lease, results) = self.0.results().pop_first()?;
        Some(Ended { inner: self.0.clone(), lease, results })
    }

    /// Waits until nothing is under way. Cancel-safe.
    pub async fn ended(&self) {
        // the semaphore is never closed, so this only waits
        drop(self.0.slots.acquire_many(self.0.slots_max).await);
    }
}

impl<K, R> Clone for InFlight<K, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, R> Inner<K, R> {
    fn results(&self) -> MutexGuard<'_, BTreeMap<K, Vec<R>>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What ended under one lease, on its way into the ledger. When the ledger does not take it, or recording panics or is
/// cancelled, it goes back and is recorded by a later step.
#[derive(Debug)]
pub struct Ended<K: Ord + Clone, R> {
    inner: Arc<Inner<K, R>>,
    lease: K,
    results: Vec<R>,
}

impl<K: Ord + Clone, R> Ended<K, R> {
    /// The lease.
    pub fn lease(&self) -> &K {
        &self.lease
    }

    /// The results, in the order in which the work ended; at least one.
    pub fn results(&self) -> &[R] {
        &self.results
    }

    /// The ledger has it. Returns how many results there were.
    pub fn recorded(mut self) -> usize {
        std::mem::take(&mut self.results).len()
    }
}

impl<K: Ord + Clone, R> Drop for Ended<K, R> {
    fn drop(&mut self) {
        if !self.results.is_empty() {
            let mut kept = self.inner.results();
            let later = kept.remove(&self.lease).unwrap_or_default();
            self.results.extend(later);
            kept.insert(self.lease.clone(), std::mem::take(&mut self.results));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::pending, time::Duration};
    use tokio::time::timeout;

    type Calls = InFlight<&'static str, u16>;

    /// What a ledger that takes everything is given.
    fn recorded(calls: &Calls) -> Vec<(&'static str, Vec<u16>)> {
        let mut given = Vec::new();
        while let Some(ended) = calls.take_ended() {
            given.push((*ended.lease(), ended.results().to_vec()));
            assert_eq!(ended.recorded(), given.last().map_or(0, |(_, results)| results.len()));
        }
        given
    }

    #[tokio::test]
    async fn results_are_recorded_once_by_the_lease_they_were_claimed_under() {
        let calls = Calls::new(4, WakeUp::default());
        for (lease, result) in [("b", 1), ("a", 2), ("b", 3)] {
            assert!(calls.start(lease, async move { result }, |_| 0));
        }
        calls.ended().await;
        assert_eq!(recorded(&calls), [("a", vec![2]), ("b", vec![1, 3])]);
        assert_eq!(recorded(&calls), []);
    }

    #[tokio::test]
    async fn no_more_is_started_than_there_are_slots_and_each_end_wakes_the_loop() {
        let (wake_up, (send, receive)) = (WakeUp::default(), tokio::sync::oneshot::channel());
        let calls = Calls::new(2, wake_up.clone());
        assert!(calls.start("a", async { receive.await.unwrap() }, |_| 0));
        assert!(calls.start("a", pending(), |_| 0));
        assert!(!calls.start("a", async { 3 }, |_| 0), "both slots are taken");
        assert_eq!((calls.free(), calls.under_way()), (0, 2));
        send.send(7).unwrap();
        timeout(Duration::from_secs(10), wake_up.woken()).await.unwrap();
        assert_eq!((calls.free(), calls.under_way()), (1, 1));
        assert_eq!(recorded(&calls), [("a", vec![7])]);
    }

    #[tokio::test]
    async fn work_that_panics_comes_to_what_was_said_for_it_and_frees_its_slot() {
        let calls = Calls::new(1, WakeUp::default());
        assert!(calls.start("a", async { panic!("a defect") }, |panic| if panic.is_panic() { 500 } else { 0 }));
        calls.ended().await;
        assert_eq!(calls.free(), 1);
        assert_eq!(recorded(&calls), [("a", vec![500])]);
    }

    #[tokio::test]
    async fn what_a_ledger_did_not_take_is_kept_together_with_what_was_not_tried_and_what_came_since() {
        let calls = Calls::new(4, WakeUp::default());
        for (lease, result) in [("a", 1), ("b", 2), ("c", 3)] {
            assert!(calls.start(lease, async move { result }, |_| 0));
        }
        calls.ended().await;
        assert_eq!(calls.take_ended().unwrap().recorded(), 1);
        let not_taken = calls.take_ended().unwrap();
        assert_eq!(*not_taken.lease(), "b");
        assert!(calls.start("b", async { 4 }, |_| 0));
        calls.ended().await;
        drop(not_taken);
        assert_eq!(recorded(&calls), [("b", vec![2, 4]), ("c", vec![3])], "`a` is in the ledger");
    }

    #[tokio::test]
    async fn a_recording_that_is_cancelled_or_panics_loses_nothing() {
        let calls = Calls::new(1, WakeUp::default());
        assert!(calls.start("a", async { 1 }, |_| 0));
        calls.ended().await;
        let cancelled = async {
            let _ended = calls.take_ended();
            pending::<()>().await;
        };
        assert!(timeout(Duration::from_millis(10), cancelled).await.is_err());
        let torn = calls.clone();
        let panicked = tokio::spawn(async move {
            let ended = torn.take_ended();
            assert!(ended.is_none(), "a defect");
        });
        assert!(panicked.await.is_err());
        assert_eq!(recorded(&calls), [("a", vec![1])]);
    }
}
