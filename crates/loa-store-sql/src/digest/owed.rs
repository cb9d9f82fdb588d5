//! What a subscription is owed: what its wish matched, what it kept from an earlier wish, and corrections of
//! what it was sent, minus what a mail has reserved. One SQL text serves planning and the question whether
//! there is anything to plan.

use super::upcoming;
use crate::{
    counter,
    db::{Db, Tx},
    fault::Result,
    row::ms,
};
use jiff::Timestamp;
use loa_domain::Frequency;

/// Owed by matching, of active subscriptions of frequency $1 with ids in ($2, $3], accepted in [$4, $5] under item numbers up
/// to $6. What is new to a subscription is told by item numbers and never by its time: a clock may step back.
pub(super) const MATCHED: &str = "SELECT s.id AS subscription, i.article AS article, i.revision AS revision, CAST(0 AS BIGINT) AS withdrawn \
    FROM subscription AS s JOIN matched AS m ON m.wish = s.wish AND m.sequence > s.considered AND m.sequence <= $6 \
    JOIN item AS i ON i.article = m.article \
    WHERE s.frequency = $1 AND s.state = 'active' AND s.id > $2 AND s.id <= $3 \
    AND i.accepted_at >= $4 AND i.accepted_at <= $5 AND NOT EXISTS \
        (SELECT 1 FROM mail_item AS d WHERE d.subscription = s.id AND d.article = i.article AND d.withdrawn = 0 \
         AND d.revision >= i.revision)";
/// Owed since before the wish changed; parameters as of [`MATCHED`].
pub(super) const CARRIED: &str = "SELECT s.id AS subscription, i.article AS article, i.revision AS revision, CAST(0 AS BIGINT) AS withdrawn \
    FROM subscription AS s JOIN carried AS k ON k.subscription = s.id JOIN item AS i ON i.article = k.article \
    WHERE s.frequency = $1 AND s.state = 'active' AND s.id > $2 AND s.id <= $3 \
    AND i.withdrawn = 0 AND i.accepted_at >= $4 AND i.accepted_at <= $5 AND $6 = $6 AND NOT EXISTS \
        (SELECT 1 FROM mail_item AS d WHERE d.subscription = s.id AND d.article = i.article AND d.withdrawn = 0 \
         AND d.revision >= i.revision)";
/// Corrections owed, however old; parameters as of [`MATCHED`].
pub(super) const CORRECTIONS: &str = "SELECT s.id AS subscription, i.article AS article, i.revision AS revision, CAST(1 AS BIGINT) AS withdrawn \
    FROM subscription AS s JOIN correction AS k ON k.subscription = s.id JOIN item AS i ON i.article = k.article \
    WHERE s.frequency = $1 AND s.state = 'active' AND s.id > $2 AND s.id <= $3 \
    AND i.withdrawn = 1 AND i.accepted_at <= $5 AND $4 = $4 AND $6 = $6 AND EXISTS \
        (SELECT 1 FROM mail_item AS d WHERE d.subscription = s.id AND d.article = i.article AND d.withdrawn = 0 \
         AND d.exposed > 0) AND NOT EXISTS \
        (SELECT 1 FROM mail_item AS k WHERE k.subscription = s.id AND k.article = i.article AND k.withdrawn = 1 \
         AND k.revision >= i.revision)";

/// The lowest item number accepted after $1. The `+ 0` keeps the planner from walking up the numbers until it meets the
/// time: mostly there is none, and it would walk through all.
pub(super) const FIRST_AFTER: &str = "SELECT MIN(sequence + 0) FROM item WHERE accepted_at > $1";

/// Behind every id: U+10FFFF is in no id.
pub(super) const LAST_ID: &str = "\u{10ffff}";

/// Whether an active subscription of this frequency is owed anything.
pub(super) async fn anything(db: &Db, frequency: Frequency, oldest: Timestamp, cutoff: Timestamp) -> Result<bool> {
    upcoming::admit_all(db, cutoff).await?;
    let mut tx = db.snapshot().await?;
    let behind: Option<i64> = on!(&mut tx, c: D => sqlx::query_scalar(
        "SELECT MIN(considered) FROM subscription WHERE frequency = $1 AND state = 'active'",
    )
    .bind(frequency.as_str())
    .fetch_one(c)
    .await?);
    let Some(behind) = behind else { return Ok(false) };
    let news = behind < counter::last(&mut tx, "item").await?;
    // Mostly nobody has anything carried or to be corrected: two short looks instead of one at each subscription.
    let carried = has_rows(&mut tx, "SELECT subscription FROM carried LIMIT 1").await?;
    let corrections = has_rows(&mut tx, "SELECT subscription FROM correction LIMIT 1").await?;
    for (select, may_have) in [(MATCHED, news), (CARRIED, carried), (CORRECTIONS, corrections)] {
        if !may_have {
            continue;
        }
        let found: Option<(String, String)> = on!(&mut tx, c: D => {
            let query = sqlx::query_as(sqlx::AssertSqlSafe(format!(
                "SELECT subscription, article FROM ({select}) AS owed LIMIT 1"
            )));
            let query: sqlx::query::QueryAs<'_, D, _, _> = query;
            query
                .bind(frequency.as_str())
                .bind("")
                .bind(LAST_ID)
                .bind(ms(oldest))
                .bind(ms(cutoff))
                .bind(i64::MAX)
                .fetch_optional(c)
                .await?
        });
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn has_rows(tx: &mut Tx, select: &'static str) -> Result<bool> {
    let found: Option<String> = on!(tx, c: D => sqlx::query_scalar(select).fetch_optional(c).await?);
    Ok(found.is_some())
}

/// The item number up to which nothing was accepted after `at`: what is considered when everything up to `at` is.
/// Item numbers are taken in the order of commits, so an item that comes late has a higher one, whatever its times.
pub(super) async fn considered_at(tx: &mut Tx, at: Timestamp) -> Result<i64> {
    let first_after: Option<i64> = on!(&mut *tx, c: D => sqlx::query_scalar(FIRST_AFTER)
    .bind(ms(at))
    .fetch_one(c)
    .await?);
    match first_after {
        Some(sequence) => Ok(sequence - 1),
        None => counter::last(tx, "item").await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigestStore;

    #[tokio::test]
    async fn what_is_owed_is_found_by_subscription_and_never_by_walking_through_the_past() {
        let folder = tempfile::tempdir().unwrap();
        let store = DigestStore::open(folder.path().join("digest.db")).await.unwrap();
        for statement in [MATCHED, CARRIED, CORRECTIONS] {
            store.db.assert_served_by_indexes(statement, &[]).await;
        }
        let first_after = store.db.steps_of(FIRST_AFTER).await;
        assert!(first_after[0].contains("item_accepted"), "{first_after:?}");
        let matched = store.db.steps_of(MATCHED).await;
        assert!(matched[0].contains("subscription_audience"), "{matched:?}");
        assert!(
            matched[1].contains("wish=? AND sequence>? AND sequence<?"),
            "only what is new to the subscription: {matched:?}"
        );
    }
}
