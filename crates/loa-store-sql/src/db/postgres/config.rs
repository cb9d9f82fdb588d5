//! Where the ledgers are: what the binary fills from `[store.postgres]`.

use loa_address::{Address, Host, Password};
use std::{fmt, path::PathBuf, sync::Arc};

/// Fills a buffer with random bytes; used for the order of hosts only.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// How to reach PostgreSQL. What is set beside `url` stands instead of that part of it. `Debug` does not show the
/// password.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://user@host:5432,host:5432/database?sslmode=verify-full`.
    pub url: String,
    /// The servers, instead of the address's; of several, the one that takes writes is used. Empty: the address's. At
    /// most [`Self::HOSTS_MAX`].
    pub hosts: Vec<Host>,
    /// The database, instead of the address's.
    pub database: Option<String>,
    /// Who logs in, instead of the address's user. The address's password is not used for somebody else.
    pub user: Option<String>,
    /// Asked for at each login, instead of the address's.
    pub password: Option<Password>,
    /// PostgreSQL's `sslmode`, instead of the address's.
    pub sslmode: Option<String>,
    /// A CA that is trusted beside the machine's; PEM. For `verify-ca` and `verify-full`.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate; PEM.
    pub client_certificate_file: Option<PathBuf>,
    /// Its private key; PEM.
    pub client_key_file: Option<PathBuf>,
    /// What `pg_stat_activity` calls our connections. PostgreSQL shows the first 63 bytes.
    pub application_name: String,
    /// What the names of the ledgers' schemas begin with: letters, digits and `_`, at most 40.
    pub schema_prefix: String,
    /// Most connections of this process.
    pub connections_max: u32,
    /// Prepared statements kept on each connection. 0 is right behind a pooler in transaction mode.
    pub statement_cache_max: usize,
    /// The order in which servers are tried; `None`: as they are written.
    pub random: Option<Random>,
}

impl PostgresConfig {
    /// Most servers.
    pub const HOSTS_MAX: usize = 16;

    /// An address, the schemas `loa_…`, and at most 8 connections without prepared statements.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            hosts: Vec::new(),
            database: None,
            user: None,
            password: None,
            sslmode: None,
            ca_file: None,
            client_certificate_file: None,
            client_key_file: None,
            application_name: "loa".to_owned(),
            schema_prefix: "loa_".to_owned(),
            connections_max: 8,
            statement_cache_max: 0,
            random: None,
        }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Address::parse(&self.url, &["postgres", "postgresql"]).map(|address| address.to_string());
        f.debug_struct("PostgresConfig")
            .field("url", &shown.unwrap_or_else(|_| "not an address".to_owned()))
            .field("hosts", &self.hosts)
            .field("schema_prefix", &self.schema_prefix)
            .finish_non_exhaustive()
    }
}
