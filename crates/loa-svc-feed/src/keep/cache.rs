//! A cache within a number of bytes. It lets go first of what nobody asked for the longest.
//!
//! Keepers put values in and take them out; the cache knows neither feeds nor the ledger. A stale value
//! stays until another takes its place, so that it can be served while the ledger is away.
//!
//! It is our own because `quick_cache` (0.7) was tried and breaks three rules: it lets go of a value
//! just put in rather than of the longest unasked, it takes a stale value out while that is written
//! anew, and it repeats failing work once for each task that waits
//! (`docs/adr/0014-one-cache-of-our-own.md`). The single flight stands beside it in `flights`.
//!
//! The lock is held for a look or a swap, never across an await.

use super::changes::Validity;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a cache keeps.
pub(crate) trait Cached {
    /// Bytes of memory that it takes.
    fn cost(&self) -> usize;
    /// Up to when it is true.
    fn validity(&self) -> &Validity;
}

/// Values by their keys, together within a number of bytes.
pub(crate) struct Cache<K, V> {
    cost_max: usize,
    /// Never let go of.
    pinned: Option<K>,
    entries: Mutex<Entries<K, V>>,
}

/// What a cache holds at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CacheFigures {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

struct Entries<K, V> {
    by_key: BTreeMap<K, Entry<V>>,
    /// Keys by their last use, the longest unasked first; without the pinned one.
    by_use: BTreeMap<u64, K>,
    uses: u64,
    cost: usize,
    /// Bytes of the budget that something else takes.
    reserved: usize,
}

struct Entry<V> {
    value: Arc<V>,
    used: u64,
    /// As it was when the value was put in.
    cost: usize,
}

impl<K: Ord + Clone, V: Cached> Cache<K, V> {
    pub(crate) fn new(cost_max: usize) -> Self {
        let entries = Entries { by_key: BTreeMap::new(), by_use: BTreeMap::new(), uses: 0, cost: 0, reserved: 0 };
        Self { cost_max, pinned: None, entries: Mutex::new(entries) }
    }

    /// The same cache, that never lets go of the value of this key.
    pub(crate) fn pinning(self, key: K) -> Self {
        Self { pinned: Some(key), ..self }
    }

    /// A value, for somebody who asked for it.
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        let mut guard = self.locked();
        let entries = &mut *guard;
        let entry = entries.by_key.get_mut(key)?;
        entries.uses += 1;
        if let Some(key) = entries.by_use.remove(&entry.used) {
            entries.by_use.insert(entries.uses, key);
        }
        entry.used = entries.uses;
        Some(entry.value.clone())
    }

    /// A value, for nobody.
    pub(crate) fn peek(&self, key: &K) -> Option<Arc<V>> {
        self.locked().by_key.get(key).map(|entry| entry.value.clone())
    }

    /// Puts a value in its place, unless one that is true up to a later change stands there. A value in the place of another
    /// counts as used when that was. Those that made room come back.
    pub(crate) fn put(&self, key: K, value: Arc<V>) -> Vec<K> {
        let mut guard = self.locked();
        let entries = &mut *guard;
        let standing = entries.by_key.get(&key);
        if standing.is_some_and(|standing| standing.value.validity().as_of > value.validity().as_of) {
            return Vec::new();
        }
        let used = standing.map(|standing| standing.used);
        entries.remove(&key);
        let used = used.unwrap_or_else(|| {
            entries.uses += 1;
            entries.uses
        });
        let cost = value.cost();
        entries.cost += cost;
        if self.pinned.as_ref() != Some(&key) {
            entries.by_use.insert(used, key.clone());
        }
        entries.by_key.insert(key, Entry { value, used, cost });
        entries.make_room(self.cost_max)
    }

    pub(crate) fn remove(&self, key: &K) {
        self.locked().remove(key);
    }

    /// The keys of the values of which `is_meant` is true. Looks at all.
    pub(crate) fn keys(&self, is_meant: impl Fn(&V) -> bool) -> Vec<K> {
        let entries = self.locked();
        entries.by_key.iter().filter(|(_, entry)| is_meant(&entry.value)).map(|(key, _)| key.clone()).collect()
    }

    /// Says how many bytes of the budget something else takes; room for them is made at the next put.
    pub(crate) fn reserve(&self, bytes: usize) {
        self.locked().reserved = bytes;
    }

    pub(crate) fn cost_max(&self) -> usize {
        self.cost_max
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        let entries = self.locked();
        CacheFigures { entries: entries.by_key.len(), bytes: entries.cost + entries.reserved }
    }

    fn locked(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone, V> Entries<K, V> {
    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_use.remove(&entry.used);
            self.cost -= entry.cost;
        }
    }

    fn make_room(&mut self, cost_max: usize) -> Vec<K> {
        let mut let_go = Vec::new();
        while self.cost + self.reserved > cost_max
            && let Some((_, key)) = self.by_use.first_key_value()
        {
            let key = key.clone();
            self.remove(&key);
            let_go.push(key);
        }
        let_go
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Value(usize, Validity);

    impl Cached for Value {
        fn cost(&self) -> usize {
            self.0
        }
        fn validity(&self) -> &Validity {
            &self.1
        }
    }

    fn value(cost: usize, as_of: i64) -> Arc<Value> {
        Arc::new(Value(cost, Validity { as_of, due_at: None }))
    }

    fn as_of(cache: &Cache<u32, Value>, key: u32) -> Option<i64> {
        cache.get(&key).map(|value| value.1.as_of)
    }

    #[test]
    fn the_longest_unasked_make_room_and_an_older_value_takes_no_newer_ones_place() {
        let cache = Cache::new(30);
        for key in 1..=3 {
            assert!(cache.put(key, value(10, 5)).is_empty());
        }
        assert!(cache.get(&1).is_some());
        assert!(cache.peek(&2).is_some(), "for nobody");
        assert_eq!(cache.put(4, value(10, 5)), [2], "the longest unasked");
        assert!([1, 3, 4].iter().all(|key| cache.get(key).is_some()));
        cache.put(4, value(10, 4));
        assert_eq!(as_of(&cache, 4), Some(5));
        cache.put(4, value(10, 6));
        assert_eq!(as_of(&cache, 4), Some(6));
        assert_eq!(cache.figures(), CacheFigures { entries: 3, bytes: 30 });
        assert_eq!(cache.put(9, value(31, 1)), [1, 3, 4, 9], "one too large for all is not kept");
        assert_eq!(cache.figures(), CacheFigures::default());
        assert!(cache.locked().by_use.is_empty());
    }

    #[test]
    fn what_is_asked_for_again_and_again_stays_and_what_is_written_anew_is_not_asked_for() {
        let cache = Cache::new(100);
        for key in 0..200 {
            cache.put(key, value(10, 0));
            assert!(cache.get(&0).is_some(), "always asked for");
            let figures = cache.figures();
            assert_eq!(figures.bytes, 10 * figures.entries);
        }
        assert_eq!(cache.keys(|_| true), [0, 191, 192, 193, 194, 195, 196, 197, 198, 199]);
        assert!(cache.put(191, value(10, 1)).is_empty());
        assert_eq!(cache.put(200, value(10, 0)), [191], "nobody asked for it meanwhile");
    }

    #[test]
    fn what_is_pinned_stays_and_what_something_else_takes_is_room_that_is_missing() {
        let cache = Cache::new(30).pinning(1);
        for key in 1..=3 {
            cache.put(key, value(10, 0));
        }
        cache.reserve(15);
        assert_eq!(cache.figures(), CacheFigures { entries: 3, bytes: 45 });
        assert_eq!(cache.put(4, value(10, 0)), [2, 3, 4]);
        assert_eq!((cache.keys(|_| true), cache.cost_max()), (vec![1], 30));
        cache.remove(&1);
        assert_eq!(cache.figures(), CacheFigures { entries: 0, bytes: 15 });
    }
}
