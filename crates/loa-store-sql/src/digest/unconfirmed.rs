//! What surrounds a confirmation: how many mails were sent, the keys in them, and what becomes of a wish that nobody confirms.
//!
//! Whatever a stranger may cause by filling in the form stands here for days, and is cleaned up in small steps.

use super::{
    people::{Wishes, subscription},
    subscribe::{drop_unwished, forget_keys},
};
use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{from_row, ms},
};
use jiff::Timestamp;
use loa_domain::EmailAddress;
use loa_store::Subscription;

/// Counts a confirmation mail, unless `max` were counted since `since`. What was counted before that is forgotten.
pub(super) async fn allow_confirmation(
    db: &Db,
    email: &EmailAddress,
    since: Timestamp,
    max: u32,
    at: Timestamp,
) -> Result<bool> {
    let key = email.key();
    let mut tx = db.begin().await?;
    on!(&mut tx, c: D => sqlx::query("DELETE FROM confirmation WHERE email_key = $1 AND sent_at < $2")
        .bind(key.as_str())
        .bind(ms(since))
        .execute(c)
        .await?
        .rows_affected());
    let counted: i64 = on!(&mut tx, c: D => sqlx::query_scalar("SELECT COUNT(*) FROM confirmation WHERE email_key = $1")
        .bind(key.as_str())
        .fetch_one(c)
        .await?);
    let allowed = counted < i64::from(max);
    if allowed {
        on!(&mut tx, c: D => sqlx::query(
            "INSERT INTO confirmation (email_key, sent_at, place) \
             SELECT $1, $2, COALESCE(MAX(place), -1) + 1 FROM confirmation WHERE email_key = $1",
        )
        .bind(key.as_str())
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
    }
    tx.commit().await?;
    Ok(allowed)
}

/// Takes back the last confirmation mail counted at `at`.
pub(super) async fn release_confirmation(db: &Db, email: &EmailAddress, at: Timestamp) -> Result<()> {
    let key = email.key();
    let mut tx = db.begin().await?;
    on!(&mut tx, c: D => sqlx::query(
        "DELETE FROM confirmation WHERE email_key = $1 AND sent_at = $2 AND place = \
         (SELECT MAX(place) FROM confirmation WHERE email_key = $1 AND sent_at = $2)",
    )
    .bind(key.as_str())
    .bind(ms(at))
    .execute(c)
    .await?
    .rows_affected());
    tx.commit().await
}

/// Keeps a key of the subscription with this token until a time. `false`: there is no such subscription.
pub(super) async fn add_key(db: &Db, token_hash: &str, key_hash: &str, until: Timestamp) -> Result<bool> {
    let mut tx = db.begin().await?;
    let added = on!(&mut tx, c: D => sqlx::query(
        "INSERT INTO subscription_key (key_hash, subscription, until) SELECT $2, id, $3 FROM subscription \
         WHERE token_hash = $1 ON CONFLICT (key_hash) DO NOTHING",
    )
    .bind(token_hash)
    .bind(key_hash)
    .bind(ms(until))
    .execute(c)
    .await?
    .rows_affected());
    tx.commit().await?;
    Ok(added > 0)
}

/// The subscription with a key that works now.
pub(super) async fn by_key(db: &Db, key_hash: &str, now: Timestamp) -> Result<Option<Subscription>> {
    let mut tx = db.snapshot().await?;
    let id: Option<String> = on!(&mut tx, c: D => sqlx::query_scalar(
        "SELECT subscription FROM subscription_key WHERE key_hash = $1 AND until > $2",
    )
    .bind(key_hash)
    .bind(ms(now))
    .fetch_optional(c)
    .await?);
    match id {
        Some(id) => subscription(&mut tx, &id, &mut Wishes::default()).await.map(Some),
        None => Ok(None),
    }
}

from_row!(PendingRow { id: String, subscriber: String, wish: i64 });

/// Ends what was asked for before `before` and not confirmed, at most `max` at a time; and forgets as many keys that work no
/// longer at `now` and confirmation mails that were counted before `before`.
pub(super) async fn expire(db: &Db, before: Timestamp, now: Timestamp, max: u32) -> Result<u64> {
    let mut tx = db.begin().await?;
    let max = i64::from(max);
    let rows: Vec<PendingRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT id, subscriber, wish FROM subscription WHERE state = 'pending' AND since < $1 ORDER BY since LIMIT $2",
    )
    .bind(ms(before))
    .bind(max)
    .fetch_all(c)
    .await?);
    for row in &rows {
        end(&mut tx, row).await?;
    }
    let forgotten = on!(&mut tx, c: D => {
        let keys = sqlx::query(
            "DELETE FROM subscription_key WHERE key_hash IN \
             (SELECT key_hash FROM subscription_key WHERE until <= $1 ORDER BY until LIMIT $2)",
        )
        .bind(ms(now))
        .bind(max)
        .execute(&mut *c)
        .await?
        .rows_affected();
        let counted = sqlx::query(
            "DELETE FROM confirmation WHERE (email_key, sent_at, place) IN \
             (SELECT email_key, sent_at, place FROM confirmation WHERE sent_at < $1 ORDER BY sent_at LIMIT $2)",
        )
        .bind(ms(before))
        .bind(max)
        .execute(&mut *c)
        .await?
        .rows_affected();
        keys + counted
    });
    if !rows.is_empty() || forgotten > 0 {
        tx.commit().await?;
    }
    Ok(rows.len() as u64)
}

/// A wish that was never mailed leaves nothing; one whose mailbox had mails before is where it was: ended.
pub(super) async fn end(tx: &mut Tx, row: &PendingRow) -> Result<()> {
    let mailed: Option<i64> = on!(&mut *tx, c: D => sqlx::query_scalar("SELECT run FROM mail WHERE subscription = $1 LIMIT 1")
        .bind(row.id.as_str())
        .fetch_optional(c)
        .await?);
    if mailed.is_some() {
        forget_keys(tx, &row.id).await?;
        on!(tx, c: D => sqlx::query("UPDATE subscription SET state = 'unsubscribed' WHERE id = $1")
            .bind(row.id.as_str())
            .execute(c)
            .await?
            .rows_affected());
        return Ok(());
    }
    on!(&mut *tx, c: D => {
        sqlx::query("DELETE FROM subscription WHERE id = $1").bind(row.id.as_str()).execute(&mut *c).await?;
        sqlx::query(
            "DELETE FROM subscriber WHERE id = $1 AND NOT EXISTS \
             (SELECT 1 FROM subscription AS s WHERE s.subscriber = subscriber.id)",
        )
        .bind(row.subscriber.as_str())
        .execute(&mut *c)
        .await?
        .rows_affected()
    });
    drop_unwished(tx, row.wish).await
}
