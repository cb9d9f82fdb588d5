//! Counts of who did something how often in a period, in a table of a fixed size.
//!
//! When there is no room for another key, the one counted least is forgotten, so that a mistake is
//! always in favour of whoever asks. Keys are kept as marks that strangers cannot choose.

use jiff::Timestamp;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

/// Counts that share a place in the table: one more, and the least is forgotten.
const COUNTS: usize = 8;

/// How often keys were counted, each in a period of its own.
#[derive(Debug)]
pub struct Tally {
    period_seconds: u32,
    sets: usize,
    /// What strangers do not know, so that they cannot choose whose count they take.
    seed: [u8; 16],
    counts: Mutex<Box<[Count]>>,
}

/// How often one key was counted.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    mark: u64,
    began_at: u32,
    times: u32,
}

impl Count {
    /// Seconds until its period is over; `None`: it is, or never began (a clock set back ends it, too).
    fn left(&self, now: u32, period: u32) -> Option<u32> {
        let passed = now.checked_sub(self.began_at)?;
        period.checked_sub(passed).filter(|left| *left > 0 && self.times > 0)
    }
}

impl Tally {
    /// An empty table for about `keys` keys, of 16 bytes each. A period begins with a key's first count.
    pub fn new(period_seconds: u32, keys: usize, seed: [u8; 16]) -> Self {
        let sets = keys.div_ceil(COUNTS);
        let counts = Mutex::new(vec![Count::default(); sets * COUNTS].into_boxed_slice());
        Self { period_seconds, sets, seed, counts }
    }

    /// Takes one count of a key back, for what came to nothing.
    pub fn uncount(&self, key: impl Hash, now: Timestamp) {
        if self.sets == 0 {
            return;
        }
        let mark = self.mark(key);
        let now = u32::try_from(now.as_second()).unwrap_or_default();
        let set = usize::try_from(mark % self.sets as u64).unwrap_or_default();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = counts.chunks_exact_mut(COUNTS).nth(set).into_iter().flatten();
        if let Some(count) =
            counts.into_iter().find(|count| count.mark == mark && count.left(now, self.period_seconds).is_some())
        {
            count.times -= 1;
        }
    }

    /// Counts a key; the seconds to wait until its period is over, when that was more than `max` times in it.
    pub fn count(&self, key: impl Hash, max: u32, now: Timestamp) -> Option<u32> {
        if self.sets == 0 {
            return None;
        }
        let mark = self.mark(key);
        let now = u32::try_from(now.as_second()).unwrap_or_default();
        let set = usize::try_from(mark % self.sets as u64).unwrap_or_default();
        let period = self.period_seconds;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = counts.chunks_exact_mut(COUNTS).nth(set)?;
        let standing = counts.iter().position(|count| count.mark == mark && count.left(now, period).is_some());
        let count = match standing {
            Some(at) => counts.get_mut(at)?,
            None => {
                let least = counts.iter_mut().min_by_key(|count| count.left(now, period).map_or(0, |_| count.times))?;
                *least = Count { mark, began_at: now, times: 0 };
                least
            }
        };
        count.times = count.times.saturating_add(1);
        if count.times > max { count.left(now, period) } else { None }
    }

    /// What the table takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.sets * COUNTS * size_of::<Count>()
    }

    fn mark(&self, key: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.seed.hash(&mut hasher);
        key.hash(&mut hasher);
        hasher.finish()
    }
}

/// The IPv6 network of so many bits (16 to 128) that an address is of; `None`: it is one of IPv4, where addresses are rare.
pub fn network(address: IpAddr, bits: u32) -> Option<Ipv6Addr> {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Some(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits.clamp(16, 128)))))
        }
        IpAddr::V4(_) => None,
    }
}

/// Who asks, as one household or machine: of IPv6 it has as many addresses as it likes of one network (/64).
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        four => four,
    }
}
