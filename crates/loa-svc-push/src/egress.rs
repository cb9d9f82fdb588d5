//! The guarded HTTP client: the only way out of this crate.
//!
//! The rules are `loa_webhook::EgressPolicy`'s. Two doors apply them: [`Guard::check`] looks at an address as written
//! (numbers never reach a resolver), and the client's resolver drops every forbidden address of a name at the moment of
//! connecting, so that a name can't mean one thing when checked and another when called. No proxy (it would resolve
//! names for us), no redirect, no retry below our own ledger.

use crate::SetupError;
use loa_webhook::{EgressPolicy, Refusal};
use reqwest::{
    Certificate, Client, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use url::{Host, Url};

/// Longest wait for a name look-up when an endpoint is added, changed or listed.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// None of its addresses may be called.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It does not resolve.
    #[error("the name {host} cannot be resolved")]
    LookUp {
        /// The name.
        host: String,
        /// The resolver's word.
        source: io::Error,
    },
}

/// The policy, and the look-up that obeys it.
#[derive(Debug, Clone)]
pub(crate) struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: EgressPolicy,
    /// Names under way that mean what they were resolved to before, and how many calls hold each.
    pinned: Mutex<HashMap<String, (u32, Vec<SocketAddr>)>>,
}

/// While it lives, a name means the addresses that its holder judged it by: there is no second look-up that could say
/// something else.
pub(crate) struct Pin {
    guard: Guard,
    host: String,
}

impl Guard {
    pub(crate) fn new(policy: EgressPolicy) -> Self {
        Self(Arc::new(Inner { policy, pinned: Mutex::default() }))
    }

    /// Has a name mean these addresses. Of several at a time the last one's count.
    pub(crate) fn pin(&self, host: &str, addresses: Vec<SocketAddr>) -> Pin {
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

    /// Checks an address as written. Before every request.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refusal> {
        self.0.policy.check_url(url)
    }

    /// Checks an address as written and what its name resolves to now. When an endpoint is added.
    pub(crate) async fn check_resolved(&self, url: &Url) -> Result<(), ResolveError> {
        self.check(url)?;
        if let Some(Host::Domain(host)) = url.host() {
            self.resolved(host).await?;
        }
        Ok(())
    }

    /// The addresses of a name that may be called, within a time.
    pub(crate) async fn resolved(&self, host: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s");
        tokio::time::timeout(LOOK_UP_MAX, self.look_up(host))
            .await
            .unwrap_or_else(|_| Err(ResolveError::LookUp { host: host.to_owned(), source: late() }))
    }

    async fn look_up(&self, host: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0))
            .await
            .map_err(|source| ResolveError::LookUp { host: host.to_owned(), source })?
            .collect();
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

/// What a client is like.
pub(crate) struct ClientOptions<'a> {
    pub(crate) connect_timeout: Duration,
    pub(crate) total_timeout: Duration,
    /// Connections kept open for each host.
    pub(crate) idle_per_host: usize,
    /// Certificate authorities to trust beside the system's.
    pub(crate) trusted_ca_files: &'a [PathBuf],
    /// `None`: for an address that the configuration names, and nobody else.
    pub(crate) guard: Option<&'a Guard>,
}

/// Builds a client. A machine without root certificates gets one that trusts nobody, with a warning: plain http to an
/// allowed network (the demo's) must still work there.
///
/// # Errors
/// When a CA file can't be read, or no TLS provider was installed by the binary.
pub(crate) fn client(options: &ClientOptions<'_>) -> Result<Client, SetupError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(SetupError::NoTlsProvider);
    }
    let mut extra = Vec::new();
    for path in options.trusted_ca_files {
        let pem =
            std::fs::read(path).map_err(|source| SetupError::CaFile { path: path.clone(), source: source.into() })?;
        let found = Certificate::from_pem_bundle(&pem)
            .map_err(|source| SetupError::CaFile { path: path.clone(), source: source.into() })?;
        extra.extend(found);
    }
    match builder(options).tls_certs_merge(extra.clone()).build() {
        Ok(client) => Ok(client),
        Err(error) => {
            tracing::warn!(
                error = %error, cause = ?std::error::Error::source(&error),
                "no system certificates: https endpoints cannot be trusted and will fail; install ca-certificates"
            );
            builder(options).tls_certs_only(extra).build().map_err(SetupError::Client)
        }
    }
}

fn builder(options: &ClientOptions<'_>) -> ClientBuilder {
    let builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(options.connect_timeout)
        .timeout(options.total_timeout)
        .pool_max_idle_per_host(options.idle_per_host)
        .referer(false)
        .user_agent(concat!("Loa/", env!("CARGO_PKG_VERSION")));
    match options.guard {
        Some(guard) => builder.dns_resolver(Arc::new(guard.clone())),
        None => builder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn guard(hosts: &[&str]) -> Guard {
        Guard::new(EgressPolicy { allow_hosts: hosts.iter().map(|h| (*h).to_owned()).collect(), ..Default::default() })
    }

    #[tokio::test]
    async fn a_name_that_leads_to_loopback_is_refused_unless_allowed_by_name() {
        let url: Url = "https://localhost/hook".parse().unwrap();
        assert!(matches!(
            guard(&[]).check_resolved(&url).await,
            Err(ResolveError::Refused(Refusal::NoPublicAddress { .. }))
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

    #[test]
    fn a_machine_without_root_certificates_still_gets_a_client() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        builder(&Config::default().client(Some(&guard(&[])))).tls_certs_only([]).build().unwrap();
    }

    #[test]
    fn a_ca_file_that_is_missing_is_named() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config { trusted_ca_files: vec!["/nowhere/ca.pem".into()], ..Config::default() };
        let error = client(&config.client(Some(&guard(&[])))).unwrap_err();
        assert_eq!(error.to_string(), "the CA file /nowhere/ca.pem cannot be read (push.trusted_ca_files)");
    }
}
