//! The access ledger: tokens of the API, and the portals beside the home portal (`access/portals.rs`). Only the hashes of
//! secrets are stored.

mod portals;

use crate::{
    db::During,
    db::schema::ledger_store,
    fault::{Result, refuse},
    row::{from_row, ms, row_of},
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{PortalSlug, Scope, Token};
use loa_store::{AccessLedger, StoreError, StoreErrorKind};

ledger_store!(
    /// The access ledger on SQL.
    AccessStore, "access", ACCESS
);

#[async_trait]
impl AccessLedger for AccessStore {
    async fn add_token(
        &self,
        name: &str,
        scope: Scope,
        secret_hash: &str,
        portals: &[PortalSlug],
        at: Timestamp,
    ) -> std::result::Result<(), StoreError> {
        self.add(name, scope, secret_hash, portals, at).await.during("add a token", &self.db)
    }

    async fn tokens(&self) -> std::result::Result<Vec<Token>, StoreError> {
        self.all().await.during("list the tokens", &self.db)
    }

    async fn revoke_token(&self, name: &str, at: Timestamp) -> std::result::Result<(), StoreError> {
        self.revoke(name, at).await.during("revoke a token", &self.db)
    }

    async fn token(&self, secret_hash: &str) -> std::result::Result<Option<Token>, StoreError> {
        self.find(secret_hash).await.during("look a token up", &self.db)
    }

    async fn ping(&self) -> std::result::Result<(), StoreError> {
        self.db.ping().await.during("read the access ledger", &self.db)
    }
}

/// Reads tokens; the portals to which one is bound stand in one text, parted by blanks, which no slug holds.
macro_rules! tokens_where {
    ($rest:literal) => {
        concat!(
            "SELECT name, scope, created_at, revoked_at, COALESCE((SELECT string_agg(p.portal, ' ') \
             FROM token_portal AS p WHERE p.token = token.name), '') AS portals FROM token ",
            $rest
        )
    };
}

from_row!(TokenRow { name: String, scope: String, created_at: i64, revoked_at: Option<i64>, portals: String });

impl TokenRow {
    fn read(self) -> Result<Token> {
        let cell = row_of("token", &self.name);
        Ok(Token {
            scope: cell.word("scope", &self.scope, Scope::parse)?,
            portals: {
                let slugs = self.portals.split(' ').filter(|slug| !slug.is_empty());
                let mut portals: Vec<PortalSlug> =
                    slugs.map(|slug| cell.text("portals", slug.to_owned())).collect::<Result<_>>()?;
                portals.sort();
                portals
            },
            created_at: cell.time("created_at", self.created_at)?,
            revoked_at: self.revoked_at.map(|at| cell.time("revoked_at", at)).transpose()?,
            name: self.name.clone(),
        })
    }
}

impl AccessStore {
    async fn add(
        &self,
        name: &str,
        scope: Scope,
        secret_hash: &str,
        portals: &[PortalSlug],
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let added = on!(&mut tx, c: D => sqlx::query(
            "INSERT INTO token (name, scope, secret_hash, created_at, revoked_at) VALUES ($1, $2, $3, $4, NULL) \
             ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(scope.as_str())
        .bind(secret_hash)
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
        if added == 0 {
            return Err(refuse(StoreErrorKind::Conflict, format!("there is a token named {name:?} already")));
        }
        for portal in portals {
            on!(&mut tx, c: D => sqlx::query(
                "INSERT INTO token_portal (token, portal) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(name)
            .bind(portal.as_str())
            .execute(c)
            .await?
            .rows_affected());
        }
        tx.commit().await
    }

    async fn all(&self) -> Result<Vec<Token>> {
        let rows: Vec<TokenRow> = read!(&self.db, pool => sqlx::query_as(tokens_where!("ORDER BY name"))
        .fetch_all(pool)
        .await?);
        rows.into_iter().map(TokenRow::read).collect()
    }

    async fn revoke(&self, name: &str, at: Timestamp) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let found = on!(&mut tx, c: D => sqlx::query(
            "UPDATE token SET revoked_at = COALESCE(revoked_at, $2) WHERE name = $1",
        )
        .bind(name)
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
        if found == 0 {
            return Err(refuse(StoreErrorKind::NotFound, format!("there is no token named {name:?}")));
        }
        tx.commit().await
    }

    async fn find(&self, secret_hash: &str) -> Result<Option<Token>> {
        let row: Option<TokenRow> = read!(&self.db, pool => sqlx::query_as(tokens_where!("WHERE secret_hash = $1"))
        .bind(secret_hash)
        .fetch_optional(pool)
        .await?);
        row.map(TokenRow::read).transpose()
    }
}
