//! Restores an outlet's ledger from a copy. The archive tells it the events since; receipts tell it
//! what went out and what people decided since, merged by time. At the end the ledger stands as the
//! lost one did: what had not gone out is owed, what had gone out is not.
//!
//! Nothing is sent here, and the ledger gives nothing out meanwhile. After a crash the command is repeated;
//! every step is idempotent. Events are accepted as of when the archive had them, so that later
//! subscribers are not owed them.

use crate::{Service, service::Inner};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{Event, SubscriptionState};
use loa_event::{STRUCTURED, decode};
use loa_store::{ArchiveQuery, Archived, Book, EventArchive, Noted, Receipt, ReceiptLedger, Restorable, StoreError};
use loa_worker::as_portals;
use std::collections::{BTreeMap, VecDeque};

/// Events and receipts read at a time.
const PAGE: u32 = 500;
/// How far before the copy the archive is read: an outlet may have been so far behind when its copy was made. What it has
/// seen costs little.
const EVENTS_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How far before the copy receipts are read: an outcome is noted before it is recorded.
const RECEIPTS_BEFORE: SignedDuration = SignedDuration::from_hours(1);
/// An unsubscription, alone among the decisions of people, is noted before it is recorded: by no more than this.
const LEAVING_TAKES: SignedDuration = SignedDuration::from_mins(1);

/// From when on a copy is to be made whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyAge {
    /// There is no copy: the whole archive is read.
    Nothing,
    /// The copy was made then.
    MadeAt(Timestamp),
}

/// How to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restoring {
    /// From when on the copy is to be made whole.
    pub copy: CopyAge,
    /// End the restore although receipts are missing or could not be learned: something may be sent twice.
    pub even_if_incomplete: bool,
}

/// What a restore came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Events that the copy did not have.
    pub events: u64,
    /// Events of the archive that this program refuses; outlets would refuse them too.
    pub refused: u64,
    /// Receipts read.
    pub receipts: u64,
    /// Receipts about what the archive does not have (yet). Unless it is 0, the ledger still gives nothing out.
    pub deferred: u64,
}

/// Why a ledger was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Receipts begin after the copy, or were deleted since.
    #[error(
        "the copy was made at {copied_at}, and receipts are complete only since {since}: what went out between is not known"
    )]
    CopyTooOld {
        /// When the copy was made.
        copied_at: Timestamp,
        /// Since when receipts are complete.
        since: Timestamp,
    },
    /// Nobody ever began to note receipts.
    #[error("there are no receipts: what went out since the copy is not known")]
    NoReceipts,
    /// A ledger.
    #[error("a ledger did not answer; begin again, what was done is done")]
    Ledger(#[from] StoreError),
}

impl Service {
    /// Makes an outlet's ledger whole that was brought back from a copy. Nobody else may work with it meanwhile. Sends
    /// nothing. Safe to repeat, after a crash too. `progress` hears the number of events read so far.
    ///
    /// In the end the ledger gives out what it owes again, unless receipts are deferred: then the archive lacks events (its queue is
    /// not empty, or it was itself restored), and repeating this when it has them learns the rest. `even_if_incomplete`
    /// ends the restore all the same.
    ///
    /// # Errors
    /// See [`RestoreError`]; the ledger gives nothing out.
    pub async fn restore(
        &self,
        ledger: &dyn Restorable,
        receipts: &dyn ReceiptLedger,
        how: Restoring,
        mut progress: impl FnMut(u64),
    ) -> Result<Restored, RestoreError> {
        // by a list that was never read, the events of all other portals would be passed over
        self.0.portal.portals.refresh().await?;
        ledger.set_restoring(true).await?;
        let (book, copy) = (ledger.book(), how.copy);
        if book.is_some() && !how.even_if_incomplete {
            check_age(receipts, copy).await?;
        }
        let mut events = Events::since(&*self.0.ledger, before(copy, EVENTS_BEFORE));
        let mut notes = Notes::since(receipts, book, copy);
        let (mut restored, mut read) = (Restored::default(), 0);
        loop {
            events.fill().await?;
            notes.fill().await?;
            let next_event = events.waiting.front().map(|event| event.at);
            let next_note = notes.waiting.front().map(|note| note.at);
            match (next_event, next_note) {
                (None, None) => break,
                (Some(at), note) if note.is_none_or(|note| at <= note) => {
                    let batch = events.take_of(at);
                    read += batch.len() as u64;
                    let (batch, refused) = self.decoded(batch);
                    restored.refused += refused;
                    restored.events += ledger.accept(&batch, at).await?.fresh;
                    progress(read);
                }
                (next_event, _) => {
                    let batch = notes.take_before(next_event);
                    restored.receipts += batch.len() as u64;
                    restored.deferred += ledger.learn(&batch).await?;
                }
            }
        }
        if restored.deferred > 0 {
            // an event may have reached the archive after the mail that told it had gone out
            restored.deferred = learn_again(ledger, receipts, book, copy).await?;
        }
        if restored.deferred == 0 || how.even_if_incomplete {
            ledger.set_restoring(false).await?;
        }
        Ok(restored)
    }

    fn decoded(&self, batch: Vec<Archived>) -> (Vec<Event>, u64) {
        let (mut events, mut refused) = (Vec::with_capacity(batch.len()), 0);
        for archived in batch {
            let id = Some(archived.key.id.as_str());
            let Inner { directory, portal, .. } = &*self.0;
            let decoded = decode(Some(STRUCTURED), &BTreeMap::new(), id, &archived.body, directory, &portal.calendar)
                .map_err(|refusal| refusal.to_string())
                .and_then(|event| {
                    as_portals(event, directory, &portal.portals.list(), true).map_err(|dead| dead.reason)
                });
            match decoded {
                Ok(event) => events.push(event),
                Err(refusal) => {
                    refused += 1;
                    tracing::warn!(article = %archived.article, %refusal, "an archived event is refused and passed over");
                }
            }
        }
        (events, refused)
    }
}

/// The beginning of what is read for a copy.
fn before(copy: CopyAge, margin: SignedDuration) -> Option<Timestamp> {
    match copy {
        CopyAge::Nothing => None,
        CopyAge::MadeAt(at) => at.saturating_sub(margin).ok(),
    }
}

async fn check_age(receipts: &dyn ReceiptLedger, copy: CopyAge) -> Result<(), RestoreError> {
    let copied_at = match copy {
        CopyAge::Nothing => Timestamp::MIN,
        CopyAge::MadeAt(at) => at,
    };
    match receipts.complete_since().await? {
        None => Err(RestoreError::NoReceipts),
        Some(since) if since > copied_at => Err(RestoreError::CopyTooOld { copied_at, since }),
        Some(_) => Ok(()),
    }
}

async fn learn_again(
    ledger: &dyn Restorable,
    receipts: &dyn ReceiptLedger,
    book: Option<Book>,
    copy: CopyAge,
) -> Result<u64, StoreError> {
    let mut notes = Notes::since(receipts, book, copy);
    let mut deferred = 0;
    loop {
        notes.fill().await?;
        if notes.waiting.is_empty() {
            return Ok(deferred);
        }
        deferred += ledger.learn(&notes.take_before(None)).await?;
    }
}

/// The archive, page by page.
struct Events<'a> {
    archive: &'a dyn EventArchive,
    query: ArchiveQuery,
    waiting: VecDeque<Archived>,
    ended: bool,
}

impl<'a> Events<'a> {
    fn since(archive: &'a dyn EventArchive, since: Option<Timestamp>) -> Self {
        let query = ArchiveQuery { since, limit: PAGE, ..ArchiveQuery::default() };
        Self { archive, query, waiting: VecDeque::new(), ended: false }
    }

    async fn fill(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() && !self.ended {
            self.waiting = self.archive.archived(&self.query).await?.into();
            match self.waiting.back() {
                Some(last) => self.query.after = last.sequence,
                None => self.ended = true,
            }
        }
        Ok(())
    }

    /// Those of one instant, as far as they are at hand.
    fn take_of(&mut self, at: Timestamp) -> Vec<Archived> {
        let count = self.waiting.iter().take_while(|event| event.at == at).count();
        self.waiting.drain(..count).collect()
    }
}

/// Receipts, page by page.
struct Notes<'a> {
    receipts: &'a dyn ReceiptLedger,
    book: Option<Book>,
    copy: CopyAge,
    since: Timestamp,
    after: i64,
    waiting: VecDeque<Noted>,
    ended: bool,
}

impl<'a> Notes<'a> {
    fn since(receipts: &'a dyn ReceiptLedger, book: Option<Book>, copy: CopyAge) -> Self {
        let since = before(copy, RECEIPTS_BEFORE).unwrap_or(Timestamp::MIN);
        Self { receipts, book, copy, since, after: 0, waiting: VecDeque::new(), ended: false }
    }

    async fn fill(&mut self) -> Result<(), StoreError> {
        let Some(book) = self.book else { return Ok(()) };
        if self.waiting.is_empty() && !self.ended {
            self.waiting = self.receipts.noted(book, self.since, self.after, PAGE).await?.into();
            match self.waiting.back() {
                Some(last) => self.after = last.sequence,
                None => self.ended = true,
            }
        }
        Ok(())
    }

    /// Those noted before an instant (`None`: all), as far as they are at hand, that the copy may not know.
    fn take_before(&mut self, at: Option<Timestamp>) -> Vec<Receipt> {
        let count = self.waiting.iter().take_while(|note| at.is_none_or(|at| note.at < at)).count();
        let copy = self.copy;
        self.waiting.drain(..count).filter(|note| !is_in(copy, note)).map(|note| note.receipt).collect()
    }
}

/// Whether a copy knows a receipt for certain: what people decide is noted when it has been recorded, and learning it again
/// could undo what they decided next. Outcomes are noted before, and know by themselves whether they are known.
fn is_in(copy: CopyAge, note: &Noted) -> bool {
    let CopyAge::MadeAt(copied_at) = copy else { return false };
    match &note.receipt {
        Receipt::Subscription(told) if told.state == SubscriptionState::Unsubscribed => {
            copied_at.saturating_sub(LEAVING_TAKES).is_ok_and(|then| note.at < then)
        }
        Receipt::Subscription(_) | Receipt::Endpoint(_) => note.at < copied_at,
        Receipt::MailBegun(_) | Receipt::MailEnded(_) | Receipt::Attempt(_) => false,
    }
}
