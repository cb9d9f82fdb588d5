//! Settings of the broker: its address, or the parts of it, the login, TLS, deadlines.

use super::{Secret, file, hosts, text};
use loa_address::Password;
use loa_bus_rabbitmq::{ManagementAt, Mechanism, RabbitConfig, TlsFiles};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// The settings of `[bus.rabbitmq]`. What is empty is not set: the address says it then.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RabbitmqConfig {
    /// `amqp://user@host:5672,host:5672/vhost`.
    pub url: String,
    /// The brokers of one cluster: `host`, `host:port`, `[IPv6]:port`.
    pub hosts: Vec<String>,
    /// The vhost, as it is called.
    pub vhost: String,
    /// Who logs in.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// A file with it.
    pub password_file: String,
    /// How we log in.
    pub mechanism: MechanismSetting,
    /// Whether to encrypt although the address is `amqp://`.
    pub tls: bool,
    /// Whom we trust.
    pub ca_file: PathBuf,
    /// Who we are.
    pub client_certificate_file: PathBuf,
    /// Its key.
    pub client_key_file: PathBuf,
    /// Where the management API is; empty: it is not asked.
    pub management_url: String,
    /// Who asks it; empty: who logs in at the broker.
    pub management_user: String,
    /// That user's password; empty: the broker's.
    pub management_password: Secret,
    /// A file with it.
    pub management_password_file: String,
    /// Silence after which a connection counts as dead, twice this.
    pub heartbeat_seconds: u64,
    /// Longest wait for a confirm.
    pub confirm_timeout_seconds: u64,
    /// Longest wait for a connection to one address.
    pub connect_timeout_seconds: u64,
}

/// How we log in at the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MechanismSetting {
    /// By user and password.
    Plain,
    /// By the client certificate.
    External,
}

impl std::fmt::Debug for RabbitmqConfig {
    /// Without a password that stands in the address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RabbitmqConfig").field("server", &self.shown()).field("password", &self.password).finish()
    }
}

impl RabbitmqConfig {
    /// What the adapter is handed. The password's file is read at each login.
    pub fn ready(&self) -> anyhow::Result<RabbitConfig> {
        let mut config = self.with(self.password.password(&self.password_file)?)?;
        if let Some(url) = text(&self.management_url) {
            let password = self.management_password.password(&self.management_password_file)?;
            config.management = Some(ManagementAt { url, user: text(&self.management_user), password });
        }
        config.check().map_err(|error| anyhow::anyhow!("`bus.rabbitmq` cannot be used: {error}"))?;
        Ok(config)
    }

    /// The servers as they may be shown.
    pub fn shown(&self) -> String {
        self.with(None).ok().and_then(|config| config.shown()).unwrap_or_else(|| "(not an address)".to_owned())
    }

    fn with(&self, password: Option<Password>) -> anyhow::Result<RabbitConfig> {
        Ok(RabbitConfig {
            hosts: hosts("bus.rabbitmq.hosts", &self.hosts)?,
            vhost: text(&self.vhost),
            user: text(&self.user),
            password,
            mechanism: match self.mechanism {
                MechanismSetting::Plain => Mechanism::Plain,
                MechanismSetting::External => Mechanism::External,
            },
            tls: TlsFiles {
                is_required: self.tls,
                ca_file: file(&self.ca_file),
                client_certificate_file: file(&self.client_certificate_file),
                client_key_file: file(&self.client_key_file),
            },
            heartbeat: Duration::from_secs(self.heartbeat_seconds),
            confirm_timeout: Duration::from_secs(self.confirm_timeout_seconds),
            connect_timeout: Duration::from_secs(self.connect_timeout_seconds),
            ..RabbitConfig::new(&self.url)
        })
    }
}
