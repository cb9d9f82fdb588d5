//! The mails that a stranger can cause: to confirm a wish, or to say that the mailbox has it already.
//!
//! What the client waits for is the same for every mailbox: the mail server is reached, and no more. Whether
//! the mailbox is known, or had its share today, shows neither in the answer nor in the work before it; the
//! rest is done afterwards. A mail goes to its mailbox alone, with a key that no other mail has.

use super::{PageFault, PageResult, page};
use crate::{Service, Session, Verdict, limits::Allowance};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use loa_domain::{EmailAddress, Frequency, SubscriptionState, Wish};
use loa_http::{ClientAddress, retry_later};
use loa_mail::{Confirmation, Purpose, Recipient, Token};
use loa_store::{StoreError, Subscription};
use loa_words::Notice;
use std::net::IpAddr;

/// When to come back where the mail server is slow, in seconds.
const BUSY_SECONDS: u32 = 60;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A wish that somebody typed, who may be anybody.
pub(super) struct Asked {
    pub(super) email: EmailAddress,
    pub(super) wish: Wish,
    pub(super) frequency: Frequency,
}

impl Service {
    /// Has a mail written, and answers `answered`; or says why not now.
    pub(super) async fn answer_by_mail(
        &self,
        client: Option<ClientAddress>,
        asked: Asked,
        answered: impl FnOnce() -> PageResult,
    ) -> PageResult {
        let now = self.now();
        let client = client.map(|client| client.0);
        let is_withheld = match self.0.limits.count(client, &asked.email, now) {
            Allowance::Write => false,
            Allowance::MailboxHadItsShare => true,
            Allowance::TooOften(seconds) => return self.refused(StatusCode::TOO_MANY_REQUESTS, "client", seconds),
            Allowance::Busy(seconds) => {
                tracing::warn!("the form is used more than people use it; mails of it are withheld for a minute");
                return self.refused(StatusCode::SERVICE_UNAVAILABLE, "busy", seconds);
            }
        };
        let Some(place) = self.0.desk.place().await else {
            self.0.limits.give_back(client, &asked.email, is_withheld, now);
            tracing::warn!("no confirmation could be begun in time: the mail server is slow with those before");
            return self.refused(StatusCode::SERVICE_UNAVAILABLE, "busy", BUSY_SECONDS);
        };
        let session = match self.0.submit.open().await {
            Ok(session) => session,
            Err(error) => {
                self.0.limits.give_back(client, &asked.email, is_withheld, now);
                tracing::warn!(error = %error, "a confirmation could not be sent");
                let html = self.0.pages.note(Notice::ConfirmationNotSent, Notice::MailServerBusy)?;
                return Ok(retry_later(page(StatusCode::SERVICE_UNAVAILABLE, html)));
            }
        };
        let service = self.clone();
        self.0.desk.write(place, async move { service.write(client, asked, is_withheld, session, now).await });
        answered()
    }

    /// Returns when every mail of the form that was begun has been written, or has failed. Further ones may be begun meanwhile.
    pub async fn form_mails_written(&self) {
        self.0.desk.cleared().await;
    }

    fn refused(&self, status: StatusCode, reason: &'static str, seconds: u32) -> PageResult {
        metrics::counter!("loa_http_refusals_total", "service" => "digest", "reason" => reason).increment(1);
        let words =
            if status == StatusCode::TOO_MANY_REQUESTS { Notice::AskedTooOften } else { Notice::MailServerBusy };
        let mut response = page(status, self.0.pages.note(Notice::ConfirmationNotSent, words)?);
        response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
        Ok(response)
    }

    async fn write(
        &self,
        client: Option<IpAddr>,
        asked: Asked,
        is_withheld: bool,
        mut session: Box<dyn Session>,
        now: Timestamp,
    ) {
        let email = asked.email.clone();
        let outcome = match is_withheld {
            true => Ok("withheld"),
            false => self.write_in(&mut *session, asked, now).await,
        };
        session.close().await;
        if matches!(outcome, Ok("failed") | Err(_)) {
            self.0.limits.give_back(client, &email, is_withheld, now);
        }
        match outcome {
            Ok(word) => metrics::counter!("loa_digest_confirmations_total", "as" => word).increment(1),
            Err(error) => {
                tracing::warn!(error = %error, "a confirmation could not be written: the ledger is away");
                metrics::counter!("loa_digest_confirmations_total", "as" => "failed").increment(1);
            }
        }
    }

    /// Keeps the wish, unconfirmed, and sends the mail that asks for confirmation; or, when the subscription is active,
    /// changes nothing and says so by mail.
    async fn write_in(
        &self,
        session: &mut dyn Session,
        asked: Asked,
        now: Timestamp,
    ) -> Result<&'static str, StoreError> {
        let Asked { email, wish, frequency } = asked;
        let (mailbox, confirmations) = (email.mailbox(), &self.0.doors.confirmations);
        let (since, max) = (now.saturating_sub(DAY).unwrap_or(now), self.0.config.confirmations_per_day_max);
        if !confirmations.allow_confirmation(&mailbox, since, max, now).await? {
            return Ok("withheld");
        }
        let sent = async {
            let (purpose, subscription) = match self.existing(&email, frequency).await? {
                // a stranger who knows an address must not be able to change what it gets
                Some(active) if active.state == SubscriptionState::Active => (Purpose::AlreadyActive, active),
                _ => (Purpose::Confirm, self.subscribe(email, wish, frequency, SubscriptionState::Pending).await?),
            };
            self.submit_form_mail(session, purpose, &subscription).await
        };
        let sent = sent.await;
        if !matches!(sent, Ok(true)) {
            // whoever tries again when the mail server is back must have a mail then
            confirmations.release_confirmation(&mailbox, now).await?;
        }
        Ok(if sent? { "sent" } else { "failed" })
    }

    async fn submit_form_mail(
        &self,
        session: &mut dyn Session,
        purpose: Purpose,
        subscription: &Subscription,
    ) -> Result<bool, StoreError> {
        let Some(token) = Token::parse(&subscription.token) else {
            tracing::error!("a subscription's token cannot be read");
            return Ok(false);
        };
        let (now, days) = (self.now(), self.0.config.pending_days_max);
        let key = Token::from_bytes(self.0.world.bytes());
        let until = now.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
        self.0.doors.confirmations.add_key(&subscription.token_hash, &key.hash(), until).await?;
        let categories = self.offered_categories().await?;
        let confirmation = Confirmation {
            purpose,
            frequency: subscription.frequency,
            wish: self.0.renderings.words(&subscription.wish, &categories, &[]),
            key,
            days,
        };
        let recipient = Recipient { email: subscription.email.clone(), subscription: subscription.id.clone(), token };
        let message = match self.0.letterhead.confirmation(&confirmation, &recipient, now) {
            Ok(message) => message,
            // the address has no mailbox we could write to: as little said as when the mail server refuses it
            Err(loa_mail::ComposeError::Address { .. }) => return Ok(true),
            Err(error) => {
                tracing::error!(error = %error, "a confirmation could not be composed: a defect of ours");
                return Ok(false);
            }
        };
        Ok(match session.submit(&message).await {
            Verdict::Sent(_) | Verdict::Address(_) | Verdict::Policy(_) => true,
            // it may have gone out; asking again sends another
            Verdict::Broken { uncertain: true, .. } => true,
            verdict @ (Verdict::Stop(_) | Verdict::Later(_) | Verdict::Broken { uncertain: false, .. }) => {
                tracing::warn!(verdict = ?std::mem::discriminant(&verdict), "the mail server did not take a confirmation");
                false
            }
        })
    }

    /// A mail to the owner of a subscription, which somebody asked for who has a link of its digests.
    pub(super) async fn write_to_owner(
        &self,
        client: Option<ClientAddress>,
        subscription: Subscription,
    ) -> Result<axum::response::Response, PageFault> {
        let Subscription { email, wish, frequency, .. } = subscription;
        self.answer_by_mail(client, Asked { email, wish, frequency }, || {
            Ok(page(StatusCode::OK, self.0.pages.answered(None)?))
        })
        .await
    }
}
