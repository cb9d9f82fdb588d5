//! A lease: for how long a claimed row belongs to one holder.

use jiff::Timestamp;

/// Who claims, and until when. A later claim of the same row carries another `holder`, which is how a result that
/// comes too late is told apart (fencing).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Unique for each claim, not for each process: see [`lease_holder`].
    pub holder: String,
    /// Now, by the caller's clock: what is due and what has ended is judged by it.
    pub now: Timestamp,
    /// When the rows become claimable again unless recorded before.
    pub until: Timestamp,
}

/// The name of one claim, made of random bytes.
pub fn lease_holder(random: [u8; 16]) -> String {
    random.map(|byte| format!("{byte:02x}")).concat()
}
