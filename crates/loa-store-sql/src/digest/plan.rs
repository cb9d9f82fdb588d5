//! Planning: a run's mails are made in pieces, in order of subscription; each piece reserves its lines.
//!
//! Usually a piece is hundreds of subscriptions with a few new items each. After an outage there may be a
//! million new items: then pieces are smaller, and a subscription that is owed more than a mail takes is a
//! piece of its own, up to what the mail takes.

use super::{
    owed::{CARRIED, CORRECTIONS, MATCHED, considered_at},
    runs::{RunRow, find, unknown},
};
use crate::{
    db::{Db, Tx},
    fault::Result,
    restoring::refuse_during_restore,
    row::{from_row, ms, row_of},
    seen::CHUNK,
};
use jiff::Timestamp;
use loa_store::{MAIL_MATCHES_MAX, Plan};
use sqlx::QueryBuilder;

/// Subscriptions looked at in one statement.
const PIECE: i64 = 500;
/// Subscriptions looked at in one call: bounds how long it holds the write lock (about a tenth of a second).
const LOOKED_AT_MAX: usize = 5_000;
/// Lines that a piece may come to, and after which a call ends: bounds memory, and the time it holds the write lock.
const LINES_MAX: i64 = 20_000;

/// The first active subscription of frequency $1 with an id in ($2, $3] to which more was matched than a mail takes, and the
/// number of the last item that its mail takes; $4 is how many that takes, less one, and $5 the last item in question.
const FULL: &str = "SELECT id, last FROM (SELECT s.id AS id, (SELECT m.sequence FROM matched AS m \
        WHERE m.wish = s.wish AND m.sequence > s.considered ORDER BY m.sequence LIMIT 1 OFFSET $4) AS last \
    FROM subscription AS s WHERE s.frequency = $1 AND s.state = 'active' AND s.id > $2 AND s.id <= $3) AS bounds \
    WHERE last < $5 ORDER BY id LIMIT 1";

from_row!(CandidateRow { id: String, email_key: String, considered: i64 });
from_row!(OwedRow { subscription: String, article: String, revision: i64, withdrawn: i64 });

/// Plans up to `max` further mails; may stop earlier, with `complete: false`, after looking at many that are owed nothing.
pub(super) async fn plan(db: &Db, run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Result<Plan> {
    let mut tx = db.begin().await?;
    refuse_during_restore(&mut tx, "digest").await?;
    let row = find(&mut tx, run).await?.ok_or_else(|| unknown(run))?;
    if row.planned == 1 {
        return Ok(Plan { mails: 0, complete: true });
    }
    let considered = considered_at(&mut tx, row_of("run", &run).time("cutoff", row.cutoff)?).await?;
    let behind = furthest_behind(&mut tx, &row.frequency).await?;
    let piece_max = LINES_MAX / considered.saturating_sub(behind).clamp(1, MAIL_MATCHES_MAX.into());
    let (mut mails, mut lines, mut looked_at, mut complete) = (0_u64, 0, 0, false);
    let mut after = row.planned_to.clone();
    while mails < u64::from(max) && lines < LINES_MAX && looked_at < LOOKED_AT_MAX && !complete {
        let wanted = PIECE.min(piece_max).min(i64::from(max) - i64::try_from(mails).unwrap_or(i64::MAX));
        let mut candidates = candidates(&mut tx, &row.frequency, &after, wanted).await?;
        let considered = bound(&mut tx, &row, &after, &mut candidates, considered).await?;
        let Some(upto) = candidates.last().map(|candidate| candidate.id.clone()) else {
            complete = true;
            break;
        };
        looked_at += candidates.len();
        let piece = Piece { run: &row, after: &after, upto: &upto, considered, at };
        let planned = piece.plan(&mut tx, &candidates, oldest).await?;
        mails += planned.mails;
        lines += planned.lines;
        after = upto;
    }
    on!(&mut tx, c: D => sqlx::query("UPDATE run SET planned_to = $2, planned = $3 WHERE id = $1")
        .bind(run)
        .bind(after)
        .bind(i64::from(complete))
        .execute(c)
        .await?
        .rows_affected());
    tx.commit().await?;
    Ok(Plan { mails, complete })
}

/// The lowest item number that an active subscription of this frequency has considered.
async fn furthest_behind(tx: &mut Tx, frequency: &str) -> Result<i64> {
    let behind: Option<i64> = on!(tx, c: D => sqlx::query_scalar(
        "SELECT MIN(considered) FROM subscription WHERE frequency = $1 AND state = 'active'",
    )
    .bind(frequency)
    .fetch_one(c)
    .await?);
    Ok(behind.unwrap_or(i64::MAX))
}

/// Up to which item number these candidates are considered: all of them up to `considered`, unless one is owed more than its
/// mail takes. Then it is those before that one, or it alone, up to what its mail takes; the others are dropped from the list.
async fn bound(
    tx: &mut Tx,
    run: &RunRow,
    after: &str,
    candidates: &mut Vec<CandidateRow>,
    considered: i64,
) -> Result<i64> {
    let most = i64::from(MAIL_MATCHES_MAX);
    let Some(upto) = candidates.last() else { return Ok(considered) };
    if candidates.iter().all(|candidate| considered.saturating_sub(candidate.considered) <= most) {
        return Ok(considered);
    }
    let full: Option<(String, i64)> = on!(tx, c: D => sqlx::query_as(FULL)
        .bind(run.frequency.as_str())
        .bind(after)
        .bind(upto.id.as_str())
        .bind(most - 1)
        .bind(considered)
        .fetch_optional(c)
        .await?);
    let Some((id, last)) = full else { return Ok(considered) };
    let before = candidates.iter().take_while(|candidate| candidate.id != id).count();
    candidates.truncate(before.max(1));
    Ok(if before == 0 { last } else { considered })
}

async fn candidates(tx: &mut Tx, frequency: &str, after: &str, limit: i64) -> Result<Vec<CandidateRow>> {
    Ok(on!(tx, c: D => sqlx::query_as(
        "SELECT s.id, p.email_key, s.considered FROM subscription AS s JOIN subscriber AS p ON p.id = s.subscriber \
         WHERE s.frequency = $1 AND s.state = 'active' AND s.id > $2 ORDER BY s.id LIMIT $3",
    )
    .bind(frequency)
    .bind(after)
    .bind(limit)
    .fetch_all(c)
    .await?))
}

/// The subscriptions with ids in (after, upto].
struct Piece<'a> {
    run: &'a RunRow,
    after: &'a str,
    upto: &'a str,
    /// Items up to this number.
    considered: i64,
    at: Timestamp,
}

/// What came of a piece.
struct Planned {
    mails: u64,
    lines: i64,
}

impl Piece<'_> {
    /// Makes a mail for each that is owed something.
    async fn plan(&self, tx: &mut Tx, candidates: &[CandidateRow], oldest: Timestamp) -> Result<Planned> {
        let owed = self.owed(tx, oldest).await?;
        let mut planned: Vec<&CandidateRow> = Vec::new();
        for candidate in candidates {
            if owed.binary_search_by(|row| row.subscription.as_str().cmp(&candidate.id)).is_ok() {
                planned.push(candidate);
            }
        }
        self.add_mails(tx, &planned).await?;
        self.reserve(tx, &owed).await?;
        self.tick_off(tx).await?;
        Ok(Planned { mails: planned.len() as u64, lines: i64::try_from(owed.len()).unwrap_or(i64::MAX) })
    }

    /// Everything owed in this piece, in order of subscription.
    async fn owed(&self, tx: &mut Tx, oldest: Timestamp) -> Result<Vec<OwedRow>> {
        Ok(on!(tx, c: D => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                "SELECT subscription, article, revision, withdrawn FROM ({MATCHED} UNION {CARRIED} UNION {CORRECTIONS}) \
                 AS owed ORDER BY subscription"
            )));
            let query: sqlx::query::QueryAs<'_, D, _, _> = query;
            query
                .bind(self.run.frequency.as_str())
                .bind(self.after)
                .bind(self.upto)
                .bind(ms(oldest))
                .bind(self.run.cutoff)
                .bind(self.considered)
                .fetch_all(c)
                .await?
        }))
    }

    async fn add_mails(&self, tx: &mut Tx, planned: &[&CandidateRow]) -> Result<()> {
        for chunk in planned.chunks(CHUNK) {
            on!(&mut *tx, c: D => {
                let mut query = QueryBuilder::<D>::new(
                    "INSERT INTO mail (run, subscription, email_key, state, ready_at, attempts, in_doubt, detail) ",
                );
                query.push_values(chunk, |mut row, candidate| {
                    row.push_bind(self.run.id)
                        .push_bind(candidate.id.as_str())
                        .push_bind(candidate.email_key.as_str())
                        .push_bind("planned")
                        .push_bind(ms(self.at))
                        .push_bind(0_i64)
                        .push_bind(0_i64)
                        .push_bind("");
                });
                query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
            });
        }
        Ok(())
    }

    async fn reserve(&self, tx: &mut Tx, owed: &[OwedRow]) -> Result<()> {
        for chunk in owed.chunks(CHUNK) {
            on!(&mut *tx, c: D => {
                let mut query = QueryBuilder::<D>::new(
                    "INSERT INTO mail_item (subscription, article, withdrawn, revision, run, included, exposed) ",
                );
                query.push_values(chunk, |mut row, owed| {
                    row.push_bind(owed.subscription.as_str())
                        .push_bind(owed.article.as_str())
                        .push_bind(owed.withdrawn)
                        .push_bind(owed.revision)
                        .push_bind(self.run.id)
                        .push_bind(1_i64)
                        .push_bind(0_i64);
                });
                query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
            });
        }
        Ok(())
    }

    /// What is reserved now is not owed any more, and what was passed over will not be looked at again.
    async fn tick_off(&self, tx: &mut Tx) -> Result<()> {
        for delete in [
            "DELETE FROM carried WHERE subscription > $1 AND subscription <= $2 AND EXISTS (SELECT 1 FROM mail_item AS r \
             WHERE r.subscription = carried.subscription AND r.article = carried.article AND r.withdrawn = 0 \
             AND r.run = $3)",
            "DELETE FROM correction WHERE subscription > $1 AND subscription <= $2 AND EXISTS (SELECT 1 FROM mail_item AS r \
             WHERE r.subscription = correction.subscription AND r.article = correction.article AND r.withdrawn = 1 \
             AND r.run = $3)",
        ] {
            on!(&mut *tx, c: D => sqlx::query(delete)
                .bind(self.after)
                .bind(self.upto)
                .bind(self.run.id)
                .execute(c)
                .await?
                .rows_affected());
        }
        on!(tx, c: D => sqlx::query(
            "UPDATE subscription SET considered = $4 WHERE frequency = $1 AND state = 'active' AND id > $2 AND id <= $3 \
             AND considered < $4",
        )
        .bind(self.run.frequency.as_str())
        .bind(self.after)
        .bind(self.upto)
        .bind(self.considered)
        .execute(c)
        .await?
        .rows_affected());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigestStore;

    #[tokio::test]
    async fn whether_a_mail_would_be_full_is_found_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = DigestStore::open(folder.path().join("digest.db")).await.unwrap();
        store.db.assert_served_by_indexes(FULL, &[]).await;
        let steps = store.db.steps_of(FULL).await;
        assert!(steps.iter().any(|step| step.contains("wish=? AND sequence>?")), "{steps:?}");
    }
}
