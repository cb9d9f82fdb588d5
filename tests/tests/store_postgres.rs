//! The suite of `loa-store-conformance`, on PostgreSQL. Started by `tests/run conformance`.
//!
//! Every rule of every ledger runs once, in the hardest place: through a pooler in transaction
//! mode, on the schema of a later program. Straight on the server, with prepared statements, run
//! the rules in which connections meet, and the properties, which repeat all statements; that way
//! is also tried by the system suite's PostgreSQL shapes.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod database;

mod through_a_pooler_on_the_schema_of_the_next_program {
    loa_store_conformance::ledger_conformance_tests!(crate::database::next_schemas, 6);
}

mod straight_on_the_server {
    loa_store_conformance::ledger_conformance_tests!(@side_by_side crate::database::prepared_schemas, 2);
}

/// Locks keep replicas from meeting; should they meet all the same, these keep everything once.
#[tokio::test]
async fn what_must_be_there_once_is_there_once_by_constraint() {
    use loa_store_conformance::LedgerPlace;
    let schemas = database::schemas().await;
    drop((schemas.intake().await, schemas.feed().await, schemas.digest().await, schemas.push().await));
    for (ledger, table, columns) in [
        ("intake", "archive", "event_source,event_id"),
        ("intake", "outbox", "sequence"),
        ("intake", "standing", "article"),
        ("feed", "seen", "event_source,event_id"),
        ("feed", "place", "article,feed"),
        ("digest", "seen", "event_source,event_id"),
        ("digest", "run", "frequency,due_on,slot,zone"),
        ("digest", "mail", "run,subscription"),
        ("digest", "mail", "run,email_key"),
        ("digest", "mail_item", "subscription,article,withdrawn,revision"),
        ("digest", "subscription", "subscriber,frequency"),
        ("push", "seen", "event_source,event_id"),
        ("push", "event", "event_source,event_id"),
        ("push", "delivery", "event,endpoint"),
        ("push", "attempt", "delivery,number"),
        ("push", "hub_subscription", "topic,callback_form"),
        ("push", "hub_request", "subscription"),
    ] {
        let found: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_constraint AS c WHERE c.conrelid = $1::regclass AND c.contype IN ('p', 'u') AND $2 = \
             (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place) \
              JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.number)",
        )
        .bind(table)
        .bind(columns)
        .fetch_one(&mut schemas.hand(ledger).await)
        .await
        .unwrap();
        assert_eq!(found, 1, "{ledger}: {table} ({columns})");
    }
}

/// A ledger's schema is made once, however many replicas start at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_migrate_at_once_migrate_once() {
    use loa_store_sql::DigestStore;
    let schemas = database::pooled_schemas().await;
    let migrating: Vec<_> = (0..8)
        .map(|_| {
            let server = schemas.server();
            tokio::spawn(async move { DigestStore::on(&server).migrate().await })
        })
        .collect();
    for one in migrating {
        one.await.unwrap().unwrap();
    }
}

/// A program may start before its database; it says what is missing, and goes on once it is there.
#[tokio::test]
async fn a_ledger_is_unavailable_until_it_was_migrated_and_then_is_there() {
    use loa_store::{AccessLedger, StoreErrorKind};
    use loa_store_sql::AccessStore;
    let schemas = database::schemas().await;
    let early = AccessStore::on(&schemas.server());
    let error = early.tokens().await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("loa migrate"), "{error}");
    AccessStore::on(&schemas.server()).migrate().await.unwrap();
    assert!(early.tokens().await.unwrap().is_empty());
}

/// What stands in the way is told apart, in a sentence without the password.
#[tokio::test]
async fn a_database_that_cannot_be_used_is_unavailable_and_says_why() {
    use loa_store::{AccessLedger, StoreErrorKind};
    use loa_store_sql::{AccessStore, Postgres, PostgresConfig};
    let good = database::schemas().await.config;
    let nobody_listens = PostgresConfig { url: "postgres://loa:secret@127.0.0.1:1/loa".into(), ..good.clone() };
    let wrong_password = PostgresConfig { password: Some("hunter2".into()), ..good.clone() };
    let no_database = PostgresConfig { url: good.url.rsplit_once('/').unwrap().0.to_owned() + "/nowhere", ..good };
    for (config, words) in [
        (nobody_listens, "the database cannot be reached"),
        (wrong_password, "refuses this user or password"),
        (no_database, "there is no such database"),
    ] {
        let error = AccessStore::on(&Postgres::new(&config).unwrap()).ping().await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?} {config:?}").contains("hunter2"), "{error:?}");
    }
}
