//! The ledger of receipts on SQL. Receipts are stored as text; `digest/learn.rs` and `push/learn.rs` know
//! what they mean.

use crate::{
    counter,
    db::During,
    db::schema::ledger_store,
    fault::Result,
    row::{from_row, ms, row_of, to_json},
    seen::CHUNK,
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_store::{Book, Noted, Receipt, ReceiptLedger, StoreError};
use sqlx::QueryBuilder;

/// The most receipts one page has.
const PAGE_MAX: u32 = 1_000;

ledger_store!(
    /// The ledger of receipts on SQL.
    ReceiptStore, "receipts", RECEIPTS
);

#[async_trait]
impl ReceiptLedger for ReceiptStore {
    async fn begin(&self, at: Timestamp) -> std::result::Result<Timestamp, StoreError> {
        self.begin_at(at).await.during("begin the receipts", &self.db)
    }

    async fn complete_since(&self) -> std::result::Result<Option<Timestamp>, StoreError> {
        self.since().await.during("look since when there are receipts", &self.db)
    }

    async fn incomplete_before(&self, at: Timestamp) -> std::result::Result<(), StoreError> {
        self.lost_before(at).await.during("say what receipts are missing", &self.db)
    }

    async fn note(&self, book: Book, receipts: &[Receipt], at: Timestamp) -> std::result::Result<(), StoreError> {
        self.add(book, receipts, at).await.during("note receipts", &self.db)
    }

    async fn noted(
        &self,
        book: Book,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> std::result::Result<Vec<Noted>, StoreError> {
        self.page(book, since, after, limit).await.during("read receipts", &self.db)
    }

    async fn prune(&self, before: Timestamp, max: u32) -> std::result::Result<u64, StoreError> {
        self.delete(before, max).await.during("delete old receipts", &self.db)
    }

    async fn ping(&self) -> std::result::Result<(), StoreError> {
        self.db.ping().await.during("read the receipts", &self.db)
    }
}

from_row!(NotedRow { sequence: i64, noted_at: i64, body: String });

impl NotedRow {
    fn read(self) -> Result<Noted> {
        let cell = row_of("receipt", &self.sequence);
        Ok(Noted {
            at: cell.time("noted_at", self.noted_at)?,
            receipt: cell.json("body", &self.body)?,
            sequence: self.sequence,
        })
    }
}

const SINCE: &str = "SELECT value FROM counter WHERE name = 'complete_since'";

const COMPLETE_NOT_BEFORE: &str = "UPDATE counter SET value = $1 WHERE name = 'complete_since' AND value < $1";

impl ReceiptStore {
    async fn begin_at(&self, at: Timestamp) -> Result<Timestamp> {
        let mut tx = self.db.begin().await?;
        on!(&mut tx, c: D => sqlx::query(
            "INSERT INTO counter (name, value) VALUES ('complete_since', $1) ON CONFLICT (name) DO NOTHING",
        )
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
        let since: i64 = on!(&mut tx, c: D => sqlx::query_scalar(SINCE).fetch_one(c).await?);
        tx.commit().await?;
        row_of("counter", &"complete_since").time("value", since)
    }

    async fn since(&self) -> Result<Option<Timestamp>> {
        let since: Option<i64> = read!(&self.db, c => sqlx::query_scalar(SINCE).fetch_optional(c).await?);
        since.map(|since| row_of("counter", &"complete_since").time("value", since)).transpose()
    }

    async fn add(&self, book: Book, receipts: &[Receipt], at: Timestamp) -> Result<()> {
        let bodies: Vec<String> = receipts.iter().map(to_json).collect::<Result<_>>()?;
        let mut tx = self.db.begin().await?;
        let first = counter::take(&mut tx, "receipt", bodies.len()).await?;
        let rows: Vec<(i64, &String)> = (first..).zip(&bodies).collect();
        for chunk in rows.chunks(CHUNK) {
            on!(&mut tx, c: D => {
                let mut query = QueryBuilder::<D>::new("INSERT INTO receipt (sequence, book, noted_at, body) ");
                query.push_values(chunk, |mut row, (sequence, body)| {
                    row.push_bind(*sequence).push_bind(book.as_str()).push_bind(ms(at)).push_bind(body.as_str());
                });
                query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
            });
        }
        tx.commit().await
    }

    async fn page(&self, book: Book, since: Timestamp, after: i64, limit: u32) -> Result<Vec<Noted>> {
        let rows: Vec<NotedRow> = read!(&self.db, c => sqlx::query_as(
            "SELECT sequence, noted_at, body FROM receipt WHERE book = $1 AND sequence > $2 AND noted_at >= $3 \
             ORDER BY sequence LIMIT $4",
        )
        .bind(book.as_str())
        .bind(after)
        .bind(ms(since))
        .bind(i64::from(limit.clamp(1, PAGE_MAX)))
        .fetch_all(c)
        .await?);
        rows.into_iter().map(NotedRow::read).collect()
    }

    async fn delete(&self, before: Timestamp, max: u32) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        let deleted = on!(&mut tx, c: D => sqlx::query(
            "DELETE FROM receipt WHERE sequence IN \
             (SELECT sequence FROM receipt WHERE noted_at < $1 ORDER BY noted_at, sequence LIMIT $2)",
        )
        .bind(ms(before))
        .bind(i64::from(max))
        .execute(c)
        .await?
        .rows_affected());
        if deleted == 0 {
            return Ok(0);
        }
        on!(&mut tx, c: D => sqlx::query(COMPLETE_NOT_BEFORE).bind(ms(before)).execute(c).await?.rows_affected());
        tx.commit().await?;
        Ok(deleted)
    }

    async fn lost_before(&self, at: Timestamp) -> Result<()> {
        let mut tx = self.db.begin().await?;
        on!(&mut tx, c: D => sqlx::query(COMPLETE_NOT_BEFORE).bind(ms(at)).execute(c).await?.rows_affected());
        tx.commit().await
    }
}
