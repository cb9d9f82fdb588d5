//! Recording attempts. Every attempt is logged, a late one too. Only the holder of the lease changes the
//! delivery, except that "delivered" always counts: the receiver has it.

use super::{accept::newer_delivered, claim::delivery_number, endpoints::put_state};
use crate::{
    db::{Db, Locking, Tx},
    fault::{Result, refuse},
    row::{from_row, ms, row_of, signed},
};
use jiff::Timestamp;
use loa_domain::{AttemptError, AttemptOutcome, DeliveryId, DeliveryState, DisableReason, EndpointState, Version};
use loa_store::{AttemptRecord, StoreErrorKind};

/// An endpoint that answered 410.
pub(super) const GONE: EndpointState = EndpointState::Disabled { reason: DisableReason::Gone, note: String::new() };

from_row!(DeliveryRow {
    number: i64,
    endpoint: String,
    article: String,
    revision: i64,
    withdrawn: i64,
    version_id: String,
    state: String,
    ready_at: Option<i64>,
    holder: Option<String>,
    attempts: i64,
});

/// The delivery of event ($1, $2) to endpoint $3.
pub(super) const DELIVERY_OF: &str = "SELECT d.number, d.endpoint, d.article, d.revision, d.withdrawn, d.version_id, d.state, \
    d.ready_at, d.holder, d.attempts FROM event AS v JOIN delivery AS d ON d.event = v.id \
    WHERE v.event_source = $1 AND v.event_id = $2 AND d.endpoint = $3";

/// Records attempts; returns how many changed their delivery. An attempt of a delivery that is not there is dropped.
pub(super) async fn record(db: &Db, holder: &str, records: &[AttemptRecord]) -> Result<u64> {
    let mut tx = db.begin_shared().await?;
    let mut changed = 0;
    // In one order for everybody: two who lock the same rows the other way round would wait for each other.
    let mut ordered: Vec<&AttemptRecord> = records.iter().collect();
    ordered.sort_by_key(|record| delivery_number(&record.delivery));
    for record in ordered {
        let Some(row) = find(&mut tx, &record.delivery).await? else {
            tracing::warn!(delivery = %record.delivery, "an attempt of an unknown delivery was dropped");
            continue;
        };
        log(&mut tx, &row, record).await?;
        let held = row.state == DeliveryState::Pending.as_str() && row.holder.as_deref() == Some(holder);
        changed += u64::from(apply(&mut tx, &row, record, held).await?);
    }
    tx.commit().await?;
    Ok(changed)
}

/// A delivery, which does not change any more until the transaction ends: nobody else can take over its lease now.
async fn find(tx: &mut Tx, id: &DeliveryId) -> Result<Option<DeliveryRow>> {
    const DELIVERY: &str = "SELECT number, endpoint, article, revision, withdrawn, version_id, state, ready_at, holder, \
        attempts FROM delivery WHERE number = $1";
    let Some(number) = delivery_number(id) else { return Ok(None) };
    let select = tx.locking(DELIVERY, Locking::Rows);
    Ok(on!(tx, c: D => sqlx::query_as(select)
    .bind(number)
    .fetch_optional(c)
    .await?))
}

pub(super) async fn log(tx: &mut Tx, row: &DeliveryRow, record: &AttemptRecord) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO attempt (delivery, number, started_at, duration_ms, status, error_class, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(row.number)
    .bind(row.attempts + 1)
    .bind(ms(record.started_at))
    .bind(signed(record.duration_ms)?)
    .bind(record.status.map(i64::from))
    .bind(record.error.map_or("", AttemptError::as_str))
    .bind(record.words.as_str())
    .execute(c)
    .await?
    .rows_affected());
    on!(tx, c: D => sqlx::query("UPDATE delivery SET attempts = attempts + 1 WHERE number = $1")
        .bind(row.number)
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// Applies what follows; says whether the delivery changed.
pub(super) async fn apply(tx: &mut Tx, row: &DeliveryRow, record: &AttemptRecord, held: bool) -> Result<bool> {
    let ended_ms = ms(record.started_at).saturating_add(signed(record.duration_ms)?);
    match &record.outcome {
        AttemptOutcome::Delivered if row.state == DeliveryState::Delivered.as_str() => Ok(false),
        AttemptOutcome::Delivered => {
            end(tx, row, DeliveryState::Delivered, ended_ms).await?;
            supersede_older(tx, row, ended_ms).await?;
            Ok(true)
        }
        _ if !held => Ok(false),
        AttemptOutcome::Retry(due_at) => {
            on!(tx, c: D => sqlx::query(
                "UPDATE delivery SET ready_at = $2, holder = NULL, tries = tries + 1, changed_at = $3 WHERE number = $1",
            )
            .bind(row.number)
            .bind(ms(*due_at))
            .bind(ended_ms)
            .execute(c)
            .await?
            .rows_affected());
            Ok(true)
        }
        AttemptOutcome::GiveUp => {
            end(tx, row, DeliveryState::Failed, ended_ms).await?;
            Ok(true)
        }
        AttemptOutcome::Gone => {
            end(tx, row, DeliveryState::Failed, ended_ms).await?;
            let endpoint = row_of("delivery", &row.number).text("endpoint", row.endpoint.clone())?;
            put_state(tx, &endpoint, &GONE).await?;
            Ok(true)
        }
    }
}

async fn end(tx: &mut Tx, row: &DeliveryRow, state: DeliveryState, at_ms: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE delivery SET state = $2, ready_at = NULL, holder = NULL, tries = tries + 1, changed_at = $3 \
         WHERE number = $1",
    )
    .bind(row.number)
    .bind(state.as_str())
    .bind(at_ms)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

async fn supersede_older(tx: &mut Tx, row: &DeliveryRow, at_ms: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE delivery SET state = 'superseded', ready_at = NULL, holder = NULL, changed_at = $6 \
         WHERE endpoint = $1 AND article = $2 AND state = 'pending' \
         AND (revision, withdrawn, version_id) < ($3, $4, $5)",
    )
    .bind(row.endpoint.as_str())
    .bind(row.article.as_str())
    .bind(row.revision)
    .bind(row.withdrawn)
    .bind(row.version_id.as_str())
    .bind(at_ms)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// Makes a failed or pending delivery due at `at` with a fresh schedule. One in flight keeps its lease.
pub(super) async fn redrive(db: &Db, id: &DeliveryId, at: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    let Some(row) = find(&mut tx, id).await? else {
        return Err(refuse(StoreErrorKind::NotFound, format!("there is no delivery {id}")));
    };
    let cell = row_of("delivery", &row.number);
    let state = cell.word("state", &row.state, DeliveryState::parse)?;
    if matches!(state, DeliveryState::Delivered | DeliveryState::Superseded) {
        return Err(refuse(StoreErrorKind::Conflict, format!("delivery {id} is {} already", state.as_str())));
    }
    let version = Version {
        revision: cell.count("revision", row.revision)?,
        withdrawn: row.withdrawn == 1,
        event_id: row.version_id.clone(),
    };
    if newer_delivered(&mut tx, &row.endpoint, &row.article, &version).await? {
        let what = format!("a newer version than delivery {id} was delivered; sending it would undo that");
        return Err(refuse(StoreErrorKind::Conflict, what));
    }
    let in_flight = row.holder.is_some() && row.ready_at.is_some_and(|ready_at| ready_at > ms(at));
    let ready_at = row.ready_at.filter(|_| in_flight).unwrap_or(ms(at));
    on!(&mut tx, c: D => sqlx::query(
        "UPDATE delivery SET state = 'pending', tries = 0, ready_at = $2, \
         holder = CASE WHEN $3 = 1 THEN holder ELSE NULL END, changed_at = $4 WHERE number = $1",
    )
    .bind(row.number)
    .bind(ready_at)
    .bind(i64::from(in_flight))
    .bind(ms(at))
    .execute(c)
    .await?
    .rows_affected());
    tx.commit().await
}
