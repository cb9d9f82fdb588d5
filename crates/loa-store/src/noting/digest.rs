//! The digest ledger that notes receipts: subscriptions as they change, mails as their dialogues begin and end.

use super::Notary;
use crate::{
    Accepted, Book, DigestItem, DigestLedger, DueMail, Lease, MailBegun, MailRecord, MailView, Plan, Receipt, Run,
    StoreError, StoreErrorKind, Subscriber, Subscription, SubscriptionReceipt, SubscriptionRequest,
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    ArticleId, EmailAddress, Event, Frequency, JourneyStep, MailId, MailOutcome, RunKey, SubscriptionState, Wish,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A digest ledger and its notary.
pub struct NotingDigest {
    ledger: Arc<dyn DigestLedger>,
    notary: Notary,
}

impl NotingDigest {
    /// The same ledger; what it does is noted from now on.
    pub fn new(ledger: Arc<dyn DigestLedger>, notary: Notary) -> Self {
        Self { ledger, notary }
    }

    async fn note_subscriptions(&self, subscriptions: &[Subscription]) -> Result<(), StoreError> {
        let mut mailboxes: BTreeMap<String, Subscriber> = BTreeMap::new();
        let mut receipts = Vec::with_capacity(subscriptions.len());
        for subscription in subscriptions {
            let key = subscription.email.key();
            if !mailboxes.contains_key(&key) {
                let mailbox =
                    self.ledger.subscriber(&subscription.email).await?.ok_or_else(|| {
                        StoreError::new(StoreErrorKind::Corrupt, "a subscription's mailbox is not there")
                    })?;
                mailboxes.insert(key.clone(), mailbox);
            }
            if let Some(mailbox) = mailboxes.get(&key) {
                let receipt = SubscriptionReceipt::of(subscription.clone(), mailbox.id.clone(), mailbox.created_at);
                receipts.push(Receipt::Subscription(Box::new(receipt)));
            }
        }
        self.notary.note(Book::Digest, &receipts).await
    }
}

#[async_trait]
impl DigestLedger for NotingDigest {
    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        self.ledger.accept(batch, at).await
    }

    async fn subscribe(&self, batch: &[SubscriptionRequest]) -> Result<Vec<Subscription>, StoreError> {
        let kept = self.ledger.subscribe(batch).await?;
        self.note_subscriptions(&kept).await?;
        Ok(kept)
    }

    async fn subscribers(&self, after: &str, limit: u32) -> Result<Vec<Subscriber>, StoreError> {
        self.ledger.subscribers(after, limit).await
    }

    async fn subscriber(&self, email: &EmailAddress) -> Result<Option<Subscriber>, StoreError> {
        self.ledger.subscriber(email).await
    }

    async fn by_token(&self, token_hash: &str) -> Result<Option<Subscription>, StoreError> {
        self.ledger.by_token(token_hash).await
    }

    async fn confirm(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        let confirmed = self.ledger.confirm(token_hash, at).await?;
        self.note_subscriptions(confirmed.as_slice()).await?;
        Ok(confirmed)
    }

    async fn unsubscribe(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        // noted first: whoever has left must not be mailed after a restore, even if we die right here
        if let Some(subscription) = self.ledger.by_token(token_hash).await? {
            let ended = Subscription { state: SubscriptionState::Unsubscribed, ..subscription };
            self.note_subscriptions(&[ended]).await?;
        }
        self.ledger.unsubscribe(token_hash, at).await
    }

    async fn allow_confirmation(
        &self,
        email: &EmailAddress,
        since: Timestamp,
        max: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.ledger.allow_confirmation(email, since, max, at).await
    }

    async fn release_confirmation(&self, email: &EmailAddress, at: Timestamp) -> Result<(), StoreError> {
        self.ledger.release_confirmation(email, at).await
    }

    async fn open_run(&self, key: &RunKey, cutoff: Timestamp, at: Timestamp) -> Result<(Run, bool), StoreError> {
        self.ledger.open_run(key, cutoff, at).await
    }

    async fn plan(&self, run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Result<Plan, StoreError> {
        self.ledger.plan(run, oldest, max, at).await
    }

    async fn preview(&self, wish: &Wish, since: Timestamp, limit: u32) -> Result<Vec<DigestItem>, StoreError> {
        self.ledger.preview(wish, since, limit).await
    }

    async fn owed(&self, frequency: Frequency, oldest: Timestamp, cutoff: Timestamp) -> Result<bool, StoreError> {
        self.ledger.owed(frequency, oldest, cutoff).await
    }

    async fn claim_mails(&self, lease: &Lease, max: u32) -> Result<Vec<DueMail>, StoreError> {
        self.ledger.claim_mails(lease, max).await
    }

    async fn submitting(&self, holder: &str, ids: &[MailId], at: Timestamp) -> Result<Vec<MailId>, StoreError> {
        let begun = self.ledger.submitting(holder, ids, at).await?;
        // the first word to the mail server is spoken after this has returned
        let receipts: Vec<Receipt> =
            self.ledger.in_dialogue(&begun).await?.into_iter().map(|mail| Receipt::MailBegun(Box::new(mail))).collect();
        self.notary.note(Book::Digest, &receipts).await?;
        Ok(begun)
    }

    async fn record_mails(&self, holder: &str, records: &[MailRecord]) -> Result<u64, StoreError> {
        // what never began its dialogue left no trace, and needs none
        let ids: Vec<MailId> = records.iter().map(|record| record.id.clone()).collect();
        let begun: BTreeSet<MailId> =
            self.ledger.in_dialogue(&ids).await?.into_iter().map(|begun| begun.mail).collect();
        let receipts: Vec<Receipt> = records
            .iter()
            .filter(|record| matches!(record.outcome, MailOutcome::Sent(_)) || begun.contains(&record.id))
            .map(|record| Receipt::MailEnded(record.clone()))
            .collect();
        self.notary.note(Book::Digest, &receipts).await?;
        self.ledger.record_mails(holder, records).await
    }

    async fn in_dialogue(&self, ids: &[MailId]) -> Result<Vec<MailBegun>, StoreError> {
        self.ledger.in_dialogue(ids).await
    }

    async fn settle(&self, receipts: &[Receipt]) -> Result<u64, StoreError> {
        self.ledger.settle(receipts).await
    }

    async fn hold(&self, held: bool) -> Result<(), StoreError> {
        self.ledger.hold(held).await
    }

    async fn pause_run(&self, run: i64, reason: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
        self.ledger.pause_run(run, reason, at).await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        self.ledger.runs(limit).await
    }

    async fn stuck_runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        self.ledger.stuck_runs(limit).await
    }

    async fn run(&self, run: i64) -> Result<Option<Run>, StoreError> {
        self.ledger.run(run).await
    }

    async fn mails(&self, run: i64, after: &str, limit: u32) -> Result<Vec<MailView>, StoreError> {
        self.ledger.mails(run, after, limit).await
    }

    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError> {
        self.ledger.journey(article).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.ledger.ping().await
    }
}
