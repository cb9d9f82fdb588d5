//! Handing out due mails, each with its lines as they stand *now*: what was withdrawn since planning and could not have
//! been read is gone, what was edited reads as edited. Oldest run first; paused runs not at all.

use super::{
    people::{Wishes, subscription},
    record::release_unsent,
    runs::run_key,
};
use crate::{
    db::{Db, Locking, Tx},
    fault::{Result, corrupt},
    hold::refuse_if_held,
    row::{from_row, ms, row_of},
};
use loa_domain::{Content, ItemKind, MailId, RunKey};
use loa_store::{DigestItem, DueMail, Lease};
use std::collections::HashMap;

/// The next run after $1 that has mails on the way.
pub(super) const NEXT_RUN: &str = "SELECT MIN(run) FROM mail WHERE ready_at IS NOT NULL AND run > $1";
/// Due mails of a run; claimed, they are locked too, and those that somebody else has locked are passed over.
pub(super) const DUE: &str = "SELECT subscription, state, attempts, orphaned FROM mail \
    WHERE run = $1 AND ready_at IS NOT NULL AND ready_at <= $2 ORDER BY ready_at, subscription LIMIT $3";

from_row!(DueRow { subscription: String, state: String, attempts: i64, orphaned: i64 });

/// Lines after which a claim ends: bounds its memory. Mostly a mail has a few, and `max` comes first.
const LINES_MAX: usize = 5_000;

/// Claims due mails. A mail whose lease ended in `submitting` comes once more, as an orphan; the second time it is over.
pub(super) async fn claim(db: &Db, lease: &Lease, max: u32) -> Result<Vec<DueMail>> {
    let mut tx = db.begin_beside().await?;
    refuse_if_held(&mut tx, "digest").await?;
    let mut claimed = Vec::new();
    let mut composer = Composer::default();
    let (mut run, mut lines) = (0_i64, 0);
    while claimed.len() < max as usize && lines < LINES_MAX {
        let next: Option<i64> = on!(&mut tx, c: D => sqlx::query_scalar(NEXT_RUN).bind(run).fetch_one(c).await?);
        let Some(next) = next else { break };
        run = next;
        if is_paused(&mut tx, run).await? {
            continue;
        }
        let room = i64::from(max) - i64::try_from(claimed.len()).unwrap_or(i64::MAX);
        let free = tx.locking(DUE, Locking::FreeRows);
        let due: Vec<DueRow> = on!(&mut tx, c: D => sqlx::query_as(free)
            .bind(run)
            .bind(ms(lease.now))
            .bind(room)
            .fetch_all(c)
            .await?);
        if due.is_empty() {
            continue;
        }
        let key = run_key(&mut tx, run).await?;
        for row in due {
            if lines >= LINES_MAX {
                break; // what was only looked at stays due
            }
            let in_dialogue = row.state == "submitting";
            if in_dialogue && row.orphaned == 1 {
                give_up(&mut tx, run, &row, lease).await?;
            } else {
                hold(&mut tx, run, &row, in_dialogue, lease).await?;
                let mail = composer.compose(&mut tx, run, &key, row, in_dialogue).await?;
                lines += mail.items.len();
                claimed.push(mail);
            }
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

async fn is_paused(tx: &mut Tx, run: i64) -> Result<bool> {
    let paused: Option<String> = on!(tx, c: D => sqlx::query_scalar("SELECT paused FROM run WHERE id = $1")
        .bind(run)
        .fetch_one(c)
        .await?);
    Ok(paused.is_some())
}

async fn hold(tx: &mut Tx, run: i64, row: &DueRow, in_dialogue: bool, lease: &Lease) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail SET state = 'planned', holder = $3, ready_at = $4, \
         orphaned = CASE WHEN $5 = 1 THEN 1 ELSE orphaned END, attempts = attempts + $5 \
         WHERE run = $1 AND subscription = $2",
    )
    .bind(run)
    .bind(row.subscription.as_str())
    .bind(lease.holder.as_str())
    .bind(ms(lease.until))
    .bind(i64::from(in_dialogue))
    .execute(c)
    .await?
    .rows_affected());
    if in_dialogue {
        may_have_gone_out(tx, run, &row.subscription).await?;
    }
    Ok(())
}

async fn give_up(tx: &mut Tx, run: i64, row: &DueRow, lease: &Lease) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail SET state = 'uncertain', holder = NULL, ready_at = NULL, attempts = attempts + 1, detail = $3, \
         changed_at = $4 WHERE run = $1 AND subscription = $2",
    )
    .bind(run)
    .bind(row.subscription.as_str())
    .bind("twice the sender was lost in the middle of the SMTP dialogue")
    .bind(ms(lease.now))
    .execute(c)
    .await?
    .rows_affected());
    may_have_gone_out(tx, run, &row.subscription).await?;
    release_unsent(tx, run, &row.subscription).await
}

/// What a dialogue carried that was lost counts as read.
pub(super) async fn may_have_gone_out(tx: &mut Tx, run: i64, subscription: &str) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "UPDATE mail_item SET exposed = 2 WHERE run = $1 AND subscription = $2 AND exposed = 1",
    )
    .bind(run)
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

from_row!(LineRow {
    article: String,
    withdrawn: i64,
    revision: i64,
    included: i64,
    item_revision: i64,
    item_withdrawn: i64,
    reserved: i64,
    read_before: Option<i64>,
    told_before: Option<i64>,
});

/// A line's reservation beside its item: `reserved` is the highest revision any mail to that subscription has reserved,
/// `read_before` and `told_before` what another mail may have shown or corrected.
const LINES: &str = "SELECT r.article, r.withdrawn, r.revision, r.included, \
    i.revision AS item_revision, i.withdrawn AS item_withdrawn, \
    (SELECT MAX(o.revision) FROM mail_item AS o WHERE o.subscription = r.subscription AND o.article = r.article \
        AND o.withdrawn = r.withdrawn) AS reserved, \
    (SELECT MAX(o.revision) FROM mail_item AS o WHERE o.subscription = r.subscription AND o.article = r.article \
        AND o.withdrawn = 0 AND o.exposed > 0 AND o.run <> r.run) AS read_before, \
    (SELECT MAX(o.revision) FROM mail_item AS o WHERE o.subscription = r.subscription AND o.article = r.article \
        AND o.withdrawn = 1 AND o.exposed > 0 AND o.run <> r.run) AS told_before \
    FROM mail_item AS r JOIN item AS i ON i.article = r.article WHERE r.run = $1 AND r.subscription = $2";

impl LineRow {
    /// Whether the line belongs into the mail now.
    fn stands(&self) -> bool {
        let is_correction = self.withdrawn == 1;
        self.withdrawn == self.item_withdrawn
            && self.reserved == self.revision
            && (!is_correction || self.read_before.is_some())
    }

    fn kind(&self) -> ItemKind {
        if self.withdrawn == 1 {
            ItemKind::Correction
        } else if self.read_before.is_some() && self.told_before < self.read_before {
            ItemKind::Update
        } else {
            ItemKind::News
        }
    }
}

from_row!(ContentRow { content: Option<String>, reason: String });

/// Composes mails, reading each wish and each item's content once.
#[derive(Default)]
struct Composer {
    wishes: Wishes,
    contents: HashMap<String, (Content, String)>,
}

impl Composer {
    async fn compose(
        &mut self,
        tx: &mut Tx,
        run: i64,
        key: &RunKey,
        row: DueRow,
        in_dialogue: bool,
    ) -> Result<DueMail> {
        let subscription = subscription(tx, &row.subscription, &mut self.wishes).await?;
        let cell = row_of("mail", &row.subscription);
        Ok(DueMail {
            id: MailId { run, subscription: subscription.id.clone() },
            run: key.clone(),
            items: self.items(tx, run, &row.subscription).await?,
            attempts: cell.small("attempts", row.attempts + i64::from(in_dialogue))?,
            orphan: in_dialogue || row.orphaned == 1,
            subscription,
        })
    }

    async fn items(&mut self, tx: &mut Tx, run: i64, subscription: &str) -> Result<Vec<DigestItem>> {
        let lines: Vec<LineRow> = on!(&mut *tx, c: D => sqlx::query_as(LINES)
            .bind(run)
            .bind(subscription)
            .fetch_all(c)
            .await?);
        let mut items = Vec::with_capacity(lines.len());
        for line in lines {
            let stands = line.stands();
            if line.included != i64::from(stands) || (stands && line.revision != line.item_revision) {
                set_line(tx, run, subscription, &line, stands).await?;
            }
            if stands {
                let (content, reason) = self.content(tx, &line.article).await?;
                let cell = row_of("item", &line.article);
                items.push(DigestItem {
                    kind: line.kind(),
                    article: cell.text("article", line.article.clone())?,
                    revision: cell.count("revision", line.item_revision)?,
                    content,
                    reason,
                });
            }
        }
        let newest_first =
            |item: &DigestItem| std::cmp::Reverse((ms(item.content.published_at()), item.article.clone()));
        items.sort_by_key(|item| (item.kind, newest_first(item)));
        Ok(items)
    }

    async fn content(&mut self, tx: &mut Tx, article: &str) -> Result<(Content, String)> {
        if let Some(known) = self.contents.get(article) {
            return Ok(known.clone());
        }
        let row: ContentRow = on!(tx, c: D => sqlx::query_as("SELECT content, reason FROM item WHERE article = $1")
            .bind(article)
            .fetch_one(c)
            .await?);
        let json =
            row.content.ok_or_else(|| corrupt("item", "content", article, "is NULL, but a mail was made of it"))?;
        let read: (Content, String) = (row_of("item", &article).json("content", &json)?, row.reason);
        self.contents.insert(article.to_owned(), read.clone());
        Ok(read)
    }
}

/// Puts a line in, at the revision that stands now, or takes it out.
async fn set_line(tx: &mut Tx, run: i64, subscription: &str, line: &LineRow, stands: bool) -> Result<()> {
    let revision = if stands { line.item_revision } else { line.revision };
    on!(tx, c: D => sqlx::query(
        "UPDATE mail_item SET included = $5, revision = $6 \
         WHERE subscription = $1 AND article = $2 AND withdrawn = $3 AND revision = $4 AND run = $7",
    )
    .bind(subscription)
    .bind(line.article.as_str())
    .bind(line.withdrawn)
    .bind(line.revision)
    .bind(i64::from(stands))
    .bind(revision)
    .bind(run)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DigestStore;

    #[tokio::test]
    async fn a_claim_is_served_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = DigestStore::open(folder.path().join("digest.db")).await.unwrap();
        for statement in [NEXT_RUN, DUE, LINES] {
            store.db.assert_served_by_indexes(statement, &[]).await;
        }
        let lines = store.db.steps_of(LINES).await;
        assert!(
            lines[0].contains("run=? AND subscription=?"),
            "a mail costs its lines, not its reader's past: {lines:?}"
        );
    }
}
