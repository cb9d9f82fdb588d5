//! The portals beside the home portal. Constraints keep apart what must differ, whoever adds at the same moment.

use super::AccessStore;
use crate::{
    db::During,
    fault::{Result, refuse},
    row::{from_row, ms, row_of},
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{Portal, PortalSlug};
use loa_store::{PortalLedger, StoreError, StoreErrorKind};

#[async_trait]
impl PortalLedger for AccessStore {
    async fn add_portal(&self, portal: &Portal) -> std::result::Result<(), StoreError> {
        self.keep_portal(portal).await.during("add a portal", &self.db)
    }

    async fn portals(&self) -> std::result::Result<Vec<Portal>, StoreError> {
        self.all_portals().await.during("list the portals", &self.db)
    }

    async fn retire_portal(&self, slug: &PortalSlug, at: Timestamp) -> std::result::Result<(), StoreError> {
        self.retire(slug, at).await.during("retire a portal", &self.db)
    }
}

from_row!(PortalRow {
    slug: String,
    name: String,
    url: String,
    source: String,
    tag_authority: String,
    tag_date: String,
    area: Option<String>,
    added_at: i64,
    retired_at: Option<i64>,
});

impl PortalRow {
    fn read(self) -> Result<Portal> {
        let cell = row_of("portal", &self.slug);
        Ok(Portal {
            slug: cell.text("slug", self.slug.clone())?,
            url: cell.word("url", &self.url, |text| text.parse().ok())?,
            tag_date: cell.word("tag_date", &self.tag_date, |text| text.parse().ok())?,
            area: self.area.clone().map(|area| cell.text("area", area)).transpose()?,
            added_at: cell.time("added_at", self.added_at)?,
            retired_at: self.retired_at.map(|at| cell.time("retired_at", at)).transpose()?,
            name: self.name.clone(),
            source: self.source.clone(),
            tag_authority: self.tag_authority.clone(),
        })
    }
}

impl AccessStore {
    async fn keep_portal(&self, portal: &Portal) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let added = on!(&mut tx, c: D => sqlx::query(
            "INSERT INTO portal (slug, name, url, source, tag_authority, tag_date, area, added_at, retired_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .bind(portal.slug.as_str())
        .bind(portal.name.as_str())
        .bind(portal.url.as_str())
        .bind(portal.source.as_str())
        .bind(portal.tag_authority.as_str())
        .bind(portal.tag_date.to_string())
        .bind(portal.area.as_ref().map(|area| area.as_str()))
        .bind(ms(portal.added_at))
        .bind(portal.retired_at.map(ms))
        .execute(c)
        .await?
        .rows_affected());
        if added == 0 {
            let sentence = format!("slug, source, or tag authority and date of {:?} are another portal's", portal.slug);
            return Err(refuse(StoreErrorKind::Conflict, sentence));
        }
        tx.commit().await
    }

    async fn all_portals(&self) -> Result<Vec<Portal>> {
        let rows: Vec<PortalRow> = read!(&self.db, pool => sqlx::query_as(
            "SELECT slug, name, url, source, tag_authority, tag_date, area, added_at, retired_at FROM portal ORDER BY slug",
        )
        .fetch_all(pool)
        .await?);
        rows.into_iter().map(PortalRow::read).collect()
    }

    async fn retire(&self, slug: &PortalSlug, at: Timestamp) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let found = on!(&mut tx, c: D => sqlx::query(
            "UPDATE portal SET retired_at = COALESCE(retired_at, $2) WHERE slug = $1",
        )
        .bind(slug.as_str())
        .bind(ms(at))
        .execute(c)
        .await?
        .rows_affected());
        if found == 0 {
            return Err(refuse(StoreErrorKind::NotFound, format!("there is no portal {slug}")));
        }
        tx.commit().await
    }
}
