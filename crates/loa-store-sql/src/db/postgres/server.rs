//! Reads a [`PostgresConfig`]: which servers, which database, which login, which encryption. Opens
//! nothing.
//!
//! The driver's own reader looks `[::1]` up as a name, takes one host, and passes over parameters that
//! it does not know. So the address is read here, and the driver is handed fields.

use super::config::PostgresConfig;
use loa_address::{Address, Host, Password};
use loa_store::{StoreError, StoreErrorKind};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::path::Path;

const SCHEMES: [&str; 2] = ["postgres", "postgresql"];
const PORT: u16 = 5432;
const KNOWN: &str = "known are sslmode, sslrootcert, sslcert, sslkey, host, port, dbname, user, options and \
    target_session_attrs";
/// What an address may not say, and what there is instead.
const ELSEWHERE: [(&str, &str); 6] = [
    ("password", "the setting `store.postgres.password_file`"),
    ("statement-cache-capacity", "the setting `store.postgres.statement_cache_max`"),
    ("application_name", "nothing: connections are named by program and machine"),
    ("connect_timeout", "nothing: each address has 2 s"),
    ("load_balance_hosts", "nothing: the servers are tried in a random order"),
    ("hostaddr", "the address itself in place of the name"),
];

type Result<T> = std::result::Result<T, StoreError>;

/// A server, or several of which one takes writes, as it is dialled.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// At least one, each with its port.
    pub(super) hosts: Vec<Host>,
    /// Asked for at each login.
    pub(super) password: Option<Password>,
    /// Everything but host and password.
    pub(super) options: PgConnectOptions,
    /// Whether the server's certificate must be for the name that we dial.
    pub(super) name_is_verified: bool,
    pub(super) database: String,
}

impl PostgresConfig {
    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// `Rejected`: what is wrong with the settings, without the password.
    pub fn check(&self) -> Result<()> {
        self.server().map(drop)
    }

    /// The servers and the database as they may be shown; `None`: the settings cannot be used.
    pub fn shown(&self) -> Option<String> {
        let server = self.server().ok()?;
        let hosts: Vec<String> = server.hosts.iter().map(Host::to_string).collect();
        Some(format!("{} (database {:?})", hosts.join(", "), server.database))
    }

    pub(super) fn server(&self) -> Result<Server> {
        let address = Address::parse(&self.url, &SCHEMES)
            .map_err(|error| rejected(format!("the database's address: {error}")))?;
        let mut parts = Parts { port: PORT, ..Parts::default() };
        for (name, value) in &address.parameters {
            parts.take(name, value)?;
        }
        let is_somebody_else = self.user.is_some() && self.user != address.user;
        let password = self.password.clone().or_else(|| address.password.clone().filter(|_| !is_somebody_else));
        let user = self.user.clone().or(parts.user.take()).or_else(|| address.user.clone());
        let database = self.database.clone().or(parts.database.take()).or_else(|| address.path.clone());
        let Some(database) = database.filter(|database| !database.is_empty()) else {
            return Err(rejected(
                "the database's address names no database; one looks like postgres://loa@host:5432/loa",
            ));
        };
        let written = parts.hosts.take().unwrap_or_else(|| address.hosts.clone());
        let hosts = if self.hosts.is_empty() { written } else { self.hosts.clone() };
        if hosts.is_empty() || hosts.len() > Self::HOSTS_MAX {
            let most = Self::HOSTS_MAX;
            return Err(rejected(format!(
                "the database's address names {} hosts; 1 to {most} are possible (a socket is the folder it is in, \
                 written %2Frun%2Fpostgresql)",
                hosts.len()
            )));
        }
        let port = parts.port;
        let mut options = PgConnectOptions::new_without_pgpass()
            // a pooler does not know this one and would refuse us; no ledger keeps a float
            .extra_float_digits(None)
            .application_name(&self.application_name)
            .statement_cache_capacity(self.statement_cache_max)
            .database(&database);
        if let Some(user) = user {
            options = options.username(&user);
        }
        if let Some(words) = &parts.options {
            options = options.options(pairs(words)?);
        }
        let (options, name_is_verified) = self.encryption(options, parts)?;
        Ok(Server {
            hosts: hosts.into_iter().map(|host| host.or_port(port)).collect(),
            password,
            options,
            name_is_verified,
            database,
        })
    }

    fn encryption(&self, options: PgConnectOptions, parts: Parts) -> Result<(PgConnectOptions, bool)> {
        let mode = match self.sslmode.clone().or(parts.sslmode).as_deref().unwrap_or("prefer") {
            "disable" => PgSslMode::Disable,
            "prefer" => PgSslMode::Prefer,
            "require" => PgSslMode::Require,
            "verify-ca" => PgSslMode::VerifyCa,
            "verify-full" => PgSslMode::VerifyFull,
            other => {
                return Err(rejected(format!(
                    "sslmode is {other:?}; it can be disable, prefer, require, verify-ca or verify-full"
                )));
            }
        };
        let is_verified = matches!(mode, PgSslMode::VerifyCa | PgSslMode::VerifyFull);
        let name_is_verified = matches!(mode, PgSslMode::VerifyFull);
        let is_plain = matches!(mode, PgSslMode::Disable);
        let mut options = options.ssl_mode(mode);
        let path = |set: &Option<std::path::PathBuf>| set.as_deref().and_then(Path::to_str).map(str::to_owned);
        if let Some(file) = path(&self.ca_file).or(parts.ca_file) {
            if !is_verified {
                return Err(rejected(
                    "there is a CA for the database and its certificate would not be verified: set `sslmode` to \
                     \"verify-full\" (or \"verify-ca\")",
                ));
            }
            options = options.ssl_root_cert(file);
        }
        match (path(&self.client_certificate_file).or(parts.certificate), path(&self.client_key_file).or(parts.key)) {
            (None, None) => {}
            (Some(_), Some(_)) if is_plain => {
                return Err(rejected("there is a client certificate for the database and `sslmode` is \"disable\""));
            }
            (Some(certificate), Some(key)) => options = options.ssl_client_cert(certificate).ssl_client_key(key),
            _ => {
                return Err(rejected(
                    "`store.postgres.client_certificate_file` and `client_key_file` belong together; one is missing",
                ));
            }
        }
        Ok((options, name_is_verified))
    }
}

/// What stands behind the question mark.
#[derive(Default)]
struct Parts {
    port: u16,
    hosts: Option<Vec<Host>>,
    user: Option<String>,
    database: Option<String>,
    sslmode: Option<String>,
    ca_file: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    options: Option<String>,
}

impl Parts {
    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        let text = || Some(value.to_owned());
        match name {
            "sslmode" | "ssl-mode" => self.sslmode = text(),
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => self.ca_file = text(),
            "sslcert" | "ssl-cert" => self.certificate = text(),
            "sslkey" | "ssl-key" => self.key = text(),
            "dbname" => self.database = text(),
            "user" => self.user = text(),
            "options" => self.options = text(),
            "port" => {
                let port = value.parse().ok().filter(|port| *port > 0);
                self.port =
                    port.ok_or_else(|| rejected("`port` in the database's address is no number from 1 to 65535"))?;
            }
            "host" => {
                let hosts: std::result::Result<_, _> = value.split(',').map(str::parse).collect();
                self.hosts =
                    Some(hosts.map_err(|error| rejected(format!("`host` in the database's address: {error}")))?);
            }
            // what is done anyway
            "target_session_attrs" if matches!(value, "read-write" | "primary") => {}
            "target_session_attrs" => {
                return Err(rejected(
                    "`target_session_attrs` in the database's address can only be read-write: ledgers are written",
                ));
            }
            other => {
                let instead = ELSEWHERE.iter().find(|(name, _)| *name == other);
                let instead =
                    instead.map_or_else(|| KNOWN.to_owned(), |(_, it)| format!("instead of it there is {it}"));
                return Err(rejected(format!("the database's address has the parameter `{other}`; {instead}")));
            }
        }
        Ok(())
    }
}

/// `-c name=value -c name=value`, as PostgreSQL takes them.
fn pairs(words: &str) -> Result<Vec<(String, String)>> {
    let wrong = || rejected("`options` in the database's address are not of the form -c NAME=VALUE -c NAME=VALUE");
    let mut pairs = Vec::new();
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        let pair = match word.strip_prefix("-c") {
            Some("") => words.next().ok_or_else(wrong)?,
            Some(pair) => pair,
            None => return Err(wrong()),
        };
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}

fn rejected(what: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Rejected, what)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
