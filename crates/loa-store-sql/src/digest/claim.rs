//! Claiming due mails, oldest run first, without paused runs. A mail's lines are read anew: a line is dropped
//! if its article was withdrawn since planning and the mail cannot have been read; an edited article reads
//! as edited.

use super::{
    people::{Wishes, subscription},
    record::release_unsent,
    runs::run_key,
};
use crate::{
    db::{Db, Locking, Tx},
    fault::{Result, corrupt},
    restoring::refuse_during_restore,
    row::{Kept, SET_ASIDE_MS, from_row, ms, row_of},
};
use loa_domain::{Content, ItemKind, MailId, MailReason, RunKey};
use loa_store::{DigestItem, DueMail, Lease};
use std::collections::HashMap;

/// The next run after $1 that has mails on the way.
pub(super) const NEXT_RUN: &str = "SELECT MIN(run) FROM mail WHERE ready_at IS NOT NULL AND run > $1";
/// Due mails of a run; claimed, they are locked too, and those that somebody else has locked are passed over.
pub(super) const DUE: &str = "SELECT subscription, state, attempts, in_doubt, CAST(run AS TEXT) || '/' || subscription AS name \
    FROM mail WHERE run = $1 AND ready_at IS NOT NULL AND ready_at <= $2 ORDER BY ready_at, subscription LIMIT $3";

from_row!(DueRow in "mail" by name {
    subscription: String,
    state: String,
    attempts: i64,
    in_doubt: i64,
    name: String,
});

/// Lines after which a claim ends: bounds its memory. Mostly a mail has a few, and `max` comes first.
const LINES_MAX: usize = 5_000;

/// Claims due mails. A mail whose lease ended in `submitting` comes once more, in doubt; the second time it is over.
pub(super) async fn claim(db: &Db, lease: &Lease, max: u32) -> Result<Vec<DueMail>> {
    let mut tx = db.begin_shared().await?;
    refuse_during_restore(&mut tx, "digest").await?;
    let mut claimed = Claimed { mails: Vec::new(), mails_max: max as usize, lines: 0 };
    let mut composer = Composer::default();
    let mut run = 0_i64;
    while !claimed.is_full() {
        let next: Option<i64> = on!(&mut tx, c: D => sqlx::query_scalar(NEXT_RUN).bind(run).fetch_one(c).await?);
        let Some(next) = next else { break };
        run = next;
        // one of which it cannot be read is stopped, and told, until somebody has seen to it
        let paused = is_paused(&mut tx, run).await;
        if tx.found().sort_part("run", run, paused)?.unwrap_or(true) {
            continue;
        }
        let unreadable = tx.found().unreadable_in("mail");
        claim_of_run(&mut tx, run, lease, &mut composer, &mut claimed).await?;
        if tx.found().unreadable_in("mail") > unreadable {
            run = next - 1; // others of this run stand behind those that cannot be read
        }
    }
    tx.commit().await?;
    Ok(claimed.mails)
}

/// What a claim has so far.
struct Claimed {
    mails: Vec<DueMail>,
    mails_max: usize,
    /// Of all these mails.
    lines: usize,
}

impl Claimed {
    fn is_full(&self) -> bool {
        self.lines >= LINES_MAX || self.mails.len() >= self.mails_max
    }

    fn room(&self) -> usize {
        self.mails_max.saturating_sub(self.mails.len())
    }
}

/// Claims due mails of one run, as far as there is room.
async fn claim_of_run(
    tx: &mut Tx,
    run: i64,
    lease: &Lease,
    composer: &mut Composer,
    claimed: &mut Claimed,
) -> Result<()> {
    // those that cannot be read take nobody's place
    let asked = claimed.room().saturating_add(tx.found().unreadable_in("mail"));
    let free = tx.locking(DUE, Locking::FreeRows);
    let due: Vec<Kept<DueRow>> = on!(&mut *tx, c: D => sqlx::query_as(free)
        .bind(run)
        .bind(ms(lease.now))
        .bind(i64::try_from(asked).unwrap_or(i64::MAX))
        .fetch_all(c)
        .await?);
    let due = tx.found().rows(due);
    if due.is_empty() {
        return Ok(());
    }
    let read = run_key(tx, run).await;
    let Some(key) = tx.found().sort("run", run, read)? else { return Ok(()) };
    for row in due {
        if claimed.is_full() {
            break; // what was only read stays due
        }
        if let Some(mail) = claim_one(tx, run, &key, row, lease, composer).await? {
            claimed.lines += mail.items.len();
            claimed.mails.push(mail);
        }
    }
    Ok(())
}

/// Claims one mail; `None` when it is over, or cannot be read or written now.
async fn claim_one(
    tx: &mut Tx,
    run: i64,
    key: &RunKey,
    row: DueRow,
    lease: &Lease,
    composer: &mut Composer,
) -> Result<Option<DueMail>> {
    let in_dialogue = row.state == "submitting";
    let (id, name) = (row.subscription.clone(), row.name.clone());
    if in_dialogue && row.in_doubt == 1 {
        let given_up = give_up(tx, run, &row, lease).await;
        tx.found().sort("mail", &name, given_up)?;
        return Ok(None);
    }
    let written = put_under_lease(tx, run, &row, in_dialogue, lease).await;
    if tx.found().sort_part("mail", &name, written)?.is_none() {
        return Ok(None); // nobody can write it, so it stays due
    }
    let read = composer.compose(tx, run, key, row, in_dialogue).await;
    let mail = tx.found().sort("mail", &name, read)?.flatten();
    if mail.is_none() {
        set_aside(tx, run, &id, lease).await?;
    }
    Ok(mail)
}

/// Tries a mail again later that cannot be read, or nothing of what it is to say.
async fn set_aside(tx: &mut Tx, run: i64, subscription: &str, lease: &Lease) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE mail SET holder = NULL, ready_at = $3 WHERE run = $1 AND subscription = $2")
        .bind(run)
        .bind(subscription)
        .bind(ms(lease.now).saturating_add(SET_ASIDE_MS))
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

from_row!(PausedRow { paused: Option<String> });

async fn is_paused(tx: &mut Tx, run: i64) -> Result<bool> {
    let row: PausedRow = on!(tx, c: D => sqlx::query_as("SELECT paused FROM run WHERE id = $1")
        .bind(run)
        .fetch_one(c)
        .await?);
    Ok(row.paused.is_some())
}

async fn put_under_lease(tx: &mut Tx, run: i64, row: &DueRow, in_dialogue: bool, lease: &Lease) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail SET state = 'planned', holder = $3, ready_at = $4, \
         in_doubt = CASE WHEN $5 = 1 THEN 1 ELSE in_doubt END, attempts = attempts + $5 \
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

/// Its lines first: if one of these cannot be written, the mail has not ended.
async fn give_up(tx: &mut Tx, run: i64, row: &DueRow, lease: &Lease) -> Result<()> {
    may_have_gone_out(tx, run, &row.subscription).await?;
    release_unsent(tx, run, &row.subscription).await?;
    on!(tx, c: D => sqlx::query(
        "UPDATE mail SET state = 'uncertain', holder = NULL, ready_at = NULL, attempts = attempts + 1, reason = $3, detail = '', \
         changed_at = $4 WHERE run = $1 AND subscription = $2",
    )
    .bind(run)
    .bind(row.subscription.as_str())
    .bind(MailReason::LostTwice.as_str())
    .bind(ms(lease.now))
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
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

from_row!(LineRow in "mail_item" by article {
    article: String,
    withdrawn: i64,
    revision: i64,
    included: i64,
    item_revision: i64,
    item_withdrawn: i64,
    item_shown_from: Option<i64>,
    reserved: i64,
    read_before: Option<i64>,
    told_before: Option<i64>,
});

/// A line's reservation beside its item: `reserved` is the highest revision any mail to that subscription has reserved,
/// `read_before` and `told_before` what another mail may have shown or corrected.
const LINES: &str = "SELECT r.article, r.withdrawn, r.revision, r.included, \
    i.revision AS item_revision, i.withdrawn AS item_withdrawn, i.shown_from AS item_shown_from, \
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
            && self.item_shown_from.is_none()
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
    /// `None`: it cannot be read.
    contents: HashMap<String, Option<(Content, String)>>,
}

impl Composer {
    async fn compose(
        &mut self,
        tx: &mut Tx,
        run: i64,
        key: &RunKey,
        row: DueRow,
        in_dialogue: bool,
    ) -> Result<Option<DueMail>> {
        let subscription = subscription(tx, &row.subscription, &mut self.wishes).await?;
        let cell = row_of("mail", &row.name);
        let (items, unreadable) = self.items(tx, run, &row.subscription).await?;
        if items.is_empty() && unreadable > 0 {
            return Ok(None);
        }
        Ok(Some(DueMail {
            id: MailId { run, subscription: subscription.id.clone() },
            run: key.clone(),
            items,
            attempts: cell.small("attempts", row.attempts + i64::from(in_dialogue))?,
            in_doubt: in_dialogue || row.in_doubt == 1,
            subscription,
        }))
    }

    /// The lines as they stand now, and how many cannot be read: those are left out, and stay owed.
    async fn items(&mut self, tx: &mut Tx, run: i64, subscription: &str) -> Result<(Vec<DigestItem>, usize)> {
        let lines: Vec<Kept<LineRow>> = on!(&mut *tx, c: D => sqlx::query_as(LINES)
            .bind(run)
            .bind(subscription)
            .fetch_all(c)
            .await?);
        // of a line that cannot be read nobody knows whose it is: its mail waits
        let lines = lines.into_iter().map(Kept::read).collect::<Result<Vec<_>>>()?;
        let (mut items, mut unreadable) = (Vec::with_capacity(lines.len()), 0);
        for line in lines {
            let item = if line.stands() { self.item(tx, &line).await? } else { None };
            let stands = item.is_some();
            if line.stands() && !stands {
                unreadable += 1;
                carry(tx, subscription, &line).await?;
            }
            if line.included != i64::from(stands) || (stands && line.revision != line.item_revision) {
                set_line(tx, run, subscription, &line, stands).await?;
            }
            items.extend(item);
        }
        let newest_first =
            |item: &DigestItem| std::cmp::Reverse((ms(item.content.published_at()), item.article.clone()));
        items.sort_by_key(|item| (item.kind, newest_first(item)));
        Ok((items, unreadable))
    }

    /// A line that stands; `None`: its item cannot be read.
    async fn item(&mut self, tx: &mut Tx, line: &LineRow) -> Result<Option<DigestItem>> {
        let known = self.contents.get(&line.article).cloned();
        let content = match known {
            Some(known) => known,
            None => {
                let read = read_content(tx, &line.article).await;
                let content = tx.found().sort("item", &line.article, read)?;
                self.contents.insert(line.article.clone(), content.clone());
                content
            }
        };
        let Some((content, reason)) = content else { return Ok(None) };
        let read = || {
            let cell = row_of("item", &line.article);
            let (article, revision) =
                (cell.text("article", line.article.clone())?, cell.count("revision", line.item_revision)?);
            Ok(DigestItem { kind: line.kind(), article, revision, content, reason })
        };
        let read = read();
        tx.found().sort("item", &line.article, read)
    }
}

async fn read_content(tx: &mut Tx, article: &str) -> Result<(Content, String)> {
    let row: ContentRow = on!(tx, c: D => sqlx::query_as("SELECT content, reason FROM item WHERE article = $1")
        .bind(article)
        .fetch_one(c)
        .await?);
    let json = row.content.ok_or_else(|| corrupt("item", "content", article, "is NULL, but a mail was made of it"))?;
    Ok((row_of("item", &article).json("content", &json)?, row.reason))
}

/// A line that cannot be read now is owed to a later mail. (What a correction is owed by stays as it is: its line is released
/// when the mail has ended.)
async fn carry(tx: &mut Tx, subscription: &str, line: &LineRow) -> Result<()> {
    if line.withdrawn == 1 {
        return Ok(());
    }
    on!(tx, c: D => sqlx::query(
        "INSERT INTO carried (subscription, article) VALUES ($1, $2) ON CONFLICT (subscription, article) DO NOTHING",
    )
    .bind(subscription)
    .bind(line.article.as_str())
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
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
