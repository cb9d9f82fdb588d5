//! Looks after the place where a ledger is kept: says what is wrong with it, and finds out when it is good again.
//!
//! Whoever works on the ledger notes what it meets ([`Found`](super::Found)). Nobody need meet it: a file that was deleted, or
//! whose beginning was overwritten, is found here as well.

use super::{
    Db,
    sqlite::{Examination, File},
};
use crate::db::During;
use loa_domain::Trouble;
use std::time::Duration;
use tokio::time::Instant;

/// How long a look waits for an examination. That of a large file goes on behind it, and a later look tells what it found.
const EXAMINED_IN: Duration = Duration::from_secs(20);
/// After an examination of a whole file it is left alone for so many times as long as that took, unless that was short.
const RESTS_TIMES: u32 = 4;
const SHORT: Duration = Duration::from_secs(1);
const RESTS_MAX: Duration = Duration::from_secs(60);
/// What is done, for what is noted.
const LOOK: &str = "look after the ledger";
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
    /// Why the ledger cannot do its work; `None`: it can.
    pub trouble: Option<Trouble>,
    /// How many of its rows this program cannot read; they are set aside.
    pub unreadable: u64,
    /// The sentences of some of them: table, column and key.
    pub examples: Vec<String>,
}

impl LedgerPlace {
    pub(crate) fn of(ledger: &'static str, db: Db) -> Self {
        Self { ledger, db }
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Which ledger.
    pub fn ledger(&self) -> &'static str {
        self.ledger
    }

    /// How it is now. Examines a file: its beginning, and all of it while something is noted of it.
    pub async fn condition(&self) -> LedgerState {
        let (found, began_at) = (self.db.found(), Instant::now());
        match &self.db {
            Db::Sqlite(file) => {
                // before a connection is made that would make another log
                let _ = file.save_deleted_log().await.during("save the ledger's log", &self.db);
                let stands = found.trouble().is_some();
                let examined = async {
                    if stands {
                        self.examine_whole(file.clone()).await;
                    } else {
                        // by another name than those of the ledger's calls: these say more
                        let _ = file.examine(Examination::Beginning).await.during(LOOK, &self.db);
                    }
                };
                let _ = tokio::time::timeout(EXAMINED_IN, examined).await;
            }
            Db::Postgres(..) => {
                if let Some(passed) = began_at.checked_sub(PASSED_AFTER) {
                    found.is_good_since(passed);
                }
            }
        }
        self.state()
    }

    /// Examines all of a file, by a task of its own: one at a time, however often somebody looks. Found good, what was noted
    /// before it began is taken back.
    async fn examine_whole(&self, file: File) {
        let Ok(turn) = file.examining().try_lock_owned() else { return };
        let (db, began_at) = (self.db.clone(), Instant::now());
        let (tell, told) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            if file.examine(Examination::WholeAndWritten).await.during(LOOK, &db).is_ok() {
                db.found().is_good_since(began_at);
            }
            // nobody may wait any more
            let _ = tell.send(());
            if began_at.elapsed() > SHORT {
                tokio::time::sleep((began_at.elapsed() * RESTS_TIMES).min(RESTS_MAX)).await;
            }
            drop(turn);
        });
        let _ = told.await;
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
        let (unreadable, examples) = found.unreadable_rows();
        LedgerState { trouble: found.trouble(), unreadable, examples }
    }
}
