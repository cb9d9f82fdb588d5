//! Events of articles dated in the future: each waits in the ledger, and is owed to endpoints at its time as if it had come
//! then. So the stream that an endpoint gets is in the order of what became public, an endpoint added meanwhile gets it too,
//! and nobody, not even an operator's redrive, can send it early.
//!
//! A newer version or a withdrawal ends the waiting. The portal's latest word counts: once it says "not yet", older versions
//! that still wait for an endpoint are superseded. A withdrawal of what nobody was ever shown is told to no endpoint: it
//! would only name what the portal kept back. (One that overtakes its article on the bus goes out, as nobody can tell.)

use super::{Owed, plan};
use crate::{
    db::{Db, Tx, through},
    fault::Result,
    restoring::refuse_during_restore,
    row::{Kept, from_row, ms, row_of, signed},
};
use jiff::Timestamp;
use loa_domain::{Event, EventKey, EventType, Version};
use tokio::time::Instant;

/// Events taken in within one transaction: bounds how long it holds the write lock.
const ADMITTED_MAX: i64 = 500;

/// Where they wait.
const TABLE: &str = "upcoming";

/// Events whose time has come by $1, in the order of their times.
pub(in crate::push) const DUE: &str = "SELECT u.event, u.article, u.revision, u.version_id, v.event_type FROM upcoming AS u \
    JOIN event AS v ON v.id = u.event WHERE u.shown_from IS NOT NULL AND u.shown_from <= $1 \
    ORDER BY u.shown_from, u.event LIMIT $2";

/// When the next is due.
pub(in crate::push) const NEXT: &str = "SELECT MIN(shown_from) FROM upcoming WHERE shown_from IS NOT NULL";

/// What is known of an article.
#[derive(Default)]
pub(in crate::push) struct Known {
    /// The highest version seen.
    pub(in crate::push) highest: Option<Version>,
    /// From when on that one may go out, while it waits.
    pub(in crate::push) shown_from: Option<Timestamp>,
    /// How many publications were seen, and of how many nobody was ever shown anything.
    pub(in crate::push) publications: u64,
    pub(in crate::push) unseen: u64,
    /// Whether a higher version came with this batch.
    pub(in crate::push) moved: bool,
}

impl Known {
    /// Whether publications were seen, and the time of none of them has come before it was superseded.
    pub(in crate::push) fn never_shown(&self) -> bool {
        self.publications > 0 && self.publications == self.unseen
    }
}

from_row!(HighestRow {
    revision: i64,
    withdrawn: i64,
    event_source: String,
    event_id: String,
    content_hash: Option<String>,
    shown_from: Option<i64>,
    unseen: i64,
});

impl HighestRow {
    /// As `Event::version` makes it.
    fn version_id(&self) -> String {
        let key = EventKey { source: self.event_source.clone(), id: self.event_id.clone() };
        match &self.content_hash {
            Some(hash) => format!("{} {hash}", key.rank()),
            None => key.rank(),
        }
    }
}

/// What the ledger knows of an article.
pub(in crate::push) async fn known(tx: &mut Tx, article: &str) -> Result<Known> {
    // of those that careless producers left equal, which are few, the highest is found by its whole rank
    let equals: Vec<HighestRow> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT s.revision, s.withdrawn, s.event_source, s.event_id, s.content_hash, u.shown_from, \
            (SELECT COUNT(*) FROM upcoming AS k WHERE k.article = $1) AS unseen \
         FROM seen AS s LEFT JOIN upcoming AS u ON u.event_source = s.event_source AND u.event_id = s.event_id \
         WHERE s.article = $1 AND s.revision = (SELECT MAX(h.revision) FROM seen AS h WHERE h.article = $1)",
    )
    .bind(article)
    .fetch_all(c)
    .await?);
    let highest = equals.into_iter().max_by_key(|row| (row.withdrawn, row.version_id()));
    let Some(row) = highest.filter(|row| row.revision >= 0) else { return Ok(Known::default()) };
    let cell = row_of("seen", &row.event_id);
    let publications: i64 = on!(tx, c: D => sqlx::query_scalar(
        "SELECT COUNT(*) FROM seen WHERE article = $1 AND withdrawn = 0",
    )
    .bind(article)
    .fetch_one(c)
    .await?);
    Ok(Known {
        // an instant that is none lets the article through now rather than never
        shown_from: tx
            .found()
            .sort("seen", &row.event_id, row.shown_from.map(|at| cell.time("shown_from", at)).transpose())?
            .flatten(),
        publications: cell.count("publications", publications)?,
        unseen: cell.count("unseen", row.unseen)?,
        highest: Some(Version {
            revision: cell.count("revision", row.revision)?,
            withdrawn: row.withdrawn == 1,
            event_id: row.version_id(),
        }),
        moved: false,
    })
}

/// Notes that an event waits: with the number of its kept bytes and its time; without, for one that will never go out.
pub(in crate::push) async fn wait(tx: &mut Tx, event: &Event, until: Option<(i64, Timestamp)>) -> Result<()> {
    let version = event.version();
    on!(tx, c: D => sqlx::query(
        "INSERT INTO upcoming (event_source, event_id, article, revision, version_id, event, shown_from) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(event.key.source.as_str())
    .bind(event.key.id.as_str())
    .bind(event.subject().as_str())
    .bind(signed(version.revision)?)
    .bind(version.event_id)
    .bind(until.map(|(number, _)| number))
    .bind(until.map(|(_, from)| ms(from)))
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// What follows for an article of which a higher version came: none below it waits any more, and when it waits itself,
/// nothing below it goes out.
pub(in crate::push) async fn drop_lower(tx: &mut Tx, article: &str, known: &Known, at: Timestamp) -> Result<()> {
    let Some(highest) = known.highest.as_ref().filter(|_| known.moved) else { return Ok(()) };
    if known.unseen > 0 {
        end_waiting(tx, article, highest).await?;
    }
    if known.shown_from.is_some() {
        supersede_below(tx, article, highest, at).await?;
    }
    Ok(())
}

async fn end_waiting(tx: &mut Tx, article: &str, highest: &Version) -> Result<()> {
    let ended: Vec<i64> = on!(&mut *tx, c: D => sqlx::query_scalar(
        "SELECT event FROM upcoming WHERE article = $1 AND event IS NOT NULL AND (revision, version_id) < ($2, $3)",
    )
    .bind(article)
    .bind(signed(highest.revision)?)
    .bind(bound(highest))
    .fetch_all(c)
    .await?);
    for event in ended {
        on!(&mut *tx, c: D => {
            sqlx::query("UPDATE upcoming SET event = NULL, shown_from = NULL WHERE event = $1").bind(event).execute(&mut *c).await?;
            sqlx::query("DELETE FROM event WHERE id = $1").bind(event).execute(&mut *c).await?.rows_affected()
        });
    }
    Ok(())
}

/// What the id of a publication below this version, at its own revision, is less than.
fn bound(highest: &Version) -> &str {
    // at one revision a withdrawal is above every publication: U+10FFFF is in no id
    if highest.withdrawn { "\u{10ffff}" } else { highest.event_id.as_str() }
}

async fn supersede_below(tx: &mut Tx, article: &str, highest: &Version, at: Timestamp) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE delivery SET state = 'superseded', ready_at = NULL, holder = NULL, changed_at = $5 \
         WHERE article = $1 AND state = 'pending' AND (revision, withdrawn, version_id) < ($2, $3, $4)",
    )
    .bind(article)
    .bind(signed(highest.revision)?)
    .bind(i64::from(highest.withdrawn))
    .bind(highest.event_id.as_str())
    .bind(ms(at))
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// When the next event that waits is due.
pub(in crate::push) async fn next(db: &Db) -> Result<Option<i64>> {
    Ok(read!(db, pool => sqlx::query_scalar(NEXT).fetch_one(pool).await?))
}

/// Owes everything to endpoints whose time has come by `at`.
///
/// # Errors
/// `Unavailable` while the ledger is being restored: the restore takes it in, in its turn.
pub(in crate::push) async fn admit_all(db: &Db, at: Timestamp) -> Result<()> {
    while is_due(db, at).await? {
        let mut tx = db.begin().await?;
        refuse_during_restore(&mut tx, "push").await?;
        admit(&mut tx, at).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Whether something is due that can be read. What cannot stays where it is, and is passed over.
async fn is_due(db: &Db, at: Timestamp) -> Result<bool> {
    if next(db).await?.is_none_or(|first| first > ms(at)) {
        return Ok(false);
    }
    let found = db.found();
    loop {
        let unreadable = found.unreadable_in(TABLE);
        let first: Vec<Kept<DueRow>> =
            read!(db, pool => sqlx::query_as(DUE).bind(ms(at)).bind(1 + unreadable as i64).fetch_all(pool).await?);
        for row in found.rows(first) {
            if found.sort(TABLE, row.event, row.owed())?.is_some() {
                return Ok(true);
            }
        }
        if found.unreadable_in(TABLE) == unreadable {
            return Ok(false);
        }
    }
}

from_row!(DueRow in "upcoming" by event { event: i64, article: String, revision: i64, version_id: String, event_type: String });

/// Owes what is due by `at` to endpoints, up to a bound; returns how many events.
pub(in crate::push) async fn admit(tx: &mut Tx, at: Timestamp) -> Result<usize> {
    let most = ADMITTED_MAX + tx.found().unreadable_in(TABLE) as i64;
    let due: Vec<Kept<DueRow>> = on!(&mut *tx, c: D => sqlx::query_as(DUE).bind(ms(at)).bind(most).fetch_all(c).await?);
    let mut owed = Vec::with_capacity(due.len());
    for row in tx.found().rows(due) {
        let read = tx.found().sort(TABLE, row.event, row.owed())?;
        let Some(one) = read else { continue };
        on!(&mut *tx, c: D => sqlx::query("DELETE FROM upcoming WHERE event = $1")
            .bind(row.event)
            .execute(c)
            .await?
            .rows_affected());
        owed.push(one);
    }
    plan(tx, &owed, at).await?;
    Ok(owed.len())
}

/// Reads every event that waits for its time, until it is time to end: then `false`.
pub(in crate::push) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let rows = "SELECT u.event, u.article, u.revision, u.version_id, u.event_source, u.event_id, u.shown_from, v.event_type \
                FROM upcoming AS u JOIN event AS v ON v.id = u.event WHERE u.event > $1 ORDER BY u.event LIMIT $2";
    through(db, rows, 0_i64, until, WholeRow::check).await
}

from_row!(WholeRow in "upcoming" by event {
    event: i64,
    article: String,
    revision: i64,
    version_id: String,
    event_source: String,
    event_id: String,
    shown_from: Option<i64>,
    event_type: String,
});

impl WholeRow {
    fn check(self) -> Result<()> {
        self.shown_from.map(|at| row_of(TABLE, &self.event).time("shown_from", at)).transpose()?;
        let _ = (self.event_source, self.event_id); // it is enough that they are texts
        let Self { event, article, revision, version_id, event_type, .. } = self;
        DueRow { event, article, revision, version_id, event_type }.owed().map(drop)
    }
}

impl DueRow {
    fn owed(&self) -> Result<Owed> {
        let cell = row_of(TABLE, &self.event);
        let revision = cell.count("revision", self.revision)?;
        let event_type: EventType = cell.word("event_type", &self.event_type, |word| word.parse().ok())?;
        let version = Version { revision, withdrawn: false, event_id: self.version_id.clone() };
        Ok(Owed { event: self.event, event_type, article: self.article.clone(), version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushStore;

    #[tokio::test]
    async fn what_waits_for_its_time_is_found_by_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        for statement in [DUE, NEXT] {
            store.db.assert_served_by_indexes(statement, &[]).await;
            let steps = store.db.steps_of(statement).await;
            assert!(steps[0].contains("upcoming_due"), "{steps:?}");
        }
    }
}
