//! Why a dependency is down, as a fact: a kind that an administrator acts on, where it lies, and apart from them the technical
//! detail.
//!
//! Two kinds differ where somebody does something else about them; everything finer is detail. `loa-words` makes sentences of
//! them, `/readyz` and `loa check` give the kind's word beside. Nothing is decided by the detail's text.

use crate::{BusFact, ServerWords, reason::words};
use serde::{Deserialize, Serialize};

/// Why a dependency is down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What somebody acts on.
    pub kind: TroubleKind,
    /// The file, schema or ledger where it lies; empty: it lies in no place, or that is not known.
    pub place: String,
    /// What the adapter of the bus met, as far as it is known. May be empty.
    pub facts: Vec<BusFact>,
    /// What an engine, a broker or an adapter said: data, shown as it came. Empty: nothing.
    pub detail: ServerWords,
}

impl Trouble {
    /// One that lies in no place.
    pub fn new(kind: TroubleKind, detail: impl Into<ServerWords>) -> Self {
        Self { kind, place: String::new(), facts: Vec::new(), detail: detail.into() }
    }
}

impl From<TroubleKind> for Trouble {
    /// One about which nobody said anything.
    fn from(kind: TroubleKind) -> Self {
        Self::new(kind, "")
    }
}

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// Nobody has tried yet.
    NotTried,
    /// A defect of ours: the log says more.
    Defect,
    /// The first connection to the bus is being opened.
    BusConnecting,
    /// The bus takes nothing for now: memory or disk, or a queue at its limit.
    BusBlocked,
    /// The bus answers, and refuses our login, a right, or what we declare.
    BusRefuses,
    /// There is no connection to the bus.
    BusAway,
    /// An exchange or a queue is missing.
    TopologyMissing,
    /// The ledger does not answer.
    LedgerAway,
    /// The ledger is busy.
    LedgerBusy,
    /// The database refuses a login, a right, a connection, or writes.
    LedgerRefuses,
    /// The ledger's tables are missing or older than this program.
    MigrationDue,
    /// A restore has begun and not ended.
    RestoreUnfinished,
    /// The disk that holds the ledger is full.
    DiskFull,
    /// The disk that holds the ledger cannot be read or written.
    DiskError,
    /// The ledger's file cannot be opened.
    CannotOpen,
    /// The ledger may not be written.
    NotWritable,
    /// The ledger is damaged.
    Damaged,
    /// An index of the ledger is damaged; the rows may be whole.
    IndexDamaged,
    /// What stands in the ledger's place is none: emptied, overwritten or exchanged.
    NotALedger,
    /// The ledger's file was deleted or moved away while it was in use.
    FileGone,
    /// The ledger's write-ahead log was deleted while it was in use.
    LogDeleted,
    /// A row cannot be read, and what waits for it cannot go on.
    UnreadableRow,
}

words!(TroubleKind {
    NotTried = "not_tried",
    Defect = "defect",
    BusConnecting = "bus_connecting",
    BusBlocked = "bus_blocked",
    BusRefuses = "bus_refuses",
    BusAway = "bus_away",
    TopologyMissing = "topology_missing",
    LedgerAway = "ledger_away",
    LedgerBusy = "ledger_busy",
    LedgerRefuses = "ledger_refuses",
    MigrationDue = "migration_due",
    RestoreUnfinished = "restore_unfinished",
    DiskFull = "disk_full",
    DiskError = "disk_error",
    CannotOpen = "cannot_open",
    NotWritable = "not_writable",
    Damaged = "damaged",
    IndexDamaged = "index_damaged",
    NotALedger = "not_a_ledger",
    FileGone = "file_gone",
    LogDeleted = "log_deleted",
    UnreadableRow = "unreadable_row",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_word_of_its_own_for_machines() {
        for kind in TroubleKind::ALL {
            assert_eq!(TroubleKind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("{:?}", kind.as_str()));
            assert!(kind.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        }
        assert_eq!(TroubleKind::parse("something else"), None);
    }

    #[test]
    fn what_an_engine_said_is_one_bounded_line() {
        let trouble = Trouble::new(TroubleKind::BusAway, "no\nroute");
        assert_eq!(trouble.detail.as_str(), "no route");
    }
}
