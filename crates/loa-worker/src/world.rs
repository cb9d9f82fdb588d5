//! Time and chance, handed in: the binary gives the real ones, tests wind them by hand.

use jiff::Timestamp;
use std::sync::Arc;

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What a service may know of the world outside.
#[derive(Clone)]
pub struct World {
    /// The clock.
    pub clock: Clock,
    /// The dice.
    pub random: Random,
}

impl World {
    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        (self.random)(&mut buffer);
        buffer
    }

    /// A number in 0.0..1.0, for jitter.
    pub fn chance(&self) -> f64 {
        f64::from(u32::from_le_bytes(self.bytes())) / (f64::from(u32::MAX) + 1.0)
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}
