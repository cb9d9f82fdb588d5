//! Writing down what calls came to. Only the holder of the lease changes what follows, except that a version that was taken
//! counts whoever brought it; and an answer about a request is good only for that request.

use super::standing::{
    DENIED, SubscriptionRow, end_active, end_request, find, refresh, refresh_host, release, subscription_number,
    topic_version,
};
use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{from_row, ms, row_of},
};
use jiff::Timestamp;
use loa_domain::{Breaker, HubMode, LastCall};
use loa_store::{CallRecord, HostRule, HostSign, HubAbout, HubOutcome};
use std::collections::BTreeSet;

/// Records calls; returns how many counted.
pub(super) async fn record(db: &Db, holder: &str, records: &[CallRecord], rule: &HostRule) -> Result<u64> {
    let mut tx = db.begin().await?;
    let (mut counted, mut hosts) = (0, BTreeSet::new());
    for record in records {
        let number = subscription_number(&record.subscription);
        let Some(number) = number else { continue };
        let Some(standing) = find(&mut tx, number).await? else { continue };
        let held = standing.holder.as_deref() == Some(holder);
        let at_ms = ms(record.at);
        let counts = match record.about {
            HubAbout::Request(request) => held && of_request(&mut tx, &standing, request, record, rule).await?,
            HubAbout::Version(version) => of_version(&mut tx, &standing, version, record.outcome, held, at_ms).await?,
        };
        counted += u64::from(counts);
        if counts {
            tell(&mut tx, number, &record.told).await?;
        }
        if held {
            release(&mut tx, number, at_ms).await?;
        } else {
            refresh(&mut tx, number, at_ms).await?;
        }
        of_host(&mut tx, &standing.host, record.sign, rule, record.at).await?;
        hosts.insert(standing.host);
    }
    for host in hosts {
        refresh_host(&mut tx, &host).await?;
    }
    tx.commit().await?;
    Ok(counted)
}

from_row!(WishRow { number: i64, mode: String, lease_seconds: i64 });

/// Applies an answer about a request; `false` when it was replaced meanwhile.
async fn of_request(
    tx: &mut Tx,
    standing: &SubscriptionRow,
    request: i64,
    record: &CallRecord,
    rule: &HostRule,
) -> Result<bool> {
    let at_ms = ms(record.at);
    let row: Option<WishRow> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT number, mode, lease_seconds FROM hub_request WHERE subscription = $1",
    )
    .bind(standing.number)
    .fetch_optional(c)
    .await?);
    let Some(row) = row.filter(|row| row.number == request) else { return Ok(false) };
    match record.outcome {
        HubOutcome::Retry(due_at) | HubOutcome::Later(due_at) => {
            let tries = i64::from(matches!(record.outcome, HubOutcome::Retry(_)));
            on!(tx, c: D => sqlx::query("UPDATE hub_request SET due_at = $2, tries = tries + $3 WHERE subscription = $1")
                .bind(standing.number)
                .bind(ms(due_at))
                .bind(tries)
                .execute(c)
                .await?
                .rows_affected());
            return Ok(true);
        }
        HubOutcome::Done if HubMode::parse(&row.mode) == Some(HubMode::Subscribe) => {
            if network_is_full(tx, standing.number, &record.network, rule).await? {
                deny(tx, standing.number, NETWORK_FULL, at_ms).await?;
                return Ok(true);
            }
            activate(tx, standing, row.lease_seconds, &record.network, at_ms).await?;
        }
        HubOutcome::Done if HubMode::parse(&row.mode) == Some(HubMode::Unsubscribe) => {
            end_active(tx, standing.number).await?;
        }
        // what held before holds on
        HubOutcome::Done | HubOutcome::Dropped | HubOutcome::GiveUp | HubOutcome::Gone => {}
    }
    end_request(tx, standing.number).await?;
    Ok(true)
}

/// What a subscriber is told in whose network there are too many.
const NETWORK_FULL: &str = "this hub has as many subscriptions of callbacks in this network as it takes on";

/// Other subscriptions in a network, up to a number.
const OF_NETWORK: &str = "SELECT COUNT(*) FROM \
    (SELECT number FROM hub_subscription WHERE network = $1 AND network <> '' AND number <> $2 LIMIT $3) AS limited";

/// Whether as many others in a network were verified as may be.
async fn network_is_full(tx: &mut Tx, number: i64, network: &str, rule: &HostRule) -> Result<bool> {
    let others: i64 = on!(tx, c: D => sqlx::query_scalar(OF_NETWORK)
        .bind(network)
        .bind(number)
        .bind(i64::from(rule.subscriptions_per_network_max))
        .fetch_one(c)
        .await?);
    Ok(others >= i64::from(rule.subscriptions_per_network_max))
}

/// Makes a request one of ours: to tell the subscriber that it is not subscribed, and why.
async fn deny(tx: &mut Tx, number: i64, reason: &str, at_ms: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE hub_request SET mode = $2, reason = $3, due_at = $4, tries = 0 WHERE subscription = $1",
    )
    .bind(number)
    .bind(DENIED)
    .bind(reason)
    .bind(at_ms)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// What was asked for holds from now on. Who renews goes on where it was; who is new begins with what stood when it asked.
async fn activate(
    tx: &mut Tx,
    standing: &SubscriptionRow,
    lease_seconds: i64,
    network: &str,
    at_ms: i64,
) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_subscription SET ends_at = $2, network = $4, \
         callback = (SELECT w.callback FROM hub_request AS w WHERE w.subscription = hub_subscription.number), \
         secret = (SELECT w.secret FROM hub_request AS w WHERE w.subscription = hub_subscription.number), \
         algorithm = (SELECT w.algorithm FROM hub_request AS w WHERE w.subscription = hub_subscription.number), \
         version = CASE WHEN $3 = 1 THEN version \
            ELSE (SELECT w.version FROM hub_request AS w WHERE w.subscription = hub_subscription.number) END \
         WHERE number = $1",
    )
    .bind(standing.number)
    .bind(at_ms.saturating_add(lease_seconds.saturating_mul(1_000)))
    .bind(i64::from(standing.is_active(at_ms)))
    .bind(network)
    .execute(c)
    .await?
    .rows_affected());
    owe(tx, standing, at_ms).await
}

/// Owes a subscription the newest version, from now on, when it has an older one and is not owed it already; nothing otherwise.
async fn owe(tx: &mut Tx, standing: &SubscriptionRow, at_ms: i64) -> Result<()> {
    let newest = topic_version(tx, &standing.topic).await?;
    on!(tx, c: D => sqlx::query(
        "UPDATE hub_subscription SET due_at = CASE WHEN version < $2 THEN COALESCE(due_at, $3) ELSE NULL END \
         WHERE number = $1",
    )
    .bind(standing.number)
    .bind(newest)
    .bind(at_ms)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// Applies an answer about a version; whether it counted.
async fn of_version(
    tx: &mut Tx,
    standing: &SubscriptionRow,
    version: i64,
    outcome: HubOutcome,
    held: bool,
    at_ms: i64,
) -> Result<bool> {
    match outcome {
        HubOutcome::Done => {
            record_version(tx, standing, version, Some(at_ms)).await?;
            owe(tx, standing, at_ms).await?;
            Ok(true)
        }
        _ if !held => Ok(false),
        // while this one failed, a newer one came: it is owed already, and does not wait for an old failure
        HubOutcome::Retry(_) | HubOutcome::Later(_) if topic_version(tx, &standing.topic).await? > version => Ok(true),
        HubOutcome::Retry(due_at) | HubOutcome::Later(due_at) => {
            let tries = i64::from(matches!(outcome, HubOutcome::Retry(_)));
            on!(tx, c: D => sqlx::query("UPDATE hub_subscription SET due_at = $2, tries = tries + $3 WHERE number = $1")
                .bind(standing.number)
                .bind(ms(due_at))
                .bind(tries)
                .execute(c)
                .await?
                .rows_affected());
            Ok(true)
        }
        HubOutcome::GiveUp | HubOutcome::Dropped => {
            record_version(tx, standing, version, None).await?;
            owe(tx, standing, at_ms).await?;
            Ok(true)
        }
        HubOutcome::Gone => {
            end_active(tx, standing.number).await?;
            Ok(true)
        }
    }
}

/// Records that a version is done with, taken or not; the schedule of the next begins anew.
async fn record_version(tx: &mut Tx, standing: &SubscriptionRow, version: i64, taken_ms: Option<i64>) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE hub_subscription SET version = CASE WHEN version < $2 THEN $2 ELSE version END, due_at = NULL, \
         tries = 0, delivered_at = COALESCE($3, delivered_at) WHERE number = $1",
    )
    .bind(standing.number)
    .bind(version)
    .bind(taken_ms)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

async fn tell(tx: &mut Tx, number: i64, told: &LastCall) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE hub_subscription SET reason = $2, status = $3, detail = $4 WHERE number = $1")
        .bind(number)
        .bind(told.reason.as_str())
        .bind(told.status.map(i64::from))
        .bind(told.words.as_str())
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// Keeps what a call says about its host as a whole.
///
/// A row has one instant for the breaker and for the time that the host asked for, `calls_from`. It is read as both: the host is called
/// neither while its breaker is open nor while it is paused, and an answer that was under way ends neither.
async fn of_host(tx: &mut Tx, host: &str, sign: HostSign, rule: &HostRule, at: Timestamp) -> Result<()> {
    if sign == HostSign::Nothing {
        return Ok(());
    }
    let row: Option<(i64, i64, Option<i64>)> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT failures, openings, calls_from FROM hub_host WHERE host = $1",
    )
    .bind(host)
    .fetch_optional(c)
    .await?);
    let known = kept_breaker(host, row.unwrap_or_default(), at)?;
    let mut breaker = known;
    match sign {
        HostSign::Failing => {
            breaker.fail(&rule.breaker, at);
        }
        HostSign::Pause(until) => breaker.pause(until),
        HostSign::Alive | HostSign::Nothing => breaker.succeed(at),
    }
    if breaker == known {
        return Ok(());
    }
    on!(tx, c: D => sqlx::query("UPDATE hub_host SET failures = $2, openings = $3, calls_from = $4 WHERE host = $1")
        .bind(host)
        .bind(i64::from(breaker.failures))
        .bind(i64::from(breaker.openings))
        .bind(breaker.open_until.max(breaker.paused_until).map(ms))
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// The breaker of a row. Whoever called the host after it was open is the one call of the half-open breaker.
fn kept_breaker(host: &str, row: (i64, i64, Option<i64>), at: Timestamp) -> Result<Breaker> {
    let cell = row_of("hub_host", &host);
    let calls_from = row.2.map(|at| cell.time("calls_from", at)).transpose()?;
    let (failures, openings) = (cell.small("failures", row.0)?, cell.small("openings", row.1)?);
    let open_until = calls_from.filter(|_| openings > 0);
    let is_trying = open_until.is_some_and(|until| until <= at);
    Ok(Breaker { failures, openings, open_until, is_trying, paused_until: calls_from.filter(|until| at < *until) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushStore;

    #[tokio::test]
    async fn the_others_in_a_network_are_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        store.db.assert_served_by_indexes(OF_NETWORK, &["limited"]).await;
    }
}
