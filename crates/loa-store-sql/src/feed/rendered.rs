//! What readers were last told: a fingerprint, and a `Last-Modified` that steps forward by at least a second.
//! Readers compare it by the second and skip a document whose date did not move.

use crate::{
    db::{Db, Tx},
    fault::{Result, refuse},
    row::{ms, row_of},
};
use jiff::Timestamp;
use loa_domain::FeedName;
use loa_store::{Rendered, StoreErrorKind};

/// Keeps a new fingerprint, or brings back what is kept of the same one.
pub(super) async fn rendered(
    db: &Db,
    name: &str,
    fingerprint: &str,
    change: i64,
    candidate: Timestamp,
) -> Result<Rendered> {
    if matches!(FeedName::parse(name), Some(FeedName::Combined(_))) {
        // anybody can name another one: what is told of them is not kept, or looking would fill the ledger
        return Err(refuse(StoreErrorKind::Rejected, format!("nothing is kept of a combination of feeds: {name}")));
    }
    let is_the_same = |kept: &KeptRendering| kept.rendered.fingerprint == fingerprint && kept.change >= change;
    if let Some(kept) = kept(&mut db.snapshot().await?, name).await?.filter(is_the_same) {
        return Ok(kept.rendered); // the common case: nothing to write
    }
    let mut tx = db.begin().await?;
    let whole_second = ms(candidate).div_euclid(1_000) * 1_000;
    let last_modified = match kept(&mut tx, name).await? {
        Some(kept) if is_the_same(&kept) => return Ok(kept.rendered), // another process was first
        // the same words, true for longer than was known
        Some(kept) if kept.rendered.fingerprint == fingerprint => ms(kept.rendered.last_modified),
        Some(kept) if kept.change > change => {
            let what = format!("{name} was read up to change {change}; readers were told of {} already", kept.change);
            return Err(refuse(StoreErrorKind::Stale, what));
        }
        Some(kept) => whole_second.max(ms(kept.rendered.last_modified) + 1_000),
        None => whole_second,
    };
    on!(&mut tx, c: D => sqlx::query(
        "INSERT INTO rendering (feed, fingerprint, last_modified, change) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (feed) DO UPDATE SET fingerprint = excluded.fingerprint, last_modified = excluded.last_modified, \
         change = excluded.change",
    )
    .bind(name)
    .bind(fingerprint)
    .bind(last_modified)
    .bind(change)
    .execute(c)
    .await?
    .rows_affected());
    tx.commit().await?;
    Ok(Rendered {
        fingerprint: fingerprint.to_owned(),
        last_modified: row_of("rendering", &name).time("last_modified", last_modified)?,
    })
}

struct KeptRendering {
    rendered: Rendered,
    change: i64,
}

async fn kept(tx: &mut Tx, name: &str) -> Result<Option<KeptRendering>> {
    let row: Option<(String, i64, i64)> = on!(tx, c: D => sqlx::query_as(
        "SELECT fingerprint, last_modified, change FROM rendering WHERE feed = $1",
    )
    .bind(name)
    .fetch_optional(c)
    .await?);
    row.map(|(fingerprint, at, change)| {
        let last_modified = row_of("rendering", &name).time("last_modified", at)?;
        Ok(KeptRendering { rendered: Rendered { fingerprint, last_modified }, change })
    })
    .transpose()
}
