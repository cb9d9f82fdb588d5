//! Statements inside a transaction on PostgreSQL: each has a deadline, and no name on the server unless
//! the settings allow it.

use super::{ANSWER_TIMEOUT, within};
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Either, Execute, Executor, PgConnection, Postgres as Engine, SqlStr,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

/// A connection inside a transaction, as statements see it: answers come within the deadline, and a statement has a name
/// on the server only when the settings allow it. (With a cache of size 0 the driver would name every statement all the
/// same, and never forget one: behind a pooler, two clients would use one name for two statements.)
#[derive(Debug)]
pub(crate) struct Bounded<'t> {
    pub(crate) connection: &'t mut PgConnection,
    pub(crate) statements_have_names: bool,
}

/// A statement that will have no name on the server.
struct Nameless<E>(E, bool);

impl<'q, E: Execute<'q, Engine>> Execute<'q, Engine> for Nameless<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(&mut self) -> std::result::Result<Option<sqlx::postgres::PgArguments>, sqlx::error::BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.1 && self.0.persistent()
    }
}

type Step = Either<PgQueryResult, PgRow>;

impl<'c> Executor<'c> for &'c mut Bounded<'_> {
    type Database = Engine;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Engine>,
    {
        // All of a statement's answer is waited for at once: ledgers read pages, never whole tables.
        let all = async move {
            let query = Nameless(query, self.statements_have_names);
            within(ANSWER_TIMEOUT, self.connection.fetch_many(query).try_collect::<Vec<Step>>()).await
        };
        all.map(|answer| match answer {
            Ok(steps) => stream::iter(steps.into_iter().map(Ok)).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        })
        .flatten_stream()
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Engine>,
    {
        let query = Nameless(query, self.statements_have_names);
        within(ANSWER_TIMEOUT, self.connection.fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        within(ANSWER_TIMEOUT, self.connection.prepare_with(sql, parameters)).boxed()
    }
}
