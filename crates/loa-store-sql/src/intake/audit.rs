//! The audit: how far each outlet was asked, what it had not seen, and which heartbeats came through.
//!
//! A gap is a row of its own, so a look at completeness costs the gaps (counted up to a bound), never the archive.

use crate::{
    db::{Db, Found, Tx},
    fault::Result,
    row::{Kept, from_row, ms, row_of},
    seen::CHUNK,
};
use jiff::Timestamp;
use loa_domain::{EventKey, Outlet};
use loa_store::{
    AuditEvent, AuditRound, Completeness, GAPS_COUNTED_MAX, Gaps, HeardHeartbeat, STRANGERS_MAX, Said, Unaudited,
};
use sqlx::QueryBuilder;

/// The most events of one page.
const PAGE_MAX: u32 = 1_000;
/// The most heartbeat rows that are read: queues × bindings × installations is fewer.
const HEARTBEATS_MAX: i64 = 1_000;

/// When the bus had an event at the latest; NULL while it waits in the outbox.
macro_rules! routed_at {
    () => {
        "CASE WHEN o.sequence IS NULL THEN COALESCE(a.confirmed_at, a.archived_at) END"
    };
}

/// What follows the place that an outlet's audit has reached.
pub(super) const UNAUDITED: &str = concat!(
    "SELECT a.sequence, a.event_source, a.event_id, a.content_hash, a.archived_at, ",
    routed_at!(),
    " AS routed_at FROM archive AS a LEFT JOIN outbox AS o ON o.sequence = a.sequence \
     WHERE a.sequence > $1 ORDER BY a.sequence LIMIT $2"
);
/// The gaps of an outlet that nobody looked at for the longest time.
pub(super) const TO_LOOK_AT: &str = concat!(
    "SELECT a.sequence, a.event_source, a.event_id, a.content_hash, a.archived_at, ",
    routed_at!(),
    " AS routed_at FROM gap AS g JOIN archive AS a ON a.sequence = g.sequence \
     LEFT JOIN outbox AS o ON o.sequence = a.sequence \
     WHERE g.outlet = $1 ORDER BY g.looked_at, g.sequence LIMIT $2"
);
/// The oldest gaps of an outlet whose events the bus had within a span: `$2` < routed <= `$3`.
const GAPS: &str = "SELECT COUNT(*) AS count, MIN(archived_at) AS since, MIN(sequence) AS first FROM \
    (SELECT a.archived_at, a.sequence FROM gap AS g JOIN archive AS a ON a.sequence = g.sequence \
     WHERE g.outlet = $1 AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.sequence = a.sequence) \
       AND COALESCE(a.confirmed_at, a.archived_at) > $2 AND COALESCE(a.confirmed_at, a.archived_at) <= $3 \
     ORDER BY g.sequence LIMIT $4) AS counted";

from_row!(EventRow in "archive" by sequence {
    sequence: i64,
    event_source: String,
    event_id: String,
    content_hash: Option<String>,
    archived_at: i64,
    routed_at: Option<i64>,
});
from_row!(AuditRow { reached: i64, asked_at: Option<i64>, passed_at: Option<i64> });
from_row!(GapsRow { count: i64, since: Option<i64>, first: Option<i64> });
from_row!(HeartbeatRow {
    queue: String,
    binding: String,
    installation: String,
    host: String,
    sent_at: i64,
    first_at: i64,
    heard_at: i64,
});

/// How far an outlet was audited, and what follows.
pub(super) async fn unaudited(db: &Db, outlet: Outlet, limit: u32) -> Result<Unaudited> {
    let mut tx = db.snapshot().await?;
    let reached = place(&mut tx, outlet).await?.reached;
    let rows: Vec<Kept<EventRow>> = on!(&mut tx, c: D => sqlx::query_as(UNAUDITED)
        .bind(reached)
        .bind(i64::from(limit.clamp(1, PAGE_MAX)))
        .fetch_all(c)
        .await?);
    Ok(Unaudited { reached, events: readable(tx.found(), rows)? })
}

/// Moves an outlet's place and notes gaps; `false` when its place is another one than where the round began.
pub(super) async fn audited(db: &Db, round: &AuditRound) -> Result<bool> {
    let mut tx = db.begin().await?;
    let moved = on!(&mut tx, c: D => sqlx::query(
        "UPDATE audit SET reached = $3, \
            asked_at = CASE WHEN asked_at IS NULL OR asked_at < $4 THEN $4 ELSE asked_at END, \
            passed_at = CASE WHEN passed_at IS NULL OR passed_at < $5 THEN COALESCE($5, passed_at) ELSE passed_at END \
         WHERE outlet = $1 AND reached = $2",
    )
    .bind(round.outlet.as_str())
    .bind(round.from)
    .bind(round.to)
    .bind(ms(round.at))
    .bind(round.passed_at.map(ms))
    .execute(c)
    .await?
    .rows_affected());
    if moved == 0 {
        return Ok(false);
    }
    for chunk in round.missing.chunks(CHUNK) {
        on!(&mut tx, c: D => {
            let mut query = QueryBuilder::<D>::new("INSERT INTO gap (outlet, sequence, looked_at) ");
            query.push_values(chunk, |mut row, sequence| {
                row.push_bind(round.outlet.as_str()).push_bind(*sequence).push_bind(ms(round.at));
            });
            query.push(" ON CONFLICT (outlet, sequence) DO NOTHING");
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    tx.commit().await?;
    Ok(true)
}

/// The gaps of an outlet to be looked at next.
pub(super) async fn gaps_to_ask_about(db: &Db, outlet: Outlet, limit: u32) -> Result<Vec<AuditEvent>> {
    let rows: Vec<Kept<EventRow>> = read!(db, c => sqlx::query_as(TO_LOOK_AT)
        .bind(outlet.as_str())
        .bind(i64::from(limit.clamp(1, PAGE_MAX)))
        .fetch_all(c)
        .await?);
    readable(db.found(), rows)
}

/// What can be read of the rows. A time that cannot be read makes no event invisible: it counts as long ago, so that the outlet
/// is asked for it all the same. One whose key cannot be read cannot be asked for.
fn readable(found: &Found, rows: Vec<Kept<EventRow>>) -> Result<Vec<AuditEvent>> {
    let mut events = Vec::with_capacity(rows.len());
    for row in found.rows(rows) {
        let (sequence, said) = (row.sequence, row.said());
        let routed_at = row.routed_at.map(|_| Timestamp::UNIX_EPOCH);
        let as_far_as_it_goes = AuditEvent { sequence, archived_at: Timestamp::UNIX_EPOCH, routed_at, said };
        events.push(found.sort("archive", sequence, row.read())?.unwrap_or(as_far_as_it_goes));
    }
    Ok(events)
}

/// Closes gaps that are seen, and notes when the others were looked at.
pub(super) async fn gaps_asked_about(
    db: &Db,
    outlet: Outlet,
    seen: &[i64],
    missing: &[i64],
    at: Timestamp,
) -> Result<()> {
    let mut tx = db.begin().await?;
    for (sequences, closes) in [(seen, true), (missing, false)] {
        for chunk in sequences.chunks(CHUNK) {
            on!(&mut tx, c: D => {
                let mut query = if closes {
                    QueryBuilder::<D>::new("DELETE FROM gap WHERE outlet = ")
                } else {
                    let mut query = QueryBuilder::<D>::new("UPDATE gap SET looked_at = ");
                    query.push_bind(ms(at)).push(" WHERE outlet = ");
                    query
                };
                query.push_bind(outlet.as_str()).push(" AND sequence IN (");
                let mut list = query.separated(", ");
                for sequence in chunk {
                    list.push_bind(*sequence);
                }
                query.push(")");
                query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
            });
        }
    }
    tx.commit().await
}

/// How complete each outlet is.
pub(super) async fn completeness(db: &Db, routed_until: Timestamp) -> Result<Vec<Completeness>> {
    let mut tx = db.snapshot().await?;
    let mut all = Vec::new();
    for outlet in Outlet::RECEIVING {
        let (row, name) = (place(&mut tx, outlet).await?, outlet.as_str());
        let cell = row_of("audit", &name);
        // The next in order: older ones of another machine's clock make no difference of weight.
        let unaudited: Option<i64> = on!(&mut tx, c: D => sqlx::query_scalar(
            "SELECT archived_at FROM archive WHERE sequence > $1 ORDER BY sequence LIMIT 1",
        )
        .bind(row.reached)
        .fetch_optional(c)
        .await?);
        let until = ms(routed_until);
        let passed = row.passed_at.unwrap_or(i64::MIN).min(until);
        all.push(Completeness {
            outlet,
            asked_at: row.asked_at.map(|at| cell.time("asked_at", at)).transpose()?,
            unaudited_since: unaudited.map(|at| cell.time("archived_at", at)).transpose()?,
            not_received: gaps(&mut tx, outlet, i64::MIN, passed).await?,
            late: gaps(&mut tx, outlet, passed, until).await?,
        });
    }
    Ok(all)
}

async fn gaps(tx: &mut Tx, outlet: Outlet, after: i64, until: i64) -> Result<Option<Gaps>> {
    let row: GapsRow = on!(&mut *tx, c: D => sqlx::query_as(GAPS)
        .bind(outlet.as_str())
        .bind(after)
        .bind(until)
        .bind(i64::from(GAPS_COUNTED_MAX))
        .fetch_one(c)
        .await?);
    let (Some(since), Some(first)) = (row.since, row.first) else { return Ok(None) };
    let (article, source, id): (String, String, String) = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT article, event_source, event_id FROM archive WHERE sequence = $1",
    )
    .bind(first)
    .fetch_one(c)
    .await?);
    let cell = row_of("archive", &first);
    Ok(Some(Gaps {
        count: row_of("gap", &first).count("count", row.count)?,
        since: cell.time("archived_at", since)?,
        article: cell.text("article", article)?,
        event: EventKey { source, id },
    }))
}

async fn place(tx: &mut Tx, outlet: Outlet) -> Result<AuditRow> {
    Ok(on!(tx, c: D => sqlx::query_as("SELECT reached, asked_at, passed_at FROM audit WHERE outlet = $1")
        .bind(outlet.as_str())
        .fetch_one(c)
        .await?))
}

impl EventRow {
    fn said(&self) -> Said {
        let key = EventKey { source: self.event_source.clone(), id: self.event_id.clone() };
        Said { key, content_hash: self.content_hash.clone() }
    }

    fn read(self) -> Result<AuditEvent> {
        let cell = row_of("archive", &self.sequence);
        Ok(AuditEvent {
            sequence: self.sequence,
            said: self.said(),
            archived_at: cell.time("archived_at", self.archived_at)?,
            routed_at: self.routed_at.map(|at| cell.time("confirmed_at", at)).transpose()?,
        })
    }
}

/// A heartbeat that is noted as sent so much later than one is heard, in milliseconds, was noted by a clock that was wrong. It
/// must not hide later ones until then.
const FUTURE_MS_MAX: i64 = 5_000;

/// Notes heartbeats. A process that is behind moves nothing back, but what another one noted in the future.
pub(super) async fn heartbeats_heard(db: &Db, heard: &[HeardHeartbeat]) -> Result<()> {
    let mut tx = db.begin().await?;
    for one in heard {
        on!(&mut tx, c: D => sqlx::query(
            // `WHERE` also tells SQLite that `ON CONFLICT` is no part of a join.
            "INSERT INTO heartbeat (queue, binding, installation, host, sent_at, first_at, heard_at) \
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), \
                    CAST($6 AS BIGINT), CAST($6 AS BIGINT) \
             WHERE (SELECT COUNT(*) FROM heartbeat AS h \
                    WHERE h.queue = $1 AND h.binding = $2 AND h.installation <> $3) < $7 \
             ON CONFLICT (queue, binding, installation) DO UPDATE SET host = excluded.host, \
                sent_at = excluded.sent_at, heard_at = excluded.heard_at \
             WHERE excluded.sent_at > heartbeat.sent_at OR heartbeat.sent_at > excluded.heard_at + $8",
        )
        .bind(one.queue.as_str())
        .bind(one.binding.as_str())
        .bind(one.installation.as_str())
        .bind(one.host.as_str())
        .bind(ms(one.sent_at))
        .bind(ms(one.heard_at))
        .bind(i64::from(STRANGERS_MAX))
        .bind(FUTURE_MS_MAX)
        .execute(c)
        .await?
        .rows_affected());
    }
    tx.commit().await
}

/// Forgets what was heard before.
pub(super) async fn forget_heartbeats(db: &Db, before: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, c: D => sqlx::query("DELETE FROM heartbeat WHERE heard_at < $1")
        .bind(ms(before))
        .execute(c)
        .await?
        .rows_affected());
    tx.commit().await
}

/// The newest heartbeats.
pub(super) async fn heartbeats(db: &Db) -> Result<Vec<HeardHeartbeat>> {
    let rows: Vec<HeartbeatRow> = read!(db, c => sqlx::query_as(
        "SELECT queue, binding, installation, host, sent_at, first_at, heard_at FROM heartbeat \
         ORDER BY queue, binding, installation LIMIT $1",
    )
    .bind(HEARTBEATS_MAX)
    .fetch_all(c)
    .await?);
    let read = |row: HeartbeatRow| {
        let cell = row_of("heartbeat", &"");
        Ok(HeardHeartbeat {
            sent_at: cell.time("sent_at", row.sent_at)?,
            first_at: cell.time("first_at", row.first_at)?,
            heard_at: cell.time("heard_at", row.heard_at)?,
            queue: row.queue,
            binding: row.binding,
            installation: row.installation,
            host: row.host,
        })
    };
    rows.into_iter().map(read).collect()
}

/// This installation's id.
pub(super) async fn installation(db: &Db) -> Result<String> {
    Ok(read!(db, c => sqlx::query_scalar("SELECT id FROM installation").fetch_one(c).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntakeStore;

    #[tokio::test]
    async fn a_round_of_the_audit_is_served_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = IntakeStore::open(folder.path().join("intake.db")).await.unwrap();
        store.db.assert_served_by_indexes(UNAUDITED, &[]).await;
        store.db.assert_served_by_indexes(TO_LOOK_AT, &[]).await;
    }
}
