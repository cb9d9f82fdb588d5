//! TLS to the broker: whom we trust, and who we are. Its files are read at each connect, so that a
//! renewed certificate needs no restart.

use crate::config::TlsFiles;
use loa_domain::TlsFault;
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{io, path::Path, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Encrypts a connection to the host of this name, and checks that it is the one.
///
/// # Errors
/// The fact, and a sentence for the log: which file cannot be read, or what is wrong with the broker's certificate.
pub(crate) async fn encrypt(
    files: &TlsFiles,
    name: &str,
    stream: TcpStream,
) -> Result<Box<TlsStream<TcpStream>>, (TlsFault, String)> {
    let config = client_config(files).map_err(|log| (TlsFault::OwnFiles { said: log.as_str().into() }, log))?;
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| (TlsFault::NoCertificateName, format!("{name:?} can stand in no certificate")))?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map(Box::new).map_err(|error| fault_of(&error))
}

/// For a connection that is not encrypted, by a client that wants a configuration all the same.
pub(crate) fn trusting_nobody() -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Whom we trust, and who we are, by these files as they are now.
pub(crate) fn client_config(files: &TlsFiles) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(trusted(files.ca_file.as_deref())?);
    match (&files.client_certificate_file, &files.client_key_file) {
        (Some(certificate), Some(key)) => {
            let ours = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("cannot read the private key {} ({error})", key.display()))?;
            builder.with_client_auth_cert(certificates(certificate)?, ours).map_err(|error| {
                format!("the private key {} and {} do not fit ({error})", key.display(), certificate.display())
            })
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

/// The CAs of a file, or the machine's.
fn trusted(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let Some(file) = ca_file else {
        let found = rustls_native_certs::load_native_certs();
        // an odd certificate among the machine's keeps nobody from using the others
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            return Err("this machine trusts no CA; `bus.rabbitmq.ca_file` names the broker's".to_owned());
        }
        return Ok(store);
    };
    for certificate in certificates(file)? {
        store.add(certificate).map_err(|error| format!("a certificate in {} is none ({error})", file.display()))?;
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("cannot read certificates from {} ({error})", file.display());
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect();
    let read = read.map_err(unreadable)?;
    if read.is_empty() {
        return Err(format!("there is no certificate in {}", file.display()));
    }
    Ok(read)
}

/// What an operator can do something about; else the library's words. Beside it the sentence for the log.
fn fault_of(error: &io::Error) -> (TlsFault, String) {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let failed = |said: String| {
        let log = format!("the TLS handshake failed: {said}");
        (TlsFault::Failed { said: said.into() }, log)
    };
    let Some(cause) = cause else {
        return if error.kind() == io::ErrorKind::UnexpectedEof {
            (TlsFault::Ended, "the connection ended during the TLS handshake; is TLS on at this port?".to_owned())
        } else {
            failed(error.to_string())
        };
    };
    match cause {
        // a CA of the same name with another key is another CA
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            let log = "its certificate is signed by nobody we trust; `bus.rabbitmq.ca_file` names its CA";
            (TlsFault::UnknownIssuer, log.to_owned())
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidForName) => {
            (TlsFault::OtherName { names: String::new() }, "its certificate is for another name".to_owned())
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
            let names = presented.join(", ");
            let log = format!("its certificate is for other names: {names}");
            (TlsFault::OtherName { names }, log)
        }
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            (TlsFault::Expired, "its certificate has expired".to_owned())
        }
        rustls::Error::InvalidMessage(_) => (TlsFault::NotTls, "it does not speak TLS at this port".to_owned()),
        other => failed(other.to_string()),
    }
}
