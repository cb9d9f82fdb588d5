//! Where PostgreSQL is.

use super::Secret;
use anyhow::Context;
use loa_store_sql::PostgresConfig;
use serde::Deserialize;
use url::Url;

/// The settings of `[store.postgres]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresSettings {
    /// `postgres://user@host:5432/database`.
    pub url: String,
    /// The user's password.
    pub password: Secret,
    /// A file with it.
    pub password_file: String,
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
        f.debug_struct("PostgresSettings").field("url", &self.shown_url()).field("password", &self.password).finish()
    }
}

impl PostgresSettings {
    /// What the adapter is handed: everything read, secrets too.
    pub fn ready(&self) -> anyhow::Result<PostgresConfig> {
        let url = Url::parse(&self.url)
            .with_context(|| format!("`store.postgres.url` cannot be read: {}", self.shown_url()))?;
        anyhow::ensure!(
            matches!(url.scheme(), "postgres" | "postgresql"),
            "`store.postgres.url` begins with postgres://; {} does not",
            self.shown_url()
        );
        anyhow::ensure!(
            url.path().len() > 1,
            "`store.postgres.url` names no database: {}; one looks like postgres://loa@host:5432/loa",
            self.shown_url()
        );
        Ok(PostgresConfig {
            url: self.url.clone(),
            password: self.password.resolve(&self.password_file)?,
            schema_prefix: self.schema_prefix.clone(),
            connections_max: self.connections_max,
            statement_cache_max: self.statement_cache_max as usize,
        })
    }

    /// The address as it may be shown.
    pub fn shown_url(&self) -> String {
        super::without_password(&self.url)
    }
}
