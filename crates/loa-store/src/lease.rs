//! A lease: for how long a claimed row is nobody else's.

use jiff::Timestamp;

/// Who claims, and until when. A later claim of the same row carries another `holder`, which is how a result that
/// comes too late is told apart (fencing).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Unique for each claim, not for each process: random.
    pub holder: String,
    /// Now, by the caller's clock: what is due and what has ended is judged by it.
    pub now: Timestamp,
    /// When the rows become claimable again unless recorded before.
    pub until: Timestamp,
}
