//! Conversion between stored values (text, `i64`) and values of the domain. An error on reading names table,
//! column and key. A value that does not fit is refused before it is written.

use crate::fault::{Result, corrupt, refuse};
use jiff::Timestamp;
use loa_store::StoreErrorKind;
use serde::{Serialize, de::DeserializeOwned};
use std::{error::Error, fmt::Display};

/// Declares a struct that is read from a row of any engine: columns by the names of its fields.
macro_rules! from_row {
    ($t:ident { $($f:ident : $ty:ty),* $(,)? }) => {
        #[derive(Debug)]
        pub(crate) struct $t { $(pub(crate) $f: $ty),* }
        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $t
        where
            for<'a> &'a str: sqlx::ColumnIndex<R>,
            $($ty: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>),*
        {
            fn from_row(row: &'r R) -> sqlx::Result<Self> {
                Ok(Self { $($f: row.try_get(stringify!($f))?),* })
            }
        }
    };
    // with the table and the column by which one is named that cannot be read: it is asked for as `Kept<T>`
    ($t:ident in $table:literal by $key:ident { $($f:ident : $ty:ty),* $(,)? }) => {
        $crate::row::from_row!($t { $($f: $ty),* });
        impl $crate::row::Keyed for $t {
            const TABLE: &'static str = $table;
            const KEY: &'static str = stringify!($key);
            fn key(&self) -> String {
                self.$key.to_string()
            }
        }
    };
}
pub(crate) use from_row;

/// A row that has a name.
pub(crate) trait Keyed {
    const TABLE: &'static str;
    /// The column of its key.
    const KEY: &'static str;
    fn key(&self) -> String;
    /// What the next page begins after.
    fn after(&self) -> String {
        self.key()
    }
}

/// A row as it is kept: SQLite keeps any bytes for a text, and damage any type in any column. One that cannot be read does not
/// stop the statement that met it; the others are read.
#[derive(Debug)]
pub(crate) enum Kept<T> {
    Row(T),
    Odd(Odd),
}

/// What is known of a row that cannot be read.
#[derive(Debug)]
pub(crate) struct Odd {
    key: String,
    column: String,
    source: Box<dyn Error + Send + Sync>,
}

impl<T: Keyed> Kept<T> {
    /// Its key, as far as that can be read.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Row(row) => row.key(),
            Self::Odd(odd) => odd.key.clone(),
        }
    }

    /// The row, or the fault that names table, column and key.
    pub(crate) fn read(self) -> Result<T> {
        match self {
            Self::Row(row) => Ok(row),
            Self::Odd(odd) => Err(corrupt(T::TABLE, &odd.column, odd.key, odd.source)),
        }
    }
}

impl<'r, R: sqlx::Row, T: Keyed + sqlx::FromRow<'r, R>> sqlx::FromRow<'r, R> for Kept<T>
where
    for<'a> &'a str: sqlx::ColumnIndex<R>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    Vec<u8>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        match T::from_row(row) {
            Ok(read) => Ok(Self::Row(read)),
            Err(sqlx::Error::ColumnDecode { index, source }) => {
                let text = row.try_get::<String, _>(T::KEY);
                let number = || row.try_get::<i64, _>(T::KEY).map(|number| number.to_string());
                let bytes = || row.try_get::<Vec<u8>, _>(T::KEY).map(|bytes| bytes.escape_ascii().to_string());
                let key =
                    text.or_else(|_| number()).or_else(|_| bytes()).unwrap_or_else(|_| "an unknown key".to_owned());
                Ok(Self::Odd(Odd { key, column: index.trim_matches('"').to_owned(), source }))
            }
            Err(other) => Err(other),
        }
    }
}

/// After which a row that cannot be read is tried again, in milliseconds: a newer program may read it, or somebody has mended
/// it meanwhile.
pub(crate) const SET_ASIDE_MS: i64 = 10 * 60 * 1_000;

/// An instant as it is kept: milliseconds since 1970, the rest cut off.
pub(crate) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A count or revision as it is kept.
pub(crate) fn signed(number: u64) -> Result<i64> {
    i64::try_from(number)
        .map_err(|_| refuse(StoreErrorKind::Rejected, format!("{number} is more than a ledger can keep")))
}

/// A value of the domain as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| refuse(StoreErrorKind::Rejected, format!("a value has no JSON form: {error}")))
}

/// Where values are read from: for the sentence when they cannot be.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    table: &'static str,
    key: &'a (dyn Display + Sync),
}

/// The row of a table with this key.
pub(crate) fn row_of<'a>(table: &'static str, key: &'a (dyn Display + Sync)) -> Cell<'a> {
    Cell { table, key }
}

impl Cell<'_> {
    /// An instant.
    pub(crate) fn time(self, column: &str, ms: i64) -> Result<Timestamp> {
        Timestamp::from_millisecond(ms).map_err(|error| corrupt(self.table, column, self.key, error))
    }

    /// A count or revision.
    pub(crate) fn count(self, column: &str, number: i64) -> Result<u64> {
        u64::try_from(number).map_err(|error| corrupt(self.table, column, self.key, error))
    }

    /// A small count.
    pub(crate) fn small(self, column: &str, number: i64) -> Result<u32> {
        u32::try_from(number).map_err(|error| corrupt(self.table, column, self.key, error))
    }

    /// A typed id, or another text with a rule.
    pub(crate) fn text<T>(self, column: &str, text: String) -> Result<T>
    where
        T: TryFrom<String>,
        T::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        T::try_from(text).map_err(|error| corrupt(self.table, column, self.key, error))
    }

    /// One of a fixed set of words.
    pub(crate) fn word<T>(self, column: &str, word: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        parse(word).ok_or_else(|| corrupt(self.table, column, self.key, format!("{word:?} is none of its words")))
    }

    /// A value that was kept as JSON.
    pub(crate) fn json<T: DeserializeOwned>(self, column: &str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| corrupt(self.table, column, self.key, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::During;
    use loa_domain::ArticleKey;

    #[test]
    fn a_number_that_no_ledger_can_keep_is_refused_before_it_is_written() {
        assert_eq!(signed(u64::MAX).during_at("accept", "x").unwrap_err().kind, StoreErrorKind::Rejected);
    }

    #[test]
    fn a_text_that_is_no_id_any_more_names_its_place() {
        let error =
            row_of("item", &7).text::<ArticleKey>("article", "a b c".into()).during_at("read", "x").unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt);
        assert_eq!(error.to_string(), "item.article of 7 cannot be read back");
    }
}
