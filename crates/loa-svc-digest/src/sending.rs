//! From a frozen audience to the mail server: claim, compose, mark as submitting, speak, record.
//!
//! `submitting` is on disk before the first word to the mail server. Whoever dies in between leaves a mail in doubt: the ledger
//! hands it out once more when its lease has ended, it goes out under the same `Message-ID`, and the third time it is
//! called uncertain and left alone. Nothing here decides by the text of an error.

use crate::{
    Service, Session, Unreachable, Verdict,
    outcomes::{Decision, without_addresses},
};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{Because, MailId, MailOutcome, MailReason, PauseReason, ServerWords, SubscriptionState};
use loa_mail::{ComposeError, Message, Recipient, RenderError, Token};
use loa_store::{DueMail, Lease, MailRecord, StoreError, StoreErrorKind, lease_holder};
use loa_worker::Progress;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};
use tokio::task::JoinSet;

/// Mails marked as submitting together: as many as a crash may leave uncertain, for each connection.
const CHUNK: usize = 10;
/// How long recording is tried again during a stop while the ledger is away; otherwise as long as the lease lasts.
const RECORD_DURING_STOP_MAX: Duration = Duration::from_secs(10);
/// How long apart.
const RECORD_PAUSE: Duration = Duration::from_millis(500);

/// What the workers of one step share.
struct Round {
    holder: String,
    until: Timestamp,
    chunks: Mutex<VecDeque<Vec<DueMail>>>,
    stopped_runs: Mutex<BTreeSet<i64>>,
}

impl Service {
    /// One step: opens what is due, plans one batch, sends one batch. `Idle` when there was nothing to do.
    ///
    /// # Errors
    /// When the ledger is away; what was done stays done.
    pub async fn step(&self) -> Result<Progress, StoreError> {
        let _one_at_a_time = self.0.stepping.lock().await;
        let now = self.0.world.now();
        let planned = self.open_and_plan(now).await?;
        let sent = self.send_some(now).await?;
        Ok(if planned == Progress::Worked || sent == Progress::Worked { Progress::Worked } else { Progress::Idle })
    }

    async fn send_some(&self, now: Timestamp) -> Result<Progress, StoreError> {
        if !self.may_call_mail_server(now) || self.0.stopping.load(Ordering::Relaxed) {
            return Ok(Progress::Idle);
        }
        let until =
            now.saturating_add(SignedDuration::from_secs(i64::from(self.0.config.lease_seconds))).unwrap_or(now);
        let holder = lease_holder(self.0.world.bytes());
        let lease = Lease { holder: holder.clone(), now, until };
        let claimed = self.0.doors.mails.claim_mails(&lease, self.0.config.batch_max).await?;
        if claimed.is_empty() {
            return Ok(Progress::Idle);
        }
        let (mails, ended) = self.sort(claimed, now);
        self.record(&holder, ended).await?;
        if mails.is_empty() {
            return Ok(Progress::Worked);
        }
        // before the first mail is marked as submitting it is known that somebody listens
        let session = match self.0.submit.open().await {
            Ok(session) => session,
            Err(error) => {
                let later = self.postpone(&mails, &error, now);
                self.record(&holder, later).await?;
                return Ok(Progress::Worked);
            }
        };
        self.reached();
        let mut mails = VecDeque::from(mails);
        let mut chunks = VecDeque::new();
        // a mail in doubt goes by itself: found in the middle once more it would be given up, so it keeps no company in there
        let (in_doubt, others): (VecDeque<DueMail>, VecDeque<DueMail>) = mails.drain(..).partition(|due| due.in_doubt);
        chunks.extend(in_doubt.into_iter().map(|due| vec![due]));
        mails = others;
        while !mails.is_empty() {
            chunks.push_back(mails.drain(..CHUNK.min(mails.len())).collect());
        }
        let workers = (self.0.config.connections_max as usize).min(chunks.len());
        let round = Arc::new(Round { holder, until, chunks: Mutex::new(chunks), stopped_runs: Mutex::default() });
        let mut tasks = JoinSet::new();
        let mut first = Some(session);
        for _ in 0..workers {
            let (service, round, session) = (self.clone(), round.clone(), first.take());
            tasks.spawn(async move { service.work(&round, session).await });
        }
        let mut outcome = Ok(Progress::Worked);
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => outcome = Err(error),
                // what the worker held is handed out again when its lease ends
                Err(panic) => tracing::error!(error = %panic, "sending panicked: a defect of ours"),
            }
        }
        outcome
    }

    /// Parts what is to be sent from what ends or waits without a word to the mail server.
    fn sort(&self, claimed: Vec<DueMail>, now: Timestamp) -> (Vec<DueMail>, Vec<MailRecord>) {
        let (mut mails, mut ended) = (Vec::new(), Vec::new());
        for due in claimed {
            let outcome = if due.subscription.state != SubscriptionState::Active {
                Some(MailOutcome::Suppressed(MailReason::SubscriptionEnded.into()))
            } else if due.items.is_empty() {
                Some(MailOutcome::Suppressed(MailReason::NothingLeft.into()))
            } else if now >= self.0.schedule.given_up_at(&due.run, self.0.config.give_up_hours) {
                Some(MailOutcome::Refused(MailReason::TimeUp.into()))
            } else {
                let from = self.0.schedule.may_go_from(&due.run, now);
                (from > now).then(|| MailOutcome::Waits(MailReason::SendWindow.into(), from))
            };
            match outcome {
                Some(outcome) => ended.push(MailRecord { id: due.id, outcome, at: now }),
                None => mails.push(due),
            }
        }
        (mails, ended)
    }

    /// One worker: chunk after chunk over one connection, until there are none, the lease ends, or nobody listens.
    async fn work(&self, round: &Round, mut session: Option<Box<dyn Session>>) -> Result<(), StoreError> {
        loop {
            let Some(chunk) = round.chunks.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else { break };
            let now = self.0.world.now();
            // what is claimed and not begun goes back at once: nothing is lost by it
            if self.0.stopping.load(Ordering::Relaxed) || now >= round.until {
                let back = chunk.into_iter().map(|due| waiting(due.id, MailReason::NotBegun, now, now)).collect();
                self.record(&round.holder, back).await?;
                continue;
            }
            if session.is_none() {
                match self.0.submit.open().await {
                    Ok(opened) => session = Some(opened),
                    Err(error) => {
                        let later = self.postpone(&chunk, &error, now);
                        self.record(&round.holder, later).await?;
                        continue;
                    }
                }
            }
            session = self.send_chunk(round, chunk, session).await?;
        }
        if let Some(session) = session {
            session.close().await;
        }
        Ok(())
    }

    /// Sends a chunk. Returns the session, unless it broke.
    async fn send_chunk(
        &self,
        round: &Round,
        chunk: Vec<DueMail>,
        mut session: Option<Box<dyn Session>>,
    ) -> Result<Option<Box<dyn Session>>, StoreError> {
        let (mut ready, mut records) = (Vec::new(), Vec::new());
        for due in chunk {
            match self.composed(&due) {
                Ok(message) => ready.push((due, message)),
                Err(error) => records.extend(self.not_composed(round, &due, &error).await?),
            }
        }
        let ids: Vec<MailId> = ready.iter().map(|(due, _)| due.id.clone()).collect();
        let held: BTreeSet<MailId> = if ids.is_empty() {
            BTreeSet::new()
        } else {
            self.0.doors.mails.submitting(&round.holder, &ids, self.0.world.now()).await?.into_iter().collect()
        };
        for (due, message) in ready {
            if !held.contains(&due.id) {
                continue;
            }
            let now = self.0.world.now();
            if round.stopped_runs.lock().unwrap_or_else(PoisonError::into_inner).contains(&due.id.run) {
                // certain not to have gone out: it waits with its run, and is not in doubt when that goes on
                records.push(waiting(due.id, MailReason::RunPaused, now, now));
                continue;
            }
            let verdict = match &mut session {
                Some(open) => open.submit(&message).await,
                None => Verdict::Broken { words: ServerWords::default(), uncertain: false },
            };
            if matches!(verdict, Verdict::Broken { .. }) {
                session = None;
            }
            self.count(&verdict);
            match self.outcome(&due, &verdict, now) {
                Decision::Record(outcome) => records.push(MailRecord { id: due.id, outcome, at: now }),
                // stays in submitting: in doubt, sent once more under its id when the lease has ended
                Decision::LeaveUncertain => {
                    tracing::warn!(
                        run = due.id.run,
                        "the connection was lost after the last dot; the mail may have gone out"
                    );
                }
                Decision::StopRun(why) => {
                    self.stop_run(round, due.id.run, &why, now).await?;
                    records.push(waiting(
                        due.id,
                        Because { reason: MailReason::RunPaused, words: why.words },
                        now,
                        now,
                    ));
                }
            }
        }
        self.record(&round.holder, records).await?;
        Ok(session)
    }

    fn composed(&self, due: &DueMail) -> Result<Message, Unfit> {
        let rendered = self.0.renderings.of(&due.run, &due.subscription.wish, &due.items, self.0.world.now())?;
        let token = Token::parse(&due.subscription.token).ok_or(Unfit::Token)?;
        let recipient =
            Recipient { email: due.subscription.email.clone(), subscription: due.id.subscription.clone(), token };
        Ok(self.0.letterhead.compose(&rendered, &recipient, due.id.run, self.0.world.now())?)
    }

    /// A mail that cannot be written: the address's fault ends this one, ours stops the run.
    async fn not_composed(
        &self,
        round: &Round,
        due: &DueMail,
        error: &Unfit,
    ) -> Result<Option<MailRecord>, StoreError> {
        let now = self.0.world.now();
        if let Unfit::Compose(ComposeError::Address { .. }) = error {
            let outcome = MailOutcome::Refused(MailReason::NotAnAddress.into());
            return Ok(Some(MailRecord { id: due.id.clone(), outcome, at: now }));
        }
        tracing::error!(run = due.id.run, error = %error, "a mail could not be composed: a defect of ours");
        self.stop_run(round, due.id.run, &PauseReason::NotComposed.into(), now).await?;
        Ok(None)
    }

    /// The mail server is away: all these wait until it is asked again.
    fn postpone(&self, mails: &[DueMail], error: &Unreachable, now: Timestamp) -> Vec<MailRecord> {
        let (until, news) = self.mail_server_failed(now);
        metrics::counter!("loa_digest_smtp_unreachable_total").increment(1);
        match (news, error.needs_operator) {
            (true, true) => tracing::error!(error = %error, "the mail server does not let us in; mails wait"),
            (true, false) => tracing::warn!(error = %error, "the mail server is away; mails wait"),
            (false, _) => {}
        }
        mails
            .iter()
            .map(|due| {
                let why = Because::said(MailReason::ServerUnreachable, error.words.clone());
                waiting(due.id.clone(), why, self.0.schedule.may_go_from(&due.run, until), now)
            })
            .collect()
    }

    fn reached(&self) {
        if self.mail_server_answered(self.0.world.now()) {
            tracing::info!("mail server reached");
        }
    }

    async fn stop_run(
        &self,
        round: &Round,
        run: i64,
        why: &Because<PauseReason>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let first = round.stopped_runs.lock().unwrap_or_else(PoisonError::into_inner).insert(run);
        if first {
            self.0.doors.runs.pause_run(run, Some(why), now).await?;
            metrics::counter!("loa_digest_runs_stopped_total").increment(1);
            tracing::error!(run, reason = why.reason.as_str(), words = %without_addresses(why.words.as_str()), "the run is stopped until an operator resumes it");
        }
        Ok(())
    }

    /// Records, holding on while the ledger is away: what was sent must not be forgotten, and what was certainly not sent
    /// must not be taken to be in doubt. When the lease has ended, others decide.
    async fn record(&self, holder: &str, records: Vec<MailRecord>) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let began = tokio::time::Instant::now();
        let lease = Duration::from_secs(u64::from(self.0.config.lease_seconds));
        loop {
            let error = match self.0.doors.mails.record_mails(holder, &records).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let stopping = self.0.stopping.load(Ordering::Relaxed);
            let patience = if stopping { lease.min(RECORD_DURING_STOP_MAX) } else { lease };
            if error.kind != StoreErrorKind::Unavailable || began.elapsed() >= patience {
                return Err(error);
            }
            tokio::time::sleep(RECORD_PAUSE).await;
        }
    }
}

/// Why a mail was not composed.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("the subscription's token cannot be read")]
    Token,
}

fn waiting(id: MailId, why: impl Into<Because<MailReason>>, until: Timestamp, now: Timestamp) -> MailRecord {
    MailRecord { id, outcome: MailOutcome::Waits(why.into(), until), at: now }
}
