//! Rules of the ledger of receipts.

use crate::build::{SOURCE, at, id};
use loa_domain::{
    AttemptOutcome, Because, DisableReason, EmailAddress, EndpointId, EndpointState, EventFilter, EventKey, Frequency,
    MailId, MailOutcome, MailReason, RunKey, SubscriberId, SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{
    AttemptReceipt, Book, EndpointReceipt, MailBegun, MailLine, MailRecord, Receipt, ReceiptLedger, SubscriptionReceipt,
};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! receipt_rules {
    ($test:ident) => {
        $test!(receipts_are_complete_since_they_were_first_begun);
        $test!(receipts_of_every_kind_come_back_as_they_were_noted);
        $test!(receipts_are_read_in_order_page_by_page_from_an_instant_on);
        $test!(one_book_does_not_show_the_others_receipts);
        $test!(pruning_deletes_the_oldest_piece_by_piece_and_claims_no_more_than_is_left);
        $test!(pruning_nothing_takes_nothing_back);
        $test!(receipts_that_were_lost_once_never_count_as_complete_again);
        $test!(receipts_survive_a_crash);
        $test!(an_empty_batch_is_no_work);
        $test!(the_ledger_answers_a_ping);
    };
}

/// That a subscription of `name` stands like this, active since minute 0 unless changed.
pub(super) fn subscription(name: &str, wish: Wish, state: SubscriptionState, since: i64) -> SubscriptionReceipt {
    SubscriptionReceipt {
        subscriber: SubscriberId::new(format!("p-{name}")).unwrap(),
        subscriber_since: at(0),
        id: SubscriptionId::new(format!("s-{name}")).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.gov.vn")).unwrap(),
        wish,
        frequency: Frequency::Daily,
        state,
        token: format!("token-{name}"),
        token_hash: format!("hash-{name}"),
        since: at(since),
    }
}

/// The id of the mail of run `run` to `name`.
pub(super) fn mail(run: i64, name: &str) -> MailId {
    MailId { run, subscription: SubscriptionId::new(format!("s-{name}")).unwrap() }
}

/// That the mail of run `run` (daily, of this slot) to `name` began its dialogue, with these lines: article, withdrawn,
/// revision.
pub(super) fn begun(run: i64, slot: &str, name: &str, lines: &[(&str, bool, u64)], minute: i64) -> Receipt {
    Receipt::MailBegun(Box::new(MailBegun {
        mail: mail(run, name),
        run: RunKey {
            frequency: Frequency::Daily,
            on: "2026-03-01".parse().unwrap(),
            slot: slot.into(),
            zone: "Asia/Ho_Chi_Minh".into(),
        },
        cutoff: at(minute),
        opened_at: at(minute),
        at: at(minute),
        lines: lines
            .iter()
            .map(|(article, withdrawn, revision)| MailLine {
                article: id(article),
                withdrawn: *withdrawn,
                revision: *revision,
            })
            .collect(),
    }))
}

/// How a mail's dialogue ended.
pub(super) fn ended(run: i64, name: &str, minute: i64, outcome: MailOutcome) -> Receipt {
    Receipt::MailEnded(MailRecord { id: mail(run, name), outcome, at: at(minute) })
}

/// That an endpoint stands like this.
pub(super) fn endpoint(name: &str, state: EndpointState, minute: i64) -> EndpointReceipt {
    EndpointReceipt {
        id: EndpointId::new(name).unwrap(),
        url: format!("https://{name}.example.gov.vn/loa").parse().unwrap(),
        description: format!("Cổng {name}"),
        secrets: vec![vec![7; 32], vec![8; 24]],
        filter: EventFilter::default(),
        state,
        created_at: at(minute),
    }
}

/// That the event of this id was attempted at an endpoint.
pub(super) fn attempt(event: &str, endpoint: &str, minute: i64, outcome: AttemptOutcome) -> Receipt {
    Receipt::Attempt(AttemptReceipt {
        event: EventKey { source: SOURCE.into(), id: event.into() },
        endpoint: EndpointId::new(endpoint).unwrap(),
        started_at: at(minute),
        duration_ms: 120,
        status: Some(204),
        error: None,
        words: "trả lời".into(),
        outcome,
    })
}

async fn read(ledger: &dyn ReceiptLedger, book: Book) -> Vec<Receipt> {
    ledger.noted(book, at(-1_000), 0, 1_000).await.unwrap().into_iter().map(|noted| noted.receipt).collect()
}

fn small(number: i64) -> Receipt {
    ended(number, "na", number, MailOutcome::Sent("250 ok".into()))
}

pub async fn receipts_are_complete_since_they_were_first_begun(open: impl AsyncFn() -> Arc<dyn ReceiptLedger>) {
    let ledger = open().await;
    assert_eq!(ledger.complete_since().await.unwrap(), None);
    assert_eq!(ledger.begin(at(1)).await.unwrap(), at(1));
    assert_eq!(ledger.begin(at(2)).await.unwrap(), at(1));
    assert_eq!(ledger.complete_since().await.unwrap(), Some(at(1)));
}

pub async fn receipts_of_every_kind_come_back_as_they_were_noted(open: impl AsyncFn() -> Arc<dyn ReceiptLedger>) {
    let ledger = open().await;
    let wish = Wish { areas: [crate::build::area("na-son")].into(), ..Wish::default() };
    let digest = [
        Receipt::Subscription(Box::new(subscription("na", wish, SubscriptionState::Pending, 1))),
        begun(3, "", "na", &[("bài-1", false, 2), ("b", true, 9)], 2),
        ended(3, "na", 2, MailOutcome::Sent("250 đã nhận".into())),
        ended(3, "na", 2, MailOutcome::Later(Because::said(MailReason::ServerBusy, "451"), at(9))),
        ended(3, "na", 2, MailOutcome::Refused(Because::said(MailReason::MailboxRefused, "550"))),
        ended(3, "na", 2, MailOutcome::Suppressed(MailReason::NothingLeft.into())),
    ];
    let gone = EndpointState::Disabled { reason: DisableReason::Gone, note: String::new() };
    let push = [
        Receipt::Endpoint(endpoint("tinh", EndpointState::Enabled, 1)),
        Receipt::Endpoint(endpoint("tinh", gone, 1)),
        attempt("a 1", "tinh", 2, AttemptOutcome::Delivered),
        attempt("a 1", "tinh", 3, AttemptOutcome::Retry(at(4))),
        attempt("a 1", "tinh", 4, AttemptOutcome::GiveUp),
        attempt("a 1", "tinh", 5, AttemptOutcome::Gone),
    ];
    ledger.note(Book::Digest, &digest, at(1)).await.unwrap();
    ledger.note(Book::Push, &push, at(1)).await.unwrap();
    assert_eq!(read(&*ledger, Book::Digest).await, digest);
    assert_eq!(read(&*ledger, Book::Push).await, push);
}

pub async fn receipts_are_read_in_order_page_by_page_from_an_instant_on(
    open: impl AsyncFn() -> Arc<dyn ReceiptLedger>,
) {
    let ledger = open().await;
    for number in 1..=5 {
        ledger.note(Book::Digest, &[small(number)], at(number)).await.unwrap();
    }
    let first = ledger.noted(Book::Digest, at(2), 0, 3).await.unwrap();
    assert_eq!(first.iter().map(|noted| noted.receipt.clone()).collect::<Vec<_>>(), [small(2), small(3), small(4)]);
    assert_eq!(first.iter().map(|noted| noted.at).collect::<Vec<_>>(), [at(2), at(3), at(4)]);
    let rest = ledger.noted(Book::Digest, at(2), first[2].sequence, 3).await.unwrap();
    assert_eq!(rest.iter().map(|noted| noted.receipt.clone()).collect::<Vec<_>>(), [small(5)]);
    assert!(ledger.noted(Book::Digest, at(2), rest[0].sequence, 3).await.unwrap().is_empty());
}

pub async fn one_book_does_not_show_the_others_receipts(open: impl AsyncFn() -> Arc<dyn ReceiptLedger>) {
    let ledger = open().await;
    ledger.note(Book::Digest, &[small(1)], at(1)).await.unwrap();
    assert!(read(&*ledger, Book::Push).await.is_empty());
}

pub async fn pruning_deletes_the_oldest_piece_by_piece_and_claims_no_more_than_is_left(
    open: impl AsyncFn() -> Arc<dyn ReceiptLedger>,
) {
    let ledger = open().await;
    ledger.begin(at(0)).await.unwrap();
    for number in 1..=5 {
        ledger.note(Book::Digest, &[small(number)], at(number)).await.unwrap();
    }
    assert_eq!(ledger.prune(at(4), 2).await.unwrap(), 2);
    assert_eq!(ledger.complete_since().await.unwrap(), Some(at(4)), "some of before are gone");
    assert_eq!(read(&*ledger, Book::Digest).await, [small(3), small(4), small(5)]);
    assert_eq!(ledger.prune(at(4), 2).await.unwrap(), 1);
    assert_eq!(ledger.prune(at(4), 2).await.unwrap(), 0);
    assert_eq!(read(&*ledger, Book::Digest).await, [small(4), small(5)]);
}

pub async fn pruning_nothing_takes_nothing_back(open: impl AsyncFn() -> Arc<dyn ReceiptLedger>) {
    let ledger = open().await;
    ledger.begin(at(1)).await.unwrap();
    ledger.note(Book::Push, &[small(1)], at(5)).await.unwrap();
    assert_eq!(ledger.prune(at(4), 10).await.unwrap(), 0);
    assert_eq!(ledger.complete_since().await.unwrap(), Some(at(1)));
}

pub async fn receipts_that_were_lost_once_never_count_as_complete_again(
    open: impl AsyncFn() -> Arc<dyn ReceiptLedger>,
) {
    let ledger = open().await;
    ledger.begin(at(1)).await.unwrap();
    ledger.note(Book::Push, &[small(1)], at(2)).await.unwrap();
    ledger.incomplete_before(at(5)).await.unwrap();
    ledger.incomplete_before(at(3)).await.unwrap();
    assert_eq!(ledger.begin(at(9)).await.unwrap(), at(5));
    assert_eq!(read(&*ledger, Book::Push).await, [small(1)], "what is there stays");
}

pub async fn receipts_survive_a_crash(open: impl AsyncFn() -> Arc<dyn ReceiptLedger>) {
    let ledger = open().await;
    ledger.begin(at(1)).await.unwrap();
    ledger.note(Book::Push, &[small(1)], at(5)).await.unwrap();
    drop(ledger);
    let ledger = open().await;
    assert_eq!(ledger.complete_since().await.unwrap(), Some(at(1)));
    assert_eq!(read(&*ledger, Book::Push).await, [small(1)]);
}

pub async fn an_empty_batch_is_no_work(open: impl AsyncFn() -> Arc<dyn ReceiptLedger>) {
    let ledger = open().await;
    ledger.note(Book::Push, &[], at(5)).await.unwrap();
    assert!(read(&*ledger, Book::Push).await.is_empty());
}

pub async fn the_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn ReceiptLedger>) {
    open().await.ping().await.unwrap();
}
