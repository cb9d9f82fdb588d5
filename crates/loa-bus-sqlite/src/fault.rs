//! SQLite's errors, sorted by what a caller of the bus should do.

use loa_bus::{BusError, BusErrorKind};

// https://www.sqlite.org/rescode.html; the low byte of an extended code
const PERM: i32 = 3;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const AUTH: i32 = 23;
const NOTADB: i32 = 26;

/// A failure while doing `what`.
pub(crate) fn fault(what: &str, error: sqlx::Error) -> BusError {
    if matches!(error, sqlx::Error::PoolClosed) {
        return closed();
    }
    let kind = match primary_code(&error) {
        // a full disk is mended by an operator, and publishing then works again by itself
        Some(FULL) => BusErrorKind::Blocked,
        Some(PERM | READONLY | CORRUPT | AUTH | NOTADB) => BusErrorKind::Refused,
        // busy, input/output errors, cannot open, pool timeouts: try again
        _ => BusErrorKind::Unavailable,
    };
    BusError::caused(kind, format!("cannot {what}"), error)
}

/// What every call answers after `close`.
pub(crate) fn closed() -> BusError {
    BusError::new(BusErrorKind::Unavailable, "the queues are closed")
}

/// Whether somebody else has the file locked and waiting helps.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    matches!(primary_code(error), Some(BUSY | LOCKED))
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
