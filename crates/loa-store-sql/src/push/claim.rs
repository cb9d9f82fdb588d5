//! Claiming due deliveries: the oldest due version of an article first, never two of one article to one
//! endpoint at once, no endpoint over its limit, and each endpoint's first before any endpoint's second.
//!
//! Each endpoint's own index gives as many as the endpoint may still have in flight; the batch is filled
//! round by round. The cost is (endpoints with something due) × (their room), whatever the backlog.

use super::{endpoints, upcoming};
use crate::{
    db::{Db, Locking, Tx},
    fault::{Result, corrupt},
    restoring::refuse_during_restore,
    row::{Kept, SET_ASIDE_MS, from_row, ms, row_of},
};
use loa_domain::{DeliveryId, Endpoint, EndpointId, EventKey};
use loa_store::{DueDelivery, Lease};
use std::{collections::HashSet, sync::Arc};

/// Enabled endpoints with something due, the longest waiting first.
pub(super) const WAITING: &str = "SELECT id, first FROM \
    (SELECT e.id AS id, (SELECT MIN(d.ready_at) FROM delivery AS d WHERE d.endpoint = e.id AND d.ready_at IS NOT NULL) \
        AS first FROM endpoint AS e WHERE e.disabled IS NULL) AS waiting \
    WHERE first <= $1 ORDER BY first, id";
/// How many deliveries of an endpoint are leased.
pub(super) const IN_FLIGHT: &str =
    "SELECT COUNT(*) FROM delivery WHERE endpoint = $1 AND holder IS NOT NULL AND ready_at > $2";
/// Due deliveries of an endpoint, longest due first, less those whose article is in flight or has an older version due.
/// The `+ 0` keeps the planner at the few deliveries of the article.
pub(super) const DUE: &str = "SELECT d.number FROM delivery AS d \
    WHERE d.endpoint = $1 AND d.ready_at IS NOT NULL AND d.ready_at <= $2 AND NOT EXISTS \
        (SELECT 1 FROM delivery AS o WHERE o.endpoint = d.endpoint AND o.article = d.article AND o.state = 'pending' \
         AND o.number <> d.number AND ((o.holder IS NOT NULL AND o.ready_at + 0 > $2) OR (o.ready_at + 0 <= $2 \
         AND (o.revision, o.withdrawn, o.version_id, o.number) < (d.revision, d.withdrawn, d.version_id, d.number)))) \
    ORDER BY d.ready_at, d.number LIMIT $3";

from_row!(WaitingRow in "endpoint" by id { id: String });

/// Claims due deliveries.
pub(super) async fn claim(
    db: &Db,
    lease: &Lease,
    skip: &[EndpointId],
    per_endpoint: u32,
    max: u32,
) -> Result<Vec<DueDelivery>> {
    upcoming::admit_all(db, lease.now).await?;
    let skip: HashSet<&str> = skip.iter().map(EndpointId::as_str).collect();
    // In turn: how much an endpoint may still have, and whether an article is in flight, depends on what others claim.
    let mut tx = db.begin_serial().await?;
    refuse_during_restore(&mut tx, "push").await?;
    let mut claimed = Vec::new();
    loop {
        let unreadable = tx.found().unreadable_in("delivery");
        let max = max.saturating_sub(u32::try_from(claimed.len()).unwrap_or(u32::MAX));
        let hands = hands(&mut tx, lease, &skip, per_endpoint, max).await?;
        claimed.extend(take(&mut tx, lease, &hands, max as usize).await?);
        if tx.found().unreadable_in("delivery") <= unreadable {
            break; // else others stand behind those that were found
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

/// What is due to one endpoint.
struct Hand {
    endpoint: Endpoint,
    /// How many it may have.
    room: usize,
    /// As many, and as many more as there are that cannot be read: these take nobody's place.
    due: Vec<i64>,
}

async fn hands(tx: &mut Tx, lease: &Lease, skip: &HashSet<&str>, per_endpoint: u32, max: u32) -> Result<Vec<Hand>> {
    let waiting: Vec<Kept<WaitingRow>> =
        on!(&mut *tx, c: D => sqlx::query_as(WAITING).bind(ms(lease.now)).fetch_all(c).await?);
    let waiting = tx.found().rows(waiting);
    let mut hands = Vec::new();
    for WaitingRow { id } in waiting.into_iter().filter(|row| !skip.contains(row.id.as_str())) {
        // what is owed to one that cannot be read stays due
        let Some(endpoint) = endpoint(tx, &id).await? else { continue };
        let (room, due) = due(tx, &id, lease, per_endpoint, max).await?;
        if !due.is_empty() {
            hands.push(Hand { endpoint, room, due });
        }
    }
    Ok(hands)
}

/// The endpoint with this id; `None`: it cannot be read.
async fn endpoint(tx: &mut Tx, id: &str) -> Result<Option<Endpoint>> {
    let read = async {
        let known: EndpointId = row_of("endpoint", &id).text("id", id.to_owned())?;
        endpoints::read(tx, &known)
            .await?
            .ok_or_else(|| corrupt("endpoint", "id", id, "it is referred to, but is not there"))
    };
    let read = read.await;
    tx.found().sort("endpoint", id, read)
}

async fn due(tx: &mut Tx, endpoint: &str, lease: &Lease, per_endpoint: u32, max: u32) -> Result<(usize, Vec<i64>)> {
    let in_flight: i64 = on!(&mut *tx, c: D => sqlx::query_scalar(IN_FLIGHT)
        .bind(endpoint)
        .bind(ms(lease.now))
        .fetch_one(c)
        .await?);
    let room = i64::from(per_endpoint).saturating_sub(in_flight).min(i64::from(max));
    if room <= 0 {
        return Ok((0, Vec::new()));
    }
    let unreadable = i64::try_from(tx.found().unreadable_in("delivery")).unwrap_or(0);
    let free = tx.locking(DUE, Locking::FreeRows);
    let due = on!(tx, c: D => sqlx::query_scalar(free)
        .bind(endpoint)
        .bind(ms(lease.now))
        .bind(room.saturating_add(unreadable))
        .fetch_all(c)
        .await?);
    Ok((usize::try_from(room).unwrap_or(0), due))
}

/// One of each hand, then a second of each: places of hands, and what is dealt.
fn deal(hands: &[&[i64]]) -> Vec<(usize, i64)> {
    let rounds = hands.iter().map(|due| due.len()).max().unwrap_or(0);
    let of_round = |round: usize| {
        hands.iter().enumerate().filter_map(move |(hand, due)| due.get(round).map(|number| (hand, *number)))
    };
    (0..rounds).flat_map(of_round).collect()
}

from_row!(DueRow {
    number: i64,
    event_source: String,
    event_id: String,
    event_type: String,
    article: String,
    revision: i64,
    body: Vec<u8>,
    tries: i64,
});

async fn take(tx: &mut Tx, lease: &Lease, hands: &[Hand], max: usize) -> Result<Vec<DueDelivery>> {
    let mut claimed = Vec::new();
    let mut bodies: Vec<(EventKey, Arc<[u8]>)> = Vec::new();
    let mut room: Vec<usize> = hands.iter().map(|hand| hand.room).collect();
    let due: Vec<&[i64]> = hands.iter().map(|hand| hand.due.as_slice()).collect();
    for (place, number) in deal(&due) {
        if claimed.len() >= max {
            break;
        }
        let (Some(hand), Some(room)) = (hands.get(place), room.get_mut(place).filter(|room| **room > 0)) else {
            continue; // it was only looked at, and stays due
        };
        let held = put_under_lease(tx, number, lease).await;
        if tx.found().sort_part("delivery", number, held)?.is_none() {
            continue; // nobody can write it, so it stays due
        }
        let read = due_row(tx, number).await.and_then(|row| row.read(hand.endpoint.clone(), &mut bodies));
        match tx.found().sort("delivery", number, read)? {
            Some(due) => {
                *room -= 1;
                claimed.push(due);
            }
            None => set_aside(tx, number, lease).await?,
        }
    }
    Ok(claimed)
}

async fn put_under_lease(tx: &mut Tx, number: i64, lease: &Lease) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE delivery SET holder = $2, ready_at = $3 WHERE number = $1")
        .bind(number)
        .bind(lease.holder.as_str())
        .bind(ms(lease.until))
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

async fn due_row(tx: &mut Tx, number: i64) -> Result<DueRow> {
    Ok(on!(tx, c: D => sqlx::query_as(
        "SELECT d.number, v.event_source, v.event_id, v.event_type, d.article, d.revision, v.body, d.tries \
         FROM delivery AS d JOIN event AS v ON v.id = d.event WHERE d.number = $1",
    )
    .bind(number)
    .fetch_one(c)
    .await?))
}

/// Tries one that cannot be read again later. It takes no place among what its endpoint has in flight.
async fn set_aside(tx: &mut Tx, number: i64, lease: &Lease) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE delivery SET holder = NULL, ready_at = $2 WHERE number = $1")
        .bind(number)
        .bind(ms(lease.now).saturating_add(SET_ASIDE_MS))
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

impl DueRow {
    /// Deliveries of one event share its bytes.
    fn read(self, endpoint: Endpoint, bodies: &mut Vec<(EventKey, Arc<[u8]>)>) -> Result<DueDelivery> {
        let cell = row_of("delivery", &self.number);
        let event = EventKey { source: self.event_source, id: self.event_id };
        let body = match bodies.iter().find(|(key, _)| *key == event) {
            Some((_, body)) => body.clone(),
            None => {
                let body: Arc<[u8]> = self.body.into();
                bodies.push((event.clone(), body.clone()));
                body
            }
        };
        Ok(DueDelivery {
            id: delivery_id(self.number)?,
            endpoint,
            event_type: cell.word("event_type", &self.event_type, |word| word.parse().ok())?,
            article: cell.text("article", self.article)?,
            revision: cell.count("revision", self.revision)?,
            attempts: cell.small("tries", self.tries)?,
            event,
            body,
        })
    }
}

/// A delivery's id: `d` and its number.
pub(super) fn delivery_id(number: i64) -> Result<DeliveryId> {
    row_of("delivery", &number).text("number", format!("d{number}"))
}

/// Reads [`delivery_id`] back; `None` for an id that no delivery can have.
pub(super) fn delivery_number(id: &DeliveryId) -> Option<i64> {
    let digits = id.as_str().strip_prefix('d')?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushStore;

    #[tokio::test]
    async fn a_claim_is_served_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        store.db.assert_served_by_indexes(WAITING, &["e"]).await; // endpoints are few, and each is to be asked
        store.db.assert_served_by_indexes(IN_FLIGHT, &[]).await;
        store.db.assert_served_by_indexes(DUE, &[]).await;
        let due = store.db.steps_of(DUE).await;
        let siblings = due.iter().find(|step| step.starts_with("SEARCH o ")).unwrap();
        assert!(siblings.contains("endpoint=? AND article=? AND state=?"), "{due:?}");
    }

    #[test]
    fn a_batch_is_dealt_round_by_round() {
        let dealt = deal(&[&[1, 2, 3, 4], &[5], &[6, 7]]);
        assert_eq!(dealt, [(0, 1), (1, 5), (2, 6), (0, 2), (2, 7), (0, 3), (0, 4)]);
    }

    #[test]
    fn a_delivery_id_reads_back_and_nothing_else_does() {
        assert_eq!(delivery_number(&delivery_id(42).unwrap()), Some(42));
        for bad in ["42", "d", "d-1", "d+1", "dx", "d99999999999999999999"] {
            assert_eq!(delivery_number(&DeliveryId::new(bad).unwrap()), None, "{bad}");
        }
    }
}
