//! The digest outlet's doors that note receipts: subscriptions as they change, mails as their dialogues begin and end.

use super::Notary;
use crate::{
    Book, DigestLedger, DueMail, Lease, MailBegun, MailRecord, Mails, Receipt, StoreError, StoreErrorKind, Subscriber,
    Subscription, SubscriptionReceipt, SubscriptionRequest, Subscriptions,
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{MailId, MailOutcome, SubscriptionState};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Notes what people decide.
pub(crate) struct NotingSubscriptions {
    ledger: Arc<dyn DigestLedger>,
    notary: Notary,
}

impl NotingSubscriptions {
    pub(crate) fn new(ledger: Arc<dyn DigestLedger>, notary: Notary) -> Self {
        Self { ledger, notary }
    }

    async fn note(&self, subscriptions: &[Subscription]) -> Result<(), StoreError> {
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
impl Subscriptions for NotingSubscriptions {
    async fn subscribe(&self, batch: &[SubscriptionRequest]) -> Result<Vec<Subscription>, StoreError> {
        let kept = self.ledger.subscribe(batch).await?;
        self.note(&kept).await?;
        Ok(kept)
    }

    async fn confirm(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        let confirmed = self.ledger.confirm(token_hash, at).await?;
        self.note(confirmed.as_slice()).await?;
        Ok(confirmed)
    }

    async fn unsubscribe(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        // noted first: whoever has left must not be mailed after a restore, even if we die right here
        if let Some(subscription) = self.ledger.by_token(token_hash).await? {
            let ended = Subscription { state: SubscriptionState::Unsubscribed, ..subscription };
            self.note(&[ended]).await?;
        }
        self.ledger.unsubscribe(token_hash, at).await
    }
}

/// Notes what may have been read by whom.
pub(crate) struct NotingMails {
    ledger: Arc<dyn DigestLedger>,
    notary: Notary,
}

impl NotingMails {
    pub(crate) fn new(ledger: Arc<dyn DigestLedger>, notary: Notary) -> Self {
        Self { ledger, notary }
    }
}

#[async_trait]
impl Mails for NotingMails {
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
}
