//! Reading subscribers, subscriptions and wishes.

use crate::{
    db::{Db, Tx},
    fault::{Result, corrupt},
    row::{Kept, from_row, row_of},
};
use loa_domain::{AreaId, CategorySlug, EmailAddress, Frequency, SubscriptionState, Wish};
use loa_store::{Subscriber, Subscription};
use std::collections::HashMap;

/// The most mailboxes one list has.
const PAGE_MAX: u32 = 1_000;

from_row!(SubscriptionRow in "subscription" by id {
    id: String,
    email: String,
    wish: i64,
    frequency: String,
    state: String,
    token: String,
    token_hash: String,
    since: i64,
});

/// Wishes read so far: many subscriptions share one.
#[derive(Default)]
pub(super) struct Wishes(HashMap<i64, Wish>);

impl Wishes {
    /// The wish with this number.
    pub(super) async fn read(&mut self, tx: &mut Tx, id: i64) -> Result<Wish> {
        if let Some(wish) = self.0.get(&id) {
            return Ok(wish.clone());
        }
        let areas: Vec<String> = on!(&mut *tx, c: D => sqlx::query_scalar("SELECT area FROM wish_area WHERE wish = $1")
            .bind(id)
            .fetch_all(c)
            .await?);
        let categories: Vec<String> = on!(tx, c: D => sqlx::query_scalar("SELECT category FROM wish_category WHERE wish = $1")
                .bind(id)
                .fetch_all(c)
                .await?);
        let area = |text| row_of("wish_area", &id).text::<AreaId>("area", text);
        let category = |text| row_of("wish_category", &id).text::<CategorySlug>("category", text);
        let wish = Wish {
            areas: areas.into_iter().map(area).collect::<Result<_>>()?,
            categories: categories.into_iter().map(category).collect::<Result<_>>()?,
        };
        self.0.insert(id, wish.clone());
        Ok(wish)
    }
}

impl SubscriptionRow {
    async fn read(self, tx: &mut Tx, wishes: &mut Wishes) -> Result<Subscription> {
        let wish = wishes.read(tx, self.wish).await?;
        let cell = row_of("subscription", &self.id);
        Ok(Subscription {
            id: cell.text("id", self.id.clone())?,
            email: cell.text("email", self.email.clone())?,
            wish,
            frequency: cell.word("frequency", &self.frequency, Frequency::parse)?,
            state: cell.word("state", &self.state, SubscriptionState::parse)?,
            since: cell.time("since", self.since)?,
            token_hash: self.token_hash.clone(),
            token: self.token.clone(),
        })
    }
}

/// One subscription by its id.
pub(super) async fn subscription(tx: &mut Tx, id: &str, wishes: &mut Wishes) -> Result<Subscription> {
    let row: Option<Kept<SubscriptionRow>> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT s.id, p.email, s.wish, s.frequency, s.state, s.token, s.token_hash, s.since \
         FROM subscription AS s JOIN subscriber AS p ON p.id = s.subscriber WHERE s.id = $1",
    )
    .bind(id)
    .fetch_optional(c)
    .await?);
    let row = row.ok_or_else(|| corrupt("subscription", "id", id, "it is referred to, but is not there"))?;
    row.read()?.read(tx, wishes).await
}

/// The id of the subscription with this token.
pub(super) async fn id_by_token(tx: &mut Tx, token_hash: &str) -> Result<Option<String>> {
    Ok(on!(tx, c: D => sqlx::query_scalar("SELECT id FROM subscription WHERE token_hash = $1")
        .bind(token_hash)
        .fetch_optional(c)
        .await?))
}

/// The subscription with this token.
pub(super) async fn by_token(db: &Db, token_hash: &str) -> Result<Option<Subscription>> {
    let mut tx = db.snapshot().await?;
    match id_by_token(&mut tx, token_hash).await? {
        Some(id) => subscription(&mut tx, &id, &mut Wishes::default()).await.map(Some),
        None => Ok(None),
    }
}

from_row!(SubscriberRow { id: String, email: String, created_at: i64 });

/// The mailbox with this address.
pub(super) async fn subscriber(db: &Db, email: &EmailAddress) -> Result<Option<Subscriber>> {
    let mut tx = db.snapshot().await?;
    let row: Option<SubscriberRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT id, email, created_at FROM subscriber WHERE email_key = $1",
    )
    .bind(email.key())
    .fetch_optional(c)
    .await?);
    match row {
        Some(row) => row.read(&mut tx, &mut Wishes::default()).await.map(Some),
        None => Ok(None),
    }
}

/// Mailboxes in order of address.
pub(super) async fn subscribers(db: &Db, after: &str, limit: u32) -> Result<Vec<Subscriber>> {
    let mut tx = db.snapshot().await?;
    let rows: Vec<SubscriberRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT id, email, created_at FROM subscriber WHERE email_key > $1 ORDER BY email_key LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit.clamp(1, PAGE_MAX)))
    .fetch_all(c)
    .await?);
    let mut wishes = Wishes::default();
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(row.read(&mut tx, &mut wishes).await?);
    }
    Ok(found)
}

impl SubscriberRow {
    async fn read(self, tx: &mut Tx, wishes: &mut Wishes) -> Result<Subscriber> {
        let rows: Vec<SubscriptionRow> = on!(&mut *tx, c: D => sqlx::query_as(
            "SELECT s.id, p.email, s.wish, s.frequency, s.state, s.token, s.token_hash, s.since \
             FROM subscription AS s JOIN subscriber AS p ON p.id = s.subscriber WHERE s.subscriber = $1",
        )
        .bind(self.id.as_str())
        .fetch_all(c)
        .await?);
        let mut subscriptions = Vec::with_capacity(rows.len());
        for row in rows {
            subscriptions.push(row.read(tx, wishes).await?);
        }
        subscriptions.sort_by_key(|subscription| subscription.frequency);
        let cell = row_of("subscriber", &self.id);
        Ok(Subscriber {
            id: cell.text("id", self.id.clone())?,
            email: cell.text("email", self.email.clone())?,
            subscriptions,
            created_at: cell.time("created_at", self.created_at)?,
        })
    }
}
