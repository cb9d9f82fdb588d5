//! Goes through a whole table, page by page, to find the rows that cannot be read; until it is time to end.
//!
//! Each row is read as whoever works with it reads it. What is found is noted ([`Found`](super::Found)).

use super::Db;
use crate::{
    fault::Result,
    row::{Kept, Keyed},
};
use sqlx::{Decode, Encode, FromRow, Postgres, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};
use std::str::FromStr;
use tokio::time::Instant;

/// Rows of one page: each may have a content of some hundred kilobytes.
const PAGE: i64 = 50;

/// The share of the time until then that the first of so many tables has.
pub(crate) fn share_of(until: Instant, tables: u32) -> Instant {
    let now = Instant::now();
    now + until.saturating_duration_since(now) / tables.max(1)
}

/// A key that a page begins after: a text or a number.
pub(crate) trait PageKey:
    FromStr
    + Clone
    + Send
    + for<'q> Encode<'q, Sqlite>
    + Type<Sqlite>
    + for<'q> Encode<'q, Postgres>
    + Type<Postgres>
    + 'static
{
}
impl PageKey for String {}
impl PageKey for i64 {}

/// Reads all rows of a statement that gives those after key $1, $2 of them, in the order of the key. `false`: it was time to end
/// before, or a page had no key that can be read.
pub(crate) async fn through<T, K: PageKey>(
    db: &Db,
    statement: &'static str,
    first: K,
    until: Instant,
    read: impl Fn(T) -> Result<()>,
) -> Result<bool>
where
    T: Keyed + Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    for<'r> i64: Decode<'r, Sqlite> + Decode<'r, Postgres>,
{
    through_part(db, statement, None, first, until, read).await
}

/// The same of a part of a table: the statement is given its number as $3.
pub(crate) async fn through_part<T, K: PageKey>(
    db: &Db,
    statement: &'static str,
    part: Option<i64>,
    first: K,
    until: Instant,
    read: impl Fn(T) -> Result<()>,
) -> Result<bool>
where
    T: Keyed + Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    for<'r> i64: Decode<'r, Sqlite> + Decode<'r, Postgres>,
{
    let mut after = first;
    loop {
        if Instant::now() >= until {
            return Ok(false);
        }
        let rows: Vec<Kept<T>> = read!(db, c => {
            let mut query = sqlx::query_as(statement).bind(after.clone()).bind(PAGE);
            if let Some(part) = part {
                query = query.bind(part);
            }
            query.fetch_all(c).await?
        });
        let is_last = (rows.len() as i64) < PAGE;
        let last = rows.iter().rev().find_map(|row| if let Kept::Row(row) = row { Some(row.after()) } else { None });
        let next = last.and_then(|after| after.parse().ok());
        for row in rows {
            let (key, kept) = (row.key(), row.read().and_then(&read));
            db.found().sort(T::TABLE, key, kept)?;
        }
        match next {
            _ if is_last => return Ok(true),
            Some(next) => after = next,
            None => return Ok(false),
        }
    }
}
