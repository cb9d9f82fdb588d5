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
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
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
pub(crate) struct Guard(Arc<EgressPolicy>);

impl Guard {
    pub(crate) fn new(policy: EgressPolicy) -> Self {
        Self(Arc::new(policy))
    }

    /// Checks an address as written. Before every request.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refusal> {
        self.0.check_url(url)
    }

    /// Checks an address as written and what its name resolves to now. When an endpoint is added.
    pub(crate) async fn check_resolved(&self, url: &Url) -> Result<(), ResolveError> {
        self.check(url)?;
        if let Some(Host::Domain(host)) = url.host() {
            let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s");
            tokio::time::timeout(LOOK_UP_MAX, self.look_up(host))
                .await
                .unwrap_or_else(|_| Err(ResolveError::LookUp { host: host.to_owned(), source: late() }))?;
        }
        Ok(())
    }

    async fn look_up(&self, host: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0))
            .await
            .map_err(|source| ResolveError::LookUp { host: host.to_owned(), source })?
            .collect();
        Ok(self.0.keep_allowed(host, found, SocketAddr::ip)?)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.look_up(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
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
