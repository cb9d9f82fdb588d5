//! Rights in the database: what our user lacks, and the line that grants it. A right that is missing
//! must not look like a schema that is.

use super::super::Tx;
use crate::fault::{Result, refuse_until};
use loa_domain::TroubleKind;

/// Refuses a schema that our user may not work in.
///
/// # Errors
/// `Unavailable`, with the `GRANT` that mends it.
pub(super) async fn refuse_missing(tx: &mut Tx, schema: &str) -> Result<()> {
    type Rights = (String, bool, Option<String>);
    let rights: Option<Rights> = on!(tx, c: D => sqlx::query_as(
        "SELECT CAST(current_user AS TEXT), has_schema_privilege(place.oid, 'USAGE'),
                -- what a service reads and writes; of the steps of the schema it only reads
                (SELECT MIN(CAST(t.relname AS TEXT)) FROM pg_class AS t
                  WHERE t.relnamespace = place.oid AND t.relkind IN ('r', 'p')
                    AND NOT (has_table_privilege(t.oid, 'SELECT')
                             AND (t.relname = 'migration'
                                  OR has_table_privilege(t.oid, 'INSERT') AND has_table_privilege(t.oid, 'UPDATE')
                                     AND has_table_privilege(t.oid, 'DELETE'))))
           FROM pg_namespace AS place WHERE place.nspname = $1",
    )
    .bind(schema)
    .fetch_optional(c)
    .await?);
    let (user, thing) = match rights {
        Some((user, false, _)) => (user, "enter it".to_owned()),
        Some((user, true, Some(table))) => (user, format!("read and write its table {table}")),
        _ => return Ok(()),
    };
    let (place, who) = (quoted(schema), quoted(&user));
    Err(refuse_until(
        TroubleKind::LedgerRefuses,
        format!(
            "the database's user {user} lacks a right in the schema {schema}: it may not {thing}; its owner grants it by \
             GRANT USAGE ON SCHEMA {place} TO {who}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \
             {place} TO {who};"
        ),
    ))
}

/// Refuses to make a schema where our user may not.
///
/// # Errors
/// `Unavailable`, with the `GRANT` that mends it.
pub(super) async fn refuse_making(tx: &mut Tx, schema: &str) -> Result<()> {
    let (user, database, may): (String, String, bool) = on!(tx, c: D => sqlx::query_as(
        "SELECT CAST(current_user AS TEXT), CAST(current_database() AS TEXT),
                has_database_privilege(current_database(), 'CREATE')",
    )
    .fetch_one(c)
    .await?);
    if may {
        return Ok(());
    }
    let (place, who) = (quoted(&database), quoted(&user));
    Err(refuse_until(
        TroubleKind::LedgerRefuses,
        format!(
            "the database's user {user} may not make the schema {schema}: GRANT CREATE ON DATABASE {place} TO {who};"
        ),
    ))
}

/// A name as SQL takes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
