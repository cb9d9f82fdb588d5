//! The outbox: events that the bus has not confirmed, who sends them, and when to try again.
//!
//! `ready_at` = 0 means ready now; any other value is the end of a lease or back-off. A claim first turns
//! ended ones ready again (each row once for each lease or back-off), then takes ready ones in order of
//! sequence. So its cost does not grow with the rows in back-off.

use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{SET_ASIDE_MS, from_row, ms, row_of},
    seen::CHUNK,
};
use jiff::Timestamp;
use loa_domain::EventKey;
use loa_store::{Lease, OutboxRow, OutboxState, SetAside};
use sqlx::QueryBuilder;

/// The most rows one claim makes ready again: bounds the time it holds the write lock.
const ENDED_MAX: i64 = 10_000;
/// Rows are counted up to here: an outage of the broker must not make every look at the outbox dearer.
const COUNTED_MAX: i64 = 100_000;
/// Once the bodies of a claim measure this, in bytes, its other rows are given back: hundreds of events may be 1 MiB each.
const BODIES_MAX: i64 = 8 * 1024 * 1024;
/// The longest text of an error that is kept, in characters.
const ERROR_CHARS_MAX: usize = 1_000;

/// Makes what ended ready again.
pub(super) const READY_AGAIN: &str = "UPDATE outbox SET ready_at = 0, holder = NULL WHERE sequence IN \
    (SELECT sequence FROM outbox WHERE ready_at > 0 AND ready_at <= $1 ORDER BY ready_at, sequence LIMIT $2)";
/// PostgreSQL's text of [`READY_AGAIN`]. (Materialized: else the planner may run the choice again for each row.)
pub(super) const READY_AGAIN_POSTGRES: &str = "WITH ended AS MATERIALIZED (SELECT sequence FROM outbox \
        WHERE ready_at > 0 AND ready_at <= $1 ORDER BY ready_at, sequence LIMIT $2 FOR UPDATE SKIP LOCKED) \
    UPDATE outbox SET ready_at = 0, holder = NULL FROM ended WHERE outbox.sequence = ended.sequence";
/// Claims what is ready. An earlier row of the same article that is not ready is in flight, backing off, or (with a lower
/// sequence, hence claimed first) in this claim. Nothing waits behind one that is set aside.
pub(super) const CLAIM: &str = "UPDATE outbox SET holder = $1, ready_at = $2 WHERE sequence IN \
    (SELECT o.sequence FROM outbox AS o WHERE o.ready_at = 0 AND NOT EXISTS \
        (SELECT 1 FROM outbox AS e WHERE e.article = o.article AND e.sequence < o.sequence AND e.ready_at > 0 \
            AND e.set_aside_at IS NULL) \
     ORDER BY o.sequence LIMIT $3) \
    RETURNING sequence, attempts";

/// PostgreSQL's text of [`CLAIM`]. The `OFFSET 0` keeps the look at earlier rows a look, for each candidate: as a join, it
/// might walk through the whole backlog.
pub(super) const CLAIM_POSTGRES: &str = "WITH due AS MATERIALIZED (SELECT o.sequence FROM outbox AS o \
        WHERE o.ready_at = 0 AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.article = o.article \
            AND e.sequence < o.sequence AND e.ready_at > 0 AND e.set_aside_at IS NULL LIMIT 1 OFFSET 0) \
        ORDER BY o.sequence LIMIT $3 FOR UPDATE SKIP LOCKED) \
    UPDATE outbox SET holder = $1, ready_at = $2 FROM due WHERE outbox.sequence = due.sequence \
    RETURNING outbox.sequence, outbox.attempts";

/// Later rows of an article wait with a failed one: spares every claim until then a look at them. The `+ 0` keeps the
/// planner from walking through everything that is ready.
pub(super) const WAIT_BEHIND: &str =
    "UPDATE outbox SET ready_at = $3 WHERE article = $1 AND sequence > $2 AND ready_at + 0 = 0";

from_row!(ClaimedRow { sequence: i64, attempts: i64 });
from_row!(SetAsideRow { sequence: i64, article: String, error: String, set_aside_at: i64 });
from_row!(EventRow {
    sequence: i64,
    event_source: String,
    event_id: String,
    article: String,
    routing_key: String,
    body: Vec<u8>,
});

/// Claims ready rows, in order of sequence.
pub(super) async fn claim(db: &Db, lease: &Lease, max: u32) -> Result<Vec<OutboxRow>> {
    // In turn: which rows of an article may be claimed depends on which others are.
    let mut tx = db.begin_serial().await?;
    let ready_again = tx.text(READY_AGAIN, READY_AGAIN_POSTGRES);
    let claim = tx.text(CLAIM, CLAIM_POSTGRES);
    on!(&mut tx, c: D => sqlx::query(ready_again).bind(ms(lease.now)).bind(ENDED_MAX).execute(c).await?.rows_affected());
    let mut claimed: Vec<ClaimedRow> = on!(&mut tx, c: D => sqlx::query_as(claim)
        .bind(lease.holder.as_str())
        .bind(ms(lease.until).max(1))
        .bind(i64::from(max))
        .fetch_all(c)
        .await?);
    claimed.sort_by_key(|row| row.sequence);
    let too_much = claimed.split_off(fitting(&mut tx, &claimed).await?);
    give_back(&mut tx, &too_much).await?;
    let mut rows = Vec::with_capacity(claimed.len());
    for chunk in claimed.chunks(CHUNK) {
        let events = events(&mut tx, chunk).await?;
        for (claimed, event) in chunk.iter().zip(events) {
            let sequence = event.sequence;
            let read = event.read(claimed.attempts);
            match tx.found().sort("archive", sequence, read)? {
                Some(row) => rows.push(row),
                None => set_unreadable_aside(&mut tx, sequence, lease).await?,
            }
        }
    }
    tx.commit().await?;
    Ok(rows)
}

impl EventRow {
    fn read(self, attempts: i64) -> Result<OutboxRow> {
        Ok(OutboxRow {
            sequence: self.sequence,
            key: EventKey { source: self.event_source, id: self.event_id },
            article: row_of("archive", &self.sequence).text("article", self.article)?,
            routing_key: self.routing_key,
            body: self.body,
            attempts: row_of("outbox", &self.sequence).small("attempts", attempts)?,
        })
    }
}

/// Sets a row aside that cannot be read, and tries it again later. Nothing waits behind it.
async fn set_unreadable_aside(tx: &mut Tx, sequence: i64, lease: &Lease) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE outbox SET holder = NULL, ready_at = $2, error = $3, set_aside_at = COALESCE(set_aside_at, $4) \
         WHERE sequence = $1",
    )
    .bind(sequence)
    .bind(ms(lease.now).saturating_add(SET_ASIDE_MS).max(1))
    .bind("the archive's row cannot be read; the log says more")
    .bind(ms(lease.now))
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// How many of these rows, from the first, fit into one claim; at least one.
async fn fitting(tx: &mut Tx, claimed: &[ClaimedRow]) -> Result<usize> {
    let (mut fitting, mut bytes) = (0, 0_i64);
    for chunk in claimed.chunks(CHUNK) {
        let lengths: Vec<i64> = on!(&mut *tx, c: D => {
            let mut query =
                QueryBuilder::<D>::new("SELECT CAST(length(body) AS BIGINT) FROM archive WHERE sequence IN (");
            let mut list = query.separated(", ");
            for row in chunk {
                list.push_bind(row.sequence);
            }
            query.push(") ORDER BY sequence");
            query.build_query_scalar().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        for length in lengths {
            if bytes >= BODIES_MAX {
                return Ok(fitting);
            }
            bytes = bytes.saturating_add(length);
            fitting += 1;
        }
    }
    Ok(fitting)
}

/// Makes rows of this claim ready again: they are the last of it, so none of an article overtakes another.
async fn give_back(tx: &mut Tx, rows: &[ClaimedRow]) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        on!(&mut *tx, c: D => {
            let mut query =
                QueryBuilder::<D>::new("UPDATE outbox SET holder = NULL, ready_at = 0 WHERE sequence IN (");
            let mut list = query.separated(", ");
            for row in chunk {
                list.push_bind(row.sequence);
            }
            query.push(")");
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

/// The events of these rows, in order of sequence; there is one for each (foreign key).
async fn events(tx: &mut Tx, claimed: &[ClaimedRow]) -> Result<Vec<EventRow>> {
    Ok(on!(tx, c: D => {
        let mut query = QueryBuilder::<D>::new(
            "SELECT sequence, event_source, event_id, article, routing_key, body FROM archive WHERE sequence IN (",
        );
        let mut list = query.separated(", ");
        for row in claimed {
            list.push_bind(row.sequence);
        }
        query.push(") ORDER BY sequence");
        query.build_query_as().persistent(claimed.len() == CHUNK).fetch_all(c).await?
    }))
}

/// Removes confirmed rows, and notes in the archive when.
pub(super) async fn confirmed(db: &Db, sequences: &[i64], at: Timestamp) -> Result<()> {
    let mut tx = db.begin_shared().await?;
    for chunk in sequences.chunks(CHUNK) {
        on!(&mut tx, c: D => {
            let mut delete = QueryBuilder::<D>::new("DELETE FROM outbox WHERE sequence IN (");
            let mut list = delete.separated(", ");
            for sequence in chunk {
                list.push_bind(*sequence);
            }
            delete.push(")");
            delete.build().persistent(chunk.len() == CHUNK).execute(&mut *c).await?;
            let mut note = QueryBuilder::<D>::new("UPDATE archive SET confirmed_at = ");
            note.push_bind(ms(at)).push(" WHERE confirmed_at IS NULL AND submitted = 1 AND sequence IN (");
            let mut list = note.separated(", ");
            for sequence in chunk {
                list.push_bind(*sequence);
            }
            note.push(")");
            note.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    tx.commit().await
}

/// Gives rows still held by `holder` back; later rows of the same articles wait with them.
pub(super) async fn failed(db: &Db, holder: &str, sequences: &[i64], due_at: Timestamp, error: &str) -> Result<()> {
    let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
    let due_ms = ms(due_at).max(1);
    let mut tx = db.begin_shared().await?;
    for sequence in sequences {
        let row: Option<(String, Option<i64>)> = on!(&mut tx, c: D => sqlx::query_as(
            "UPDATE outbox SET holder = NULL, ready_at = $3, attempts = attempts + 1, error = $4 \
             WHERE sequence = $2 AND holder = $1 RETURNING article, set_aside_at",
        )
        .bind(holder)
        .bind(*sequence)
        .bind(due_ms)
        .bind(error.as_str())
        .fetch_optional(c)
        .await?);
        let Some((article, None)) = row else { continue };
        on!(&mut tx, c: D => sqlx::query(WAIT_BEHIND)
        .bind(article)
        .bind(*sequence)
        .bind(due_ms)
        .execute(c)
        .await?
        .rows_affected());
    }
    tx.commit().await
}

/// Sets rows still held by `holder` aside; nothing waits behind them any more.
pub(super) async fn set_aside(
    db: &Db,
    holder: &str,
    sequences: &[i64],
    (at, due_at): (Timestamp, Timestamp),
    error: &str,
) -> Result<()> {
    let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
    let mut tx = db.begin_shared().await?;
    for sequence in sequences {
        on!(&mut tx, c: D => sqlx::query(
            "UPDATE outbox SET holder = NULL, ready_at = $3, attempts = attempts + 1, error = $4, \
                set_aside_at = COALESCE(set_aside_at, $5) \
             WHERE sequence = $2 AND holder = $1",
        )
        .bind(holder)
        .bind(*sequence)
        .bind(ms(due_at).max(1))
        .bind(error.as_str())
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
    }
    tx.commit().await
}

/// How full the outbox is.
pub(super) async fn state(db: &Db) -> Result<OutboxState> {
    let mut tx = db.snapshot().await?;
    let waiting: i64 = on!(&mut tx, c: D => sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT sequence FROM outbox WHERE set_aside_at IS NULL LIMIT $1) AS counted",
    )
    .bind(COUNTED_MAX)
    .fetch_one(c)
    .await?);
    let oldest: Option<(i64, i64)> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT sequence, submitted_at FROM outbox WHERE set_aside_at IS NULL ORDER BY sequence LIMIT 1",
    )
    .fetch_optional(c)
    .await?);
    let set_aside = match first_set_aside(&mut tx).await? {
        None => None,
        Some(row) => {
            let count: i64 = on!(&mut tx, c: D => sqlx::query_scalar(
                "SELECT COUNT(*) FROM (SELECT sequence FROM outbox WHERE set_aside_at IS NOT NULL LIMIT $1) AS counted",
            )
            .bind(COUNTED_MAX)
            .fetch_one(c)
            .await?);
            let cell = row_of("outbox", &row.sequence);
            Some(SetAside {
                count: cell.count("count", count)?,
                since: cell.time("set_aside_at", row.set_aside_at)?,
                article: cell.text("article", row.article)?,
                error: row.error,
            })
        }
    };
    Ok(OutboxState {
        set_aside,
        waiting: row_of("outbox", &"all").count("count", waiting)?,
        oldest_at: oldest.map(|(sequence, at)| row_of("outbox", &sequence).time("submitted_at", at)).transpose()?,
    })
}

async fn first_set_aside(tx: &mut Tx) -> Result<Option<SetAsideRow>> {
    Ok(on!(tx, c: D => sqlx::query_as(
        "SELECT sequence, article, error, set_aside_at FROM outbox WHERE set_aside_at IS NOT NULL \
         ORDER BY set_aside_at, sequence LIMIT 1",
    )
    .fetch_optional(c)
    .await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntakeStore;

    #[tokio::test]
    async fn a_claim_is_served_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = IntakeStore::open(folder.path().join("intake.db")).await.unwrap();
        store.db.assert_served_by_indexes(READY_AGAIN, &[]).await;
        store.db.assert_served_by_indexes(CLAIM, &[]).await;
        let steps = store.db.steps_of(WAIT_BEHIND).await;
        assert!(steps.iter().any(|step| step.contains("outbox_article (article=? AND sequence>?)")), "{steps:?}");
    }
}
