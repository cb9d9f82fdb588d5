//! Building HTTP clients for calls to the outside: guarded, with limits of time, and without surprises.
//!
//! No proxy (it would resolve names for us), no redirect, no retry (retrying is the ledger's business), no referrer.

use crate::Guard;
use reqwest::{Certificate, Client, ClientBuilder, redirect::Policy};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A CA file can't be read.
    #[error("the CA file {path} of `trusted_ca_files` cannot be read")]
    CaFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The binary must install a provider before it builds services; without one, reqwest would panic.
    #[error("no TLS provider is installed in this process")]
    NoTlsProvider,
    /// The HTTP library refuses.
    #[error("the HTTP client cannot be built")]
    Build(#[source] reqwest::Error),
}

/// What a client is like.
#[derive(Debug)]
pub struct ClientOptions<'a> {
    /// Longest wait for a connection, TLS included.
    pub connect_timeout: Duration,
    /// Longest time for one call, from name look-up to the last byte read.
    pub total_timeout: Duration,
    /// Connections kept open for each host.
    pub idle_per_host: usize,
    /// Certificate authorities to trust beside the system's.
    pub trusted_ca_files: &'a [PathBuf],
    /// Which addresses it may call. `None`: it only calls addresses that the configuration names.
    pub guard: Option<&'a Guard>,
}

/// Builds a client. A machine without root certificates gets one that trusts nobody, with a warning: plain http to an
/// allowed network (the demo's) must still work there.
///
/// # Errors
/// When a CA file can't be read, or no TLS provider was installed by the binary.
pub fn client(options: &ClientOptions<'_>) -> Result<Client, ClientError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(ClientError::NoTlsProvider);
    }
    let mut extra = Vec::new();
    for path in options.trusted_ca_files {
        let pem =
            std::fs::read(path).map_err(|source| ClientError::CaFile { path: path.clone(), source: source.into() })?;
        let found = Certificate::from_pem_bundle(&pem)
            .map_err(|source| ClientError::CaFile { path: path.clone(), source: source.into() })?;
        extra.extend(found);
    }
    match builder(options).tls_certs_merge(extra.clone()).build() {
        Ok(client) => Ok(client),
        Err(error) => {
            tracing::warn!(
                error = %error, cause = ?std::error::Error::source(&error),
                "no system certificates: https endpoints cannot be trusted and will fail; install ca-certificates"
            );
            builder(options).tls_certs_only(extra).build().map_err(ClientError::Build)
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
    use loa_webhook::EgressPolicy;

    fn options<'a>(guard: &'a Guard, trusted_ca_files: &'a [PathBuf]) -> ClientOptions<'a> {
        let (connect_timeout, total_timeout) = (Duration::from_secs(5), Duration::from_secs(20));
        ClientOptions { connect_timeout, total_timeout, idle_per_host: 4, trusted_ca_files, guard: Some(guard) }
    }

    fn guard() -> Guard {
        Guard::new(EgressPolicy::default())
    }

    #[test]
    fn a_machine_without_root_certificates_still_gets_a_client() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        builder(&options(&guard(), &[])).tls_certs_only([]).build().unwrap();
    }

    #[test]
    fn a_ca_file_that_is_missing_is_named() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let error = client(&options(&guard(), &["/nowhere/ca.pem".into()])).unwrap_err();
        assert_eq!(error.to_string(), "the CA file /nowhere/ca.pem of `trusted_ca_files` cannot be read");
    }
}
