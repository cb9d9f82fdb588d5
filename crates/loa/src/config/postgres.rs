//! Settings of the PostgreSQL server: its address, or the parts of it, the login, TLS, limits of
//! connections.

use super::{Secret, file, hosts, text};
use loa_address::Password;
use loa_store_sql::PostgresConfig;
use serde::Deserialize;
use std::path::PathBuf;

/// The settings of `[store.postgres]`. What is empty is not set: the address says it then.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresSettings {
    /// `postgres://user@host:5432,host:5432/database`.
    pub url: String,
    /// The servers: `host`, `host:port`, `[IPv6]:port`, `/folder/of/a/socket`.
    pub hosts: Vec<String>,
    /// The database, as it is called.
    pub database: String,
    /// Who logs in.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// A file with it.
    pub password_file: String,
    /// PostgreSQL's `sslmode`.
    pub sslmode: String,
    /// Whom we trust beside the machine's CAs.
    pub ca_file: PathBuf,
    /// Who we are.
    pub client_certificate_file: PathBuf,
    /// Its key.
    pub client_key_file: PathBuf,
    /// What the schemas' names begin with.
    pub schema_prefix: String,
    /// Most connections of a process.
    pub connections_max: u32,
    /// Prepared statements kept on each connection.
    pub statement_cache_max: u32,
}

impl std::fmt::Debug for PostgresSettings {
    /// Without a password that stands in the address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSettings").field("server", &self.shown()).field("password", &self.password).finish()
    }
}

impl PostgresSettings {
    /// What the adapter is handed. The password's file is read at each login.
    pub fn ready(&self) -> anyhow::Result<PostgresConfig> {
        let config = self.with(self.password.password(&self.password_file)?)?;
        config.check().map_err(|error| anyhow::anyhow!("`store.postgres` cannot be used: {error}"))?;
        Ok(config)
    }

    /// The servers as they may be shown.
    pub fn shown(&self) -> String {
        self.with(None).ok().and_then(|config| config.shown()).unwrap_or_else(|| "(not an address)".to_owned())
    }

    fn with(&self, password: Option<Password>) -> anyhow::Result<PostgresConfig> {
        Ok(PostgresConfig {
            hosts: hosts("store.postgres.hosts", &self.hosts)?,
            database: text(&self.database),
            user: text(&self.user),
            password,
            sslmode: text(&self.sslmode),
            ca_file: file(&self.ca_file),
            client_certificate_file: file(&self.client_certificate_file),
            client_key_file: file(&self.client_key_file),
            schema_prefix: self.schema_prefix.clone(),
            connections_max: self.connections_max,
            statement_cache_max: self.statement_cache_max as usize,
            ..PostgresConfig::new(&self.url)
        })
    }
}
