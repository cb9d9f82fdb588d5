//! An allowance that time refills (a token bucket). Pure; instants come in.

use jiff::Timestamp;

/// So many, and more as time goes by. Below nothing: what was promised beforehand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) left: f64,
    at: Timestamp,
}

impl Allowance {
    /// What it is by now.
    pub(crate) fn refilled(self, rate: Rate, now: Timestamp) -> Self {
        // a clock that steps back gives nothing, and takes nothing
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.0);
        Self { left: (self.left + seconds * rate.per_second).min(rate.burst), at: now }
    }
}

/// A burst, and what comes after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// The most that is there at once.
    pub(crate) burst: f64,
    /// What time gives in a second.
    pub(crate) per_second: f64,
}

impl Rate {
    /// All that may be there.
    pub(crate) fn full(self, at: Timestamp) -> Allowance {
        Allowance { left: self.burst, at }
    }
}
