//! From an engine's error to one the callers can branch on.
//!
//! Inside this crate `?` carries a [`Fault`]; at the door [`During`] turns it into a `StoreError` that says what was tried.

use loa_store::{StoreError, StoreErrorKind};
use std::{error::Error, fmt::Display};

/// What went wrong, before anyone has said what was tried.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The engine said so.
    Sql(sqlx::Error),
    /// We said so, in a sentence of its own.
    Known(StoreError),
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// A fault of ours: a kind and a sentence.
pub(crate) fn refuse(kind: StoreErrorKind, what: impl Into<String>) -> Fault {
    Fault::Known(StoreError::new(kind, what))
}

/// A row that cannot be read back.
pub(crate) fn corrupt(
    table: &str,
    column: &str,
    key: impl Display,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> Fault {
    let what = format!("{table}.{column} of {key} cannot be read back");
    Fault::Known(StoreError::caused(StoreErrorKind::Corrupt, what, source))
}

/// Says what was tried when a fault leaves the crate.
pub(crate) trait During<T> {
    /// `doing` fits behind "could not ".
    fn during(self, doing: &str) -> std::result::Result<T, StoreError>;
}

impl<T> During<T> for Result<T> {
    fn during(self, doing: &str) -> std::result::Result<T, StoreError> {
        self.map_err(|fault| match fault {
            Fault::Known(error) => error,
            Fault::Sql(error) => {
                let (kind, came_of_it) = judge(&error);
                StoreError::caused(kind, format!("could not {doing}: {came_of_it}"), error)
            }
        })
    }
}

/// Sorts an engine's error by what the caller should do, by codes and never by text.
fn judge(error: &sqlx::Error) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Conflict, Corrupt, Rejected, Unavailable};
    match error {
        sqlx::Error::Database(database) => {
            if database.is_unique_violation() {
                return (Conflict, "such a row is there already");
            }
            // https://www.sqlite.org/rescode.html: the low byte of an extended code is the primary code.
            let code = database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default();
            match code & 0xff {
                5 | 6 => (Unavailable, "the ledger is busy"),
                13 => (Unavailable, "the disk is full"),
                7 => (Unavailable, "there is not enough memory"),
                10 | 14 => (Unavailable, "the disk or file cannot be read or written"),
                3 | 8 | 23 => (Unavailable, "the file may not be written"),
                4 | 9 => (Unavailable, "the statement was interrupted"),
                11 | 26 => (Corrupt, "the file is damaged or no ledger"),
                19 => (Rejected, "a rule of the schema forbids it"),
                _ => (Rejected, "the engine refused the statement"),
            }
        }
        sqlx::Error::PoolTimedOut => (Unavailable, "all connections were busy for too long"),
        sqlx::Error::PoolClosed => (Unavailable, "the ledger is being closed"),
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => (Unavailable, "the connection broke"),
        sqlx::Error::RowNotFound => (StoreErrorKind::NotFound, "there is no such row"),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => (Corrupt, "a column holds another type of value"),
        _ => (Rejected, "the statement and the schema do not fit each other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_back_names_table_column_and_key() {
        let error = Err::<(), _>(corrupt("item", "content", "bai-1", "expected value")).during("read").unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt);
        assert_eq!(error.to_string(), "item.content of bai-1 cannot be read back");
        assert_eq!(error.source().unwrap().to_string(), "expected value");
    }

    #[test]
    fn a_pool_without_a_free_connection_is_unavailable() {
        let error = Err::<(), _>(Fault::Sql(sqlx::Error::PoolTimedOut)).during("claim mails").unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert_eq!(error.to_string(), "could not claim mails: all connections were busy for too long");
    }
}
