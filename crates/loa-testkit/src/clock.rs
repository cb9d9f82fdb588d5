//! A clock that a test winds by hand, and random numbers that are the same each time, as services
//! are handed them.

use jiff::Timestamp;
use loa_worker::World;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A clock that stands still until somebody winds it. Clones show the same time.
#[derive(Debug, Clone)]
pub struct HandClock(Arc<Mutex<Timestamp>>);

impl HandClock {
    /// A clock showing this instant, `2023-11-16T01:02:22Z`. Panics on what is not one.
    pub fn at(instant: &str) -> Self {
        Self(Arc::new(Mutex::new(instant.parse().expect("an instant"))))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Winds it on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add(by).expect("an instant within jiff's range");
    }

    /// Sets it.
    pub fn set(&self, instant: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = instant;
    }

    /// A world with this clock and dice of this seed.
    pub fn world(&self, seed: u64) -> World {
        let clock = self.clone();
        World { clock: Arc::new(move || clock.now()), random: Arc::new(dice(seed)) }
    }
}

/// Bytes that look random and are the same for the same seed (SplitMix64).
pub fn dice(seed: u64) -> impl Fn(&mut [u8]) + Send + Sync {
    let state = AtomicU64::new(seed);
    move |buffer| {
        for chunk in buffer.chunks_mut(8) {
            let mut z = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
