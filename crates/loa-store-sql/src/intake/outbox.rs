//! The outbox: events that the bus has not confirmed, who sends them, and when to try again.
//!
//! `ready_at` = 0 means ready now; any other value is the end of a lease or back-off. A claim first turns
//! ended ones ready again (each row once for each lease or back-off). So its cost does not grow with the
//! rows in back-off. Then it takes ready ones, news before back-files, portal by portal in turns: an index
//! leads from portal to portal, and to the first rows of each, past whatever stands behind them. All rows of
//! one article are in one lane (`submit.rs`), so that their order is that of their numbers.

use crate::{
    db::{Db, Tx, through},
    fault::{Fault, Result, is_of_wrong_type},
    row::{Kept, SET_ASIDE_MS, from_row, ms, row_of},
    seen::CHUNK,
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, EventKey, Lane, NotCarried};
use loa_store::{ClaimRoom, Lease, OutboxRow, OutboxState, SetAside, WaitingBackFiles};
use sqlx::QueryBuilder;
use std::collections::HashMap;
use tokio::time::Instant;

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
/// The portals that have something ready in a lane, each with its first row. From one to the next by the index.
pub(super) const TURNS: &str = "WITH RECURSIVE turn (portal) AS ( \
        SELECT MIN(portal) FROM outbox WHERE lane = $1 AND ready_at = 0 \
        UNION ALL \
        SELECT (SELECT MIN(o.portal) FROM outbox AS o WHERE o.lane = $1 AND o.ready_at = 0 AND o.portal > turn.portal) \
        FROM turn WHERE turn.portal IS NOT NULL) \
    SELECT portal, (SELECT MIN(o.sequence) FROM outbox AS o WHERE o.lane = $1 AND o.ready_at = 0 AND o.portal = turn.portal) \
        AS first FROM turn WHERE portal IS NOT NULL";
/// What a portal has ready in a lane. An earlier row of the same article that is not ready is in flight, backing off, or (with a
/// lower sequence, hence claimed first) in this claim. Nothing waits behind one that is set aside.
pub(super) const DUE: &str = "SELECT o.sequence FROM outbox AS o \
    WHERE o.lane = $1 AND o.portal = $2 AND o.ready_at = 0 AND NOT EXISTS \
        (SELECT 1 FROM outbox AS e WHERE e.article = o.article AND e.sequence < o.sequence \
            AND (e.ready_at > 0 OR e.lane <> o.lane) AND e.set_aside_at IS NULL) \
    ORDER BY o.sequence LIMIT $3";
/// PostgreSQL's text of [`DUE`]. The `OFFSET 0` keeps the look at earlier rows a look, for each candidate: as a join, it
/// might walk through the whole backlog.
pub(super) const DUE_POSTGRES: &str = "SELECT o.sequence FROM outbox AS o \
    WHERE o.lane = $1 AND o.portal = $2 AND o.ready_at = 0 AND NOT EXISTS \
        (SELECT 1 FROM outbox AS e WHERE e.article = o.article AND e.sequence < o.sequence \
            AND (e.ready_at > 0 OR e.lane <> o.lane) AND e.set_aside_at IS NULL LIMIT 1 OFFSET 0) \
    ORDER BY o.sequence LIMIT $3 FOR UPDATE OF o SKIP LOCKED";

/// What [`READY_AGAIN`] makes ready.
const ENDED: &str =
    "SELECT sequence FROM outbox WHERE ready_at > 0 AND ready_at <= $1 ORDER BY ready_at, sequence LIMIT $2";

/// Later rows of an article wait with a failed one: spares every claim until then a look at them. The `+ 0` keeps the
/// planner from walking through everything that is ready.
pub(super) const WAIT_BEHIND: &str =
    "UPDATE outbox SET ready_at = $3 WHERE article = $1 AND sequence > $2 AND ready_at + 0 = 0";

from_row!(TurnRow { portal: String, first: i64 });
from_row!(ClaimedRow in "outbox" by sequence { sequence: i64, attempts: i64 });
from_row!(SetAsideRow in "outbox" by sequence { sequence: i64, article: String, error: String, set_aside_at: i64 });
from_row!(WholeRow in "outbox" by sequence {
    sequence: i64,
    article: String,
    ready_at: i64,
    holder: Option<String>,
    attempts: i64,
    error: String,
    submitted_at: i64,
    set_aside_at: Option<i64>,
    lane: i64,
    portal: String,
});
from_row!(WaitingRow in "outbox" by sequence { sequence: i64, submitted_at: i64 });
from_row!(ArchivedRow in "archive" by sequence { sequence: i64, article: String, archived_at: i64 });
from_row!(EventRow in "archive" by sequence {
    sequence: i64,
    event_source: String,
    event_id: String,
    article: String,
    routing_key: String,
    body: Vec<u8>,
});

/// Claims ready rows, in the order of their turns.
pub(super) async fn claim(db: &Db, lease: &Lease, room: &ClaimRoom) -> Result<Vec<OutboxRow>> {
    // In turn: which rows of an article may be claimed depends on which others are.
    let mut tx = db.begin_serial().await?;
    let (chosen, kept) = match together(&mut tx, lease, room).await {
        Err(Fault::Sql(error)) if is_of_wrong_type(&error) => one_by_one(&mut tx, lease, room).await?,
        claimed => claimed?,
    };
    let mut claimed = Vec::with_capacity(kept.len());
    for row in kept {
        // the number of a row is its place in the file, and is always one
        let (sequence, read) = (row.key().parse().unwrap_or_default(), row.read());
        match tx.found().sort("outbox", sequence, read)? {
            Some(row) => claimed.push(row),
            None => set_unreadable_aside(&mut tx, sequence, lease).await?,
        }
    }
    claimed.sort_by_key(|row| chosen.place(row.sequence));
    let too_much = claimed.split_off(fitting(&mut tx, &claimed).await?);
    give_back(&mut tx, &too_much).await?;
    let mut rows = Vec::with_capacity(claimed.len());
    for chunk in claimed.chunks_mut(CHUNK) {
        chunk.sort_by_key(|row| row.sequence);
        let events = events(&mut tx, chunk).await?;
        for (claimed, event) in chunk.iter().zip(events) {
            let sequence = claimed.sequence;
            let read = event.read().and_then(|event| event.read(claimed.attempts, chosen.lane(sequence)));
            match tx.found().sort("archive", sequence, read)? {
                Some(row) => rows.push(row),
                None => set_unreadable_aside(&mut tx, sequence, lease).await?,
            }
        }
    }
    rows.sort_by_key(|row| chosen.place(row.sequence));
    tx.commit().await?;
    Ok(rows)
}

/// Which rows a claim is to have, in the order of their turns.
#[derive(Default)]
struct Chosen {
    order: Vec<i64>,
    /// The place in that order, and the lane.
    places: HashMap<i64, (usize, Lane)>,
}

impl Chosen {
    fn push(&mut self, sequence: i64, lane: Lane) {
        self.places.insert(sequence, (self.order.len(), lane));
        self.order.push(sequence);
    }

    fn place(&self, sequence: i64) -> usize {
        self.places.get(&sequence).map_or(usize::MAX, |(place, _)| *place)
    }

    fn lane(&self, sequence: i64) -> Lane {
        self.places.get(&sequence).map_or(Lane::Live, |(_, lane)| *lane)
    }
}

/// Chooses what is claimed: lane by lane, in each portal by portal. `spare`: so many more, in whose place nobody is to stand
/// back, since they may be rows that cannot be written.
async fn choose(tx: &mut Tx, room: &ClaimRoom, spare: u32) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    for lane in Lane::ALL {
        let taken = u32::try_from(chosen.order.len()).unwrap_or(u32::MAX);
        let left = room.max.saturating_sub(taken).min(if lane == Lane::Live { room.max } else { room.back_files });
        if left == 0 {
            continue;
        }
        let mut turns: Vec<TurnRow> =
            on!(&mut *tx, c: D => sqlx::query_as(TURNS).bind(lane.number()).fetch_all(c).await?);
        // whose first has waited longest has the first turn: nobody is passed over however many there are
        turns.sort_by_key(|turn| turn.first);
        let even = left.div_ceil(u32::try_from(turns.len().max(1)).unwrap_or(u32::MAX));
        let mut hands = Vec::with_capacity(turns.len());
        for turn in turns.iter().take(left as usize) {
            let share = room.for_portal(lane, &turn.portal).min(even);
            if share > 0 {
                hands.push(due(tx, lane, &turn.portal, share.saturating_add(spare)).await?);
            }
        }
        for sequence in deal(&hands).take(left.saturating_add(spare) as usize) {
            chosen.push(sequence, lane);
        }
    }
    Ok(chosen)
}

async fn due(tx: &mut Tx, lane: Lane, portal: &str, max: u32) -> Result<Vec<i64>> {
    let due = tx.text(DUE, DUE_POSTGRES);
    Ok(on!(tx, c: D => sqlx::query_scalar(due)
        .bind(lane.number())
        .bind(portal)
        .bind(i64::from(max))
        .fetch_all(c)
        .await?))
}

/// The first of each hand, then the second of each.
fn deal(hands: &[Vec<i64>]) -> impl Iterator<Item = i64> + '_ {
    let rounds = hands.iter().map(Vec::len).max().unwrap_or(0);
    (0..rounds).flat_map(move |round| hands.iter().filter_map(move |hand| hand.get(round).copied()))
}

/// Makes what ended ready again, and claims what is ready, by few statements.
async fn together(tx: &mut Tx, lease: &Lease, room: &ClaimRoom) -> Result<(Chosen, Vec<Kept<ClaimedRow>>)> {
    let ready_again = tx.text(READY_AGAIN, READY_AGAIN_POSTGRES);
    on!(&mut *tx, c: D => sqlx::query(ready_again).bind(ms(lease.now)).bind(ENDED_MAX).execute(c).await?.rows_affected());
    let chosen = choose(tx, room, 0).await?;
    let mut claimed = Vec::with_capacity(chosen.order.len());
    for chunk in chosen.order.chunks(CHUNK) {
        let rows: Vec<Kept<ClaimedRow>> = on!(&mut *tx, c: D => {
            let mut query = QueryBuilder::<D>::new("UPDATE outbox SET holder = ");
            query.push_bind(lease.holder.as_str()).push(", ready_at = ").push_bind(ms(lease.until).max(1));
            query.push(" WHERE sequence IN (");
            let mut list = query.separated(", ");
            for sequence in chunk {
                list.push_bind(*sequence);
            }
            query.push(") RETURNING sequence, attempts");
            query.build_query_as().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        claimed.extend(rows);
    }
    Ok((chosen, claimed))
}

/// The same, row by row: one of them has a value of another type than its column, for which SQLite refuses any change of it. It
/// stays where it is, and takes nobody's place.
async fn one_by_one(tx: &mut Tx, lease: &Lease, room: &ClaimRoom) -> Result<(Chosen, Vec<Kept<ClaimedRow>>)> {
    let unreadable = u32::try_from(tx.found().unreadable_in("outbox")).unwrap_or(0);
    let ended: Vec<i64> = on!(&mut *tx, c: D => sqlx::query_scalar(ENDED)
        .bind(ms(lease.now))
        .bind(i64::from(room.max).saturating_add(i64::from(unreadable)))
        .fetch_all(c)
        .await?);
    for sequence in ended {
        let written = hold(tx, sequence, None, 0).await;
        tx.found().sort("outbox", sequence, written)?;
    }
    let chosen = choose(tx, room, unreadable).await?;
    let mut claimed = Vec::new();
    for sequence in &chosen.order {
        let written = hold(tx, *sequence, Some(&lease.holder), ms(lease.until).max(1)).await;
        claimed.extend(tx.found().sort("outbox", *sequence, written)?.flatten());
        if claimed.len() >= room.max as usize {
            break;
        }
    }
    Ok((chosen, claimed))
}

async fn hold(tx: &mut Tx, sequence: i64, holder: Option<&str>, until_ms: i64) -> Result<Option<Kept<ClaimedRow>>> {
    Ok(on!(tx, c: D => sqlx::query_as(
        "UPDATE outbox SET holder = $2, ready_at = $3 WHERE sequence = $1 RETURNING sequence, attempts",
    )
    .bind(sequence)
    .bind(holder)
    .bind(until_ms)
    .fetch_optional(c)
    .await?))
}

impl EventRow {
    fn read(self, attempts: i64, lane: Lane) -> Result<OutboxRow> {
        Ok(OutboxRow {
            sequence: self.sequence,
            key: EventKey { source: self.event_source, id: self.event_id },
            article: row_of("archive", &self.sequence).text("article", self.article)?,
            lane,
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
    .bind(NotCarried::Unreadable.to_json())
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
        let lengths: Vec<(i64, i64)> = on!(&mut *tx, c: D => {
            let mut query =
                QueryBuilder::<D>::new("SELECT sequence, CAST(length(body) AS BIGINT) FROM archive WHERE sequence IN (");
            let mut list = query.separated(", ");
            for row in chunk {
                list.push_bind(row.sequence);
            }
            query.push(")");
            query.build_query_as().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        let lengths: HashMap<i64, i64> = lengths.into_iter().collect();
        for row in chunk {
            if bytes >= BODIES_MAX {
                return Ok(fitting);
            }
            bytes = bytes.saturating_add(lengths.get(&row.sequence).copied().unwrap_or(0));
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
async fn events(tx: &mut Tx, claimed: &[ClaimedRow]) -> Result<Vec<Kept<EventRow>>> {
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
    why: &NotCarried,
) -> Result<()> {
    let why = why.to_json();
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
        .bind(why.as_str())
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
    }
    tx.commit().await
}

/// Reads the whole outbox, until it is time to end: then `false`.
pub(super) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let rows = "SELECT sequence, article, ready_at, holder, attempts, error, submitted_at, set_aside_at, lane, portal \
                FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2";
    through(db, rows, 0_i64, until, WholeRow::check).await
}

impl WholeRow {
    fn check(self) -> Result<()> {
        let cell = row_of("outbox", &self.sequence);
        cell.small("attempts", self.attempts)?;
        cell.time("ready_at", self.ready_at)?;
        cell.time("submitted_at", self.submitted_at)?;
        self.set_aside_at.map(|at| cell.time("set_aside_at", at)).transpose()?;
        let _ = (self.holder, self.error, self.portal); // it is enough that they are texts
        cell.small("lane", self.lane)?;
        cell.text::<ArticleKey>("article", self.article).map(drop)
    }
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
    let back_files: i64 = on!(&mut tx, c: D => sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT sequence FROM outbox WHERE set_aside_at IS NULL AND lane = 1 LIMIT $1) AS counted",
    )
    .bind(COUNTED_MAX)
    .fetch_one(c)
    .await?);
    let back_files = match row_of("outbox", &"all").count("count", back_files)? {
        0 => None,
        count => Some(WaitingBackFiles { count, oldest_at: oldest_at(&mut tx, Lane::BackFile).await? }),
    };
    Ok(OutboxState {
        set_aside: set_aside_state(&mut tx).await?,
        waiting: row_of("outbox", &"all").count("count", waiting)?,
        oldest_at: oldest_at(&mut tx, Lane::Live).await?,
        back_files,
    })
}

/// Since when the oldest of a lane waits.
async fn oldest_at(tx: &mut Tx, lane: Lane) -> Result<Option<Timestamp>> {
    let oldest: Option<Kept<WaitingRow>> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT sequence, submitted_at FROM outbox WHERE set_aside_at IS NULL AND lane = $1 ORDER BY sequence LIMIT 1",
    )
    .bind(lane.number())
    .fetch_optional(c)
    .await?);
    match oldest.map(|row| (row.key(), row.read().and_then(|row| row.submitted_at()))) {
        Some((sequence, read)) => tx.found().sort("outbox", sequence, read),
        None => Ok(None),
    }
}

/// What is set aside: how many, and the first that can be read, of a few. When none of these can, it is told all the same.
async fn set_aside_state(tx: &mut Tx) -> Result<Option<SetAside>> {
    let count: i64 = on!(&mut *tx, c: D => sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT sequence FROM outbox WHERE set_aside_at IS NOT NULL LIMIT $1) AS counted",
    )
    .bind(COUNTED_MAX)
    .fetch_one(c)
    .await?);
    let kept: Vec<Kept<SetAsideRow>> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT sequence, article, error, set_aside_at FROM outbox WHERE set_aside_at IS NOT NULL \
         ORDER BY set_aside_at, sequence LIMIT 20",
    )
    .fetch_all(c)
    .await?);
    let count = row_of("outbox", &"all").count("count", count)?;
    // the number of a row is its place in the file, and is always one
    let first: Option<i64> = kept.first().and_then(|row| row.key().parse().ok());
    for row in kept {
        let (sequence, read) = (row.key(), row.read().and_then(|row| row.read(count)));
        let read = tx.found().sort("outbox", sequence, read)?;
        if read.is_some() {
            return Ok(read);
        }
    }
    match first {
        Some(sequence) => unreadable_set_aside(tx, sequence, count).await.map(Some),
        None => Ok(None),
    }
}

/// One that is set aside and cannot be read: its article is told by the archive, and since when it can be at the earliest.
async fn unreadable_set_aside(tx: &mut Tx, sequence: i64, count: u64) -> Result<SetAside> {
    let archived: Option<Kept<ArchivedRow>> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT sequence, article, archived_at FROM archive WHERE sequence = $1",
    )
    .bind(sequence)
    .fetch_optional(c)
    .await?);
    let cell = row_of("archive", &sequence);
    let read = archived.map(|row| {
        let row = row.read()?;
        Ok((cell.text("article", row.article)?, cell.time("archived_at", row.archived_at)?))
    });
    let known = tx.found().sort("archive", sequence, read.transpose())?.flatten();
    let (article, since) = match known {
        Some(known) => known,
        None => (cell.text("article", format!("unreadable-row-{sequence}"))?, Timestamp::UNIX_EPOCH),
    };
    Ok(SetAside { count, since, article, why: NotCarried::Unreadable })
}

impl WaitingRow {
    fn submitted_at(&self) -> Result<Timestamp> {
        row_of("outbox", &self.sequence).time("submitted_at", self.submitted_at)
    }
}

impl SetAsideRow {
    fn read(self, count: u64) -> Result<SetAside> {
        let cell = row_of("outbox", &self.sequence);
        Ok(SetAside {
            count,
            since: cell.time("set_aside_at", self.set_aside_at)?,
            article: cell.text("article", self.article)?,
            why: NotCarried::of_noted(&self.error),
        })
    }
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
        store.db.assert_served_by_indexes(TURNS, &["turn"]).await; // portals are few, and each has its turn
        store.db.assert_served_by_indexes(DUE, &[]).await;
        let due = store.db.steps_of(DUE).await;
        assert!(due.iter().any(|step| step.contains("outbox_turns (lane=? AND portal=?)")), "{due:?}");
        let steps = store.db.steps_of(WAIT_BEHIND).await;
        assert!(steps.iter().any(|step| step.contains("outbox_article (article=? AND sequence>?)")), "{steps:?}");
        let steps = store.db.steps_of("UPDATE outbox SET lane = 0 WHERE lane + 0 = 1 AND article IN ('a', 'b')").await;
        assert!(steps.iter().any(|step| step.contains("outbox_article (article=?)")), "{steps:?}");
    }

    #[test]
    fn turns_are_dealt_round_by_round() {
        assert_eq!(deal(&[vec![1, 2, 3, 4], vec![5], vec![6, 7]]).collect::<Vec<_>>(), [1, 5, 6, 2, 7, 3, 4]);
    }
}
