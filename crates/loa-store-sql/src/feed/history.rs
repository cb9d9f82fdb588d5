//! The history of a feed: how many entries a span of time has, a piece of it, and its neighbours. All reads
//! use the key of `place`, so a month of one feed costs that month, whatever the size of the ledger.

use super::views::{ItemRow, standing_entries};
use crate::{
    db::Db,
    fault::Result,
    row::{Kept, from_row, ms, row_of, signed},
};
use jiff::Timestamp;
use loa_domain::FeedName;
use loa_store::FeedEntry;

const COUNTED: &str = "SELECT COUNT(*) FROM place WHERE feed = $1 AND gone = 0 AND sort_at >= $2 AND sort_at < $3";

/// How many entries lie in a span of time.
pub(super) async fn counted(db: &Db, feed: &FeedName, from: Timestamp, until: Timestamp) -> Result<u64> {
    let feed = feed.to_string();
    let count: i64 = read!(db, pool => sqlx::query_scalar(COUNTED)
        .bind(feed.as_str())
        .bind(ms(from))
        .bind(ms(until))
        .fetch_one(pool)
        .await?);
    row_of("place", &feed).count("feed", count)
}

// The keys are counted off before any content is read.
const BETWEEN: &str = "SELECT i.article, i.revision, i.withdrawn, i.event_source, i.content, i.reason, i.sort_at \
     FROM (SELECT sort_at, article FROM place WHERE feed = $1 AND gone = 0 AND sort_at >= $2 AND sort_at < $3 \
           ORDER BY sort_at, article LIMIT $4 OFFSET $5) AS p \
     JOIN item AS i ON i.article = p.article ORDER BY p.sort_at, p.article";

/// A piece of a span of time, the oldest first.
pub(super) async fn between(
    db: &Db,
    feed: &FeedName,
    from: Timestamp,
    until: Timestamp,
    skip: u64,
    limit: u32,
) -> Result<Vec<FeedEntry>> {
    let rows: Vec<Kept<ItemRow>> = read!(db, pool => sqlx::query_as(BETWEEN)
        .bind(feed.to_string())
        .bind(ms(from))
        .bind(ms(until))
        .bind(i64::from(limit))
        .bind(signed(skip)?)
        .fetch_all(pool)
        .await?);
    standing_entries(db, rows)
}

from_row!(AroundRow { newest_before: Option<i64>, oldest_after: Option<i64> });

const AROUND: &str = "SELECT \
     (SELECT sort_at FROM place WHERE feed = $1 AND gone = 0 AND sort_at < $2 \
      ORDER BY sort_at DESC LIMIT 1) AS newest_before, \
     (SELECT sort_at FROM place WHERE feed = $1 AND gone = 0 AND sort_at >= $3 \
      ORDER BY sort_at LIMIT 1) AS oldest_after";

/// The nearest entries on both sides of a span of time.
pub(super) async fn around(
    db: &Db,
    feed: &FeedName,
    from: Timestamp,
    until: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let feed = feed.to_string();
    let row: AroundRow = read!(db, pool => sqlx::query_as(AROUND)
        .bind(feed.as_str())
        .bind(ms(from))
        .bind(ms(until))
        .fetch_one(pool)
        .await?);
    let cell = row_of("place", &feed);
    let instant = |at: Option<i64>| at.map(|at| cell.time("sort_at", at)).transpose();
    Ok((instant(row.newest_before)?, instant(row.oldest_after)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FeedStore;

    #[tokio::test]
    async fn a_month_of_one_feed_is_found_by_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = FeedStore::open(folder.path().join("feed.db")).await.unwrap();
        store.db.assert_served_by_indexes(COUNTED, &[]).await;
        store.db.assert_served_by_indexes(BETWEEN, &["p"]).await;
        store.db.assert_served_by_indexes(AROUND, &["CONSTANT"]).await;
        // neither sorts: the key is the order
        for statement in [BETWEEN, AROUND] {
            let steps = store.db.steps_of(statement).await;
            let sorted = steps.iter().filter(|step| step.contains("ORDER BY")).count();
            assert!(sorted <= usize::from(statement == BETWEEN), "{steps:#?}");
        }
    }
}
