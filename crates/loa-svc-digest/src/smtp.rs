//! SMTP by lettre's connection, one command at a time, so that it is known at which stage an answer came.
//!
//! Not lettre's pool: it tells neither the stage nor whether the last dot was sent, and its sockets wait 40 ms a mail for
//! want of TCP_NODELAY.

use crate::{
    Session, SmtpConfig, Submit, Tls, Unreachable, Verdict,
    limited::Limited,
    submit::{Stage, judge},
};
use async_trait::async_trait;
use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt, Rset},
        extension::ClientId,
        response::Response,
    },
};
use loa_domain::{MailReason, PauseReason, ServerWords};
use loa_mail::Message;
use std::{error::Error as _, io, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// The longest polite farewell.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Submits to one mail server.
pub struct SmtpSubmit {
    config: SmtpConfig,
    hello: ClientId,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
    wait: Duration,
}

impl std::fmt::Debug for SmtpSubmit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpSubmit").field("config", &self.config).finish_non_exhaustive()
    }
}

impl SmtpSubmit {
    /// Reads the password and certificate files; connects to nothing yet. `domain` is our name where none is set.
    ///
    /// # Errors
    /// When a file cannot be read or the certificate store cannot be built; the sentence names the setting.
    pub fn new(config: SmtpConfig, domain: &str) -> Result<Self, io::Error> {
        let fault = |what: &str, path: &std::path::Path, error: &dyn std::fmt::Display| {
            io::Error::other(format!("digest.smtp.{what}: {}: {error}", path.display()))
        };
        let password = if config.password_file.as_os_str().is_empty() {
            config.password.clone()
        } else {
            let text = std::fs::read_to_string(&config.password_file)
                .map_err(|error| fault("password_file", &config.password_file, &error))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        };
        let login = (!config.username.is_empty()).then(|| Credentials::new(config.username.clone(), password));
        let tls = match config.tls {
            Tls::None => None,
            Tls::Starttls | Tls::Tls => {
                let mut parameters = TlsParameters::builder(config.host.clone());
                if !config.ca_file.as_os_str().is_empty() {
                    let pem = std::fs::read(&config.ca_file).map_err(|e| fault("ca_file", &config.ca_file, &e))?;
                    let certificate = Certificate::from_pem(&pem).map_err(|e| fault("ca_file", &config.ca_file, &e))?;
                    parameters = parameters.add_root_certificate(certificate);
                }
                Some(parameters.build().map_err(|error| io::Error::other(format!("digest.smtp.tls: {error}")))?)
            }
        };
        let name = if config.hello_name.is_empty() { domain } else { &config.hello_name };
        Ok(Self {
            hello: ClientId::Domain(name.to_owned()),
            wait: Duration::from_secs(u64::from(config.timeout_seconds)),
            tls,
            login,
            config,
        })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Unreachable> {
        let (host, port) = (self.config.host.as_str(), self.config.port);
        let place = format!("the mail server {host}:{port}");
        let refused = |what: &str, error: &Error| Unreachable {
            why: format!("{place} {what}: {}", words(error)),
            words: words(error),
            needs_operator: error.is_permanent() || error.is_tls() || error.is_client() || is_distrust(error),
        };
        if let (Tls::Tls, Some(parameters)) = (self.config.tls, &self.tls) {
            return AsyncSmtpConnection::connect_tokio1(
                (host, port),
                Some(self.wait),
                &self.hello,
                Some(parameters.clone()),
                None,
            )
            .await
            .map_err(|error| refused("does not answer", &error));
        }
        let stream = TcpStream::connect((host, port))
            .await
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| Unreachable {
                why: format!("{place} does not answer: {error}"),
                words: ServerWords::new(&error.to_string()),
                needs_operator: false,
            })?;
        let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(Limited::new(stream)), &self.hello)
            .await
            .map_err(|error| refused("does not greet us", &error))?;
        if let Some(parameters) = &self.tls {
            let upgraded = connection.starttls(parameters.clone(), &self.hello).await;
            upgraded.map_err(|error| refused("does not protect the connection (STARTTLS)", &error))?;
        }
        Ok(connection)
    }
}

#[async_trait]
impl Submit for SmtpSubmit {
    async fn open(&self) -> Result<Box<dyn Session>, Unreachable> {
        let opening = async {
            let mut connection = self.connect().await?;
            if let Some(login) = &self.login {
                let mechanisms = [Mechanism::Plain, Mechanism::Login];
                connection.auth(&mechanisms, login).await.map_err(|error| Unreachable {
                    why: format!("the mail server refuses our login: {}", words(&error)),
                    words: words(&error),
                    needs_operator: true,
                })?;
            }
            Ok::<AsyncSmtpConnection, Unreachable>(connection)
        };
        let silent = || Unreachable {
            why: format!("the mail server {}:{} keeps silent", self.config.host, self.config.port),
            words: ServerWords::default(),
            needs_operator: false,
        };
        let connection = timeout(self.wait, opening).await.map_err(|_| silent())??;
        Ok(Box::new(Dialogue { connection, wait: self.wait, broken: false }))
    }
}

struct Dialogue {
    connection: AsyncSmtpConnection,
    wait: Duration,
    broken: bool,
}

#[async_trait]
impl Session for Dialogue {
    async fn submit(&mut self, message: &Message) -> Verdict {
        let verdict = self.dialogue(message).await;
        match &verdict {
            Verdict::Broken { .. } => self.broken = true,
            Verdict::Sent(_) => {}
            // the next mail begins afresh; a server that does not even take that is gone
            _ => self.broken = !matches!(timeout(self.wait, self.connection.command(Rset)).await, Ok(Ok(_))),
        }
        verdict
    }

    async fn close(mut self: Box<Self>) {
        if !self.broken {
            // whether a farewell is heard makes no difference any more
            let _ = timeout(FAREWELL_MAX, self.connection.quit()).await;
        }
    }
}

impl Dialogue {
    async fn dialogue(&mut self, message: &Message) -> Verdict {
        if self.broken {
            return Verdict::Broken { words: ServerWords::default(), uncertain: false };
        }
        let address = |email: &loa_domain::EmailAddress| email.as_str().parse::<Address>();
        let (from, to) = match (address(&message.envelope_from), address(&message.rcpt)) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(_), _) => return Verdict::Stop(PauseReason::ReturnPath.into()),
            (_, Err(_)) => return Verdict::Address(MailReason::NotAnAddress.into()),
        };
        let heard = timeout(self.wait, self.connection.command(Mail::new(Some(from), vec![]))).await;
        if let Err(verdict) = positive(Stage::MailFrom, heard) {
            return verdict;
        }
        let heard = timeout(self.wait, self.connection.command(Rcpt::new(to, vec![]))).await;
        if let Err(verdict) = positive(Stage::RcptTo, heard) {
            return verdict;
        }
        let heard = timeout(self.wait, self.connection.command(Data)).await;
        if let Err(verdict) = positive(Stage::Data, heard) {
            return verdict;
        }
        let heard = timeout(self.wait, self.connection.message(&message.bytes)).await;
        match positive(Stage::FinalDot, heard) {
            Ok(response) => {
                let said = format!("{} {}", response.code(), response.first_line().unwrap_or_default());
                Verdict::Sent(ServerWords::new(&said))
            }
            Err(verdict) => verdict,
        }
    }
}

/// A positive answer, or what anything else means.
fn positive(
    stage: Stage,
    heard: Result<Result<Response, Error>, tokio::time::error::Elapsed>,
) -> Result<Response, Verdict> {
    let uncertain = stage == Stage::FinalDot;
    match heard {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(match error.status() {
            Some(code) => judge(stage, code.into(), words(&error).as_str()),
            None => Verdict::Broken { words: words(&error), uncertain },
        }),
        Err(_) => Err(Verdict::Broken { words: ServerWords::default(), uncertain }),
    }
}

/// Whether the server's certificate was not believed: rustls says it as invalid data, lettre as a lost connection.
fn is_distrust(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// The server's own words where there are some, otherwise the fault's.
fn words(error: &Error) -> ServerWords {
    ServerWords::new(&error.source().map_or_else(|| error.to_string(), ToString::to_string))
}
