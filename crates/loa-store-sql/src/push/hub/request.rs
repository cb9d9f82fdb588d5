//! Taking in what subscribers ask for, within limits; and what operators take away.

use super::standing::{DENIED, end_active, find, kept_kind, refresh, refresh_host, subscription_number, topic_version};
use crate::{
    counter,
    db::{Db, Tx},
    fault::{Result, refuse},
    row::{ms, signed},
};
use jiff::Timestamp;
use loa_domain::{HubMode, HubSubscriptionId, SignatureAlgorithm};
use loa_store::{HubLimits, HubSubscriptionRequest, HubTaken, StoreErrorKind, TopicKind};
use std::time::Duration;

/// A topic that could not be found is fetched again when somebody asks, but not more often than this.
const FETCH_AGAIN_MS: i64 = 1_000;

/// Takes a request in.
pub(super) async fn take_in(
    db: &Db,
    request: &HubSubscriptionRequest,
    limits: &HubLimits,
    at: Timestamp,
) -> Result<HubTaken> {
    let mut tx = db.begin().await?;
    let allowance = match allowance(&mut tx, &request.host, limits, ms(at)).await? {
        Ok(allowance) => allowance,
        Err(wait) => return Ok(HubTaken::TooOften(wait)),
    };
    let known = known_subscription(&mut tx, request).await?;
    if known.is_none()
        && let Some(full) = no_room_for_subscription(&mut tx, request, limits).await?
    {
        return Ok(full);
    }
    let (is_there, version) = match request.mode {
        HubMode::Unsubscribe => (true, 0),
        HubMode::Subscribe => match find_or_add_topic(&mut tx, request, limits, ms(at)).await? {
            Ok(found) => found,
            Err(full) => return Ok(full),
        },
    };
    let number = match known {
        Some(number) => number,
        None => add_subscription(&mut tx, request, ms(at)).await?,
    };
    let due_at = is_there.then_some(ms(at));
    let lease_seconds = signed(request.lease_seconds)?;
    keep_request(&mut tx, number, &KeptRequest::of(request, lease_seconds, version, due_at), ms(at)).await?;
    refresh(&mut tx, number, ms(at)).await?;
    whole_again_at(&mut tx, &request.host, allowance).await?;
    refresh_host(&mut tx, &request.host).await?;
    tx.commit().await?;
    Ok(HubTaken::Taken)
}

async fn known_subscription(tx: &mut Tx, request: &HubSubscriptionRequest) -> Result<Option<i64>> {
    Ok(on!(tx, c: D => sqlx::query_scalar(
        "SELECT number FROM hub_subscription WHERE topic = $1 AND callback_form = $2",
    )
    .bind(request.topic.as_str())
    .bind(request.callback_form.as_str())
    .fetch_optional(c)
    .await?))
}

/// Keeps from when on a host's allowance of requests is whole again.
async fn whole_again_at(tx: &mut Tx, host: &str, whole_at_ms: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE hub_host SET requests_at = $2 WHERE host = $1")
        .bind(host)
        .bind(whole_at_ms)
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// Ends a subscription and has its subscriber told.
pub(super) async fn remove(db: &Db, id: &HubSubscriptionId, reason: &str, at: Timestamp) -> Result<()> {
    let unknown = || refuse(StoreErrorKind::NotFound, format!("there is no subscription {id}"));
    let number = subscription_number(id).ok_or_else(unknown)?;
    let mut tx = db.begin().await?;
    let standing = find(&mut tx, number).await?.ok_or_else(unknown)?;
    end_active(&mut tx, number).await?;
    let kept = KeptRequest {
        mode: DENIED,
        topic_written: &standing.topic,
        callback: &standing.callback,
        secret: None,
        algorithm: SignatureAlgorithm::default(),
        lease_seconds: 0,
        token: None,
        reason,
        version: 0,
        due_at: Some(ms(at)),
    };
    keep_request(&mut tx, number, &kept, ms(at)).await?;
    refresh(&mut tx, number, ms(at)).await?;
    refresh_host(&mut tx, &standing.host).await?;
    tx.commit().await
}

/// The instant at which the host's allowance of requests is whole again, this one counted (GCRA); or how long it must wait.
async fn allowance(
    tx: &mut Tx,
    host: &str,
    limits: &HubLimits,
    at_ms: i64,
) -> Result<std::result::Result<i64, Duration>> {
    on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO hub_host (host, failures, openings, requests_at) VALUES ($1, 0, 0, $2) \
         ON CONFLICT (host) DO NOTHING",
    )
    .bind(host)
    .bind(at_ms)
    .execute(c)
    .await?
    .rows_affected());
    let whole_at: i64 = on!(tx, c: D => sqlx::query_scalar("SELECT requests_at FROM hub_host WHERE host = $1")
        .bind(host)
        .fetch_one(c)
        .await?);
    let interval = i64::try_from(limits.request_interval.as_millis()).unwrap_or(i64::MAX);
    let ahead_max = interval.saturating_mul(i64::from(limits.requests_per_host_burst.max(1)) - 1);
    // never further ahead than it can get; when a clock was set back, the next clean-up puts it right
    let whole_at = whole_at.max(at_ms).min(at_ms.saturating_add(ahead_max).saturating_add(interval));
    let over = (whole_at - at_ms).saturating_sub(ahead_max);
    if over > 0 {
        return Ok(Err(Duration::from_millis(over.unsigned_abs())));
    }
    Ok(Ok(whole_at.saturating_add(interval)))
}

/// What of a limit is for topics of this kind.
fn limit_for(kind: TopicKind, limit: u32, limits: &HubLimits) -> i64 {
    let limit = i64::from(limit);
    match kind {
        TopicKind::Feed => limit,
        TopicKind::Combination => (limit * i64::from(limits.combinations_percent) / 100).max(1),
    }
}

/// Subscriptions of a host, up to a number.
const OF_HOST: &str = "SELECT COUNT(*) FROM (SELECT number FROM hub_subscription WHERE host = $1 LIMIT $2) AS limited";
/// Those of them that are to combinations.
const COMBINATIONS_OF_HOST: &str = "SELECT COUNT(*) FROM \
    (SELECT number FROM hub_subscription WHERE host = $1 AND combination = 1 LIMIT $2) AS limited";
/// Subscriptions to combinations, up to a number.
const COMBINATIONS: &str =
    "SELECT COUNT(*) FROM (SELECT number FROM hub_subscription WHERE combination = 1 LIMIT $1) AS limited";
/// Requests, up to a number.
const WAITING: &str = "SELECT COUNT(*) FROM (SELECT subscription FROM hub_request LIMIT $1) AS limited";
/// Those of them that are for combinations.
const COMBINATIONS_WAITING: &str = "SELECT COUNT(*) FROM (SELECT w.subscription FROM hub_request AS w \
    JOIN hub_subscription AS s ON s.number = w.subscription WHERE s.combination = 1 LIMIT $1) AS limited";

/// Why there is no room for a subscription that is not there yet; `None` when there is. One that is there needs none: whoever floods the hub
/// keeps nobody from renewing.
async fn no_room_for_subscription(
    tx: &mut Tx,
    request: &HubSubscriptionRequest,
    limits: &HubLimits,
) -> Result<Option<HubTaken>> {
    if counter::last(tx, "hub_rows").await? >= i64::from(limits.subscriptions_max)
        || reaches(tx, WAITING, None, i64::from(limits.requests_max)).await?
    {
        return Ok(Some(HubTaken::Full));
    }
    if reaches(tx, OF_HOST, Some(&request.host), i64::from(limits.subscriptions_per_host_max)).await? {
        return Ok(Some(HubTaken::HostFull));
    }
    if request.kind == TopicKind::Feed {
        return Ok(None);
    }
    for (select, host, limit) in [
        (COMBINATIONS_OF_HOST, Some(request.host.as_str()), limits.subscriptions_per_host_max),
        (COMBINATIONS, None, limits.subscriptions_max),
        (COMBINATIONS_WAITING, None, limits.requests_max),
    ] {
        if reaches(tx, select, host, limit_for(request.kind, limit, limits)).await? {
            return Ok(Some(HubTaken::CombinationsFull));
        }
    }
    Ok(None)
}

/// Whether a count that ends at a limit gets there.
async fn reaches(tx: &mut Tx, select: &'static str, host: Option<&str>, limit: i64) -> Result<bool> {
    let count: i64 = on!(tx, c: D => {
        let mut query = sqlx::query_scalar(select);
        if let Some(host) = host {
            query = query.bind(host);
        }
        query.bind(limit).fetch_one(c).await?
    });
    Ok(count >= limit)
}

/// Whether a topic was read, and its version; has it fetched when it was not. Or why there is no room for a further topic.
async fn find_or_add_topic(
    tx: &mut Tx,
    request: &HubSubscriptionRequest,
    limits: &HubLimits,
    at_ms: i64,
) -> Result<std::result::Result<(bool, i64), HubTaken>> {
    let topic = request.topic.as_str();
    let missing: Option<(Option<String>,)> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT missing FROM hub_topic WHERE topic = $1",
    )
    .bind(topic)
    .fetch_optional(c)
    .await?);
    let version = topic_version(tx, topic).await?;
    match missing {
        Some((None,)) if version > 0 => return Ok(Ok((true, version))),
        Some(_) => fetch_again_soon(tx, topic, at_ms).await?,
        None => match no_room_for_topic(tx, request.kind, limits).await? {
            Some(full) => return Ok(Err(full)),
            None => add_topic(tx, topic, request.kind, at_ms).await?,
        },
    }
    Ok(Ok((false, version)))
}

/// Has a topic fetched that was not found, unless it was fetched just now.
async fn fetch_again_soon(tx: &mut Tx, topic: &str, at_ms: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE hub_topic SET ready_at = $2, fetches = 0 \
         WHERE topic = $1 AND holder IS NULL AND ready_at > $2 AND (fetched_at <= $3 OR fetched_at > $2)",
    )
    .bind(topic)
    .bind(at_ms)
    .bind(at_ms - FETCH_AGAIN_MS)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// Why there is no room for a further topic; `None` when there is.
async fn no_room_for_topic(tx: &mut Tx, kind: TopicKind, limits: &HubLimits) -> Result<Option<HubTaken>> {
    let (topics, combinations): (i64, i64) = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT COUNT(*), CAST(COALESCE(SUM(combination), 0) AS BIGINT) FROM hub_topic",
    )
    .fetch_one(c)
    .await?);
    if kind == TopicKind::Combination && combinations >= limit_for(kind, limits.topics_max, limits) {
        return Ok(Some(HubTaken::CombinationsFull));
    }
    Ok((topics >= i64::from(limits.topics_max)).then_some(HubTaken::Full))
}

async fn add_topic(tx: &mut Tx, topic: &str, kind: TopicKind, at_ms: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "INSERT INTO hub_topic (topic, combination, version, fetches, ready_at, content_type, body) \
         VALUES ($1, $2, 0, 0, $3, '', $4)",
    )
    .bind(topic)
    .bind(kept_kind(kind))
    .bind(at_ms)
    .bind(&b""[..])
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

async fn add_subscription(tx: &mut Tx, request: &HubSubscriptionRequest, at_ms: i64) -> Result<i64> {
    let number = counter::take(tx, "hub_subscription", 1).await?;
    counter::take(tx, "hub_rows", 1).await?;
    on!(tx, c: D => sqlx::query(
        "INSERT INTO hub_subscription (number, topic, callback_form, host, callback, algorithm, version, tries, \
         call_class, created_at, detail, combination) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, '', $8)",
    )
    .bind(number)
    .bind(request.topic.as_str())
    .bind(request.callback_form.as_str())
    .bind(request.host.as_str())
    .bind(request.callback.as_str())
    .bind(request.algorithm.as_str())
    .bind(at_ms)
    .bind(kept_kind(request.kind))
    .execute(c)
    .await?
    .rows_affected());
    Ok(number)
}

struct KeptRequest<'a> {
    mode: &'a str,
    topic_written: &'a str,
    callback: &'a str,
    secret: Option<&'a [u8]>,
    algorithm: SignatureAlgorithm,
    lease_seconds: i64,
    token: Option<&'a str>,
    reason: &'a str,
    version: i64,
    due_at: Option<i64>,
}

impl<'a> KeptRequest<'a> {
    /// What a subscriber asks for; `due_at`: from when on it is asked back, `None` until the topic was fetched.
    fn of(request: &'a HubSubscriptionRequest, lease_seconds: i64, version: i64, due_at: Option<i64>) -> Self {
        Self {
            mode: request.mode.as_str(),
            topic_written: &request.topic_written,
            callback: &request.callback,
            secret: request.secret.as_deref(),
            algorithm: request.algorithm,
            lease_seconds,
            token: request.token.as_deref(),
            reason: "",
            version,
            due_at,
        }
    }
}

/// Keeps a request in place of the one that is there, under a further number: an answer about that one comes too late.
async fn keep_request(tx: &mut Tx, subscription: i64, kept: &KeptRequest<'_>, at_ms: i64) -> Result<()> {
    let number = counter::take(tx, "hub_request", 1).await?;
    on!(tx, c: D => sqlx::query(
        "INSERT INTO hub_request (subscription, number, mode, topic_written, callback, secret, algorithm, lease_seconds, \
         token, reason, version, asked_at, due_at, tries) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0) \
         ON CONFLICT (subscription) DO UPDATE SET number = excluded.number, mode = excluded.mode, \
         topic_written = excluded.topic_written, callback = excluded.callback, secret = excluded.secret, \
         algorithm = excluded.algorithm, lease_seconds = excluded.lease_seconds, token = excluded.token, \
         reason = excluded.reason, version = excluded.version, asked_at = excluded.asked_at, due_at = excluded.due_at, \
         tries = 0",
    )
    .bind(subscription)
    .bind(number)
    .bind(kept.mode)
    .bind(kept.topic_written)
    .bind(kept.callback)
    .bind(kept.secret)
    .bind(kept.algorithm.as_str())
    .bind(kept.lease_seconds)
    .bind(kept.token)
    .bind(kept.reason)
    .bind(kept.version)
    .bind(at_ms)
    .bind(kept.due_at)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushStore;

    #[tokio::test]
    async fn what_a_request_is_counted_against_is_served_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        for statement in [OF_HOST, COMBINATIONS_OF_HOST] {
            store.db.assert_served_by_indexes(statement, &["limited"]).await;
        }
        // these walk, through an index of no more rows than they count
        for (statement, index) in [(COMBINATIONS, "hub_subscription_combination"), (WAITING, "hub_request_asked")] {
            let steps = store.db.steps_of(statement).await.join("\n");
            assert!(steps.contains(index), "{steps}");
        }
    }
}
