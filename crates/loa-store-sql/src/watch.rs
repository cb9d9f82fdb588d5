//! The watch's ledger: sources, and the articles that each has named.
//!
//! Claiming is serial: two holders never have sources of one host. What is recorded is fenced by the holder.

use crate::{
    db::{During, Tx, schema::ledger_store},
    fault::{Result, refuse},
    row::{Kept, from_row, ms, row_of, signed, to_json},
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, WatchFailure, WatchKind, WatchedState};
use loa_store::{
    Lease, StoreError, StoreErrorKind, WatchLedger, WatchSource, WatchState, WatchView, WatchViews, WatchedItem,
};
use std::collections::{BTreeMap, BTreeSet};

ledger_store!(
    /// The watch's ledger on SQL.
    WatchStore, "watch", WATCH
);

/// The columns of an article.
const ITEM: &str = "SELECT address, title_key, title, listed_at, changed_at, state, article, digest, is_text_of_list, \
                    page_digest, etag, last_modified, first_seen_at, looked_at, due_at, looks, failures, missing, \
                    missing_since, error FROM watch_item ";

#[async_trait]
impl WatchViews for WatchStore {
    async fn watches(&self, counted: bool) -> std::result::Result<Vec<WatchView>, StoreError> {
        self.all(counted).await.during("list the sources", &self.db)
    }
}

#[async_trait]
impl WatchLedger for WatchStore {
    async fn add_watch(&self, source: &WatchSource) -> std::result::Result<(), StoreError> {
        self.add(source).await.during("add a source", &self.db)
    }

    async fn remove_watch(&self, name: &str) -> std::result::Result<(), StoreError> {
        self.remove(name).await.during("remove a source", &self.db)
    }

    async fn claim_watches(
        &self,
        lease: &Lease,
        only: Option<&str>,
        max: u32,
    ) -> std::result::Result<Vec<(WatchSource, WatchState)>, StoreError> {
        self.claim(lease, only, max).await.during("claim sources", &self.db)
    }

    async fn watched(
        &self,
        name: &str,
        addresses: &[String],
    ) -> std::result::Result<Vec<Option<WatchedItem>>, StoreError> {
        self.by_address(name, addresses).await.during("read articles of a source", &self.db)
    }

    async fn watched_by_title(
        &self,
        name: &str,
        title_key: &str,
        limit: u32,
    ) -> std::result::Result<Vec<WatchedItem>, StoreError> {
        self.by_title(name, title_key, limit).await.during("read articles of a source", &self.db)
    }

    async fn watched_due(
        &self,
        name: &str,
        now: Timestamp,
        limit: u32,
    ) -> std::result::Result<Vec<WatchedItem>, StoreError> {
        self.due(name, now, limit).await.during("read what is due of a source", &self.db)
    }

    async fn record_watched(
        &self,
        holder: &str,
        name: &str,
        items: &[WatchedItem],
        state: Option<&WatchState>,
    ) -> std::result::Result<(), StoreError> {
        self.record(holder, name, items, state).await.during("record articles of a source", &self.db)
    }

    async fn end_watch(
        &self,
        holder: &str,
        name: &str,
        state: &WatchState,
        due_at: Timestamp,
        host_rests_until: Option<Timestamp>,
    ) -> std::result::Result<(), StoreError> {
        self.end(holder, name, state, due_at, host_rests_until).await.during("end a look at a source", &self.db)
    }

    async fn ping(&self) -> std::result::Result<(), StoreError> {
        self.db.ping().await.during("read the watch ledger", &self.db)
    }
}

from_row!(SourceRow in "watch_source" by name {
    name: String, portal: String, address: String, host: String, kind: String, selectors: String, since: Option<i64>,
    every_seconds: i64, created_at: i64, state: String, due_at: i64,
});
from_row!(CountRow { source: String, state: String, count: i64 });
from_row!(HolderRow { holder: Option<String>, host: String });
from_row!(ItemRow in "watch_item" by address {
    address: String, title_key: String, title: String, listed_at: Option<i64>, changed_at: Option<i64>, state: String,
    article: Option<String>, digest: Option<String>, is_text_of_list: i64, page_digest: Option<String>,
    etag: Option<String>, last_modified: Option<String>, first_seen_at: i64, looked_at: Option<i64>, due_at: Option<i64>,
    looks: i64, failures: i64, missing: i64, missing_since: Option<i64>, error: Option<String>,
});

impl SourceRow {
    fn read(self) -> Result<(WatchSource, WatchState, Timestamp)> {
        let cell = row_of("watch_source", &self.name);
        let state = cell.json("state", &self.state)?;
        let due_at = cell.time("due_at", self.due_at)?;
        let source = WatchSource {
            kind: cell.word("kind", &self.kind, WatchKind::parse)?,
            selectors: cell.json("selectors", &self.selectors)?,
            since: self.since.map(|at| cell.time("since", at)).transpose()?,
            every_seconds: cell.count("every_seconds", self.every_seconds)?,
            created_at: cell.time("created_at", self.created_at)?,
            name: self.name.clone(),
            portal: self.portal.clone(),
            address: self.address.clone(),
            host: self.host.clone(),
        };
        Ok((source, state, due_at))
    }
}

impl ItemRow {
    fn read(self) -> Result<WatchedItem> {
        let key = self.address.clone();
        let cell = row_of("watch_item", &key);
        let time = |column, at: Option<i64>| at.map(|at| cell.time(column, at)).transpose();
        Ok(WatchedItem {
            listed_at: time("listed_at", self.listed_at)?,
            changed_at: time("changed_at", self.changed_at)?,
            state: cell.word("state", &self.state, WatchedState::parse)?,
            article: self.article.map(|article| cell.text::<ArticleKey>("article", article)).transpose()?,
            first_seen_at: cell.time("first_seen_at", self.first_seen_at)?,
            looked_at: time("looked_at", self.looked_at)?,
            due_at: time("due_at", self.due_at)?,
            looks: cell.small("looks", self.looks)?,
            failures: cell.small("failures", self.failures)?,
            missing: cell.small("missing", self.missing)?,
            missing_since: time("missing_since", self.missing_since)?,
            address: self.address,
            title_key: self.title_key,
            title: self.title,
            digest: self.digest,
            is_text_of_list: self.is_text_of_list != 0,
            page_digest: self.page_digest,
            etag: self.etag,
            last_modified: self.last_modified,
            error: self.error.as_deref().map(WatchFailure::of_noted),
        })
    }
}

impl WatchStore {
    async fn add(&self, source: &WatchSource) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let added = on!(&mut tx, c: D => sqlx::query(
            "INSERT INTO watch_source (name, portal, address, host, kind, selectors, since, every_seconds, created_at, state, \
             due_at, holder, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, 0) \
             ON CONFLICT DO NOTHING",
        )
        .bind(source.name.as_str())
        .bind(source.portal.as_str())
        .bind(source.address.as_str())
        .bind(source.host.as_str())
        .bind(source.kind.as_str())
        .bind(to_json(&source.selectors)?)
        .bind(source.since.map(ms))
        .bind(signed(source.every_seconds)?)
        .bind(ms(source.created_at))
        .bind(to_json(&WatchState::default())?)
        .bind(ms(source.created_at))
        .execute(c)
        .await?
        .rows_affected());
        if added == 0 {
            let what = format!("there is a source named {:?} already", source.name);
            return Err(refuse(StoreErrorKind::Conflict, what));
        }
        tx.commit().await
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for delete in ["DELETE FROM watch_item WHERE source = $1", "DELETE FROM watch_source WHERE name = $1"] {
            let gone = on!(&mut tx, c: D => sqlx::query(delete).bind(name).execute(c).await?.rows_affected());
            if gone == 0 && delete.contains("watch_source") {
                return Err(refuse(StoreErrorKind::NotFound, format!("there is no source named {name:?}")));
            }
        }
        tx.commit().await
    }

    async fn all(&self, counted: bool) -> Result<Vec<WatchView>> {
        let mut tx = self.db.snapshot().await?;
        let rows: Vec<Kept<SourceRow>> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT name, portal, address, host, kind, selectors, since, every_seconds, created_at, state, due_at \
             FROM watch_source ORDER BY name",
        )
        .fetch_all(c)
        .await?);
        let counts: Vec<CountRow> = if counted {
            on!(&mut tx, c: D => sqlx::query_as(
                "SELECT source, state, COUNT(*) AS count FROM watch_item GROUP BY source, state",
            )
            .fetch_all(c)
            .await?)
        } else {
            Vec::new()
        };
        let mut by_source: BTreeMap<String, Vec<(WatchedState, u64)>> = BTreeMap::new();
        for row in counts {
            let cell = row_of("watch_item", &row.source);
            let counted = (cell.word("state", &row.state, WatchedState::parse)?, cell.count("count", row.count)?);
            by_source.entry(row.source.clone()).or_default().push(counted);
        }
        let mut views = Vec::with_capacity(rows.len());
        for row in tx.found().rows(rows) {
            let key = row.name.clone();
            let Some((source, state, due_at)) = tx.found().sort("watch_source", &key, row.read())? else { continue };
            let mut counts = by_source.remove(&source.name).unwrap_or_default();
            counts.sort_by_key(|(state, _)| state.as_str());
            views.push(WatchView { source, state, due_at, counts });
        }
        Ok(views)
    }

    async fn claim(&self, lease: &Lease, only: Option<&str>, max: u32) -> Result<Vec<(WatchSource, WatchState)>> {
        let mut tx = self.db.begin_serial().await?;
        let busy: Vec<HolderRow> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT holder, host FROM watch_source WHERE held_until > $1 AND holder IS NOT NULL",
        )
        .bind(ms(lease.now))
        .fetch_all(c)
        .await?);
        let mut busy: BTreeSet<String> = busy.into_iter().map(|row| row.host).collect();
        // a source is read whole only when it is taken; there are some hundreds of them at most
        let due: Vec<Kept<SourceRow>> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT name, portal, address, host, kind, selectors, since, every_seconds, created_at, state, due_at \
             FROM watch_source WHERE ((due_at <= $1 AND $2 IS NULL) OR name = $2) AND held_until <= $1 \
             ORDER BY due_at, name",
        )
        .bind(ms(lease.now))
        .bind(only)
        .fetch_all(c)
        .await?);
        let mut claimed = Vec::new();
        for row in tx.found().rows(due) {
            if claimed.len() >= max as usize {
                break;
            }
            let key = row.name.clone();
            let Some((source, state, _)) = tx.found().sort("watch_source", &key, row.read())? else { continue };
            if !busy.insert(source.host.clone()) {
                continue;
            }
            on!(&mut tx, c: D => sqlx::query("UPDATE watch_source SET holder = $2, held_until = $3 WHERE name = $1")
                .bind(source.name.as_str())
                .bind(lease.holder.as_str())
                .bind(ms(lease.until))
                .execute(c)
                .await?
                .rows_affected());
            claimed.push((source, state));
        }
        tx.commit().await?;
        Ok(claimed)
    }

    async fn by_address(&self, name: &str, addresses: &[String]) -> Result<Vec<Option<WatchedItem>>> {
        let mut tx = self.db.snapshot().await?;
        let select = format!("{ITEM}WHERE source = $1 AND address = $2");
        let mut items = Vec::with_capacity(addresses.len());
        for address in addresses {
            let row: Option<ItemRow> = on!(&mut tx, c: D => sqlx::query_as(sqlx::AssertSqlSafe(select.as_str()))
                .bind(name)
                .bind(address.as_str())
                .fetch_optional(c)
                .await?);
            items.push(row.map(ItemRow::read).transpose()?);
        }
        Ok(items)
    }

    async fn by_title(&self, name: &str, title_key: &str, limit: u32) -> Result<Vec<WatchedItem>> {
        let select =
            format!("{ITEM}WHERE source = $1 AND title_key = $2 ORDER BY first_seen_at DESC, address LIMIT $3");
        let rows: Vec<ItemRow> = read!(&self.db, pool => sqlx::query_as(sqlx::AssertSqlSafe(select.as_str()))
            .bind(name)
            .bind(title_key)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await?);
        rows.into_iter().map(ItemRow::read).collect()
    }

    async fn due(&self, name: &str, now: Timestamp, limit: u32) -> Result<Vec<WatchedItem>> {
        let select = format!(
            "{ITEM}WHERE source = $1 AND due_at IS NOT NULL AND due_at <= $2 ORDER BY due_at, address LIMIT $3"
        );
        let mut tx = self.db.snapshot().await?;
        let rows: Vec<Kept<ItemRow>> = on!(&mut tx, c: D => sqlx::query_as(sqlx::AssertSqlSafe(select.as_str()))
            .bind(name)
            .bind(ms(now))
            .bind(i64::from(limit))
            .fetch_all(c)
            .await?);
        let mut items = Vec::with_capacity(rows.len());
        for row in tx.found().rows(rows) {
            let key = row.address.clone();
            items.extend(tx.found().sort("watch_item", &key, row.read())?);
        }
        Ok(items)
    }

    async fn record(&self, holder: &str, name: &str, items: &[WatchedItem], state: Option<&WatchState>) -> Result<()> {
        let mut tx = self.db.begin_shared().await?;
        held(&mut tx, holder, name).await?;
        for item in items {
            on!(&mut tx, c: D => sqlx::query(
                "INSERT INTO watch_item (source, address, title_key, title, listed_at, changed_at, state, article, digest, etag, \
                 last_modified, first_seen_at, looked_at, due_at, looks, missing, missing_since, error, is_text_of_list, \
                 page_digest, failures) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) \
                 ON CONFLICT (source, address) DO UPDATE SET title_key = $3, title = $4, listed_at = $5, changed_at = $6, \
                 state = $7, article = $8, digest = $9, etag = $10, last_modified = $11, first_seen_at = $12, looked_at = $13, \
                 due_at = $14, looks = $15, missing = $16, missing_since = $17, error = $18, is_text_of_list = $19, \
                 page_digest = $20, failures = $21",
            )
            .bind(name)
            .bind(item.address.as_str())
            .bind(item.title_key.as_str())
            .bind(item.title.as_str())
            .bind(item.listed_at.map(ms))
            .bind(item.changed_at.map(ms))
            .bind(item.state.as_str())
            .bind(item.article.as_ref().map(ArticleKey::as_str))
            .bind(item.digest.as_deref())
            .bind(item.etag.as_deref())
            .bind(item.last_modified.as_deref())
            .bind(ms(item.first_seen_at))
            .bind(item.looked_at.map(ms))
            .bind(item.due_at.map(ms))
            .bind(i64::from(item.looks))
            .bind(i64::from(item.missing))
            .bind(item.missing_since.map(ms))
            .bind(item.error.as_ref().map(WatchFailure::to_json))
            .bind(i64::from(item.is_text_of_list))
            .bind(item.page_digest.as_deref())
            .bind(i64::from(item.failures))
            .execute(c)
            .await?
            .rows_affected());
        }
        if let Some(state) = state {
            on!(&mut tx, c: D => sqlx::query("UPDATE watch_source SET state = $2 WHERE name = $1")
                .bind(name)
                .bind(to_json(state)?)
                .execute(c)
                .await?
                .rows_affected());
        }
        tx.commit().await
    }

    async fn end(
        &self,
        holder: &str,
        name: &str,
        state: &WatchState,
        due_at: Timestamp,
        host_rests_until: Option<Timestamp>,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let host = held(&mut tx, holder, name).await?;
        on!(&mut tx, c: D => sqlx::query(
            "UPDATE watch_source SET state = $2, due_at = $3, holder = NULL, held_until = 0 WHERE name = $1",
        )
        .bind(name)
        .bind(to_json(state)?)
        .bind(ms(due_at))
        .execute(c)
        .await?
        .rows_affected());
        if let Some(until) = host_rests_until {
            on!(&mut tx, c: D => sqlx::query("UPDATE watch_source SET due_at = $2 WHERE host = $1 AND due_at < $2")
                .bind(host)
                .bind(ms(until))
                .execute(c)
                .await?
                .rows_affected());
        }
        tx.commit().await
    }
}

/// Holds that a source is this holder's, and returns its host. The row is locked until the transaction ends.
async fn held(tx: &mut Tx, holder: &str, name: &str) -> Result<String> {
    let select = tx.text(
        "SELECT holder, host FROM watch_source WHERE name = $1",
        "SELECT holder, host FROM watch_source WHERE name = $1 FOR UPDATE",
    );
    let row: Option<HolderRow> = on!(&mut *tx, c: D => sqlx::query_as(select).bind(name).fetch_optional(c).await?);
    match row {
        Some(row) if row.holder.as_deref() == Some(holder) => Ok(row.host),
        _ => Err(refuse(StoreErrorKind::Stale, format!("the source {name:?} is looked at by another holder now"))),
    }
}
