//! Runs: opened once for each key, paused and resumed.

use super::upcoming;
use crate::{
    counter,
    db::{Db, Tx},
    fault::{Fault, Result, refuse},
    restoring::refuse_during_restore,
    row::{Kept, from_row, ms, row_of},
};
use jiff::Timestamp;
use loa_domain::{Account, Because, Frequency, MailState, PauseReason, RunKey};
use loa_store::{Run, StoreErrorKind};
use sqlx::QueryBuilder;

from_row!(RunRow in "run" by id {
    id: i64,
    frequency: String,
    due_on: String,
    slot: String,
    zone: String,
    cutoff: i64,
    planned: i64,
    planned_to: String,
    paused: Option<String>,
    pause_reason: Option<String>,
    created_at: i64,
});

const RUN: &str = "SELECT id, frequency, due_on, slot, zone, cutoff, planned, planned_to, paused, pause_reason, \
    created_at FROM run ";

/// Runs after the one with number $1.
pub(super) const RUN_AFTER: &str = "SELECT id, frequency, due_on, slot, zone, cutoff, planned, planned_to, paused, \
    pause_reason, created_at FROM run WHERE id > $1 ORDER BY id LIMIT $2";

impl RunRow {
    /// Whether all of it can be read.
    pub(super) fn check(&self) -> Result<()> {
        let cell = row_of("run", &self.id);
        self.key()?;
        self.why()?;
        cell.time("cutoff", self.cutoff)?;
        cell.time("created_at", self.created_at).map(drop)
    }

    fn key(&self) -> Result<RunKey> {
        let cell = row_of("run", &self.id);
        Ok(RunKey {
            frequency: cell.word("frequency", &self.frequency, Frequency::parse)?,
            on: cell.word("due_on", &self.due_on, |text| text.parse().ok())?,
            slot: self.slot.clone(),
            zone: self.zone.clone(),
        })
    }

    /// Why it is stopped. Programs of before kept one sentence and no reason.
    fn why(&self) -> Result<Option<Because<PauseReason>>> {
        let Some(words) = self.paused.as_deref() else { return Ok(None) };
        let reason = match self.pause_reason.as_deref() {
            Some(word) => row_of("run", &self.id).word("pause_reason", word, PauseReason::parse)?,
            None => PauseReason::NotedBefore,
        };
        Ok(Some(Because::said(reason, words)))
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
            paused: self.why()?,
        })
    }
}

/// A run's key.
pub(super) async fn run_key(tx: &mut Tx, run: i64) -> Result<RunKey> {
    find(tx, run).await?.ok_or_else(|| unknown(run))?.key()
}

/// Runs, newest first.
pub(super) async fn newest(tx: &mut Tx, limit: i64) -> Result<Vec<Run>> {
    listed(tx, "ORDER BY id DESC LIMIT ", limit).await
}

/// Runs that do not go on by themselves, oldest first. The condition is the one of the index `run_stuck`, word for word.
pub(super) async fn stuck(tx: &mut Tx, limit: i64) -> Result<Vec<Run>> {
    listed(tx, "WHERE paused IS NOT NULL OR planned = 0 ORDER BY id LIMIT ", limit).await
}

/// One run, in figures.
pub(super) async fn one(tx: &mut Tx, run: i64) -> Result<Option<Run>> {
    match find(tx, run).await? {
        Some(row) => Ok(Some(row.read(tx).await?)),
        None => Ok(None),
    }
}

async fn listed(tx: &mut Tx, which: &'static str, limit: i64) -> Result<Vec<Run>> {
    let rows: Vec<Kept<RunRow>> = on!(&mut *tx, c: D => {
        let mut query = QueryBuilder::<D>::new(RUN);
        query.push(which).push_bind(limit);
        query.build_query_as().fetch_all(c).await?
    });
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.key();
        let read = match row.read() {
            Ok(row) => row.read(tx).await,
            Err(fault) => Err(fault),
        };
        runs.extend(tx.found().sort("run", id, read)?);
    }
    Ok(runs)
}

/// One run.
pub(super) async fn find(tx: &mut Tx, run: i64) -> Result<Option<RunRow>> {
    Ok(on!(tx, c: D => {
        let mut query = QueryBuilder::<D>::new(RUN);
        query.push("WHERE id = ").push_bind(run);
        query.build_query_as().fetch_optional(c).await?
    }))
}

/// There is no such run.
pub(super) fn unknown(run: i64) -> Fault {
    refuse(StoreErrorKind::NotFound, format!("there is no run {run}"))
}

/// Opens a run or finds it.
pub(super) async fn open_run(db: &Db, key: &RunKey, cutoff: Timestamp, at: Timestamp) -> Result<(Run, bool)> {
    upcoming::admit_all(db, at).await?;
    let mut tx = db.begin().await?;
    refuse_during_restore(&mut tx, "digest").await?;
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
    .await?
    .rows_affected());
    let run = find(&mut tx, id).await?.ok_or_else(|| unknown(id))?.read(&mut tx).await?;
    tx.commit().await?;
    Ok((run, true))
}

/// Stops a run with a reason, or lets it go on. Claimed mails whose dialogue has not begun go back.
pub(super) async fn pause(db: &Db, run: i64, why: Option<&Because<PauseReason>>, at: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    let found = on!(&mut tx, c: D => sqlx::query("UPDATE run SET paused = $2, pause_reason = $3 WHERE id = $1")
        .bind(run)
        .bind(why.map(|why| why.words.as_str()))
        .bind(why.map(|why| why.reason.as_str()))
        .execute(c)
        .await?
        .rows_affected());
    if found == 0 {
        return Err(unknown(run));
    }
    if why.is_some() {
        on!(&mut tx, c: D => sqlx::query(
            "UPDATE mail SET holder = NULL, ready_at = $2 \
             WHERE run = $1 AND ready_at IS NOT NULL AND holder IS NOT NULL AND state = 'planned'",
        )
        .bind(run)
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
    }
    tx.commit().await
}

/// A run in figures, counted from its mails, so that it cannot drift from them.
async fn account(tx: &mut Tx, run: i64) -> Result<Account> {
    let counts: Vec<(String, i64)> = on!(tx, c: D => sqlx::query_as(
        "SELECT state, COUNT(*) FROM mail WHERE run = $1 GROUP BY state",
    )
    .bind(run)
    .fetch_all(c)
    .await?);
    let mut account = Account::default();
    for (state, count) in counts {
        let cell = row_of("mail", &run);
        add(&mut account, cell.word("state", &state, MailState::parse)?, cell.count("state", count)?);
    }
    Ok(account)
}

/// Counts so many mails in this state.
pub(super) fn add(account: &mut Account, state: MailState, count: u64) {
    account.planned += count;
    *match state {
        MailState::Planned | MailState::Submitting => &mut account.waiting,
        MailState::Sent => &mut account.sent,
        MailState::Failed => &mut account.failed,
        MailState::Suppressed => &mut account.suppressed,
        MailState::Uncertain => &mut account.uncertain,
    } += count;
}
