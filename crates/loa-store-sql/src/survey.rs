//! Goes through all rows of a ledger that are worked with, to find those that this program cannot read. It changes nothing.
//!
//! A process knows the rows that it has met. Whoever asks (`loa check`) wants to know of the others as well.

use crate::{LedgerPlace, db::During, digest, feed, intake, push};
use loa_store::StoreError;
use std::time::Duration;
use tokio::time::Instant;

impl LedgerPlace {
    /// Reads all rows that are worked with (docs/operating/README.md lists the tables), for so long at most, of which each table
    /// has its share; a look then tells which cannot be read. `false`: time
    /// was over before all were.
    ///
    /// # Errors
    /// When the ledger cannot be read at all.
    pub async fn survey(&self, within: Duration) -> Result<bool, StoreError> {
        let (db, until) = (self.db(), Instant::now() + within);
        match self.ledger() {
            "intake" => intake::survey(db, until).await,
            "feed" => feed::survey(db, until).await,
            "digest" => digest::survey(db, until).await,
            "push" => push::survey(db, until).await,
            // tokens and receipts are read one by one, by whoever asks for one
            _ => Ok(true),
        }
        .during("read through the ledger", db)
    }
}
