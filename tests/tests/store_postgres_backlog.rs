//! A million rows owed, on PostgreSQL: no claim, record or question reads the whole backlog.
//!
//! The server itself counts the rows that are read. The test writes the backlog by SQL, without the
//! rows that only foreign keys ask for (it drops those keys first); what the claims touch is
//! complete. `tests/run conformance` starts it.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod database;

use database::Schemas;
use loa_domain::{AttemptOutcome, MailOutcome, ServerWords};
use loa_store::{AttemptRecord, Deliveries, DueTimes, MailRecord, Mails, Outbox};
use loa_store_conformance::{
    LedgerPlace,
    build::{at, lease},
};
use loa_store_sql::{DigestStore, IntakeStore, PushStore};
use sqlx::Row;
use std::collections::BTreeMap;

/// Rows owed in each ledger.
const OWED: i64 = 1_000_000;
/// The most rows of a backlog that one call may look at: a few for each row of its batch.
const LOOKED_AT_MAX: i64 = 20_000;

/// Rows read of each table since the server began to count: by walking through, and through indexes.
async fn rows_read(place: &Schemas, ledger: &str) -> BTreeMap<String, (i64, i64)> {
    let mut hand = place.hand(ledger).await;
    let rows = sqlx::query(
        "SELECT relname::text, COALESCE(seq_tup_read, 0), COALESCE(idx_tup_fetch, 0) FROM pg_stat_user_tables \
         WHERE schemaname = current_schema()",
    )
    .fetch_all(&mut hand)
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}

/// Runs some statements by hand; each may take its time.
async fn by_hand(place: &Schemas, ledger: &str, statements: &'static str) {
    sqlx::raw_sql(statements).execute(&mut place.hand(ledger).await).await.unwrap();
}

/// Holds that `work`, on connections of its own, read few rows of a table, and none by walking through it.
async fn looks_at_few(place: &Schemas, ledger: &str, table: &str, what: &str, work: impl AsyncFnOnce()) {
    let before = rows_read(place, ledger).await[table];
    work().await; // a server process tells its counts when its connection ends
    let mut after = rows_read(place, ledger).await[table];
    for _ in 0..100 {
        if after != before {
            break;
        }
        tokio::task::yield_now().await;
        after = rows_read(place, ledger).await[table];
    }
    let (walked, fetched) = (after.0 - before.0, after.1 - before.1);
    assert_eq!(walked, 0, "{what} walked through {table}");
    assert!(fetched <= LOOKED_AT_MAX, "{what} looked at {fetched} rows of {table}");
}

#[tokio::test]
async fn no_claim_of_the_outbox_walks_through_a_million_rows() {
    let place = database::schemas().await;
    drop(place.intake().await);
    by_hand(
        &place,
        "intake",
        "ALTER TABLE outbox DROP CONSTRAINT outbox_sequence_fkey;
         INSERT INTO outbox (sequence, article, ready_at, attempts, error, submitted_at)
            SELECT n, 'a' || n / 3, 0, 0, '', 0 FROM generate_series(1, 1000000) AS n;
         INSERT INTO archive (sequence, event_source, event_id, event_type, article, revision, routing_key, body, archived_at, submitted)
            SELECT n, 's', 'e' || n, 'vn.loa.article.published.v1', 'a' || n / 3, 1, 'k', '', 0, 1 FROM generate_series(1, 5000) AS n;
         ANALYZE outbox; ANALYZE archive",
    )
    .await;
    let server = place.server();
    let store = IntakeStore::on(&server);
    looks_at_few(&place, "intake", "outbox", "a claim of ready rows and its record", async || {
        let rows = store.claim_outbox(&lease("one", 1), &loa_store::ClaimRoom::of(256)).await.unwrap();
        assert_eq!(rows.len(), 256);
        let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
        store.outbox_confirmed(&sequences[..200], at(2)).await.unwrap();
        store.outbox_failed("one", &sequences[200..], at(90), "no broker").await.unwrap();
        server.close().await;
    })
    .await;
    // half of it backs off, the other half is leased: nothing is ready
    by_hand(
        &place,
        "intake",
        "UPDATE outbox SET ready_at = 9000000000000, holder = CASE WHEN sequence % 2 = 0 THEN 'x' END; ANALYZE outbox",
    )
    .await;
    let server = place.server();
    let store = IntakeStore::on(&server);
    looks_at_few(&place, "intake", "outbox", "a claim with nothing ready", async || {
        assert_eq!(store.claim_outbox(&lease("two", 3), &loa_store::ClaimRoom::of(256)).await.unwrap(), []);
        server.close().await;
    })
    .await;
}

#[tokio::test]
async fn no_claim_of_deliveries_walks_through_a_million_rows() {
    let place = database::schemas().await;
    drop(place.push().await);
    by_hand(
        &place,
        "push",
        "INSERT INTO endpoint (id, url, description, filter, created_at)
            SELECT 'p' || n, 'https://p.example.gov.vn/', '', '{\"event_types\":[]}', 0 FROM generate_series(1, 20) AS n;
         INSERT INTO event (id, event_source, event_id, event_type, body)
            SELECT n, 's', 'e' || n, 'vn.loa.article.published.v1', '' FROM generate_series(1, 50000) AS n;
         ALTER TABLE delivery DROP CONSTRAINT delivery_event_fkey, DROP CONSTRAINT delivery_endpoint_fkey;
         INSERT INTO delivery (number, endpoint, event, article, revision, withdrawn, version_id, state, ready_at, tries, attempts, created_at, changed_at)
            SELECT n, 'p' || 1 + n % 20, 1 + n / 20, 'a' || n / 60, 1, 0, 'e', 'pending', n, 0, 0, 0, 0 FROM generate_series(0, 999999) AS n;
         ANALYZE delivery; ANALYZE event; ANALYZE endpoint",
    )
    .await;
    let server = place.server();
    let store = PushStore::on(&server);
    looks_at_few(&place, "push", "delivery", "a claim of deliveries and its record", async || {
        assert!(store.next_due().await.unwrap().is_some());
        let claimed = store.claim(&lease("one", 1), &[], 4, 64).await.unwrap();
        assert_eq!(claimed.len(), 64);
        let records: Vec<AttemptRecord> = claimed
            .iter()
            .enumerate()
            .map(|(n, due)| AttemptRecord {
                delivery: due.id.clone(),
                started_at: at(1),
                duration_ms: 1,
                status: None,
                error: None,
                words: ServerWords::default(),
                outcome: if n % 2 == 0 { AttemptOutcome::Delivered } else { AttemptOutcome::Retry(at(100)) },
            })
            .collect();
        assert_eq!(store.record("one", &records).await.unwrap(), 64);
        server.close().await;
    })
    .await;
}

#[tokio::test]
async fn no_claim_of_mails_walks_through_a_million_rows() {
    let place = database::schemas().await;
    drop(place.digest().await);
    by_hand(
        &place,
        "digest",
        "ALTER TABLE mail DROP CONSTRAINT mail_subscription_fkey;
         ALTER TABLE mail_item DROP CONSTRAINT mail_item_run_subscription_fkey;
         INSERT INTO wish (id, key, every_area, every_category) VALUES (1, '', 1, 1);
         INSERT INTO run (id, frequency, due_on, slot, zone, cutoff, planned, planned_to, created_at)
            VALUES (1, 'daily', '2026-03-01', '', 'Asia/Ho_Chi_Minh', 0, 1, '', 0);
         INSERT INTO mail (run, subscription, email_key, state, ready_at, attempts, in_doubt, detail)
            SELECT 1, to_char(n, 'FM0000000'), 'n' || n, 'planned', 0, 0, 0, '' FROM generate_series(1, 1000000) AS n;
         INSERT INTO subscriber (id, email, email_key, created_at)
            SELECT 'p' || n, 'n' || n || '@example.vn', 'n' || n, 0 FROM generate_series(1, 2000) AS n;
         INSERT INTO subscription (id, subscriber, frequency, wish, state, token, token_hash, since, considered)
            SELECT to_char(n, 'FM0000000'), 'p' || n, 'daily', 1, 'active', 't' || n, 'h' || n, 0, 0 FROM generate_series(1, 2000) AS n;
         ANALYZE mail; ANALYZE subscription; ANALYZE subscriber",
    )
    .await;
    let server = place.server();
    let store = DigestStore::on(&server);
    looks_at_few(&place, "digest", "mail", "a claim of mails, their dialogue and its record", async || {
        let due = store.claim_mails(&lease("one", 1), 100).await.unwrap();
        assert_eq!(due.len(), 100);
        let ids: Vec<_> = due.iter().map(|mail| mail.id.clone()).collect();
        assert_eq!(store.submitting("one", &ids, at(1)).await.unwrap().len(), 100);
        let records: Vec<MailRecord> =
            ids.into_iter().map(|id| MailRecord { id, outcome: MailOutcome::Sent("250".into()), at: at(2) }).collect();
        assert_eq!(store.record_mails("one", &records).await.unwrap(), 100);
        server.close().await;
    })
    .await;
    assert_eq!(OWED, 1_000_000, "as the statements above say");
}
