//! Looks after the place where a ledger is kept: says what is wrong with it, and finds out when it is good again.
//!
//! Whoever works on the ledger notes what it meets ([`Found`](super::Found)). Nobody need meet it: a file that was deleted, or
//! whose beginning was overwritten, is found here as well.

use super::{Db, sqlite::Examination};
use crate::db::During;
use std::time::Duration;
use tokio::time::Instant;

/// The longest that one examination of a whole file may take; a file that takes longer is examined by its use.
const EXAMINED_IN: Duration = Duration::from_secs(60);
/// On a server nobody can look at every page: trouble that was not met again for so long has passed.
const PASSED_AFTER: Duration = Duration::from_secs(60);

/// The place of one ledger.
#[derive(Debug, Clone)]
pub struct LedgerPlace {
    ledger: &'static str,
    db: Db,
}

/// How it is with a ledger's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerState {
    /// Why the ledger cannot do its work, in a sentence with what to do; `None`: it can.
    pub trouble: Option<String>,
    /// How many of its rows this program cannot read; they are set aside.
    pub unreadable: u64,
    /// The sentence of one of them: table, column and key.
    pub example: Option<String>,
}

impl LedgerPlace {
    pub(crate) fn of(ledger: &'static str, db: Db) -> Self {
        Self { ledger, db }
    }

    /// Which ledger.
    pub fn ledger(&self) -> &'static str {
        self.ledger
    }

    /// How it is now. Examines a file: its beginning, and all of it (within a bound) while something is noted of it.
    pub async fn look(&self) -> LedgerState {
        let (found, began_at) = (self.db.found(), Instant::now());
        match &self.db {
            Db::Sqlite(file) => {
                // before a connection is made that would make another log
                let _ = file.save_deleted_log().await.during("save the ledger's log", &self.db);
                let stands = found.trouble().is_some();
                let how = if stands { Examination::WholeAndWritten } else { Examination::Beginning };
                let examined = tokio::time::timeout(EXAMINED_IN, file.examine(how)).await;
                // by another name than those of the ledger's calls: these say more
                let is_good = examined.is_ok_and(|examined| examined.during("look after the ledger", &self.db).is_ok());
                if is_good && stands {
                    found.is_good_since(began_at);
                }
            }
            Db::Postgres(..) => {
                if let Some(passed) = began_at.checked_sub(PASSED_AFTER) {
                    found.is_good_since(passed);
                }
            }
        }
        self.state()
    }

    /// Looks at every page of a file: its cost grows with it. On a server, nothing but that it answers.
    ///
    /// # Errors
    /// `Unavailable`, with what is wrong and what to do.
    pub async fn examine(&self) -> Result<(), loa_store::StoreError> {
        match &self.db {
            Db::Sqlite(file) => file.examine(Examination::Whole).await,
            Db::Postgres(..) => self.db.ping().await,
        }
        .during("examine the ledger", &self.db)
    }

    fn state(&self) -> LedgerState {
        let found = self.db.found();
        let (unreadable, example) = found.unreadable_rows();
        LedgerState { trouble: found.trouble(), unreadable, example }
    }
}
