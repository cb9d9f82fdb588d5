//! Adding, changing, confirming and ending subscriptions. `unconfirmed.rs` has what surrounds a confirmation.
//!
//! When a wish changes, what was owed and still fits is written down (`carried`). Everything else of the
//! past is dropped: the subscription is considered up to now.

use super::{
    people::{Wishes, id_by_token, subscription},
    upcoming,
};
use crate::{
    counter,
    db::{Db, Tx},
    fault::{Result, refuse},
    row::{from_row, ms, row_of},
    seen::CHUNK,
};
use jiff::Timestamp;
use loa_domain::{SubscriptionState, Wish};
use loa_store::{StoreErrorKind, Subscription, SubscriptionRequest};
use sqlx::QueryBuilder;

from_row!(ExistingRow { id: String, wish: i64, state: String });

/// Adds or changes subscriptions; one result for each request, in order.
pub(super) async fn subscribe(db: &Db, batch: &[SubscriptionRequest]) -> Result<Vec<Subscription>> {
    let mut tx = db.begin().await?;
    let mut wishes = Wishes::default();
    let mut subscriptions = Vec::with_capacity(batch.len());
    for request in batch {
        if !matches!(request.state, SubscriptionState::Active | SubscriptionState::Pending) {
            let what = format!("a subscription cannot be asked for as {}", request.state.as_str());
            return Err(refuse(StoreErrorKind::Rejected, what));
        }
        upcoming::admit(&mut tx, request.at).await?; // what came before by its time is not owed
        let id = one(&mut tx, request).await?;
        subscriptions.push(subscription(&mut tx, &id, &mut wishes).await?);
    }
    tx.commit().await?;
    Ok(subscriptions)
}

async fn one(tx: &mut Tx, request: &SubscriptionRequest) -> Result<String> {
    let mailbox = mailbox(tx, request).await?;
    let wish = wish_id(tx, &request.wish).await?;
    let existing: Option<ExistingRow> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT id, wish, state FROM subscription WHERE subscriber = $1 AND frequency = $2",
    )
    .bind(mailbox.as_str())
    .bind(request.frequency.as_str())
    .fetch_optional(c)
    .await?);
    match existing {
        Some(existing) => change(tx, existing, wish, request.state, request.at).await,
        None => add(tx, &mailbox, wish, request).await,
    }
}

pub(super) async fn mailbox(tx: &mut Tx, request: &SubscriptionRequest) -> Result<String> {
    on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO subscriber (id, email, email_key, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (email_key) DO NOTHING",
    )
    .bind(request.subscriber.as_str())
    .bind(request.email.as_str())
    .bind(request.email.key())
    .bind(ms(request.at))
    .execute(c)
    .await?
    .rows_affected());
    Ok(on!(tx, c: D => sqlx::query_scalar("SELECT id FROM subscriber WHERE email_key = $1")
        .bind(request.email.key())
        .fetch_one(c)
        .await?))
}

pub(super) async fn add(tx: &mut Tx, mailbox: &str, wish: i64, request: &SubscriptionRequest) -> Result<String> {
    let considered = counter::last(tx, "item").await?;
    on!(tx, c: D => sqlx::query(
        "INSERT INTO subscription (id, subscriber, frequency, wish, state, token, token_hash, since, considered) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(request.subscription.as_str())
    .bind(mailbox)
    .bind(request.frequency.as_str())
    .bind(wish)
    .bind(request.state.as_str())
    .bind(request.token.as_str())
    .bind(request.token_hash.as_str())
    .bind(ms(request.at))
    .bind(considered)
    .execute(c)
    .await?
    .rows_affected());
    Ok(request.subscription.to_string())
}

async fn change(
    tx: &mut Tx,
    existing: ExistingRow,
    wish: i64,
    asked: SubscriptionState,
    at: Timestamp,
) -> Result<String> {
    let before = row_of("subscription", &existing.id).word("state", &existing.state, SubscriptionState::parse)?;
    let was_active = before == SubscriptionState::Active;
    let after = if was_active { SubscriptionState::Active } else { asked };
    if was_active && existing.wish == wish {
        return Ok(existing.id);
    }
    if was_active {
        carry(tx, &existing.id, wish).await?;
    } else {
        let_go(tx, &existing.id).await?;
    }
    restart(tx, &existing.id, after, Some(wish), at).await?;
    drop_unwished(tx, existing.wish).await?;
    Ok(existing.id)
}

/// Notes what is owed now and fits the new wish as well.
pub(super) async fn carry(tx: &mut Tx, id: &str, wish: i64) -> Result<()> {
    const FITS: &str = "(w.every_area = 1 OR EXISTS (SELECT 1 FROM item_reach AS r JOIN wish_area AS a ON a.area = r.area \
            WHERE r.article = i.article AND a.wish = w.id)) \
        AND (w.every_category = 1 OR EXISTS (SELECT 1 FROM wish_category AS k \
            WHERE k.wish = w.id AND k.category = i.category))";
    on!(tx, c: D => {
        let mut drop_carried = QueryBuilder::<D>::new("DELETE FROM carried WHERE subscription = ");
        drop_carried.push_bind(id);
        drop_carried.push(" AND NOT EXISTS (SELECT 1 FROM item AS i, wish AS w WHERE i.article = carried.article AND w.id = ");
        drop_carried.push_bind(wish).push(" AND ").push(FITS).push(")");
        drop_carried.build().execute(&mut *c).await?;
        let mut carry = QueryBuilder::<D>::new(
            "INSERT INTO carried (subscription, article) SELECT s.id, i.article FROM subscription AS s \
             JOIN matched AS m ON m.wish = s.wish AND m.sequence > s.considered \
             JOIN item AS i ON i.article = m.article JOIN wish AS w ON w.id = ",
        );
        carry.push_bind(wish).push(" WHERE s.id = ").push_bind(id);
        carry.push(
            " AND NOT EXISTS (SELECT 1 FROM mail_item AS d WHERE d.subscription = s.id \
             AND d.article = i.article AND d.withdrawn = 0 AND d.revision >= i.revision) AND ",
        );
        carry.push(FITS).push(" ON CONFLICT (subscription, article) DO NOTHING");
        carry.build().execute(&mut *c).await?.rows_affected()
    });
    Ok(())
}

/// Drops what an ended subscription would have been owed.
pub(super) async fn let_go(tx: &mut Tx, id: &str) -> Result<()> {
    on!(tx, c: D => {
        sqlx::query("DELETE FROM carried WHERE subscription = $1").bind(id).execute(&mut *c).await?;
        sqlx::query("DELETE FROM correction WHERE subscription = $1").bind(id).execute(&mut *c).await?.rows_affected()
    });
    Ok(())
}

/// Keys that were mailed before somebody left do not bring them back.
pub(super) async fn forget_keys(tx: &mut Tx, id: &str) -> Result<()> {
    on!(tx, c: D => sqlx::query("DELETE FROM subscription_key WHERE subscription = $1")
        .bind(id)
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// Sets the state, and the wish when it is another one; from `at` on, by matching, and nothing before.
pub(super) async fn restart(
    tx: &mut Tx,
    id: &str,
    state: SubscriptionState,
    wish: Option<i64>,
    at: Timestamp,
) -> Result<()> {
    let considered = counter::last(tx, "item").await?;
    on!(tx, c: D => sqlx::query(
        "UPDATE subscription SET state = $2, wish = COALESCE($3, wish), since = $4, considered = $5 WHERE id = $1",
    )
    .bind(id)
    .bind(state.as_str())
    .bind(wish)
    .bind(ms(at))
    .bind(considered)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// The number of a wish; a new one matches only what is accepted from now on.
pub(super) async fn wish_id(tx: &mut Tx, wish: &Wish) -> Result<i64> {
    let key = wish.key();
    let existing: Option<i64> = on!(&mut *tx, c: D => sqlx::query_scalar("SELECT id FROM wish WHERE key = $1")
        .bind(key.as_str())
        .fetch_optional(c)
        .await?);
    if let Some(id) = existing {
        return Ok(id);
    }
    let id = counter::take(tx, "wish", 1).await?;
    on!(&mut *tx, c: D => sqlx::query("INSERT INTO wish (id, key, every_area, every_category) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(key)
        .bind(i64::from(wish.areas.is_empty()))
        .bind(i64::from(wish.categories.is_empty()))
        .execute(c)
        .await?
        .rows_affected());
    let areas: Vec<&str> = wish.areas.iter().map(AsRef::as_ref).collect();
    let categories: Vec<&str> = wish.categories.iter().map(AsRef::as_ref).collect();
    for (insert, words) in
        [("INSERT INTO wish_area (wish, area) ", areas), ("INSERT INTO wish_category (wish, category) ", categories)]
    {
        for chunk in words.chunks(CHUNK) {
            on!(&mut *tx, c: D => {
                let mut query = QueryBuilder::<D>::new(insert);
                query.push_values(chunk, |mut row, word| {
                    row.push_bind(id).push_bind(*word);
                });
                query.build().persistent(false).execute(c).await?.rows_affected()
            });
        }
    }
    Ok(id)
}

/// A wish that nobody has any more is not matched any more.
pub(super) async fn drop_unwished(tx: &mut Tx, wish: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "DELETE FROM wish WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM subscription AS s WHERE s.wish = wish.id)",
    )
    .bind(wish)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// `Pending` becomes `Active`, from `at` on; others stay.
pub(super) async fn confirm(db: &Db, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>> {
    let mut tx = db.begin().await?;
    let Some(id) = id_by_token(&mut tx, token_hash).await? else { return Ok(None) };
    let mut wishes = Wishes::default();
    if subscription(&mut tx, &id, &mut wishes).await?.state == SubscriptionState::Pending {
        upcoming::admit(&mut tx, at).await?;
        let_go(&mut tx, &id).await?;
        restart(&mut tx, &id, SubscriptionState::Active, None, at).await?;
    }
    let confirmed = subscription(&mut tx, &id, &mut wishes).await?;
    tx.commit().await?;
    Ok(Some(confirmed))
}

/// Ends a subscription. What it was owed goes with it.
pub(super) async fn unsubscribe(db: &Db, token_hash: &str, _at: Timestamp) -> Result<Option<Subscription>> {
    let mut tx = db.begin().await?;
    let Some(id) = id_by_token(&mut tx, token_hash).await? else { return Ok(None) };
    let_go(&mut tx, &id).await?;
    forget_keys(&mut tx, &id).await?;
    on!(&mut tx, c: D => sqlx::query("UPDATE subscription SET state = 'unsubscribed' WHERE id = $1")
        .bind(id.as_str())
        .execute(c)
        .await?
        .rows_affected());
    let ended = subscription(&mut tx, &id, &mut Wishes::default()).await?;
    tx.commit().await?;
    Ok(Some(ended))
}
