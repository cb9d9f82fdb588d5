//! Receipts of the push outlet: tells attempts by event and endpoint, and learns from receipts after a
//! restore, with the same effect as when it happened.

use super::{
    claim::{delivery_id, delivery_number},
    endpoints,
    record::{DELIVERY_OF, DeliveryRow, GONE, apply, log},
    upcoming,
};
use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{from_row, ms, row_of},
    seen,
};
use loa_domain::{AttemptOutcome, DeliveryState, Endpoint, EventKey};
use loa_store::{AttemptReceipt, AttemptRecord, Receipt};

from_row!(NamedRow { endpoint: String, event_source: String, event_id: String });

/// Attempts by event and endpoint.
pub(super) async fn receipts(db: &Db, records: &[AttemptRecord]) -> Result<Vec<AttemptReceipt>> {
    let mut tx = db.snapshot().await?;
    let mut told = Vec::with_capacity(records.len());
    for record in records {
        let Some(number) = delivery_number(&record.delivery) else { continue };
        let row: Option<NamedRow> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT d.endpoint, v.event_source, v.event_id FROM delivery AS d JOIN event AS v ON v.id = d.event \
             WHERE d.number = $1",
        )
        .bind(number)
        .fetch_optional(c)
        .await?);
        if let Some(row) = row {
            let endpoint = row_of("delivery", &number).text("endpoint", row.endpoint)?;
            let event = EventKey { source: row.event_source, id: row.event_id };
            told.push(AttemptReceipt::of(record, event, endpoint));
        }
    }
    Ok(told)
}

/// Learns from receipts; returns how many are deferred.
pub(super) async fn learn(db: &Db, receipts: &[Receipt]) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut deferred = 0;
    for receipt in receipts {
        match receipt {
            Receipt::Endpoint(endpoint) => endpoints::put(&mut tx, &Endpoint::from(endpoint.clone())).await?,
            Receipt::Attempt(attempt) => deferred += u64::from(!attempted(&mut tx, attempt).await?),
            // another outlet's
            Receipt::Subscription(_) | Receipt::MailBegun(_) | Receipt::MailEnded(_) => {}
        }
    }
    tx.commit().await?;
    Ok(deferred)
}

/// Writes an attempt down, unless it is known. `false`: its event was never seen here.
async fn attempted(tx: &mut Tx, attempt: &AttemptReceipt) -> Result<bool> {
    upcoming::admit(tx, attempt.started_at).await?; // what was attempted had come by its time
    let row: Option<DeliveryRow> = on!(&mut *tx, c: D => sqlx::query_as(DELIVERY_OF)
        .bind(attempt.event.source.as_str())
        .bind(attempt.event.id.as_str())
        .bind(attempt.endpoint.as_str())
        .fetch_optional(c)
        .await?);
    let Some(row) = row else {
        // an event that was accepted, and is not owed to this endpoint, will not be sent to it either
        return Ok(!seen::known(tx, &[&attempt.event]).await?.is_empty());
    };
    let known: Option<i64> = on!(&mut *tx, c: D => sqlx::query_scalar(
        "SELECT number FROM attempt WHERE delivery = $1 AND started_at = $2 LIMIT 1",
    )
    .bind(row.number)
    .bind(ms(attempt.started_at))
    .fetch_optional(c)
    .await?);
    if known.is_some() {
        // learnt before, by a restore that was begun again; but the endpoint has just been told to be as it was before this
        if attempt.outcome == AttemptOutcome::Gone {
            endpoints::put_state(tx, &attempt.endpoint, &GONE).await?;
        }
    } else {
        let record = attempt.record(delivery_id(row.number)?);
        log(tx, &row, &record).await?;
        let pending = row.state == DeliveryState::Pending.as_str();
        apply(tx, &row, &record, pending).await?;
    }
    Ok(true)
}
