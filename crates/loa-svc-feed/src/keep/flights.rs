//! Single flight: work that several tasks ask for at once is done once, and all get its outcome.
//!
//! When the task that does it goes away (a reader hangs up), one that waits does it instead. An outcome
//! is not kept: who comes later begins anew. What the work is about is not known here.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

type Flight<V> = Arc<OnceCell<V>>;

/// What is under way, by what it is for.
pub(crate) struct Flights<K: Ord, V>(Mutex<BTreeMap<K, Flight<V>>>);

impl<K: Ord, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone, V: Clone> Flights<K, V> {
    /// The outcome of the work for `key`: of what is under way, else of `work`, which is not begun in vain.
    pub(crate) async fn once(&self, key: &K, work: impl Future<Output = V>) -> V {
        let seat = Seat { flights: self, key, flight: self.locked().entry(key.clone()).or_default().clone() };
        let outcome = seat.flight.get_or_init(|| work).await.clone();
        // whoever comes from now on begins anew: what is done grows old
        seat.clear(|_| true);
        outcome
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<K, Flight<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody's place in a flight.
struct Seat<'a, K: Ord + Clone, V: Clone> {
    flights: &'a Flights<K, V>,
    key: &'a K,
    flight: Flight<V>,
}

impl<K: Ord + Clone, V: Clone> Seat<'_, K, V> {
    /// Takes the flight out, if it is still this one and `when` says so of how many hold it.
    fn clear(&self, when: impl Fn(usize) -> bool) {
        let mut flights = self.flights.locked();
        let standing = flights.get(self.key).filter(|standing| Arc::ptr_eq(standing, &self.flight));
        if standing.is_some_and(|standing| when(Arc::strong_count(standing))) {
            flights.remove(self.key);
        }
    }
}

impl<K: Ord + Clone, V: Clone> Drop for Seat<'_, K, V> {
    fn drop(&mut self) {
        // the last one to leave what nobody finished: the list and this seat hold it
        self.clear(|holders| holders <= 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn many_at_once_are_one_piece_of_work_and_the_next_is_another() {
        let (flights, done, gate) =
            (Arc::new(Flights::default()), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let ask = || {
            let (flights, done, gate) = (flights.clone(), done.clone(), gate.clone());
            tokio::spawn(async move {
                let work = async {
                    gate.acquire().await.unwrap().forget();
                    done.fetch_add(1, Ordering::SeqCst) + 1
                };
                flights.once(&"a", work).await
            })
        };
        let callers: Vec<_> = (0..1_000).map(|_| ask()).collect();
        tokio::task::yield_now().await;
        gate.add_permits(1);
        for caller in callers {
            assert_eq!(caller.await.unwrap(), 1);
        }
        gate.add_permits(1);
        assert_eq!(ask().await.unwrap(), 2);
        assert!(flights.locked().is_empty());
    }

    #[tokio::test]
    async fn who_goes_away_leaves_the_work_to_another_and_nothing_behind() {
        let flights = Arc::new(Flights::default());
        let first = tokio::spawn({
            let flights = flights.clone();
            async move { flights.once(&1, std::future::pending::<usize>()).await }
        });
        tokio::task::yield_now().await;
        let second = tokio::spawn({
            let flights = flights.clone();
            async move { flights.once(&1, async { 7 }).await }
        });
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap(), 7);
        let alone = tokio::spawn({
            let flights = flights.clone();
            async move { flights.once(&2, std::future::pending::<usize>()).await }
        });
        tokio::task::yield_now().await;
        alone.abort();
        assert!(alone.await.is_err());
        assert!(flights.locked().is_empty());
    }
}
