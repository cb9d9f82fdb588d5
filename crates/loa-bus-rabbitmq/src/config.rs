//! The broker's address and the deadlines for it. The binary fills it from `[bus.rabbitmq]`;
//! `server.rs` reads it.

use loa_address::{Address, Host, Password};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Fills a buffer with random bytes; used for the jitter of reconnection and the order of hosts only.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// How to reach a broker. What is set beside `url` stands instead of that part of it. `Debug` does not show the
/// password.
#[derive(Clone)]
pub struct RabbitConfig {
    /// `amqp://user:password@host:port,host:port/vhost` (`%2f` is the vhost `/`), or `amqps://` for TLS. Parameters may
    /// be `heartbeat` (seconds), `connection_timeout` (milliseconds) and `channel_max`, and win over the fields here.
    pub url: String,
    /// The brokers of one cluster, instead of the address's. Empty: the address's. At most [`Self::HOSTS_MAX`].
    pub hosts: Vec<Host>,
    /// The vhost, instead of the address's.
    pub vhost: Option<String>,
    /// Who logs in, instead of the address's user. The address's password is not used for somebody else.
    pub user: Option<String>,
    /// Asked for at each login, instead of the address's.
    pub password: Option<Password>,
    /// How we log in.
    pub mechanism: Mechanism,
    /// Encryption, and whom we trust.
    pub tls: TlsFiles,
    /// The management API, asked for what AMQP does not tell. `None`: nobody is asked.
    pub management: Option<ManagementAt>,
    /// What the broker's own pages call our connections, with `publishing` or `consuming` behind it.
    pub name: String,
    /// How often both sides say that they live; a silent broker is given up after two of them. 1 s to 65,535 s.
    pub heartbeat: Duration,
    /// How long a publish, and any other single question to the broker, may take.
    pub confirm_timeout: Duration,
    /// How long opening a connection to one address may take. Each address of each host has as long.
    pub connect_timeout: Duration,
    /// The first wait before connecting again; doubles up to `reconnect_max`. The real wait is half of it to all of it.
    pub reconnect_min: Duration,
    /// The longest wait before connecting again, and every wait after the broker refused us.
    pub reconnect_max: Duration,
}

/// Where RabbitMQ's management API is, and who asks it.
#[derive(Clone, Debug)]
pub struct ManagementAt {
    /// `https://mq-1:15671/`, or `http://…`.
    pub url: String,
    /// Who asks; `None`: the broker's user.
    pub user: Option<String>,
    /// Asked for at each use; `None`: the broker's, if it is the same user.
    pub password: Option<Password>,
}

/// How we log in: a mechanism of SASL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password.
    Plain,
    /// The client certificate alone; RabbitMQ's plugin `rabbitmq_auth_mechanism_ssl` takes its name for the user's.
    External,
}

/// Encryption of a connection. All files are PEM and are read at each connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Whether to encrypt although the address is `amqp://`.
    pub is_required: bool,
    /// The CAs that are trusted, instead of the machine's.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, with those that lead to its CA.
    pub client_certificate_file: Option<PathBuf>,
    /// Its private key.
    pub client_key_file: Option<PathBuf>,
}

impl RabbitConfig {
    /// Most hosts of a cluster.
    pub const HOSTS_MAX: usize = 16;

    /// Heartbeats each 15 s, 10 s for an answer and for a connection, reconnection after 0.1 s up to 5 s.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            hosts: Vec::new(),
            vhost: None,
            user: None,
            password: None,
            mechanism: Mechanism::Plain,
            tls: TlsFiles::default(),
            management: None,
            name: "loa".to_owned(),
            heartbeat: Duration::from_secs(15),
            confirm_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            reconnect_min: Duration::from_millis(100),
            reconnect_max: Duration::from_secs(5),
        }
    }
}

impl fmt::Debug for RabbitConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Address::parse(&self.url, &["amqp", "amqps"]).map(|address| address.to_string());
        f.debug_struct("RabbitConfig")
            .field("url", &shown.unwrap_or_else(|_| "not an AMQP address".to_owned()))
            .field("hosts", &self.hosts)
            .field("vhost", &self.vhost)
            .field("user", &self.user)
            .field("tls", &self.tls)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_password() {
        let shown = format!("{:?}", RabbitConfig::new("amqp://loa:secret@bus.example:5672/news"));
        assert!(shown.contains("bus.example:5672/news") && !shown.contains("secret"), "{shown}");
        let shown = format!("{:?}", RabbitConfig::new("loa:secret@bus.example"));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
