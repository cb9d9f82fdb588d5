//! What every change of a subscription ends with: when it may be claimed again, whether it is still there at all, and when
//! its host may be called.

use crate::{
    db::Tx,
    fault::Result,
    row::{from_row, row_of},
};
use loa_domain::HubSubscriptionId;
use loa_store::TopicKind;

/// The mode of a request that is not the subscriber's but ours: to tell it that it is not subscribed.
pub(super) const DENIED: &str = "denied";

/// A kind of topic, as it is kept.
pub(super) fn kept_kind(kind: TopicKind) -> i64 {
    match kind {
        TopicKind::Feed => 0,
        TopicKind::Combination => 1,
    }
}

/// What a subscription is ready for, as it is kept.
pub(super) const DELIVERIES: i64 = 0;
/// See [`DELIVERIES`].
pub(super) const REQUESTS: i64 = 1;

/// A subscription's id: `h` and its number.
pub(super) fn subscription_id(number: i64) -> Result<HubSubscriptionId> {
    row_of("hub_subscription", &number).text("number", format!("h{number}"))
}

/// Reads [`subscription_id`] back; `None` for an id that no subscription can have.
pub(super) fn subscription_number(id: &HubSubscriptionId) -> Option<i64> {
    let digits = id.as_str().strip_prefix('h')?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

from_row!(SubscriptionRow {
    number: i64,
    topic: String,
    host: String,
    callback: String,
    ends_at: Option<i64>,
    version: i64,
    due_at: Option<i64>,
    tries: i64,
    ready_at: Option<i64>,
    holder: Option<String>,
});

impl SubscriptionRow {
    /// Whether somebody has it now.
    pub(super) fn is_held(&self, at_ms: i64) -> bool {
        self.holder.is_some() && self.ready_at.is_some_and(|ready_at| ready_at > at_ms)
    }

    /// Whether it was verified and its lease has not ended.
    pub(super) fn is_active(&self, at_ms: i64) -> bool {
        self.ends_at.is_some_and(|ends_at| ends_at > at_ms)
    }
}

/// A subscription.
pub(super) async fn find(tx: &mut Tx, number: i64) -> Result<Option<SubscriptionRow>> {
    Ok(on!(tx, c: D => sqlx::query_as(
        "SELECT number, topic, host, callback, ends_at, version, due_at, tries, ready_at, holder FROM hub_subscription \
         WHERE number = $1",
    )
    .bind(number)
    .fetch_optional(c)
    .await?))
}

/// The newest version of a topic; 0 when none was read.
pub(super) async fn topic_version(tx: &mut Tx, topic: &str) -> Result<i64> {
    let version: Option<i64> = on!(tx, c: D => sqlx::query_scalar("SELECT version FROM hub_topic WHERE topic = $1")
        .bind(topic)
        .fetch_optional(c)
        .await?);
    Ok(version.unwrap_or(0))
}

/// Ends what was verified. The caller releases it.
pub(super) async fn end_active(tx: &mut Tx, number: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE hub_subscription SET ends_at = NULL, due_at = NULL, secret = NULL, network = '', tries = 0 WHERE number = $1",
    )
    .bind(number)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// Ends the request of a subscription. The caller releases it.
pub(super) async fn end_request(tx: &mut Tx, number: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query("DELETE FROM hub_request WHERE subscription = $1")
        .bind(number)
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// Lets a subscription go and refreshes it.
pub(super) async fn release(tx: &mut Tx, number: i64, at_ms: i64) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query("UPDATE hub_subscription SET holder = NULL WHERE number = $1")
        .bind(number)
        .execute(c)
        .await?
        .rows_affected());
    refresh(tx, number, at_ms).await
}

/// Says when a subscription may be claimed next, unless somebody has it; deletes it when it is neither verified nor asked for.
pub(super) async fn refresh(tx: &mut Tx, number: i64, at_ms: i64) -> Result<()> {
    let Some(standing) = find(tx, number).await?.filter(|standing| !standing.is_held(at_ms)) else { return Ok(()) };
    let request: Option<(Option<i64>,)> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT due_at FROM hub_request WHERE subscription = $1",
    )
    .bind(number)
    .fetch_optional(c)
    .await?);
    if request.is_none() && standing.ends_at.is_none() {
        on!(&mut *tx, c: D => sqlx::query("DELETE FROM hub_subscription WHERE number = $1")
            .bind(number)
            .execute(c)
            .await?
            .rows_affected());
        on!(tx, c: D => sqlx::query("UPDATE counter SET value = value - 1 WHERE name = 'hub_rows'")
            .execute(c)
            .await?
            .rows_affected());
        return Ok(());
    }
    let request_at = request.and_then(|(due_at,)| due_at);
    let ready_at = request_at.into_iter().chain(standing.due_at).min();
    let call_class = if request_at.is_some() && request_at == ready_at { REQUESTS } else { DELIVERIES };
    on!(tx, c: D => sqlx::query("UPDATE hub_subscription SET holder = NULL, ready_at = $2, call_class = $3 WHERE number = $1")
        .bind(number)
        .bind(ready_at)
        .bind(call_class)
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// When a call of a class to a host may be claimed, or the first lease of it ends.
pub(super) const FIRST_OF_HOST: &str =
    "SELECT MIN(ready_at) FROM hub_subscription WHERE host = $1 AND call_class = $2 AND ready_at IS NOT NULL";

/// Says when one of a host's callbacks may be called, for each call class.
pub(super) async fn refresh_host(tx: &mut Tx, host: &str) -> Result<()> {
    refresh_host_in(tx, host, DELIVERIES).await?;
    refresh_host_in(tx, host, REQUESTS).await
}

/// Says when one of a host's callbacks may be called for a call class.
pub(super) async fn refresh_host_in(tx: &mut Tx, host: &str, call_class: i64) -> Result<()> {
    let first: Option<i64> = on!(&mut *tx, c: D => sqlx::query_scalar(FIRST_OF_HOST)
        .bind(host)
        .bind(call_class)
        .fetch_one(c)
        .await?);
    put_host_ready(tx, host, call_class, first).await
}

/// Says when one of a host's callbacks may be called for a call class: for a delivery not before the host's breaker is closed again.
pub(super) async fn put_host_ready(tx: &mut Tx, host: &str, call_class: i64, ready_at: Option<i64>) -> Result<()> {
    let put = if call_class == REQUESTS {
        "UPDATE hub_host SET verify_at = $2 WHERE host = $1"
    } else {
        "UPDATE hub_host SET deliver_at = CASE WHEN calls_from > $2 THEN calls_from ELSE $2 END WHERE host = $1"
    };
    on!(tx, c: D => sqlx::query(put)
        .bind(host)
        .bind(ready_at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriptions_id_reads_back_and_nothing_else_does() {
        assert_eq!(subscription_number(&subscription_id(42).unwrap()), Some(42));
        for bad in ["42", "h", "h-1", "h+1", "hx", "h99999999999999999999"] {
            assert_eq!(subscription_number(&HubSubscriptionId::new(bad).unwrap()), None, "{bad}");
        }
    }
}
