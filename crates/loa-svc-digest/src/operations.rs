//! What operators and the command line do: run now, look ahead, add a mailbox, resume a stopped run.

use crate::{Service, Unreachable};
use jiff::Timestamp;
use loa_domain::{EmailAddress, Frequency, SubscriberId, SubscriptionId, SubscriptionState, Wish};
use loa_mail::{RenderError, Token};
use loa_store::{Run, StoreError, StoreErrorKind, Subscription, SubscriptionRequest};
use loa_worker::Progress;
use std::sync::PoisonError;

/// Items looked at for a preview.
const PREVIEW_MAX: u32 = 200;

/// Why an operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The ledger.
    #[error("the digest ledger")]
    Ledger(#[from] StoreError),
    /// A digest could not be rendered: a defect of ours.
    #[error("the digest cannot be rendered")]
    Render(#[from] RenderError),
    /// An area that the directory does not have.
    #[error("there is no area {0:?}")]
    NoArea(String),
    /// More than one wish can name.
    #[error(
        "the wish names too many areas and categories (about 70 fit); name fewer, or none of a kind for all of them"
    )]
    TooMany,
}

/// A digest as it would look now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// One line.
    pub subject: String,
    /// The HTML part, its own links leading nowhere.
    pub html: String,
    /// The text part, its own links leading nowhere.
    pub text: String,
    /// How many items are in it.
    pub items: usize,
}

impl Service {
    /// Adds a mailbox's subscription, active at once, or changes the one it has for this frequency.
    ///
    /// # Errors
    /// `NoArea` for a wish that nothing can match, `TooMany` for one that names more than fits; the ledger's errors.
    pub async fn add_subscriber(
        &self,
        email: EmailAddress,
        wish: Wish,
        frequency: Frequency,
    ) -> Result<Subscription, OperationError> {
        if let Some(unknown) = wish.areas.iter().find(|id| self.0.directory.get(id).is_none()) {
            return Err(OperationError::NoArea(unknown.to_string()));
        }
        if !wish.fits() {
            return Err(OperationError::TooMany);
        }
        Ok(self.subscribe(email, wish, frequency, SubscriptionState::Active).await?)
    }

    pub(crate) async fn subscribe(
        &self,
        email: EmailAddress,
        wish: Wish,
        frequency: Frequency,
        state: SubscriptionState,
    ) -> Result<Subscription, StoreError> {
        let world = &self.0.world;
        let token = Token::from_bytes(world.bytes());
        let request = SubscriptionRequest {
            subscriber: SubscriberId::new(hex(world.bytes())).map_err(ours)?,
            subscription: SubscriptionId::new(hex(world.bytes())).map_err(ours)?,
            email,
            wish,
            frequency,
            state,
            token_hash: token.hash(),
            token: token.as_str().to_owned(),
            at: world.now(),
        };
        let kept = self.0.doors.subscriptions.subscribe(&[request]).await?;
        kept.into_iter().next().ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "a subscription was not kept"))
    }

    /// Opens a run by hand and freezes its audience, at any hour; sending begins with the next step. `None`: nobody of
    /// this frequency is owed anything, and no run was opened.
    ///
    /// # Errors
    /// The ledger's errors.
    pub async fn open_run_now(&self, frequency: Frequency) -> Result<Option<Run>, StoreError> {
        let now = self.0.world.now();
        if !self.0.doors.runs.owed(frequency, self.oldest(now), now).await? {
            return Ok(None);
        }
        let run = self.open(&self.0.schedule.by_hand(frequency, now), now).await?;
        while !self.plan_some(run.id, now).await? {}
        self.0.wake_up.wake();
        self.0.doors.views.run(run.id).await
    }

    /// Opens a run by hand and sends until nothing of it is due any more: all sent, or what is left waits for a later try
    /// or for an operator. Returns the run with its account; `None` when nobody was owed anything.
    ///
    /// # Errors
    /// The ledger's errors.
    pub async fn run_now(&self, frequency: Frequency) -> Result<Option<Run>, StoreError> {
        let Some(run) = self.open_run_now(frequency).await? else { return Ok(None) };
        while self.step().await? == Progress::Worked {}
        self.0.doors.views.run(run.id).await
    }

    /// What a wish would be sent now if it had existed all the time. `None`: nothing.
    ///
    /// # Errors
    /// See [`OperationError`].
    pub async fn preview(&self, wish: &Wish) -> Result<Option<Preview>, OperationError> {
        let now = self.0.world.now();
        let items = self.0.doors.views.preview(wish, self.oldest(now), PREVIEW_MAX).await?;
        if items.is_empty() {
            return Ok(None);
        }
        let run = self.0.schedule.by_hand(Frequency::Daily, now);
        let rendered = self.0.renderings.of(&run, wish, &items, self.0.world.now())?;
        Ok(Some(Preview {
            subject: rendered.subject.clone(),
            html: rendered.html_with("#"),
            text: rendered.text_with("(…)"),
            items: items.len(),
        }))
    }

    /// Lets a stopped run go on.
    ///
    /// # Errors
    /// `NotFound` and the ledger's other errors.
    pub async fn resume_run(&self, run: i64) -> Result<(), StoreError> {
        self.0.doors.runs.pause_run(run, None, self.0.world.now()).await?;
        self.0.policy_refusals.lock().unwrap_or_else(PoisonError::into_inner).clear();
        tracing::info!(run, "digest run resumed");
        self.0.wake_up.wake();
        Ok(())
    }

    /// Whether the mail server lets us in, for `loa check`. Sends nothing.
    ///
    /// # Errors
    /// [`Unreachable`], with the reason.
    pub async fn reach_mail_server(&self) -> Result<(), Unreachable> {
        self.0.submit.open().await?.close().await;
        Ok(())
    }

    /// The subscription of this mailbox for this frequency, in whatever state.
    pub(crate) async fn existing(
        &self,
        email: &EmailAddress,
        frequency: Frequency,
    ) -> Result<Option<Subscription>, StoreError> {
        let subscriber = self.0.doors.views.subscriber(email).await?;
        Ok(subscriber.and_then(|found| found.subscriptions.into_iter().find(|s| s.frequency == frequency)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.world.now()
    }
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).concat()
}

/// An id of ours that is not one: cannot happen, and would be a defect.
fn ours(error: loa_domain::IdError) -> StoreError {
    StoreError::caused(StoreErrorKind::Rejected, "an id of ours", error)
}
