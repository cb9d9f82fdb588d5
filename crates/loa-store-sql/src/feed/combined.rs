//! Entries of a combination of feeds: the newest of the union of each side (areas, sections, portals), within the others'.
//!
//! A page costs its rows, whatever the size of the feeds: one index walk for each part of the smallest side,
//! at most [`SCAN_MAX`] rows each, with a lookup on the other sides. An entry that is behind more than that
//! many others of its part, which are not on the other sides, is not found.

use crate::{
    db::Tx,
    fault::Result,
    row::{Kept, from_row},
};
use loa_domain::{Combination, FeedName};
use sqlx::QueryBuilder;
use std::{cmp::Reverse, collections::BTreeSet};

/// Most entries of one part that are looked at for those that the other sides have as well.
const SCAN_MAX: i64 = 2_000;

/// Where a subject stands in a list: newest first, then by id.
pub(super) type EntryPlace = (i64, String);

/// The newest `limit` places of a combination that are older than `before`.
pub(super) async fn places(
    tx: &mut Tx,
    combination: &Combination,
    gone: bool,
    before: &EntryPlace,
    limit: u32,
) -> Result<Vec<EntryPlace>> {
    let mut asked = combination.sides();
    let mut smallest = (0, i64::MAX);
    for (place, side) in asked.iter().enumerate().filter(|_| asked.len() > 1) {
        let size = size(tx, side).await?;
        if size < smallest.1 {
            smallest = (place, size);
        }
    }
    let walked = if asked.is_empty() { Vec::new() } else { asked.remove(smallest.0) };
    let mut found: BTreeSet<Reverse<EntryPlace>> = BTreeSet::new();
    for part in &walked {
        found.extend(walk(tx, part, &asked, gone, before, limit).await?.into_iter().map(Reverse));
        while found.len() > limit as usize {
            found.pop_last();
        }
    }
    Ok(found.into_iter().map(|Reverse(place)| place).collect())
}

/// How many entries stand in these feeds, one in two of them counted twice.
async fn size(tx: &mut Tx, feeds: &[FeedName]) -> Result<i64> {
    let mut sum = 0;
    for feed in feeds {
        let entries: Option<i64> = on!(&mut *tx, c: D => sqlx::query_scalar("SELECT entries FROM feed WHERE name = $1")
            .bind(feed.to_string())
            .fetch_optional(c)
            .await?);
        sum += entries.unwrap_or(0);
    }
    Ok(sum)
}

from_row!(PlaceRow in "place" by article { sort_at: i64, article: String });

/// The newest places of one feed that stand in one feed of each side of `also` too; in any case, when there is none.
async fn walk(
    tx: &mut Tx,
    feed: &FeedName,
    also: &[Vec<FeedName>],
    gone: bool,
    before: &EntryPlace,
    limit: u32,
) -> Result<Vec<EntryPlace>> {
    let scanned = if also.is_empty() { i64::from(limit) } else { SCAN_MAX };
    let rows: Vec<Kept<PlaceRow>> = on!(&mut *tx, c: D => {
        let mut query = QueryBuilder::<D>::new(
            "SELECT p.sort_at, p.article FROM (SELECT sort_at, article FROM place WHERE feed = ",
        );
        query.push_bind(feed.to_string()).push(" AND gone = ").push_bind(i64::from(gone));
        query.push(" AND (sort_at, article) < (").push_bind(before.0).push(", ").push_bind(before.1.clone());
        query.push(") ORDER BY sort_at DESC, article DESC LIMIT ").push_bind(scanned).push(") AS p");
        for (place, side) in also.iter().enumerate() {
            query.push(if place == 0 { " WHERE" } else { " AND" });
            query.push(" EXISTS (SELECT 1 FROM place AS o WHERE o.article = p.article AND o.feed IN (");
            let mut list = query.separated(", ");
            for other in side {
                list.push_bind(other.to_string());
            }
            query.push("))");
        }
        query.push(" ORDER BY p.sort_at DESC, p.article DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().persistent(false).fetch_all(c).await?
    });
    Ok(tx.found().rows(rows).into_iter().map(|row| (row.sort_at, row.article)).collect())
}
