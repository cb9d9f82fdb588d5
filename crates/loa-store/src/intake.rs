//! Intake's ledger: the current state of each article, the outbox, the archive that replay reads, and the audit of who has
//! seen what is archived.

mod archive;
mod audit;
mod outbox;
mod submissions;
mod views;

pub use archive::{ArchiveQuery, Archived, EventArchive};
pub use audit::{
    AuditEvent, AuditRound, Audits, Completeness, GAPS_COUNTED_MAX, Gaps, HeardHeartbeat, STRANGERS_MAX, Unaudited,
};
pub use outbox::{ClaimRoom, Outbox, OutboxRow};
pub use submissions::{Current, Submission, Submissions, Submitted};
pub use views::{IntakeViews, OutboxState, SetAside, WaitingBackFiles};

/// The whole ledger: intake uses all of it, a restore [`EventArchive`], the console [`IntakeViews`] alone.
pub trait IntakeLedger: Submissions + Outbox + EventArchive + Audits + IntakeViews {}

impl<L: Submissions + Outbox + EventArchive + Audits + IntakeViews> IntakeLedger for L {}
