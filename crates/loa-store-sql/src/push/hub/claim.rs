//! Handing out calls of a call class: a few at a time for each host, one for each subscription.

use super::standing::{
    DELIVERIES, DENIED, REQUESTS, SubscriptionRow, end_active, find, put_host_ready, refresh_host, refresh_host_in,
    release, subscription_id,
};
use crate::{
    db::{Db, Locking, Tx},
    fault::Result,
    restoring::refuse_during_restore,
    row::{Kept, SET_ASIDE_MS, from_row, ms, row_of},
};
use loa_domain::{HubMode, SignatureAlgorithm};
use loa_store::{CallClass, DueCall, HubCall, Lease};
use std::{collections::HashMap, sync::Arc};

/// Hosts of which a subscriber may be told, the longest waiting first.
pub(super) const HOSTS_TO_TELL: &str = "SELECT host FROM hub_host WHERE deliver_at IS NOT NULL AND deliver_at <= $1 \
    ORDER BY deliver_at, host LIMIT $2";
/// Hosts of which a callback may be asked, the longest waiting first.
pub(super) const HOSTS_TO_ASK: &str = "SELECT host FROM hub_host WHERE verify_at IS NOT NULL AND verify_at <= $1 \
    ORDER BY verify_at, host LIMIT $2";
/// How many subscriptions of a host are leased for calls of a class.
pub(super) const HELD: &str = "SELECT COUNT(*) FROM hub_subscription \
    WHERE host = $1 AND call_class = $2 AND holder IS NOT NULL AND ready_at > $3";
/// When the first of these leases ends.
pub(super) const FIRST_HELD: &str = "SELECT MIN(ready_at) FROM hub_subscription \
    WHERE host = $1 AND call_class = $2 AND holder IS NOT NULL AND ready_at > $3";
/// Subscriptions of a host with a call of a class due, the longest waiting first.
pub(super) const DUE: &str = "SELECT number FROM hub_subscription WHERE host = $1 AND call_class = $2 \
    AND ready_at IS NOT NULL AND ready_at <= $3 ORDER BY ready_at, number LIMIT $4";

/// A topic's newest version, once however many get it.
type Bodies = HashMap<String, Option<Newest>>;

#[derive(Clone)]
struct Newest {
    version: i64,
    content_type: String,
    body: Arc<[u8]>,
}

/// Claims calls.
pub(super) async fn claim(
    db: &Db,
    call_class: CallClass,
    lease: &Lease,
    per_host: u32,
    max: u32,
) -> Result<Vec<DueCall>> {
    let (hosts, call_class) = match call_class {
        CallClass::Deliveries => (HOSTS_TO_TELL, DELIVERIES),
        CallClass::Requests => (HOSTS_TO_ASK, REQUESTS),
    };
    // In turn: how much a host may still have depends on what others claim.
    let mut tx = db.begin_serial().await?;
    refuse_during_restore(&mut tx, "push").await?;
    // what cannot be written stays due, and so does its host: neither takes anybody's place
    let unreadable = unreadable(&tx).saturating_add(unreadable_in(&tx, "hub_host"));
    let hosts: Vec<Kept<HostRow>> = on!(&mut tx, c: D => sqlx::query_as(hosts)
        .bind(ms(lease.now))
        .bind(i64::from(max).saturating_add(unreadable))
        .fetch_all(c)
        .await?);
    let (mut claimed, mut bodies) = (Vec::new(), Bodies::new());
    let hosts = tx.found().rows(hosts);
    for HostRow { host } in hosts {
        if claimed.len() >= max as usize {
            break;
        }
        let done = of_host(&mut tx, &host, (call_class, lease), (per_host, max), &mut claimed, &mut bodies).await;
        tx.found().sort("hub_host", &host, done)?;
    }
    tx.commit().await?;
    Ok(claimed)
}

from_row!(HostRow in "hub_host" by host { host: String });

/// How many rows of a table are known that cannot be read.
fn unreadable_in(tx: &Tx, table: &str) -> i64 {
    i64::try_from(tx.found().unreadable_in(table)).unwrap_or(0)
}

fn unreadable(tx: &Tx) -> i64 {
    unreadable_in(tx, "hub_subscription")
}

/// Claims what is due of one host, as far as its room goes.
async fn of_host(
    tx: &mut Tx,
    host: &str,
    (call_class, lease): (i64, &Lease),
    (per_host, max): (u32, u32),
    claimed: &mut Vec<DueCall>,
    bodies: &mut Bodies,
) -> Result<()> {
    let held: i64 = on!(&mut *tx, c: D => sqlx::query_scalar(HELD)
        .bind(host)
        .bind(call_class)
        .bind(ms(lease.now))
        .fetch_one(c)
        .await?);
    if held >= i64::from(per_host) {
        let first: Option<i64> = on!(&mut *tx, c: D => sqlx::query_scalar(FIRST_HELD)
            .bind(host)
            .bind(call_class)
            .bind(ms(lease.now))
            .fetch_one(c)
            .await?);
        return put_host_ready(tx, host, call_class, first).await;
    }
    let room = i64::from(per_host).saturating_sub(held).min(i64::from(max) - claimed.len() as i64);
    if claim_some(tx, host, (call_class, lease), room, claimed, bodies).await? {
        // those that were let go may be ready in the other call class
        refresh_host(tx, host).await
    } else {
        refresh_host_in(tx, host, call_class).await
    }
}

/// Claims so many of a host's due subscriptions; whether one of them was let go.
async fn claim_some(
    tx: &mut Tx,
    host: &str,
    (call_class, lease): (i64, &Lease),
    room: i64,
    claimed: &mut Vec<DueCall>,
    bodies: &mut Bodies,
) -> Result<bool> {
    let most = claimed.len().saturating_add(usize::try_from(room).unwrap_or(0));
    let mut is_let_go = false;
    loop {
        let known = unreadable(tx);
        let free = tx.locking(DUE, Locking::FreeRows);
        let due: Vec<i64> = on!(&mut *tx, c: D => sqlx::query_scalar(free)
            .bind(host)
            .bind(call_class)
            .bind(ms(lease.now))
            .bind(room.saturating_add(known))
            .fetch_all(c)
            .await?);
        for number in due {
            if claimed.len() >= most {
                break; // what was only read stays due
            }
            let read = take(tx, number, call_class, lease, bodies).await;
            let read = tx.found().sort("hub_subscription", number, read)?;
            is_let_go |= !matches!(read, Some(Some(_)));
            match read {
                Some(call) => claimed.extend(call),
                None => {
                    let written = set_aside(tx, number, lease).await;
                    tx.found().sort_part("hub_subscription", number, written)?;
                }
            }
        }
        if claimed.len() >= most || unreadable(tx) <= known {
            return Ok(is_let_go); // else others of this host stand behind those that cannot be read
        }
    }
}

/// Tries a subscription that cannot be read again later. It takes no place among what its host has in flight.
async fn set_aside(tx: &mut Tx, number: i64, lease: &Lease) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE hub_subscription SET holder = NULL, ready_at = $2 WHERE number = $1")
        .bind(number)
        .bind(ms(lease.now).saturating_add(SET_ASIDE_MS))
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// Takes what is due of a subscription; `None` when there is nothing after all, for its lease has ended meanwhile.
async fn take(
    tx: &mut Tx,
    number: i64,
    call_class: i64,
    lease: &Lease,
    bodies: &mut Bodies,
) -> Result<Option<DueCall>> {
    let now = ms(lease.now);
    let Some(standing) = find(tx, number).await? else { return Ok(None) };
    if call_class == REQUESTS && standing.holder.is_some() {
        // whoever had it never said what came of it; it is asked about again, but not without end
        on!(&mut *tx, c: D => sqlx::query("UPDATE hub_request SET tries = tries + 1 WHERE subscription = $1")
            .bind(number)
            .execute(c)
            .await?
            .rows_affected());
    }
    let call = if call_class == REQUESTS {
        request(tx, number, now).await?
    } else {
        delivery(tx, &standing, now, bodies).await?
    };
    let Some((callback, call, tries)) = call else {
        if standing.ends_at.is_some() && !standing.is_active(now) {
            end_active(tx, number).await?;
        }
        release(tx, number, now).await?;
        return Ok(None);
    };
    on!(tx, c: D => sqlx::query("UPDATE hub_subscription SET holder = $2, ready_at = $3 WHERE number = $1")
        .bind(number)
        .bind(lease.holder.as_str())
        .bind(ms(lease.until))
        .execute(c)
        .await?
        .rows_affected());
    let tries = row_of("hub_subscription", &number).small("tries", tries)?;
    Ok(Some(DueCall { subscription: subscription_id(number)?, callback, host: standing.host, call, tries }))
}

from_row!(WishRow {
    number: i64,
    mode: String,
    topic_written: String,
    callback: String,
    lease_seconds: i64,
    token: Option<String>,
    reason: String,
    tries: i64,
});

async fn request(tx: &mut Tx, subscription: i64, now: i64) -> Result<Option<(String, HubCall, i64)>> {
    let row: Option<WishRow> = on!(tx, c: D => sqlx::query_as(
        "SELECT number, mode, topic_written, callback, lease_seconds, token, reason, tries FROM hub_request \
         WHERE subscription = $1 AND due_at <= $2",
    )
    .bind(subscription)
    .bind(now)
    .fetch_optional(c)
    .await?);
    let Some(row) = row else { return Ok(None) };
    let cell = row_of("hub_request", &subscription);
    let call = if row.mode == DENIED {
        HubCall::Deny { request: row.number, topic: row.topic_written, reason: row.reason }
    } else {
        HubCall::Verify {
            request: row.number,
            mode: cell.word("mode", &row.mode, HubMode::parse)?,
            topic: row.topic_written,
            lease_seconds: cell.count("lease_seconds", row.lease_seconds)?,
            token: row.token,
        }
    };
    Ok(Some((row.callback, call, row.tries)))
}

async fn delivery(
    tx: &mut Tx,
    standing: &SubscriptionRow,
    now: i64,
    bodies: &mut Bodies,
) -> Result<Option<(String, HubCall, i64)>> {
    if !standing.is_active(now) || standing.due_at.is_none_or(|due_at| due_at > now) {
        return Ok(None);
    }
    let Some(newest) = newest(tx, &standing.topic, bodies).await?.filter(|newest| newest.version > standing.version)
    else {
        // it has the newest: it is owed nothing
        on!(tx, c: D => sqlx::query("UPDATE hub_subscription SET due_at = NULL WHERE number = $1")
            .bind(standing.number)
            .execute(c)
            .await?
            .rows_affected());
        return Ok(None);
    };
    let (secret, algorithm): (Option<Vec<u8>>, String) = on!(tx, c: D => sqlx::query_as(
        "SELECT secret, algorithm FROM hub_subscription WHERE number = $1",
    )
    .bind(standing.number)
    .fetch_one(c)
    .await?);
    let call = HubCall::Deliver {
        version: newest.version,
        topic: standing.topic.clone(),
        content_type: newest.content_type,
        body: newest.body,
        secret,
        algorithm: row_of("hub_subscription", &standing.number).word(
            "algorithm",
            &algorithm,
            SignatureAlgorithm::parse,
        )?,
    };
    Ok(Some((standing.callback.clone(), call, standing.tries)))
}

async fn newest(tx: &mut Tx, topic: &str, bodies: &mut Bodies) -> Result<Option<Newest>> {
    if let Some(known) = bodies.get(topic) {
        return Ok(known.clone());
    }
    let row: Option<(i64, String, Vec<u8>)> = on!(tx, c: D => sqlx::query_as(
        "SELECT version, content_type, body FROM hub_topic WHERE topic = $1 AND version > 0",
    )
    .bind(topic)
    .fetch_optional(c)
    .await?);
    let newest = row.map(|(version, content_type, body)| Newest { version, content_type, body: body.into() });
    bodies.insert(topic.to_owned(), newest.clone());
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::{super::standing::FIRST_OF_HOST, *};
    use crate::PushStore;

    #[tokio::test]
    async fn a_claim_is_served_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        for statement in [HOSTS_TO_TELL, HOSTS_TO_ASK, HELD, FIRST_HELD, DUE, FIRST_OF_HOST] {
            store.db.assert_served_by_indexes(statement, &[]).await;
        }
    }
}
