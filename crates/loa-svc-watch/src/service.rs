//! The service: what it holds, how sources are added, and the loop that looks at those that are due.

use crate::{
    Publisher, Visitor,
    decide::{due_again, kind_of},
    inner::Inner,
    look::Look,
    visitor::{Asked, Fetched, quoted},
};
use jiff::Timestamp;
use loa_domain::{FaultName, Selectors, WatchFailure, WatchKind, Worker};
use loa_portal::{PageError, SOURCE_BYTES_MAX, read_source};
use loa_store::{Lease, StoreError, StoreErrorKind, WatchLedger, WatchSource, WatchState, WatchView, lease_holder};
use loa_words::Language;
use loa_worker::{DriveOptions, InFlight, Progress, Status, WakeUp, World, drive};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Between two measures of all sources.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// The longest name of a source, in bytes.
const NAME_BYTES_MAX: usize = 60;

/// What an operator says of a source.
#[derive(Debug, Clone)]
pub struct NewWatch {
    /// Its name; `None`: that of its host.
    pub name: Option<String>,
    /// Whose articles it names; empty: the installation's own portal's.
    pub portal: String,
    /// Where it is.
    pub address: Url,
    /// What it is; `None`: it is looked at now.
    pub kind: Option<WatchKind>,
    /// How it is read where evidence alone does not.
    pub selectors: Selectors,
    /// From when on articles are published that are there already.
    pub since: Option<Timestamp>,
    /// Between two looks, in seconds; `None`: as the settings say.
    pub every_seconds: Option<u64>,
}

/// Why a source was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// It cannot be asked now.
    #[error("{}; `--kind` adds it unseen", Language::English.words().watch_failure(.0))]
    Unreachable(WatchFailure),
    /// It may not be asked.
    #[error("{}", Language::English.words().watch_failure(.0))]
    Forbidden(WatchFailure),
    /// It is none that can be read.
    #[error("nothing can be read there: {}", Language::English.words().page_error(.0))]
    Page(PageError),
    /// Something that was said of it is wrong.
    #[error("{0}")]
    Wrong(String),
    /// The ledger says no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The watch. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

impl Service {
    /// Sets the watch up. Opens nothing.
    pub fn new(visitor: Visitor, ledger: Arc<dyn WatchLedger>, publisher: Arc<dyn Publisher>, world: World) -> Self {
        let wake_up = WakeUp::default();
        let looks = InFlight::new(visitor.0.config.sources_in_flight_max, wake_up.clone());
        Self(Arc::new(Inner { visitor, ledger, publisher, world, wake_up, looks, told: Mutex::default() }))
    }

    /// Looks at sources when they are due, until `stop`. A look under way is cut off then: what it has recorded stands, and
    /// the rest is done again after its lease.
    pub async fn run(&self, status: Arc<Status>, stop: CancellationToken) {
        let options = DriveOptions::of(Worker::Watch);
        let looking = drive(options, &self.0.wake_up, &status, &stop, || self.step(&stop));
        let measuring = async {
            loop {
                self.measure(&status).await;
                if stop.run_until_cancelled(tokio::time::sleep(MEASURE_EVERY)).await.is_none() {
                    return;
                }
            }
        };
        tokio::join!(looking, measuring);
        self.0.looks.ended().await;
    }

    /// Claims sources that are due, and starts looking at each. It waits for none of them.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn step(&self, stop: &CancellationToken) -> Result<Progress, StoreError> {
        while let Some(ended) = self.0.looks.take_ended() {
            ended.recorded();
        }
        let free = self.0.looks.free();
        if free == 0 {
            return Ok(Progress::Idle);
        }
        let lease = self.lease();
        let claimed = self.0.ledger.claim_watches(&lease, None, free).await?;
        let progress = if claimed.is_empty() { Progress::Idle } else { Progress::Worked };
        for (source, state) in claimed {
            let (service, stop, holder) = (self.clone(), stop.clone(), lease.holder.clone());
            let key = format!("{}/{}", lease.holder, source.name);
            let name = source.name.clone();
            let work = async move {
                // cut off, what was recorded stands
                if let Some(Err(error)) = stop.run_until_cancelled(service.look(&holder, &source, state)).await {
                    tracing::warn!(source = %source.name, error = %loa_domain::with_causes(&error), "a look could not be recorded; it is done again");
                }
            };
            self.0.looks.start(
                key,
                work,
                move |panic| tracing::error!(source = %name, %panic, "a look panicked: a defect of ours"),
            );
        }
        Ok(progress)
    }

    /// Looks at one source now, due or not.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when somebody looks at it, or at another one of its host, now; `Unavailable`.
    pub async fn look_now(&self, name: &str) -> Result<WatchView, StoreError> {
        self.view(name).await?;
        let lease = self.lease();
        let claimed = self.0.ledger.claim_watches(&lease, Some(name), 1).await?.into_iter().next();
        let Some((source, state)) = claimed else {
            let what =
                format!("the source {name:?}, or another one of its host, is being looked at; try again in a moment");
            return Err(StoreError::new(StoreErrorKind::Conflict, what));
        };
        self.look(&lease.holder, &source, state).await?;
        self.view(name).await
    }

    /// One look at a claimed source, within its time, and its record.
    async fn look(&self, holder: &str, source: &WatchSource, state: WatchState) -> Result<(), StoreError> {
        let now = self.0.world.now();
        let mut look = Look {
            inner: &self.0,
            holder,
            source,
            state,
            warnings: Vec::new(),
            paused_until: None,
            is_partly: false,
            named: HashMap::new(),
            now,
        };
        let before = (look.state.failures, look.state.clone());
        let ended = tokio::time::timeout(self.0.config().look_max(), look.run()).await;
        let (mut state, paused_until, is_partly) = (look.state, look.paused_until, look.is_partly);
        let failure = match ended {
            Ok(Ok(())) => None,
            Ok(Err(error)) if error.kind == StoreErrorKind::Stale => return Ok(()), // somebody else looks at it
            Ok(Err(error)) => {
                let trouble = loa_worker::trouble_of(&error);
                Some(WatchFailure::Ours { trouble: Some(trouble.kind), said: trouble.detail })
            }
            Err(_) => Some(WatchFailure::LookTooLong { seconds: self.0.config().look_seconds_max }),
        };
        if let Some(failure) = failure {
            let (failures, known) = before;
            // the list is read anew the next time, by its old validators; what was recorded with articles stands
            state = WatchState {
                failures: failures.saturating_add(1),
                error: Some(failure),
                looked_at: Some(now),
                etag: known.etag,
                last_modified: known.last_modified,
                settings_digest: known.settings_digest,
                succeeded_at: known.succeeded_at,
                warnings: known.warnings,
                ..state
            };
        }
        if let Some(error) = &state.error {
            let error = Language::English.words().watch_failure(error);
            tracing::info!(source = %source.name, failures = state.failures, %error, "a source could not be looked at");
        }
        let outcome = if state.error.is_some() { "failed" } else { "looked" };
        metrics::counter!("loa_watch_looks_total", "outcome" => outcome).increment(1);
        // one part of a list that is broken for good is no reason to look at the others less often
        let slowed_by = if is_partly { 0 } else { state.failures };
        let due_at = due_again(source.every_seconds, slowed_by, self.0.world.now());
        let due_at = paused_until.map_or(due_at, |until| due_at.max(until));
        self.0.ledger.end_watch(holder, &source.name, &state, due_at, paused_until).await
    }

    /// Adds a source. Unless its kind is said, it is looked at now.
    ///
    /// # Errors
    /// See [`AddError`].
    pub async fn add(&self, asked: NewWatch) -> Result<WatchView, AddError> {
        let host = asked.address.host_str().unwrap_or_default().to_owned();
        if !matches!(asked.address.scheme(), "http" | "https") || host.is_empty() {
            return Err(AddError::Wrong(format!(
                "{} is no address of a page; it begins with https:// or http://",
                asked.address
            )));
        }
        let name = asked.name.clone().unwrap_or_else(|| host.clone());
        let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_good) {
            let why = format!("{name:?} is no name of a source: 1 to {NAME_BYTES_MAX} of a-z, 0-9, `-`, `.` and `_`");
            return Err(AddError::Wrong(why));
        }
        let every_seconds = asked.every_seconds.unwrap_or(self.0.config().every_seconds);
        if !(1..=604_800).contains(&every_seconds) {
            return Err(AddError::Wrong(format!("{every_seconds} s between two looks; it must be from 1 to 604800")));
        }
        self.0.visitor.0.permitted(&asked.address).map_err(AddError::Forbidden)?;
        let kind = match asked.kind {
            Some(kind) => kind,
            None => self.kind_of(&asked).await?,
        };
        let source = WatchSource {
            name: name.clone(),
            portal: asked.portal,
            address: asked.address.to_string(),
            host,
            kind,
            selectors: asked.selectors,
            since: asked.since,
            every_seconds,
            created_at: self.0.world.now(),
        };
        self.0.ledger.add_watch(&source).await?;
        Ok(self.view(&name).await?)
    }

    async fn kind_of(&self, asked: &NewWatch) -> Result<WatchKind, AddError> {
        let visitor = &self.0.visitor.0;
        let question = Asked { address: &asked.address, etag: None, last_modified: None, bytes_max: SOURCE_BYTES_MAX };
        match visitor.fetch(&question).await {
            Fetched::Read(document) => {
                let listed = read_source(&document.bytes, &document.address, &visitor.zone, &asked.selectors)
                    .map_err(AddError::Page)?;
                Ok(kind_of(listed.form))
            }
            Fetched::Missing(status) => {
                Err(AddError::Unreachable(WatchFailure::Missing { address: quoted(&asked.address), status }))
            }
            Fetched::Paused(until) => Err(AddError::Unreachable(WatchFailure::Rest { until })),
            Fetched::Forbidden(why) => Err(AddError::Forbidden(why)),
            Fetched::Refused(_, why) | Fetched::Failed(why) => Err(AddError::Unreachable(why)),
            Fetched::NotModified => {
                Err(AddError::Unreachable(WatchFailure::NotAsked { address: quoted(&asked.address) }))
            }
        }
    }

    /// Removes a source; its articles stay published.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.0.ledger.remove_watch(name).await
    }

    /// All sources with how they are, by name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn watches(&self) -> Result<Vec<WatchView>, StoreError> {
        self.0.ledger.watches(true).await
    }

    async fn view(&self, name: &str) -> Result<WatchView, StoreError> {
        let found = self.0.ledger.watches(true).await?.into_iter().find(|view| view.source.name == name);
        found.ok_or_else(|| StoreError::new(StoreErrorKind::NotFound, format!("there is no source named {name:?}")))
    }

    fn lease(&self) -> Lease {
        let now = self.0.world.now();
        let until = now.checked_add(self.0.config().lease()).unwrap_or(Timestamp::MAX);
        Lease { holder: lease_holder(self.0.world.bytes()), now, until }
    }

    /// Tells how all sources are: metrics, and a fault for each that needs somebody. A bad source makes nobody unready.
    async fn measure(&self, status: &Status) {
        let views = match self.0.ledger.watches(false).await {
            Ok(views) => views,
            Err(error) => return tracing::debug!(%error, "the sources cannot be measured"),
        };
        let now = self.0.world.now();
        let mut faults: BTreeSet<FaultName> = BTreeSet::new();
        let (mut failing, mut odd) = (0_u32, 0_u32);
        for view in &views {
            failing += u32::from(view.state.error.is_some());
            odd += u32::from(!view.state.warnings.is_empty());
            if let Some(fault) = view.fault(now) {
                faults.insert(fault.name());
                status.fault(fault);
            }
            let source = view.source.name.clone();
            let age = view.state.succeeded_at.unwrap_or(view.source.created_at);
            metrics::gauge!("loa_watch_success_age_seconds", "source" => source.clone())
                .set(now.duration_since(age).as_secs_f64().max(0.0));
            metrics::gauge!("loa_watch_failures", "source" => source).set(f64::from(view.state.failures));
        }
        metrics::gauge!("loa_watch_sources").set(views.len() as f64);
        metrics::gauge!("loa_watch_sources_failing").set(f64::from(failing));
        metrics::gauge!("loa_watch_sources_odd").set(f64::from(odd));
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *told, faults.clone());
        drop(told);
        for over in before.difference(&faults) {
            status.ended(over);
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service")
    }
}
