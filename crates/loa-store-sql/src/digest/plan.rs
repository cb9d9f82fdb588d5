//! Runs: opened once for each key, planned piece by piece in order of subscription, paused and resumed.

use super::{
    look::account,
    owed::{CARRIED, CORRECTIONS, MATCHED, considered_at},
};
use crate::{
    counter,
    db::{Db, Tx},
    fault::{Fault, Result, refuse},
    row::{from_row, ms, row_of},
    seen::CHUNK,
};
use jiff::Timestamp;
use loa_domain::{Frequency, RunKey};
use loa_store::{Plan, Run, StoreErrorKind};
use sqlx::QueryBuilder;

/// Subscriptions looked at in one statement.
const PIECE: i64 = 500;
/// Subscriptions looked at in one call: bounds how long it holds the write lock (about a tenth of a second).
const LOOKED_AT_MAX: usize = 5_000;

from_row!(RunRow {
    id: i64,
    frequency: String,
    due_on: String,
    slot: String,
    zone: String,
    cutoff: i64,
    planned: i64,
    planned_to: String,
    paused: Option<String>,
    created_at: i64,
});

const RUN: &str = "SELECT id, frequency, due_on, slot, zone, cutoff, planned, planned_to, paused, created_at FROM run ";

impl RunRow {
    fn key(&self) -> Result<RunKey> {
        let cell = row_of("run", &self.id);
        Ok(RunKey {
            frequency: cell.word("frequency", &self.frequency, Frequency::parse)?,
            on: cell.word("due_on", &self.due_on, |text| text.parse().ok())?,
            slot: self.slot.clone(),
            zone: self.zone.clone(),
        })
    }

    async fn read(self, tx: &mut Tx) -> Result<Run> {
        let cell = row_of("run", &self.id);
        Ok(Run {
            id: self.id,
            key: self.key()?,
            cutoff: cell.time("cutoff", self.cutoff)?,
            planned: self.planned == 1,
            account: account(tx, self.id).await?,
            created_at: cell.time("created_at", self.created_at)?,
            paused: self.paused.clone(),
        })
    }
}

/// A run's key.
pub(super) async fn run_key(tx: &mut Tx, run: i64) -> Result<RunKey> {
    find(tx, run).await?.ok_or_else(|| unknown(run))?.key()
}

/// Runs, newest first.
pub(super) async fn newest(tx: &mut Tx, limit: i64) -> Result<Vec<Run>> {
    let rows: Vec<RunRow> = on!(&mut *tx, c: D => {
        let mut query = QueryBuilder::<D>::new(RUN);
        query.push("ORDER BY id DESC LIMIT ").push_bind(limit);
        query.build_query_as().fetch_all(c).await?
    });
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        runs.push(row.read(tx).await?);
    }
    Ok(runs)
}

async fn find(tx: &mut Tx, run: i64) -> Result<Option<RunRow>> {
    Ok(on!(tx, c: D => {
        let mut query = QueryBuilder::<D>::new(RUN);
        query.push("WHERE id = ").push_bind(run);
        query.build_query_as().fetch_optional(c).await?
    }))
}

fn unknown(run: i64) -> Fault {
    refuse(StoreErrorKind::NotFound, format!("there is no run {run}"))
}

/// Opens a run or finds it.
pub(super) async fn open_run(db: &Db, key: &RunKey, cutoff: Timestamp, at: Timestamp) -> Result<(Run, bool)> {
    let mut tx = db.begin().await?;
    let existing: Option<RunRow> = on!(&mut tx, c: D => {
        let mut query = QueryBuilder::<D>::new(RUN);
        query.push("WHERE frequency = ").push_bind(key.frequency.as_str());
        query.push(" AND due_on = ").push_bind(key.on.to_string());
        query.push(" AND slot = ").push_bind(key.slot.as_str());
        query.push(" AND zone = ").push_bind(key.zone.as_str());
        query.build_query_as().fetch_optional(c).await?
    });
    if let Some(existing) = existing {
        return Ok((existing.read(&mut tx).await?, false));
    }
    let id = counter::take(&mut tx, "run", 1).await?;
    on!(&mut tx, c: D => sqlx::query(
        "INSERT INTO run (id, frequency, due_on, slot, zone, cutoff, planned, planned_to, paused, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, '', NULL, $7)",
    )
    .bind(id)
    .bind(key.frequency.as_str())
    .bind(key.on.to_string())
    .bind(key.slot.as_str())
    .bind(key.zone.as_str())
    .bind(ms(cutoff))
    .bind(ms(at))
    .execute(c)
    .await?);
    let run = find(&mut tx, id).await?.ok_or_else(|| unknown(id))?.read(&mut tx).await?;
    tx.commit().await?;
    Ok((run, true))
}

from_row!(CandidateRow { id: String, email_key: String });
from_row!(OwedRow { subscription: String, article: String, revision: i64, withdrawn: i64 });

/// Plans up to `max` further mails; may stop earlier, with `complete: false`, after looking at many that are owed nothing.
pub(super) async fn plan(db: &Db, run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Result<Plan> {
    let mut tx = db.begin().await?;
    let row = find(&mut tx, run).await?.ok_or_else(|| unknown(run))?;
    if row.planned == 1 {
        return Ok(Plan { mails: 0, complete: true });
    }
    let considered = considered_at(&mut tx, row_of("run", &run).time("cutoff", row.cutoff)?).await?;
    let (mut mails, mut looked_at, mut complete) = (0_u64, 0, false);
    let mut after = row.planned_to.clone();
    while mails < u64::from(max) && looked_at < LOOKED_AT_MAX && !complete {
        let wanted = PIECE.min(i64::from(max) - i64::try_from(mails).unwrap_or(i64::MAX));
        let candidates = candidates(&mut tx, &row.frequency, &after, wanted).await?;
        let Some(upto) = candidates.last().map(|candidate| candidate.id.clone()) else {
            complete = true;
            break;
        };
        looked_at += candidates.len();
        let piece = Piece { run: &row, after: &after, upto: &upto, at };
        mails += piece.plan(&mut tx, &candidates, oldest, considered).await?;
        after = upto;
    }
    on!(&mut tx, c: D => sqlx::query("UPDATE run SET planned_to = $2, planned = $3 WHERE id = $1")
        .bind(run)
        .bind(after)
        .bind(i64::from(complete))
        .execute(c)
        .await?);
    tx.commit().await?;
    Ok(Plan { mails, complete })
}

async fn candidates(tx: &mut Tx, frequency: &str, after: &str, limit: i64) -> Result<Vec<CandidateRow>> {
    Ok(on!(tx, c: D => sqlx::query_as(
        "SELECT s.id, p.email_key FROM subscription AS s JOIN subscriber AS p ON p.id = s.subscriber \
         WHERE s.frequency = $1 AND s.state = 'active' AND s.id > $2 ORDER BY s.id LIMIT $3",
    )
    .bind(frequency)
    .bind(after)
    .bind(limit)
    .fetch_all(c)
    .await?))
}

/// The subscriptions with ids in (after, upto].
struct Piece<'a> {
    run: &'a RunRow,
    after: &'a str,
    upto: &'a str,
    at: Timestamp,
}

impl Piece<'_> {
    /// Makes a mail for each that is owed something; returns how many.
    async fn plan(&self, tx: &mut Tx, candidates: &[CandidateRow], oldest: Timestamp, considered: i64) -> Result<u64> {
        let owed = self.owed(tx, oldest).await?;
        let mut planned: Vec<&CandidateRow> = Vec::new();
        for candidate in candidates {
            if owed.binary_search_by(|row| row.subscription.as_str().cmp(&candidate.id)).is_ok() {
                planned.push(candidate);
            }
        }
        self.add_mails(tx, &planned).await?;
        self.reserve(tx, &owed).await?;
        self.tick_off(tx, considered).await?;
        Ok(planned.len() as u64)
    }

    /// Everything owed in this piece, in order of subscription.
    async fn owed(&self, tx: &mut Tx, oldest: Timestamp) -> Result<Vec<OwedRow>> {
        Ok(on!(tx, c: D => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                "SELECT subscription, article, revision, withdrawn FROM ({MATCHED} UNION {CARRIED} UNION {CORRECTIONS}) \
                 AS owed ORDER BY subscription"
            )));
            let query: sqlx::query::QueryAs<'_, D, _, _> = query;
            query
                .bind(self.run.frequency.as_str())
                .bind(self.after)
                .bind(self.upto)
                .bind(ms(oldest))
                .bind(self.run.cutoff)
                .fetch_all(c)
                .await?
        }))
    }

    async fn add_mails(&self, tx: &mut Tx, planned: &[&CandidateRow]) -> Result<()> {
        for chunk in planned.chunks(CHUNK) {
            on!(&mut *tx, c: D => {
                let mut query = QueryBuilder::<D>::new(
                    "INSERT INTO mail (run, subscription, email_key, state, ready_at, attempts, orphaned, detail) ",
                );
                query.push_values(chunk, |mut row, candidate| {
                    row.push_bind(self.run.id)
                        .push_bind(candidate.id.as_str())
                        .push_bind(candidate.email_key.as_str())
                        .push_bind("planned")
                        .push_bind(ms(self.at))
                        .push_bind(0_i64)
                        .push_bind(0_i64)
                        .push_bind("");
                });
                query.build().persistent(chunk.len() == CHUNK).execute(c).await?
            });
        }
        Ok(())
    }

    async fn reserve(&self, tx: &mut Tx, owed: &[OwedRow]) -> Result<()> {
        for chunk in owed.chunks(CHUNK) {
            on!(&mut *tx, c: D => {
                let mut query = QueryBuilder::<D>::new(
                    "INSERT INTO mail_item (subscription, article, withdrawn, revision, run, included, exposed) ",
                );
                query.push_values(chunk, |mut row, owed| {
                    row.push_bind(owed.subscription.as_str())
                        .push_bind(owed.article.as_str())
                        .push_bind(owed.withdrawn)
                        .push_bind(owed.revision)
                        .push_bind(self.run.id)
                        .push_bind(1_i64)
                        .push_bind(0_i64);
                });
                query.build().persistent(chunk.len() == CHUNK).execute(c).await?
            });
        }
        Ok(())
    }

    /// What is reserved now is not owed any more, and what was passed over will not be looked at again.
    async fn tick_off(&self, tx: &mut Tx, considered: i64) -> Result<()> {
        for delete in [
            "DELETE FROM carried WHERE subscription > $1 AND subscription <= $2 AND EXISTS (SELECT 1 FROM mail_item AS r \
             WHERE r.subscription = carried.subscription AND r.article = carried.article AND r.withdrawn = 0 \
             AND r.run = $3)",
            "DELETE FROM correction WHERE subscription > $1 AND subscription <= $2 AND EXISTS (SELECT 1 FROM mail_item AS r \
             WHERE r.subscription = correction.subscription AND r.article = correction.article AND r.withdrawn = 1 \
             AND r.run = $3)",
        ] {
            on!(&mut *tx, c: D => sqlx::query(delete)
                .bind(self.after)
                .bind(self.upto)
                .bind(self.run.id)
                .execute(c)
                .await?);
        }
        on!(tx, c: D => sqlx::query(
            "UPDATE subscription SET considered = $4 WHERE frequency = $1 AND state = 'active' AND id > $2 AND id <= $3 \
             AND considered < $4",
        )
        .bind(self.run.frequency.as_str())
        .bind(self.after)
        .bind(self.upto)
        .bind(considered)
        .execute(c)
        .await?);
        Ok(())
    }
}

/// Stops a run with a reason, or lets it go on. Claimed mails whose dialogue has not begun go back.
pub(super) async fn pause(db: &Db, run: i64, reason: Option<&str>, at: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    let found = on!(&mut tx, c: D => sqlx::query("UPDATE run SET paused = $2 WHERE id = $1")
        .bind(run)
        .bind(reason)
        .execute(c)
        .await?
        .rows_affected());
    if found == 0 {
        return Err(unknown(run));
    }
    if reason.is_some() {
        on!(&mut tx, c: D => sqlx::query(
            "UPDATE mail SET holder = NULL, ready_at = $2 \
             WHERE run = $1 AND ready_at IS NOT NULL AND holder IS NOT NULL AND state = 'planned'",
        )
        .bind(run)
        .bind(ms(at))
        .execute(c)
        .await?);
    }
    tx.commit().await
}
