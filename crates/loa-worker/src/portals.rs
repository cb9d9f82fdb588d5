//! The portals of an installation, as every process reads them: one list, renewed every few seconds from the access ledger.
//!
//! While the ledger is away the last good list counts. Until it was read for the first time only the home portal is known, and
//! nothing is judged by that ([`Portals::refresh`]; `consume/decide.rs` asks for it before a source counts as unknown).

use crate::{AcceptError, World, accept_error};
use jiff::Timestamp;
use loa_domain::{Portal, PortalList, PortalRefusal, PortalSlug};
use loa_store::{PortalLedger, StoreError, StoreErrorKind};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Between two times that the list is read: within so long every replica knows a portal that was added.
const READ_EVERY: Duration = Duration::from_secs(2);

/// The list of portals. Clones are the same list.
#[derive(Clone)]
pub struct Portals(Arc<Shared>);

struct Shared {
    home: Portal,
    list: RwLock<Arc<PortalList>>,
    ledger: Option<Arc<dyn PortalLedger>>,
    was_read: AtomicBool,
}

/// Why a portal was not added or retired.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// It may not be.
    #[error("{0}")]
    Refused(#[from] PortalRefusal),
    /// The access ledger does not answer; nothing was changed.
    #[error("the access ledger does not answer")]
    Ledger(#[from] StoreError),
}

impl Portals {
    /// A list that is what it is: for tests, and where there is one portal only.
    pub fn fixed(list: PortalList) -> Self {
        let home = list.home().clone();
        let shared = Shared { home, list: RwLock::new(Arc::new(list)), ledger: None, was_read: AtomicBool::new(true) };
        Self(Arc::new(shared))
    }

    /// The home portal, and what the ledger has beside it. Reads nothing yet.
    pub fn of(home: Portal, ledger: Arc<dyn PortalLedger>) -> Self {
        let list = RwLock::new(Arc::new(PortalList::only(home.clone())));
        Self(Arc::new(Shared { home, list, ledger: Some(ledger), was_read: AtomicBool::new(false) }))
    }

    /// The list as it was last read.
    pub fn list(&self) -> Arc<PortalList> {
        self.0.list.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the list was ever read.
    pub fn was_read(&self) -> bool {
        self.0.was_read.load(Ordering::Acquire)
    }

    /// Reads the list anew. Returns whether it is another than before.
    ///
    /// # Errors
    /// When the ledger does not answer; the list stays as it was.
    pub async fn refresh(&self) -> Result<bool, StoreError> {
        let Some(ledger) = &self.0.ledger else { return Ok(false) };
        let others = ledger.portals().await?;
        let count = others.len();
        let list = PortalList::of(self.0.home.clone(), others);
        if list.iter().count() != count + 1 {
            tracing::error!(
                "a portal of the access ledger has the slug, the source, or the tag authority and date of another, for instance \
                 of the home portal in the configuration; it counts for nothing until that is mended"
            );
        }
        self.0.was_read.store(true, Ordering::Release);
        let list = Arc::new(list);
        let mut kept = self.0.list.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **kept != *list;
        *kept = list;
        Ok(changed)
    }

    /// Reads the list anew before a source counts as unknown. A ledger that is away is no reason to wait once the list was read:
    /// the last one read counts.
    ///
    /// # Errors
    /// When the list was never read: nothing may be judged by it.
    pub async fn refreshed(&self) -> Result<(), AcceptError> {
        match self.refresh().await {
            Err(error) if !self.was_read() => Err(accept_error(error)),
            Err(error) => {
                tracing::debug!(%error, "the list of portals cannot be read; the last one read counts");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Reads the list every few seconds until `stop`.
    pub async fn keep_reading(&self, stop: &CancellationToken) {
        let mut is_away = false;
        let reading = async {
            loop {
                match self.refresh().await {
                    Ok(changed) => {
                        if changed {
                            tracing::info!(portals = self.list().iter().count(), "the list of portals has changed");
                        } else if is_away {
                            tracing::info!("the list of portals can be read again");
                        }
                        is_away = false;
                    }
                    Err(error) => {
                        let error = loa_domain::with_causes(&error);
                        if is_away {
                            tracing::debug!(error, "the list of portals cannot be read");
                        } else {
                            tracing::warn!(
                                error,
                                "the list of portals cannot be read; the last one read counts meanwhile"
                            );
                        }
                        is_away = true;
                    }
                }
                tokio::time::sleep(READ_EVERY).await;
            }
        };
        // reading changes nothing: it may be cut anywhere
        let _: Option<()> = stop.run_until_cancelled(reading).await;
    }

    /// Adds a portal, from now on. Idempotent: the same again is no change. Returns it as it stands, and whether it was there.
    ///
    /// # Errors
    /// See [`PortalError`].
    pub async fn add(&self, portal: Portal, world: &World) -> Result<(Portal, bool), PortalError> {
        self.refresh().await?;
        let portal = Portal { added_at: world.now(), retired_at: None, ..portal };
        if !self.list().admits(&portal)? {
            return Ok((self.get(&portal.slug)?, true));
        }
        let Some(ledger) = &self.0.ledger else { return Err(PortalRefusal::TooMany(1).into()) };
        match ledger.add_portal(&portal).await {
            // somebody else was first: judged once more by what stands now
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                self.refresh().await?;
                self.list().admits(&portal)?;
                Ok((self.get(&portal.slug)?, true))
            }
            added => {
                added?;
                self.refresh().await?;
                Ok((self.get(&portal.slug)?, false))
            }
        }
    }

    /// Retires a portal: it publishes no more, and what stands stays. Idempotent.
    ///
    /// # Errors
    /// See [`PortalError`].
    pub async fn retire(&self, slug: &PortalSlug, at: Timestamp) -> Result<Portal, PortalError> {
        self.refresh().await?;
        if self.get(slug)?.is_home() {
            return Err(PortalRefusal::Home.into());
        }
        if let Some(ledger) = &self.0.ledger {
            ledger.retire_portal(slug, at).await?;
        }
        self.refresh().await?;
        self.get(slug)
    }

    /// The portal of this slug, as the list was last read.
    ///
    /// # Errors
    /// `Refused`: there is none.
    pub fn get(&self, slug: &PortalSlug) -> Result<Portal, PortalError> {
        Ok(self.list().get(slug).cloned().ok_or_else(|| PortalRefusal::Unknown(slug.clone()))?)
    }
}

impl std::fmt::Debug for Portals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Portals").field(&self.list()).finish()
    }
}
