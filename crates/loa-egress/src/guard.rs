//! The guard: which addresses may be called, and the look-up of names that obeys it.
//!
//! The rules are `loa_webhook::EgressPolicy`'s. [`Guard::check`] applies them to an address as written, because a number
//! never reaches a resolver. As a client's resolver the guard drops every forbidden address of a name at the moment of
//! connecting, so that a name cannot mean one thing when it is checked and another when it is called.

use loa_domain::AddressRefusal;
use loa_webhook::EgressPolicy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use url::{Host, Url};

/// Longest wait for a name look-up when an endpoint is added, changed or listed.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// None of its addresses may be called.
    #[error("it may not be called: {0:?}")]
    Refused(AddressRefusal),
    /// It does not resolve.
    #[error("the name {host} cannot be resolved")]
    LookUp {
        /// The name.
        host: String,
        /// The resolver's word.
        source: io::Error,
    },
}

impl From<AddressRefusal> for ResolveError {
    fn from(refusal: AddressRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The policy, and the look-up that obeys it.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: EgressPolicy,
    /// When a name was last resolved.
    worked_at: Mutex<Option<Instant>>,
    /// Names under way that mean what they were resolved to before, and how many calls hold each.
    pinned: Mutex<HashMap<String, (u32, Vec<SocketAddr>)>>,
}

/// A name that means the addresses its holder judged it by, for as long as the pin lives. No second look-up can say
/// something else.
#[derive(Debug)]
pub struct Pin {
    guard: Guard,
    host: String,
}

impl Guard {
    /// A guard of this policy.
    pub fn new(policy: EgressPolicy) -> Self {
        Self(Arc::new(Inner { policy, worked_at: Mutex::default(), pinned: Mutex::default() }))
    }

    /// Whether the resolver answered for some name within this time: then a name that it does not know is none.
    pub fn resolver_worked_within(&self, time: Duration) -> bool {
        let worked_at = *self.0.worked_at.lock().unwrap_or_else(PoisonError::into_inner);
        worked_at.is_some_and(|at| at.elapsed() <= time)
    }

    /// Pins a name to these addresses. Of several pins of one name the last one's addresses count.
    pub fn pin(&self, host: &str, addresses: Vec<SocketAddr>) -> Pin {
        let mut pinned = self.pinned();
        let (count, kept) = pinned.entry(host.to_owned()).or_default();
        *count += 1;
        *kept = addresses;
        drop(pinned);
        Pin { guard: self.clone(), host: host.to_owned() }
    }

    fn pinned(&self) -> MutexGuard<'_, HashMap<String, (u32, Vec<SocketAddr>)>> {
        self.0.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks an address as written; to be called before every request.
    ///
    /// # Errors
    /// Why it may not be called.
    pub fn check(&self, url: &Url) -> Result<(), AddressRefusal> {
        self.0.policy.check_url(url)
    }

    /// Checks an address as written and what its name resolves to now; to be called when somebody adds an address.
    ///
    /// # Errors
    /// Why it may not be called, or that its name does not resolve.
    pub async fn check_resolved(&self, url: &Url) -> Result<(), ResolveError> {
        self.check(url)?;
        if let Some(Host::Domain(host)) = url.host() {
            self.resolved(host).await?;
        }
        Ok(())
    }

    /// The addresses of a name that may be called; an answer comes within 5 s.
    ///
    /// # Errors
    /// When none of them may be called, or the name does not resolve.
    pub async fn resolved(&self, host: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        tokio::time::timeout(LOOK_UP_MAX, self.look_up(host))
            .await
            .unwrap_or_else(|_| Err(ResolveError::LookUp { host: host.to_owned(), source: late() }))
    }

    async fn look_up(&self, host: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0))
            .await
            .map_err(|source| ResolveError::LookUp { host: host.to_owned(), source })?
            .collect();
        *self.0.worked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(self.0.policy.keep_allowed(host, found, SocketAddr::ip)?)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let pinned = guard.pinned().get(name.as_str()).map(|(_, addresses)| addresses.clone());
            let addresses = match pinned {
                Some(addresses) => addresses,
                None => guard.look_up(name.as_str()).await?,
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pinned = self.guard.pinned();
        if let Some((count, _)) = pinned.get_mut(&self.host) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                pinned.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(hosts: &[&str]) -> Guard {
        Guard::new(EgressPolicy { allow_hosts: hosts.iter().map(|h| (*h).to_owned()).collect(), ..Default::default() })
    }

    #[tokio::test]
    async fn a_name_that_leads_to_loopback_is_refused_unless_allowed_by_name() {
        let url: Url = "https://localhost/hook".parse().unwrap();
        assert!(matches!(
            guard(&[]).check_resolved(&url).await,
            Err(ResolveError::Refused(AddressRefusal::NoPublicAddress { .. }))
        ));
        guard(&["localhost"]).check_resolved(&url).await.unwrap();
    }

    #[tokio::test]
    async fn a_pinned_name_means_what_it_was_judged_by_until_its_call_has_ended() {
        let guard = guard(&["localhost"]);
        let name = || "localhost".parse::<Name>().unwrap();
        let resolved = async || -> Vec<SocketAddr> { guard.resolve(name()).await.unwrap().collect() };
        let judged: Vec<SocketAddr> = vec!["192.0.2.1:0".parse().unwrap()];
        let (one, other) = (guard.pin("localhost", judged.clone()), guard.pin("localhost", judged.clone()));
        drop(one);
        assert_eq!(resolved().await, judged);
        drop(other);
        assert!(resolved().await.iter().all(|address| address.ip().is_loopback()));
    }
}
