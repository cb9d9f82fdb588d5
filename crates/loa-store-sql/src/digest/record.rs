//! Recording the SMTP dialogue and its outcome. A line's `exposed` is 1 while a dialogue may carry it, 2 when
//! it went out or may have, 0 when it certainly did not. Corrections are owed by it.

use crate::{
    db::{Db, Locking, Tx},
    fault::Result,
    row::{from_row, ms},
};
use jiff::Timestamp;
use loa_domain::{Because, MailId, MailOutcome, MailReason, ServerWords};
use loa_store::MailRecord;

from_row!(MailRow { state: String, holder: Option<String> });

/// A mail's state, which does not change any more until the transaction ends: nobody else can take over its lease now.
async fn find(tx: &mut Tx, id: &MailId) -> Result<Option<MailRow>> {
    let select = tx.locking("SELECT state, holder FROM mail WHERE run = $1 AND subscription = $2", Locking::Rows);
    Ok(on!(tx, c: D => sqlx::query_as(select)
        .bind(id.run)
        .bind(id.subscription.as_str())
        .fetch_optional(c)
        .await?))
}

impl MailRow {
    fn is_held_by(&self, holder: &str) -> bool {
        self.holder.as_deref() == Some(holder) && matches!(self.state.as_str(), "planned" | "submitting")
    }
}

/// Begins the dialogue of those still held whose lines still stand; the others go back, to be composed anew.
pub(super) async fn submitting(db: &Db, holder: &str, ids: &[MailId], at: Timestamp) -> Result<Vec<MailId>> {
    let mut tx = db.begin_shared().await?;
    let mut begun = Vec::with_capacity(ids.len());
    for id in ids {
        let held = find(&mut tx, id).await?.is_some_and(|row| row.is_held_by(holder));
        if !held {
            continue;
        }
        if is_outdated(&mut tx, id).await? {
            give_back(&mut tx, id, at).await?;
        } else {
            begin(&mut tx, id, at).await?;
            begun.push(id.clone());
        }
    }
    tx.commit().await?;
    Ok(begun)
}

/// Whether something was withdrawn, put off, published again or unsubscribed since the mail was claimed.
async fn is_outdated(tx: &mut Tx, id: &MailId) -> Result<bool> {
    let turned: Option<String> = on!(&mut *tx, c: D => sqlx::query_scalar(
        "SELECT r.article FROM mail_item AS r JOIN item AS i ON i.article = r.article \
         WHERE r.run = $1 AND r.subscription = $2 AND r.included = 1 \
         AND (r.withdrawn <> i.withdrawn OR i.shown_from IS NOT NULL) LIMIT 1",
    )
    .bind(id.run)
    .bind(id.subscription.as_str())
    .fetch_optional(c)
    .await?);
    let ended: Option<String> = on!(tx, c: D => sqlx::query_scalar(
        "SELECT id FROM subscription WHERE id = $1 AND state <> 'active'",
    )
    .bind(id.subscription.as_str())
    .fetch_optional(c)
    .await?);
    Ok(turned.is_some() || ended.is_some())
}

async fn give_back(tx: &mut Tx, id: &MailId, at: Timestamp) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE mail SET holder = NULL, ready_at = $3 WHERE run = $1 AND subscription = $2 AND state = 'planned'",
    )
    .bind(id.run)
    .bind(id.subscription.as_str())
    .bind(ms(at))
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

async fn begin(tx: &mut Tx, id: &MailId, at: Timestamp) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail SET state = 'submitting', changed_at = $3 WHERE run = $1 AND subscription = $2",
    )
    .bind(id.run)
    .bind(id.subscription.as_str())
    .bind(ms(at))
    .execute(c)
    .await?
    .rows_affected());
    on!(tx, c: D => sqlx::query(
        "UPDATE mail_item SET exposed = 1 WHERE run = $1 AND subscription = $2 AND included = 1 AND exposed = 0",
    )
    .bind(id.run)
    .bind(id.subscription.as_str())
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// Records how tries ended; returns how many were recorded.
pub(super) async fn record(db: &Db, holder: &str, records: &[MailRecord]) -> Result<u64> {
    let mut tx = db.begin_shared().await?;
    let mut recorded = 0;
    for record in records {
        let Some(row) = find(&mut tx, &record.id).await? else { continue };
        let held = row.is_held_by(holder);
        let went_out = matches!(record.outcome, MailOutcome::Sent(_)) && row.state != "sent";
        if held || went_out {
            apply(&mut tx, record, held).await?;
            recorded += 1;
        }
    }
    tx.commit().await?;
    Ok(recorded)
}

pub(super) async fn apply(tx: &mut Tx, record: &MailRecord, held: bool) -> Result<()> {
    let (run, subscription) = (record.id.run, record.id.subscription.as_str());
    let (state, (reason, words), ready_at, tried) = match &record.outcome {
        MailOutcome::Sent(words) => ("sent", (None, words), None, 1_i64),
        MailOutcome::Suppressed(why) => ("suppressed", parts(why), None, 0),
        MailOutcome::Refused(why) => ("failed", parts(why), None, 1),
        MailOutcome::Later(why, due_at) => ("planned", parts(why), Some(ms(*due_at)), 1),
        MailOutcome::Waits(why, due_at) => ("planned", parts(why), Some(ms(*due_at)), 0),
    };
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail SET state = $3, reason = $4, detail = $5, ready_at = $6, holder = NULL, attempts = attempts + $7, \
         changed_at = $8 WHERE run = $1 AND subscription = $2",
    )
    .bind(run)
    .bind(subscription)
    .bind(state)
    .bind(reason.map(MailReason::as_str))
    .bind(words.as_str())
    .bind(ready_at)
    .bind(tried)
    .bind(ms(record.at))
    .execute(c)
    .await?
    .rows_affected());
    match state {
        "sent" => went_out(tx, run, subscription, held).await?,
        _ => did_not_go_out(tx, run, subscription).await?,
    }
    if state != "planned" {
        release_unsent(tx, run, subscription).await?;
    }
    Ok(())
}

fn parts(why: &Because<MailReason>) -> (Option<MailReason>, &ServerWords) {
    (Some(why.reason), &why.words)
}

/// Marks the lines that went out: of a mail still held, those put in by its claim; of another, those that an earlier
/// dialogue carried (a later claim may have put in others).
async fn went_out(tx: &mut Tx, run: i64, subscription: &str, held: bool) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail_item SET exposed = 2 WHERE run = $1 AND subscription = $2 \
         AND (exposed = 1 OR (included = 1 AND $3 = 1))",
    )
    .bind(run)
    .bind(subscription)
    .bind(i64::from(held))
    .execute(c)
    .await?
    .rows_affected());
    // What was withdrawn before it was known to be out.
    on!(tx, c: D => sqlx::query(
        "INSERT INTO correction (subscription, article) SELECT m.subscription, m.article FROM mail_item AS m \
         JOIN item AS i ON i.article = m.article \
         WHERE m.run = $1 AND m.subscription = $2 AND m.withdrawn = 0 AND m.exposed = 2 AND i.withdrawn = 1 AND NOT EXISTS \
            (SELECT 1 FROM mail_item AS k WHERE k.subscription = m.subscription AND k.article = m.article \
             AND k.withdrawn = 1 AND k.revision >= m.revision) \
         ON CONFLICT (subscription, article) DO NOTHING",
    )
    .bind(run)
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// Takes back that a dialogue might have carried its lines, and the corrections that would follow.
async fn did_not_go_out(tx: &mut Tx, run: i64, subscription: &str) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail_item SET exposed = 0 WHERE run = $1 AND subscription = $2 AND exposed = 1",
    )
    .bind(run)
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    on!(tx, c: D => sqlx::query(
        "DELETE FROM correction WHERE subscription = $1 AND NOT EXISTS (SELECT 1 FROM mail_item AS r \
         WHERE r.subscription = correction.subscription AND r.article = correction.article AND r.withdrawn = 0 \
         AND r.exposed > 0)",
    )
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// A mail that has ended keeps no reservation of lines that were taken out of it: nobody was told them. A correction that was
/// taken out, because the article stood again, is owed again where it does not stand any more.
pub(super) async fn release_unsent(tx: &mut Tx, run: i64, subscription: &str) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO correction (subscription, article) SELECT DISTINCT m.subscription, m.article FROM mail_item AS r \
         JOIN item AS i ON i.article = r.article \
         JOIN mail_item AS m ON m.subscription = r.subscription AND m.article = r.article \
         WHERE r.run = $1 AND r.subscription = $2 AND r.withdrawn = 1 AND r.included = 0 AND r.exposed = 0 \
         AND i.withdrawn = 1 AND m.withdrawn = 0 AND m.exposed > 0 AND NOT EXISTS \
            (SELECT 1 FROM mail_item AS k WHERE k.subscription = m.subscription AND k.article = m.article \
             AND k.withdrawn = 1 AND k.revision >= m.revision AND (k.run <> r.run OR k.included = 1 OR k.exposed > 0)) \
         ON CONFLICT (subscription, article) DO NOTHING",
    )
    .bind(run)
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    on!(tx, c: D => sqlx::query(
        "DELETE FROM mail_item WHERE run = $1 AND subscription = $2 AND included = 0 AND exposed = 0",
    )
    .bind(run)
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}
