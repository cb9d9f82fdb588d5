//! What readers were last told: a fingerprint, and a `Last-Modified` that only ever steps forward, a second at least,
//! because readers compare it by the second and skip what did not move.

use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{ms, row_of},
};
use jiff::Timestamp;
use loa_domain::FeedName;
use loa_store::Rendered;

/// Keeps a new fingerprint, or brings back what is kept of the same one.
pub(super) async fn rendered(db: &Db, feed: &FeedName, fingerprint: &str, candidate: Timestamp) -> Result<Rendered> {
    let name = feed.to_string();
    if let Some(kept) = kept(&mut db.snapshot().await?, &name).await?.filter(|kept| kept.fingerprint == fingerprint) {
        return Ok(kept); // the common case, after a restart: nothing to write
    }
    let mut tx = db.begin().await?;
    let before = kept(&mut tx, &name).await?;
    if let Some(kept) = before.as_ref().filter(|kept| kept.fingerprint == fingerprint) {
        return Ok(kept.clone()); // another process was first
    }
    let whole_second = ms(candidate).div_euclid(1_000) * 1_000;
    let last_modified = match &before {
        Some(before) => whole_second.max(ms(before.last_modified) + 1_000),
        None => whole_second,
    };
    on!(&mut tx, c: D => sqlx::query(
        "INSERT INTO rendering (feed, fingerprint, last_modified) VALUES ($1, $2, $3) \
         ON CONFLICT (feed) DO UPDATE SET fingerprint = excluded.fingerprint, last_modified = excluded.last_modified",
    )
    .bind(name.as_str())
    .bind(fingerprint)
    .bind(last_modified)
    .execute(c)
    .await?
    .rows_affected());
    tx.commit().await?;
    Ok(Rendered {
        fingerprint: fingerprint.to_owned(),
        last_modified: row_of("rendering", &name).time("last_modified", last_modified)?,
    })
}

async fn kept(tx: &mut Tx, name: &str) -> Result<Option<Rendered>> {
    let row: Option<(String, i64)> = on!(tx, c: D => sqlx::query_as(
        "SELECT fingerprint, last_modified FROM rendering WHERE feed = $1",
    )
    .bind(name)
    .fetch_optional(c)
    .await?);
    row.map(|(fingerprint, at)| {
        Ok(Rendered { fingerprint, last_modified: row_of("rendering", &name).time("last_modified", at)? })
    })
    .transpose()
}
