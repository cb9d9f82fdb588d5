//! The service as a whole: what it holds, and the two loops it runs.

use crate::{
    Config, Identity, SmtpSubmit, Submit,
    desk::Desk,
    limits::{Limits, Shares},
    pages::{LANGUAGE, Pages},
    renderings::Renderings,
    run_watch::RunWatch,
    schedule::Schedule,
};
use loa_area::Directory;
use loa_bus::{Bus, Queue};
use loa_domain::{Breaker, Calendar, Category, EmailAddress, Event, Outlet, SubscriptionId, Worker};
use loa_mail::{Letterhead, Settings, SettingsError};
use loa_store::{Accepted, DigestDoors, StoreError};
use loa_worker::{ConsumeOptions, DriveOptions, Portals, Status, WakeUp, World, consume, drive};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};
use tokio_util::sync::CancellationToken;

/// Why the service can't be set up: the configuration is wrong. Each sentence says where to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A setting is out of range.
    #[error("{0}")]
    Setting(String),
    /// Mails cannot be written under these settings.
    #[error("the settings of mails: {0}")]
    Letterhead(#[from] SettingsError),
    /// A file of the mail server's settings cannot be read.
    #[error("{0}")]
    Smtp(#[from] std::io::Error),
    /// A template of ours does not compile: a defect.
    #[error("the pages cannot be set up")]
    Pages(#[from] minijinja::Error),
}

/// The digest outlet. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) schedule: Schedule,
    pub(crate) calendar: Calendar,
    pub(crate) doors: DigestDoors,
    pub(crate) directory: Arc<Directory>,
    pub(crate) portals: Portals,
    pub(crate) world: World,
    pub(crate) letterhead: Arc<Letterhead>,
    pub(crate) renderings: Renderings,
    pub(crate) submit: Arc<dyn Submit>,
    pub(crate) pages: Pages,
    pub(crate) wake_up: WakeUp,
    /// Only one step at a time.
    pub(crate) stepping: tokio::sync::Mutex<()>,
    /// No new mails are begun: the process is about to end.
    pub(crate) stopping: AtomicBool,
    /// Whose addresses were refused for policy since a mail last went through.
    pub(crate) policy_refusals: Mutex<BTreeSet<SubscriptionId>>,
    /// What the form has caused.
    pub(crate) limits: Limits,
    /// What the form is writing.
    pub(crate) desk: Desk,
    watch: Mutex<RunWatch>,
    /// The mail server's.
    breaker: Mutex<Breaker>,
    /// Categories seen in recent articles, and until when they are good enough for the form.
    pub(crate) seen_categories: Mutex<Option<(jiff::Timestamp, Vec<Category>)>>,
}

impl Service {
    /// Sets the service up to send through the configured mail server. Opens nothing yet.
    ///
    /// # Errors
    /// When the configuration is wrong; see [`SetupError`].
    pub fn new(
        config: Config,
        identity: Identity,
        doors: DigestDoors,
        directory: Arc<Directory>,
        world: World,
    ) -> Result<Self, SetupError> {
        let domain = domain_of(&config.from_address);
        let submit = SmtpSubmit::new(config.smtp.clone(), &domain)?;
        Self::with_submit(config, identity, doors, directory, world, Arc::new(submit))
    }

    /// As [`Self::new`], with another way to the mail server.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_submit(
        config: Config,
        identity: Identity,
        doors: DigestDoors,
        directory: Arc<Directory>,
        world: World,
        submit: Arc<dyn Submit>,
    ) -> Result<Self, SetupError> {
        if let Some(fault) = config.fault() {
            return Err(SetupError::Setting(fault));
        }
        let letterhead = Arc::new(Letterhead::new(settings(&config, &identity)?)?);
        if !letterhead.links_are_secure() {
            tracing::warn!("site.public_url is not https: mail programs will show no unsubscribe button (RFC 8058)");
        }
        Ok(Self(Arc::new(Inner {
            calendar: Calendar::new(identity.zone.clone()),
            schedule: Schedule::new(&config, identity.zone.clone()),
            renderings: Renderings::new(
                letterhead.clone(),
                directory.clone(),
                config.categories.clone(),
                identity.portals.clone(),
            ),
            portals: identity.portals.clone(),
            pages: Pages::new(identity, letterhead.settings().list_name.clone())?,
            letterhead,
            doors,
            directory,
            submit,
            wake_up: WakeUp::default(),
            stepping: tokio::sync::Mutex::new(()),
            stopping: AtomicBool::new(false),
            policy_refusals: Mutex::default(),
            limits: Limits::new(
                Shares {
                    client: config.confirmations_per_client_hour_max,
                    mailbox: config.confirmations_per_day_max,
                    domain: config.confirmations_per_domain_hour_max,
                },
                world.bytes(),
            ),
            desk: Desk::default(),
            watch: Mutex::default(),
            breaker: Mutex::default(),
            seen_categories: Mutex::default(),
            world,
            config,
        })))
    }

    /// Takes a batch of events in, in one transaction, and matches them with wishes. Events seen before change nothing.
    ///
    /// # Errors
    /// When the ledger does not take them; then it took none.
    pub async fn accept(&self, batch: &[Event]) -> Result<Accepted, StoreError> {
        let accepted = self.0.doors.arrivals.accept(batch, self.0.world.now()).await?;
        metrics::counter!("loa_digest_events_accepted_total").increment(accepted.fresh);
        metrics::counter!("loa_event_ids_used_again_total", "outlet" => "digest").increment(accepted.reused);
        self.0.watch().something_came();
        self.0.wake_up.wake();
        Ok(accepted)
    }

    /// Consumes `loa.digest`, opens runs and sends, until `stop`. Mails whose dialogue has begun are finished; the others
    /// are given back.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let arrivals =
            consume(ConsumeOptions::of(Queue::Digest), bus, Arc::new(self.clone()), status.clone(), stop.clone());
        let sending =
            drive(DriveOptions::of(Worker::Of(Outlet::Digest)), &self.0.wake_up, &status, &stop, || self.step());
        let ending = async {
            stop.cancelled().await;
            self.0.stopping.store(true, std::sync::atomic::Ordering::Relaxed);
        };
        tokio::join!(arrivals, sending, ending);
        self.0.desk.cleared().await;
    }

    /// Whether the ledger answers, for `loa check`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.0.doors.views.ping().await
    }
}

impl Inner {
    pub(crate) fn watch(&self) -> MutexGuard<'_, RunWatch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.0.config).finish()
    }
}

fn domain_of(address: &EmailAddress) -> String {
    address.as_str().rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_owned())
}

fn settings(config: &Config, identity: &Identity) -> Result<Settings, SetupError> {
    let address = |name: &str, text: &str| {
        EmailAddress::parse(text).map_err(|error| SetupError::Setting(format!("digest.{name}: {error}")))
    };
    let or = |text: &str, default: String| if text.is_empty() { default } else { text.to_owned() };
    Ok(Settings {
        list_name: or(&config.list_name, LANGUAGE.words().list_name(&identity.portal_name)),
        list_id: or(&config.list_id, format!("ban-tin.{}", domain_of(&config.from_address))),
        from: config.from_address.clone(),
        bounces: address("bounce_address", &or(&config.bounce_address, config.from_address.to_string()))?,
        unsubscribe: match config.unsubscribe_address.as_str() {
            "" => None,
            text => Some(address("unsubscribe_address", text)?),
        },
        public_url: identity.public_url.clone(),
        zone: identity.zone.clone(),
    })
}
