//! How the memory for caches is divided: one budget, `feed.memory_bytes_max`, in three parts, so
//! that none pushes another out.
//!
//! Who walks through years of archives, or asks for a thousand combinations, takes no feed away
//! from its readers. A document costs twice its bytes and a frame: what it takes once readers have
//! asked for every coding of it. That is about what feeds take that everybody reads; one that is
//! read in one coding takes half of it.

/// The parts of a budget, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Feeds with their pages, and the list of all feeds.
    pub(crate) feeds: usize,
    pub(crate) archives: usize,
    pub(crate) combinations: usize,
}

impl Budget {
    /// Five eighths, two eighths, one eighth.
    pub(crate) fn of(bytes_max: u64) -> Self {
        let eighth = usize::try_from(bytes_max).unwrap_or(usize::MAX) / 8;
        Self { feeds: 5 * eighth, archives: 2 * eighth, combinations: eighth }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_together_what_may_be_taken_and_never_more() {
        for bytes_max in [0, 7, 10_000_000, 201_326_592, u64::MAX] {
            let Budget { feeds, archives, combinations } = Budget::of(bytes_max);
            let sum = feeds as u64 + archives as u64 + combinations as u64;
            assert!(sum <= bytes_max && bytes_max - sum < 8, "{bytes_max}");
        }
    }
}
