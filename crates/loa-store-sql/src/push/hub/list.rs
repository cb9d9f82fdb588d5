//! What operators see of the hub.

use super::standing::{kept_kind, subscription_id, subscription_number};
use crate::{
    db::Db,
    fault::Result,
    row::{from_row, row_of},
};
use loa_domain::{HubReason, HubState, LastCall};
use loa_store::{HubDue, HubQuery, HubSubscriptionView, TopicKind};
use sqlx::QueryBuilder;

/// The most subscriptions one list has.
const PAGE_MAX: u32 = 1_000;

/// When something is to be done next.
pub(super) async fn next_due(db: &Db) -> Result<HubDue> {
    let mut tx = db.snapshot().await?;
    let deliver_at: Option<i64> = on!(&mut tx, c: D => sqlx::query_scalar(
        "SELECT MIN(deliver_at) FROM hub_host WHERE deliver_at IS NOT NULL",
    )
    .fetch_one(c)
    .await?);
    let verify_at: Option<i64> = on!(&mut tx, c: D => sqlx::query_scalar(
        "SELECT MIN(verify_at) FROM hub_host WHERE verify_at IS NOT NULL",
    )
    .fetch_one(c)
    .await?);
    let mut fetch_at = [None, None];
    for (kind, fetch_at) in [TopicKind::Feed, TopicKind::Combination].into_iter().zip(&mut fetch_at) {
        *fetch_at = on!(&mut tx, c: D => sqlx::query_scalar(
            "SELECT MIN(ready_at) FROM hub_topic WHERE combination = $1",
        )
        .bind(kept_kind(kind))
        .fetch_one(c)
        .await?);
    }
    let [fetch_at, combination_fetch_at] = fetch_at;
    let at = |at: Option<i64>| at.map(|at| row_of("hub", &"the next").time("ready_at", at)).transpose();
    Ok(HubDue {
        deliver_at: at(deliver_at)?,
        verify_at: at(verify_at)?,
        fetch_at: at(fetch_at)?,
        combination_fetch_at: at(combination_fetch_at)?,
    })
}

from_row!(ViewRow {
    number: i64,
    topic: String,
    callback: String,
    host: String,
    ends_at: Option<i64>,
    signed: i64,
    due_at: Option<i64>,
    tries: i64,
    created_at: i64,
    delivered_at: Option<i64>,
    reason: Option<String>,
    status: Option<i64>,
    detail: String,
});

/// Subscriptions, in the order in which they were first asked for.
pub(super) async fn subscriptions(db: &Db, query: &HubQuery) -> Result<Vec<HubSubscriptionView>> {
    let after = query.after.as_ref().map_or(Some(0), subscription_number);
    let Some(after) = after else { return Ok(Vec::new()) };
    let mut tx = db.snapshot().await?;
    let rows: Vec<ViewRow> = on!(&mut tx, c: D => {
        let mut select = QueryBuilder::<D>::new(
            "SELECT number, topic, callback, host, ends_at, CAST(CASE WHEN secret IS NULL THEN 0 ELSE 1 END AS BIGINT) AS signed, \
             due_at, tries, created_at, delivered_at, reason, status, detail FROM hub_subscription WHERE number > ",
        );
        select.push_bind(after);
        if let Some(topic) = &query.topic {
            select.push(" AND topic = ").push_bind(topic.as_str());
        }
        if let Some(host) = &query.host {
            select.push(" AND host = ").push_bind(host.as_str());
        }
        select.push(" ORDER BY number LIMIT ").push_bind(i64::from(query.limit.clamp(1, PAGE_MAX)));
        select.build_query_as().fetch_all(c).await?
    });
    rows.into_iter().map(ViewRow::read).collect()
}

impl ViewRow {
    fn read(self) -> Result<HubSubscriptionView> {
        let cell = row_of("hub_subscription", &self.number);
        let last_call = match self.reason {
            Some(word) => {
                let reason = cell.word("reason", &word, HubReason::parse)?;
                let status = self.status.and_then(|status| u16::try_from(status).ok());
                Some(LastCall { reason, status, words: self.detail.into() })
            }
            None if self.detail.is_empty() => None,
            None => Some(LastCall { reason: HubReason::NotedBefore, status: None, words: self.detail.into() }),
        };
        Ok(HubSubscriptionView {
            id: subscription_id(self.number)?,
            topic: self.topic,
            callback: self.callback,
            host: self.host,
            state: if self.ends_at.is_some() { HubState::Active } else { HubState::Pending },
            ends_at: self.ends_at.map(|at| cell.time("ends_at", at)).transpose()?,
            signed: self.signed == 1,
            owed: self.due_at.is_some(),
            tries: cell.small("tries", self.tries)?,
            created_at: cell.time("created_at", self.created_at)?,
            delivered_at: self.delivered_at.map(|at| cell.time("delivered_at", at)).transpose()?,
            last_call,
        })
    }
}
