//! Articles dated in the future: each waits in the ledger, and is taken in at its time as if it had come then.
//!
//! So everything else knows only articles whose time has come: a wish made meanwhile is matched, one made afterwards is not,
//! a frozen audience never has what is not yet, and age counts from the time. Whoever accepts, subscribes or opens a run has
//! what is due taken in first. Which articles wait, and until when, is decided by `loa_domain::standing`.

use super::{category, match_wishes};
use crate::{
    counter,
    db::{Db, Tx},
    fault::Result,
    restoring::refuse_during_restore,
    row::{Kept, from_row, ms, row_of, to_json},
};
use jiff::Timestamp;
use loa_domain::Content;

/// Articles taken in within one transaction: bounds how long it holds the write lock.
const ADMITTED_MAX: i64 = 500;

/// Where they wait.
const TABLE: &str = "item";

/// Articles whose time has come by $1, the longest due first.
pub(in crate::digest) const DUE: &str = "SELECT article, revision, withdrawn, event_id, upcoming, shown_from FROM item \
    WHERE shown_from IS NOT NULL AND shown_from <= $1 ORDER BY shown_from, article LIMIT $2";

from_row!(DueRow in "item" by article {
    article: String,
    revision: i64,
    withdrawn: i64,
    event_id: String,
    upcoming: Option<String>,
    shown_from: i64,
});

/// Takes in everything whose time has come by `at`.
///
/// # Errors
/// `Unavailable` while the ledger is being restored: the restore takes it in, in its turn.
pub(in crate::digest) async fn admit_all(db: &Db, at: Timestamp) -> Result<()> {
    while is_due(db, at).await? {
        let unreadable = db.found().unreadable_in(TABLE);
        let mut tx = db.begin().await?;
        refuse_during_restore(&mut tx, "digest").await?;
        let admitted = admit(&mut tx, at).await?;
        tx.commit().await?;
        if admitted == 0 && db.found().unreadable_in(TABLE) <= unreadable {
            break; // what is due can be read, but nobody can write it
        }
    }
    Ok(())
}

/// Whether something is due that can be read. What cannot stays where it is, and is passed over.
async fn is_due(db: &Db, at: Timestamp) -> Result<bool> {
    let found = db.found();
    loop {
        let unreadable = found.unreadable_in(TABLE);
        let first: Vec<Kept<DueRow>> =
            read!(db, pool => sqlx::query_as(DUE).bind(ms(at)).bind(1 + unreadable as i64).fetch_all(pool).await?);
        for row in &found.rows(first) {
            if found.sort_part(TABLE, &row.article, row.content())?.is_some() {
                return Ok(true);
            }
        }
        if found.unreadable_in(TABLE) == unreadable {
            return Ok(false);
        }
    }
}

/// Takes in what is due by `at`, up to a bound; returns how many.
pub(in crate::digest) async fn admit(tx: &mut Tx, at: Timestamp) -> Result<usize> {
    let most = ADMITTED_MAX + tx.found().unreadable_in(TABLE) as i64;
    let due: Vec<Kept<DueRow>> = on!(&mut *tx, c: D => sqlx::query_as(DUE).bind(ms(at)).bind(most).fetch_all(c).await?);
    let mut admitted = 0;
    for row in &tx.found().rows(due) {
        let content = tx.found().sort_part(TABLE, &row.article, row.content())?;
        let Some(content) = content else { continue };
        let taken = take_in(tx, row, content).await;
        // one that nobody can write stays where it is
        admitted += usize::from(tx.found().sort(TABLE, &row.article, taken)?.is_some());
    }
    Ok(admitted)
}

impl DueRow {
    fn content(&self) -> Result<Option<Content>> {
        self.upcoming.as_deref().map(|json| row_of(TABLE, &self.article).json("upcoming", json)).transpose()
    }
}

async fn take_in(tx: &mut Tx, row: &DueRow, content: Option<Content>) -> Result<()> {
    // A program that does not know the columns may have taken a newer version in meanwhile, which stands by itself.
    let stands = |content: &Content| row.withdrawn == 0 && i64::try_from(content.revision()) == Ok(row.revision);
    let Some(content) = content.filter(stands) else {
        on!(tx, c: D => sqlx::query("UPDATE item SET shown_from = NULL, upcoming = NULL WHERE article = $1")
            .bind(row.article.as_str())
            .execute(c)
            .await?
            .rows_affected());
        return Ok(());
    };
    let sequence = counter::take(tx, "item", 1).await?;
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE item SET content = $2, content_revision = $3, content_event_id = $4, category = $5, published_at = $6, \
         accepted_at = $7, sequence = $8, shown_from = NULL, upcoming = NULL WHERE article = $1",
    )
    .bind(row.article.as_str())
    .bind(to_json(&content)?)
    .bind(row.revision)
    .bind(row.event_id.as_str())
    .bind(category(&content))
    .bind(ms(content.published_at()))
    .bind(row.shown_from)
    .bind(sequence)
    .execute(c)
    .await?
    .rows_affected());
    match_wishes(tx, &row.article, category(&content), sequence).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigestStore;

    #[tokio::test]
    async fn what_waits_for_its_time_is_found_by_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = DigestStore::open(folder.path().join("digest.db")).await.unwrap();
        let steps = store.db.steps_of(DUE).await;
        assert!(steps[0].contains("item_upcoming"), "{steps:?}");
    }
}
