//! Read-only questions to the feed ledger: entries, tombstones, summaries; and which feeds changed.

use crate::{
    counter,
    db::{Db, share_of, through},
    fault::{Result, corrupt},
    feed::combined::{self, EntryPlace},
    row::{Kept, from_row, ms, row_of},
    seen::{self, CHUNK},
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, Combination, FeedName, JourneyLine, JourneyStep, Outlet, shown_from};
use loa_store::{FeedEntry, FeedSummary, Tombstone};
use sqlx::QueryBuilder;
use std::collections::HashMap;
use tokio::time::Instant;

/// The most feeds one page of changes has.
const CHANGED_MAX: u32 = 10_000;
/// Before every place: pages begin at the newest.
const FROM_THE_NEWEST: EntryPlace = (i64::MAX, String::new());

from_row!(ChangedRow in "feed" by name { name: String, change: i64 });

/// The feeds changed after a change number, and the number to ask from next.
pub(super) async fn changed(db: &Db, after: i64, limit: u32) -> Result<(Vec<FeedName>, i64)> {
    let limit = limit.clamp(1, CHANGED_MAX);
    let mut tx = db.snapshot().await?;
    let kept: Vec<Kept<ChangedRow>> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT name, change FROM feed WHERE change > $1 ORDER BY change LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await?);
    let page_is_full = kept.len() == limit as usize;
    let rows = tx.found().rows(kept);
    let upto = match rows.last() {
        Some(last) if page_is_full => last.change,
        _ => counter::last(&mut tx, "change").await?,
    };
    let mut names = Vec::with_capacity(rows.len());
    for ChangedRow { name, .. } in &rows {
        names.extend(tx.found().sort("feed", name, feed_name("feed", "name", name))?);
    }
    Ok((names, upto))
}

/// When the last of these feeds changed; when none of them is known, when the last of all did.
pub(super) async fn changed_at(db: &Db, feeds: &[FeedName]) -> Result<Timestamp> {
    let mut tx = db.snapshot().await?;
    let mut latest: Option<i64> = None;
    for feed in feeds {
        let at: Option<i64> = on!(&mut tx, c: D => sqlx::query_scalar("SELECT changed_at FROM feed WHERE name = $1")
            .bind(feed.to_string())
            .fetch_optional(c)
            .await?);
        latest = latest.max(at);
    }
    let at = match latest {
        Some(at) => at,
        None => counter::last(&mut tx, "changed_at").await?,
    };
    row_of("feed", &"changed_at").time("changed_at", at)
}

fn feed_name(table: &'static str, column: &'static str, name: &str) -> Result<FeedName> {
    row_of(table, &name).word(column, name, FeedName::parse)
}

from_row!(ItemRow in "item" by article {
    article: String,
    revision: i64,
    withdrawn: i64,
    event_source: String,
    content: Option<String>,
    reason: String,
    sort_at: i64,
});

impl ItemRow {
    fn read(self) -> Result<std::result::Result<FeedEntry, Tombstone>> {
        let cell = row_of("item", &self.article);
        if self.withdrawn == 0 {
            let json = self.content.as_deref().ok_or_else(|| corrupt("item", "content", &self.article, "is NULL"))?;
            return Ok(Ok(FeedEntry {
                article: cell.text("article", self.article.clone())?,
                content: cell.json("content", json)?,
                source: self.event_source.clone(),
            }));
        }
        Ok(Err(Tombstone {
            article: cell.text("article", self.article.clone())?,
            revision: cell.count("revision", self.revision)?,
            at: cell.time("sort_at", self.sort_at)?,
            source: self.event_source.clone(),
            reason: self.reason.clone(),
        }))
    }

    fn entry(self) -> Result<FeedEntry> {
        let key = self.article.clone();
        self.read()?.map_err(|_| corrupt("place", "gone", key, "an entry is said to stand but is withdrawn"))
    }

    fn tombstone(self) -> Result<Tombstone> {
        let key = self.article.clone();
        match self.read()? {
            Err(tombstone) => Ok(tombstone),
            Ok(_) => Err(corrupt("place", "gone", key, "a tombstone is said to stand but its subject is live")),
        }
    }
}

/// Reads every item and the names of all feeds, until it is time to end: then `false`.
pub(super) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let rows = "SELECT article, revision, withdrawn, event_source, content, reason, sort_at FROM item \
                WHERE article > $1 ORDER BY article LIMIT $2";
    let names = "SELECT name, change FROM feed WHERE name > $1 ORDER BY name LIMIT $2";
    let of_feed = |row: ChangedRow| feed_name("feed", "name", &row.name).map(drop);
    let of_item = |row: ItemRow| row.read().map(drop);
    Ok(through(db, names, String::new(), share_of(until, 2), of_feed).await?
        & through(db, rows, String::new(), until, of_item).await?)
}

/// A page of entries, newest first.
pub(super) async fn entries(
    db: &Db,
    feed: &FeedName,
    before: Option<(Timestamp, ArticleKey)>,
    limit: u32,
) -> Result<Vec<FeedEntry>> {
    let (before_ms, before_id) = match before {
        Some((at, id)) => (ms(at), String::from(id)),
        None => FROM_THE_NEWEST,
    };
    if let FeedName::Combined(combination) = feed {
        let rows = combined_rows(db, combination, false, (before_ms, before_id), limit).await?;
        return standing_entries(db, rows);
    }
    let rows: Vec<Kept<ItemRow>> = read!(db, pool => sqlx::query_as(
        "SELECT i.article, i.revision, i.withdrawn, i.event_source, i.content, i.reason, i.sort_at \
         FROM place AS p JOIN item AS i ON i.article = p.article \
         WHERE p.feed = $1 AND p.gone = 0 AND (p.sort_at, p.article) < ($2, $3) \
         ORDER BY p.sort_at DESC, p.article DESC LIMIT $4",
    )
    .bind(feed.to_string())
    .bind(before_ms)
    .bind(before_id)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?);
    standing_entries(db, rows)
}

/// Entries that are said to stand. One that cannot be read is left out, and the others are shown.
pub(super) fn standing_entries(db: &Db, rows: Vec<Kept<ItemRow>>) -> Result<Vec<FeedEntry>> {
    readable(db, rows, ItemRow::entry)
}

fn readable<T>(db: &Db, rows: Vec<Kept<ItemRow>>, read: impl Fn(ItemRow) -> Result<T>) -> Result<Vec<T>> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.extend(db.found().sort("item", row.key(), row.read().and_then(&read))?);
    }
    Ok(found)
}

/// The newest tombstones.
pub(super) async fn tombstones(db: &Db, feed: &FeedName, limit: u32) -> Result<Vec<Tombstone>> {
    if let FeedName::Combined(combination) = feed {
        let rows = combined_rows(db, combination, true, FROM_THE_NEWEST, limit).await?;
        return readable(db, rows, ItemRow::tombstone);
    }
    let rows: Vec<Kept<ItemRow>> = read!(db, pool => sqlx::query_as(
        "SELECT i.article, i.revision, i.withdrawn, i.event_source, i.content, i.reason, i.sort_at \
         FROM place AS p JOIN item AS i ON i.article = p.article \
         WHERE p.feed = $1 AND p.gone = 1 ORDER BY p.sort_at DESC, p.article DESC LIMIT $2",
    )
    .bind(feed.to_string())
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?);
    readable(db, rows, ItemRow::tombstone)
}

/// The rows of a combination: where they stand first, so that no more texts are read than asked for.
async fn combined_rows(
    db: &Db,
    combination: &Combination,
    gone: bool,
    before: EntryPlace,
    limit: u32,
) -> Result<Vec<Kept<ItemRow>>> {
    let mut tx = db.snapshot().await?;
    let places = combined::places(&mut tx, combination, gone, &before, limit).await?;
    let mut rows: HashMap<String, Kept<ItemRow>> = HashMap::with_capacity(places.len());
    for chunk in places.chunks(CHUNK) {
        let found: Vec<Kept<ItemRow>> = on!(&mut tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT article, revision, withdrawn, event_source, content, reason, sort_at FROM item WHERE article IN (",
            );
            let mut list = query.separated(", ");
            for (_, article) in chunk {
                list.push_bind(article.clone());
            }
            query.push(")");
            query.build_query_as().persistent(false).fetch_all(c).await?
        });
        rows.extend(found.into_iter().map(|row| (row.key(), row)));
    }
    let mut found = Vec::with_capacity(places.len());
    for (_, article) in places {
        let row = rows.remove(&article).ok_or_else(|| corrupt("place", "article", &article, "has no item"));
        found.extend(tx.found().sort("place", &article, row)?);
    }
    Ok(found)
}

/// How an article stands.
pub(super) async fn standing(
    db: &Db,
    article: &ArticleKey,
) -> Result<Option<std::result::Result<FeedEntry, Tombstone>>> {
    let row: Option<Kept<ItemRow>> = read!(db, pool => sqlx::query_as(
        "SELECT article, revision, withdrawn, event_source, content, reason, sort_at FROM item WHERE article = $1",
    )
    .bind(article.as_str())
    .fetch_optional(pool)
    .await?);
    row.map(|row| row.read()?.read()).transpose()
}

from_row!(SummaryRow in "feed" by name { name: String, entries: i64, newest_at: Option<i64>, label: String });

/// All feeds that ever had an entry, by name. What is published at `until` or later is taken off the count: it is
/// little, where all entries of a feed may be a million.
pub(super) async fn summaries(db: &Db, until: Timestamp) -> Result<Vec<FeedSummary>> {
    let rows: Vec<Kept<SummaryRow>> = read!(db, pool => sqlx::query_as(
        "SELECT f.name, \
            f.entries - (SELECT COUNT(*) FROM place AS p WHERE p.feed = f.name AND p.gone = 0 AND p.sort_at >= $1) \
             AS entries, \
            (SELECT MAX(p.sort_at) FROM place AS p WHERE p.feed = f.name AND p.gone = 0 AND p.sort_at < $1) AS newest_at, \
            COALESCE((SELECT i.label FROM place AS p JOIN item AS i ON i.article = p.article \
             WHERE p.feed = f.name AND p.gone = 0 AND p.sort_at < $1 \
             ORDER BY p.sort_at DESC, p.article DESC LIMIT 1), f.label) AS label \
         FROM feed AS f WHERE f.entered = 1 ORDER BY f.name",
    )
    .bind(until.as_millisecond())
    .fetch_all(pool)
    .await?);
    let mut summaries = Vec::with_capacity(rows.len());
    for row in rows {
        summaries.extend(db.found().sort("feed", row.key(), row.read().and_then(SummaryRow::read))?);
    }
    Ok(summaries)
}

impl SummaryRow {
    fn read(self) -> Result<FeedSummary> {
        let feed = feed_name("feed", "name", &self.name)?;
        let is_category = matches!(feed, FeedName::Category(_));
        let cell = row_of("feed", &self.name);
        Ok(FeedSummary {
            label: if is_category { self.label.clone() } else { String::new() },
            entries: cell.count("entries", self.entries)?,
            newest_at: self.newest_at.map(|at| cell.time("newest_at", at)).transpose()?,
            feed,
        })
    }
}

from_row!(DatedRow { revision: i64, sort_at: i64 });

/// What was accepted about an article, oldest first; and from when on it is shown, where it was dated ahead when it came.
pub(super) async fn journey(db: &Db, article: &ArticleKey) -> Result<Vec<JourneyLine>> {
    let mut tx = db.snapshot().await?;
    let mut steps = seen::journey(&mut tx, Outlet::Feed, article).await?;
    let row: Option<DatedRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT revision, sort_at FROM item WHERE article = $1 AND withdrawn = 0",
    )
    .bind(article.as_str())
    .fetch_optional(c)
    .await?);
    if let Some(row) = row {
        let cell = row_of("item", article);
        let at = shown_from(cell.time("sort_at", row.sort_at)?);
        if steps.iter().all(|step| step.at < at) {
            let revision = cell.count("revision", row.revision)?;
            steps.push(JourneyLine { at, outlet: Outlet::Feed, revision, step: JourneyStep::Waiting });
        }
    }
    Ok(steps)
}
