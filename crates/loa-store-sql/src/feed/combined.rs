//! Entries of a combination of feeds: the newest of the union, or of the areas' union within the sections'.
//!
//! A page costs its rows, whatever the size of the feeds: one index walk for each part of the smaller side,
//! at most [`SCAN_MAX`] rows each, with a lookup on the other side. An entry that is behind more than that
//! many others of its part, which are not on the other side, is not found.

use crate::{db::Tx, fault::Result};
use loa_domain::{Combination, FeedName};
use sqlx::QueryBuilder;
use std::{cmp::Reverse, collections::BTreeSet};

/// Most entries of one part that are looked at for those that the other side has as well.
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
    let (mut walked, mut asked) = (combination.areas(), combination.sections());
    if walked.is_empty() || (!asked.is_empty() && size(tx, &asked).await? < size(tx, &walked).await?) {
        std::mem::swap(&mut walked, &mut asked);
    }
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

/// The newest places of one feed that stand in one of `also` too; in any case, when that is empty.
async fn walk(
    tx: &mut Tx,
    feed: &FeedName,
    also: &[FeedName],
    gone: bool,
    before: &EntryPlace,
    limit: u32,
) -> Result<Vec<EntryPlace>> {
    let scanned = if also.is_empty() { i64::from(limit) } else { SCAN_MAX };
    Ok(on!(tx, c: D => {
        let mut query = QueryBuilder::<D>::new(
            "SELECT p.sort_at, p.article FROM (SELECT sort_at, article FROM place WHERE feed = ",
        );
        query.push_bind(feed.to_string()).push(" AND gone = ").push_bind(i64::from(gone));
        query.push(" AND (sort_at, article) < (").push_bind(before.0).push(", ").push_bind(before.1.clone());
        query.push(") ORDER BY sort_at DESC, article DESC LIMIT ").push_bind(scanned).push(") AS p");
        if !also.is_empty() {
            query.push(" WHERE EXISTS (SELECT 1 FROM place AS o WHERE o.article = p.article AND o.feed IN (");
            let mut list = query.separated(", ");
            for other in also {
                list.push_bind(other.to_string());
            }
            query.push("))");
        }
        query.push(" ORDER BY p.sort_at DESC, p.article DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().persistent(false).fetch_all(c).await?
    }))
}
