//! Measures by hand what must not grow with what waits: `cargo run -p loa-store-sql --example backlog -- 200000`.
//!
//! Fills each ledger with a backlog of that many rows, then says how long one claim, one record, one plan and one page take.
#![allow(clippy::unwrap_used)] // a panic is the failure message
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a tool for the hand: it reads its argument and prints"
)]

use loa_domain::{
    AttemptError, AttemptOutcome, EmailAddress, Endpoint, EndpointId, EndpointState, Event, EventFilter, FeedName,
    Frequency, MailOutcome, RunKey, ServerWords, SubscriberId, SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{
    Arrivals, AttemptRecord, Deliveries, DigestViews, DueTimes, Endpoints, FeedArrival, FeedChanges, FeedViews,
    IntakeViews, Lease, Ledger, MailRecord, Mails, Outbox, Runs, Submission, Submissions, SubscriptionRequest,
    Subscriptions,
};
use loa_store_conformance::build::{Draft, area, at, id};
use loa_store_sql::{DigestStore, FeedStore, IntakeStore, PushStore};
use std::{future::Future, path::Path, time::Instant};

const BATCH: usize = 500;

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    println!("{what:<58} {:>9.1} ms", begun.elapsed().as_secs_f64() * 1_000.0);
    done
}

fn lease(holder: &str, now: i64) -> Lease {
    Lease { holder: holder.into(), now: at(now), until: at(now + 10) }
}

fn event(n: usize) -> Event {
    let area = format!("xa-{}", n % 130);
    Draft::of(&format!("bai-{n}")).published(i64::try_from(n).unwrap()).areas(&[&area]).live()
}

#[tokio::main]
async fn main() {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let folder = tempfile::tempdir().unwrap();
    println!("{count} rows each, batches of {BATCH}, synced on commit");
    intake(&folder.path().join("intake.db"), count).await;
    feed(&folder.path().join("feed.db"), count).await;
    push(&folder.path().join("push.db"), count).await;
    digest(&folder.path().join("digest.db"), count).await;
}

async fn intake(path: &Path, count: usize) {
    let ledger = IntakeStore::open(path).await.unwrap();
    let submission = |n: usize| {
        let event = event(n);
        Submission {
            article: event.subject(),
            key: event.key,
            event_type: event.event_type,
            revision: 1,
            fingerprint: "x".into(),
            expect: None,
            category: "kinh-te".into(),
            routing_key: "article.published.kinh-te".into(),
            lane: loa_domain::Lane::Live,
            body: vec![b'x'; 500],
            at: at(0),
        }
    };
    let batches: Vec<Vec<Submission>> =
        (0..count).step_by(BATCH).map(|from| (from..count.min(from + BATCH)).map(submission).collect()).collect();
    timed("intake: submit all", async {
        for batch in &batches {
            ledger.submit(batch).await.unwrap();
        }
    })
    .await;
    let rows = timed(
        "intake: claim 256 of a full outbox",
        ledger.claim_outbox(&lease("a", 1), &loa_store::ClaimRoom::of(256)),
    )
    .await
    .unwrap();
    let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
    timed("intake: confirm 256", ledger.outbox_confirmed(&sequences, at(2))).await.unwrap();
    for round in 0..(count / 2 / 1_000) {
        let holder = format!("f{round}");
        let rows = ledger.claim_outbox(&lease(&holder, 3), &loa_store::ClaimRoom::of(1_000)).await.unwrap();
        let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
        ledger.outbox_failed(&holder, &sequences, at(99_999), "no broker").await.unwrap();
    }
    timed(
        "intake: claim 256 behind half of it in back-off",
        ledger.claim_outbox(&lease("b", 4), &loa_store::ClaimRoom::of(256)),
    )
    .await
    .unwrap();
    timed("intake: outbox state", ledger.outbox_state()).await.unwrap();
    timed(
        "intake: claim 256 when half falls due at once",
        ledger.claim_outbox(&lease("c", 100_000), &loa_store::ClaimRoom::of(256)),
    )
    .await
    .unwrap();
}

async fn feed(path: &Path, count: usize) {
    let ledger = FeedStore::open(path).await.unwrap();
    let arrival = |n: usize| {
        let event = event(n);
        let feeds = vec![FeedName::All, FeedName::Area(event.reach[0].clone())];
        FeedArrival { event, feeds }
    };
    timed("feed: accept all", async {
        for from in (0..count).step_by(BATCH) {
            let batch: Vec<FeedArrival> = (from..count.min(from + BATCH)).map(arrival).collect();
            ledger.accept(&batch, at(1)).await.unwrap();
        }
    })
    .await;
    timed("feed: accept one more", ledger.accept(&[arrival(count + 1)], at(2))).await.unwrap();
    let page = timed("feed: newest 50 of all", ledger.entries(&FeedName::All, None, 50)).await.unwrap();
    let last = page.last().unwrap();
    let before = Some((last.content.published_at(), last.article.clone()));
    timed("feed: the next 50", ledger.entries(&FeedName::All, before, 50)).await.unwrap();
    timed("feed: summaries of 131 feeds", ledger.summaries(jiff::Timestamp::MAX)).await.unwrap();
    let gone = Draft::of("bai-7").revision(2).withdrawn("");
    timed("feed: withdraw one", ledger.accept(&[FeedArrival { event: gone, feeds: vec![] }], at(3))).await.unwrap();
}

async fn push(path: &Path, count: usize) {
    let ledger = PushStore::open(path).await.unwrap();
    for n in 0..10 {
        let endpoint = Endpoint {
            id: EndpointId::new(format!("e{n}")).unwrap(),
            url: "https://tinh.example.gov.vn/".parse().unwrap(),
            description: String::new(),
            secrets: vec![vec![1; 32]],
            filter: EventFilter::default(),
            state: EndpointState::Enabled,
            created_at: at(0),
        };
        ledger.add_endpoint(&endpoint).await.unwrap();
    }
    timed("push: accept a tenth of it for 10 endpoints", async {
        for from in (0..count / 10).step_by(BATCH) {
            let batch: Vec<Event> = (from..(count / 10).min(from + BATCH)).map(event).collect();
            ledger.accept(&batch, at(1)).await.unwrap();
        }
    })
    .await;
    let due = timed("push: claim 64 of a full backlog", ledger.claim(&lease("a", 2), &[], 8, 64)).await.unwrap();
    let records: Vec<AttemptRecord> = due
        .iter()
        .map(|one| AttemptRecord {
            delivery: one.id.clone(),
            started_at: at(2),
            duration_ms: 10,
            status: Some(200),
            error: None,
            words: ServerWords::default(),
            outcome: AttemptOutcome::Delivered,
        })
        .collect();
    timed("push: record 64", ledger.record("a", &records)).await.unwrap();
    for round in 0..(count / 2 / 1_000) {
        let holder = format!("f{round}");
        let due = ledger.claim(&lease(&holder, 3), &[], 100_000, 1_000).await.unwrap();
        let records: Vec<AttemptRecord> = due
            .iter()
            .map(|one| AttemptRecord {
                delivery: one.id.clone(),
                started_at: at(3),
                duration_ms: 10,
                status: Some(503),
                error: Some(AttemptError::Http),
                words: ServerWords::default(),
                outcome: AttemptOutcome::Retry(at(5_000)),
            })
            .collect();
        ledger.record(&holder, &records).await.unwrap();
    }
    timed("push: claim 64 behind half of it in back-off", ledger.claim(&lease("b", 4), &[], 8, 64)).await.unwrap();
    timed("push: next due", ledger.next_due()).await.unwrap();
    timed("push: journey of one article", ledger.journey(&id("bai-3"))).await.unwrap();
}

async fn digest(path: &Path, count: usize) {
    let ledger = DigestStore::open(path).await.unwrap();
    let request = |n: usize| SubscriptionRequest {
        subscriber: SubscriberId::new(format!("p{n:07}")).unwrap(),
        subscription: SubscriptionId::new(format!("s{n:07}")).unwrap(),
        email: EmailAddress::parse(&format!("n{n}@example.gov.vn")).unwrap(),
        wish: Wish { areas: [area(&format!("xa-{}", n % 130))].into(), ..Wish::default() },
        frequency: Frequency::Daily,
        state: SubscriptionState::Active,
        token: format!("t{n}"),
        token_hash: format!("h{n}"),
        at: at(0),
    };
    timed("digest: subscribe all", async {
        for from in (0..count).step_by(BATCH) {
            let batch: Vec<_> = (from..count.min(from + BATCH)).map(request).collect();
            ledger.subscribe(&batch).await.unwrap();
        }
    })
    .await;
    let events: Vec<Event> = (0..260).map(event).collect();
    timed("digest: accept 260 articles for 130 wishes", ledger.accept(&events, at(1))).await.unwrap();
    timed("digest: owed, when somebody is", ledger.owed(Frequency::Daily, at(0), at(2))).await.unwrap();
    let key = |slot: &str| RunKey {
        frequency: Frequency::Daily,
        on: "2026-03-01".parse().unwrap(),
        slot: slot.into(),
        zone: "Asia/Ho_Chi_Minh".into(),
    };
    let (run, _) = ledger.open_run(&key("1"), at(2), at(2)).await.unwrap();
    timed("digest: plan 1,000 mails of two lines", ledger.plan(run.id, at(0), 1_000, at(2))).await.unwrap();
    timed("digest: plan the rest", async {
        while !ledger.plan(run.id, at(0), 1_000, at(2)).await.unwrap().complete {}
    })
    .await;
    timed("digest: owed, when nobody is", ledger.owed(Frequency::Daily, at(0), at(3))).await.unwrap();
    let mails = timed("digest: claim 100 of a full run", ledger.claim_mails(&lease("a", 3), 100)).await.unwrap();
    let ids: Vec<_> = mails.iter().map(|mail| mail.id.clone()).collect();
    timed("digest: submitting 100", ledger.submitting("a", &ids, at(3))).await.unwrap();
    let records: Vec<MailRecord> = ids
        .iter()
        .map(|mail| MailRecord { id: mail.clone(), outcome: MailOutcome::Sent("250".into()), at: at(4) })
        .collect();
    timed("digest: record 100", ledger.record_mails("a", &records)).await.unwrap();
    timed("digest: runs with their accounts", ledger.runs(20)).await.unwrap();
    timed("digest: a page of 100 mails", ledger.mails(run.id, "n5", 100)).await.unwrap();
    timed("digest: send all the rest", async {
        for round in 0.. {
            let holder = format!("h{round}");
            let mails = ledger.claim_mails(&lease(&holder, 5), 1_000).await.unwrap();
            if mails.is_empty() {
                break;
            }
            let ids: Vec<_> = mails.into_iter().map(|mail| mail.id).collect();
            ledger.submitting(&holder, &ids, at(5)).await.unwrap();
            let records: Vec<MailRecord> = ids
                .into_iter()
                .map(|id| MailRecord { id, outcome: MailOutcome::Sent("250".into()), at: at(6) })
                .collect();
            ledger.record_mails(&holder, &records).await.unwrap();
        }
    })
    .await;
    let gone = Draft::of("bai-5").revision(2).withdrawn("");
    timed("digest: withdraw what a 130th of them was sent", ledger.accept(&[gone], at(7))).await.unwrap();
    timed("digest: accept one more article", ledger.accept(&[event(1_000)], at(7))).await.unwrap();
    let (run, _) = ledger.open_run(&key("2"), at(8), at(8)).await.unwrap();
    timed("digest: plan the next run, few owed", async {
        while !ledger.plan(run.id, at(0), 1_000, at(8)).await.unwrap().complete {}
    })
    .await;
    timed("digest: journey of the withdrawn article", ledger.journey(&id("bai-5"))).await.unwrap();
    timed("digest: preview of a wish", ledger.preview(&request(3).wish, at(0), 50)).await.unwrap();
}
