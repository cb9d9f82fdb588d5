//! Receipts of the digest outlet: tells the lines of a mail as its dialogue begins, and learns from receipts
//! after a restore, with the same effect as when it happened.
//!
//! A receipt is known already when its mail was changed at a later time than the receipt says. So receipts
//! can be learned twice, and from before the copy was made.

use super::{
    claim::may_have_gone_out,
    people::{Wishes, subscription},
    record::apply,
    runs::{find, run_key},
    subscribe::{add, carry, drop_unwished, forget_keys, let_go, mailbox, restart, wish_id},
    unconfirmed::{self, PendingRow},
    upcoming,
};
use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{from_row, ms, row_of, signed},
};
use loa_domain::{MailId, MailOutcome, SubscriptionState};
use loa_store::{MailBegun, MailLine, MailRecord, Receipt, SubscriptionReceipt, SubscriptionRequest};

from_row!(BegunRow { changed_at: Option<i64> });
from_row!(LineRow { article: String, withdrawn: i64, revision: i64 });

/// Those of these mails whose dialogue has begun and not ended, with what they say.
pub(super) async fn in_dialogue(db: &Db, ids: &[MailId]) -> Result<Vec<MailBegun>> {
    let mut tx = db.snapshot().await?;
    let mut told = Vec::with_capacity(ids.len());
    for id in ids {
        let mail: Option<BegunRow> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT changed_at FROM mail WHERE run = $1 AND subscription = $2 AND state = 'submitting'",
        )
        .bind(id.run)
        .bind(id.subscription.as_str())
        .fetch_optional(c)
        .await?);
        let Some(mail) = mail else { continue };
        let Some(run) = find(&mut tx, id.run).await? else { continue };
        let cell = row_of("run", &id.run);
        told.push(MailBegun {
            mail: id.clone(),
            run: run_key(&mut tx, id.run).await?,
            cutoff: cell.time("cutoff", run.cutoff)?,
            opened_at: cell.time("created_at", run.created_at)?,
            at: row_of("mail", &id.subscription).time("changed_at", mail.changed_at.unwrap_or_default())?,
            lines: lines(&mut tx, id).await?,
        });
    }
    Ok(told)
}

async fn lines(tx: &mut Tx, id: &MailId) -> Result<Vec<MailLine>> {
    let rows: Vec<LineRow> = on!(tx, c: D => sqlx::query_as(
        "SELECT article, withdrawn, revision FROM mail_item \
         WHERE run = $1 AND subscription = $2 AND included = 1 ORDER BY article, withdrawn",
    )
    .bind(id.run)
    .bind(id.subscription.as_str())
    .fetch_all(c)
    .await?);
    rows.into_iter()
        .map(|row| {
            let cell = row_of("mail_item", &id.subscription);
            Ok(MailLine {
                article: cell.text("article", row.article)?,
                withdrawn: row.withdrawn == 1,
                revision: cell.count("revision", row.revision)?,
            })
        })
        .collect()
}

/// Learns from receipts; returns how many are deferred.
pub(super) async fn learn(db: &Db, receipts: &[Receipt]) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut deferred = 0;
    for receipt in receipts {
        let learned = match receipt {
            Receipt::Subscription(told) => subscribed(&mut tx, told).await?,
            Receipt::MailBegun(begun) => mail_begun(&mut tx, begun).await?,
            Receipt::MailEnded(record) => mail_ended(&mut tx, record).await?,
            // another outlet's
            Receipt::Endpoint(_) | Receipt::Attempt(_) => true,
        };
        deferred += u64::from(!learned);
    }
    tx.commit().await?;
    Ok(deferred)
}

from_row!(StandingRow { id: String, subscriber: String, wish: i64 });

/// Makes a subscription stand as it is told. `false`: its mailbox has another of this frequency. A wish that nobody confirmed is
/// forgotten after some days without a receipt, so one of the copy gives way, and one that is told gives way to what stands.
async fn subscribed(tx: &mut Tx, told: &SubscriptionReceipt) -> Result<bool> {
    match stand(tx, told).await? {
        Stood::AsTold => Ok(true),
        Stood::Another(standing) => {
            if told.state == SubscriptionState::Pending {
                return Ok(true);
            }
            let before = subscription(tx, &standing.id, &mut Wishes::default()).await?;
            if before.state != SubscriptionState::Pending {
                return Ok(false);
            }
            let StandingRow { id, subscriber, wish } = standing;
            unconfirmed::end(tx, &PendingRow { id, subscriber, wish }).await?;
            Ok(matches!(stand(tx, told).await?, Stood::AsTold))
        }
    }
}

enum Stood {
    AsTold,
    Another(StandingRow),
}

async fn stand(tx: &mut Tx, told: &SubscriptionReceipt) -> Result<Stood> {
    upcoming::admit(tx, told.since).await?;
    let request = SubscriptionRequest {
        subscriber: told.subscriber.clone(),
        subscription: told.id.clone(),
        email: told.email.clone(),
        wish: told.wish.clone(),
        frequency: told.frequency,
        state: told.state,
        token: told.token.clone(),
        token_hash: told.token_hash.clone(),
        at: told.subscriber_since,
    };
    let mailbox = mailbox(tx, &request).await?;
    let wish = wish_id(tx, &told.wish).await?;
    let standing: Option<StandingRow> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT id, subscriber, wish FROM subscription WHERE subscriber = $1 AND frequency = $2",
    )
    .bind(mailbox.as_str())
    .bind(told.frequency.as_str())
    .fetch_optional(c)
    .await?);
    match standing {
        None => {
            add(tx, &mailbox, wish, &SubscriptionRequest { at: told.since, ..request }).await?;
        }
        Some(standing) if standing.id == told.id.as_str() => change(tx, &standing, wish, told).await?,
        Some(standing) => {
            drop_unwished(tx, wish).await?;
            return Ok(Stood::Another(standing));
        }
    }
    Ok(Stood::AsTold)
}

async fn change(tx: &mut Tx, standing: &StandingRow, wish: i64, told: &SubscriptionReceipt) -> Result<()> {
    let before = subscription(tx, &standing.id, &mut Wishes::default()).await?;
    let same = before.state == told.state && standing.wish == wish && ms(before.since) == ms(told.since);
    // told before what the copy knows; but that somebody has left is never passed over, whatever the clocks say
    let earlier = ms(told.since) < ms(before.since) && told.state != SubscriptionState::Unsubscribed;
    if same || earlier {
        if standing.wish != wish {
            drop_unwished(tx, wish).await?;
        }
        return Ok(());
    }
    let stays_active = before.state == SubscriptionState::Active && told.state == SubscriptionState::Active;
    if stays_active {
        carry(tx, &standing.id, wish).await?;
    } else {
        let_go(tx, &standing.id).await?;
    }
    restart(tx, &standing.id, told.state, Some(wish), told.since).await?;
    if told.state == SubscriptionState::Unsubscribed {
        forget_keys(tx, &standing.id).await?;
    }
    if standing.wish != wish {
        drop_unwished(tx, standing.wish).await?;
    }
    Ok(())
}

from_row!(MailRow { state: String, changed_at: Option<i64> });

impl MailRow {
    fn has_ended(&self) -> bool {
        !matches!(self.state.as_str(), "planned" | "submitting")
    }

    /// Whether a dialogue that began then is known: the mail was changed by it, later, or for good.
    fn knows_begin(&self, at_ms: i64) -> bool {
        self.has_ended() || self.changed_at.is_some_and(|changed| changed >= at_ms)
    }

    /// Whether the end, then, of a dialogue without success is known. It may begin and end in one millisecond.
    fn knows_end(&self, at_ms: i64) -> bool {
        let in_dialogue = self.state == "submitting";
        self.has_ended() || self.changed_at.is_some_and(|changed| changed > at_ms || (changed == at_ms && !in_dialogue))
    }
}

async fn mail(tx: &mut Tx, id: &MailId) -> Result<Option<MailRow>> {
    Ok(on!(tx, c: D => sqlx::query_as("SELECT state, changed_at FROM mail WHERE run = $1 AND subscription = $2")
        .bind(id.run)
        .bind(id.subscription.as_str())
        .fetch_optional(c)
        .await?))
}

/// Learns that a mail's dialogue began: from then on it may have been read. `false`: an article, the mailbox or the run's
/// place is not there (yet).
async fn mail_begun(tx: &mut Tx, begun: &MailBegun) -> Result<bool> {
    let id = &begun.mail;
    let Some(email_key) = email_key(tx, id).await? else { return Ok(false) };
    for line in &begun.lines {
        if !is_known(tx, line).await? {
            return Ok(false);
        }
    }
    if !make_run(tx, begun).await? {
        return Ok(false);
    }
    match mail(tx, id).await? {
        Some(row) if row.knows_begin(ms(begun.at)) => return Ok(true),
        // a second dialogue although the first has not ended: its sender was lost, and the first may have been read
        Some(row) if row.state == "submitting" => may_have_gone_out(tx, id.run, id.subscription.as_str()).await?,
        Some(_) => {}
        None => make_mail(tx, begun, &email_key).await?,
    }
    put_lines(tx, begun).await?;
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail SET in_doubt = CASE WHEN state = 'submitting' THEN 1 ELSE in_doubt END, \
         attempts = attempts + CASE WHEN state = 'submitting' THEN 1 ELSE 0 END, state = 'submitting', holder = NULL, \
         ready_at = $3, changed_at = $3 WHERE run = $1 AND subscription = $2",
    )
    .bind(id.run)
    .bind(id.subscription.as_str())
    .bind(ms(begun.at))
    .execute(c)
    .await?
    .rows_affected());
    Ok(true)
}

/// Learns how a dialogue ended. `false`: a mail that was sent is not there (yet).
async fn mail_ended(tx: &mut Tx, record: &MailRecord) -> Result<bool> {
    let sent = matches!(record.outcome, MailOutcome::Sent(_));
    let Some(row) = mail(tx, &record.id).await? else { return Ok(!sent) };
    if row.state == "sent" || (!sent && row.knows_end(ms(record.at))) {
        return Ok(true);
    }
    apply(tx, record, row.state == "submitting").await?;
    Ok(true)
}

async fn email_key(tx: &mut Tx, id: &MailId) -> Result<Option<String>> {
    Ok(on!(tx, c: D => sqlx::query_scalar(
        "SELECT p.email_key FROM subscription AS s JOIN subscriber AS p ON p.id = s.subscriber WHERE s.id = $1",
    )
    .bind(id.subscription.as_str())
    .fetch_optional(c)
    .await?))
}

async fn is_known(tx: &mut Tx, line: &MailLine) -> Result<bool> {
    let found: Option<String> = on!(tx, c: D => sqlx::query_scalar("SELECT article FROM item WHERE article = $1")
        .bind(line.article.as_str())
        .fetch_optional(c)
        .await?);
    Ok(found.is_some())
}

/// Makes the run that a mail belongs to, under its own number: `Message-ID`s are made of it. `false`: the number or the key
/// is another run's.
async fn make_run(tx: &mut Tx, begun: &MailBegun) -> Result<bool> {
    let id = begun.mail.run;
    let key = &begun.run;
    on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO run (id, frequency, due_on, slot, zone, cutoff, planned, planned_to, paused, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 1, '', NULL, $7) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(key.frequency.as_str())
    .bind(key.on.to_string())
    .bind(key.slot.as_str())
    .bind(key.zone.as_str())
    .bind(ms(begun.cutoff))
    .bind(ms(begun.opened_at))
    .execute(c)
    .await?
    .rows_affected());
    on!(&mut *tx, c: D => sqlx::query("UPDATE counter SET value = $1 WHERE name = 'run' AND value < $1")
        .bind(id)
        .execute(c)
        .await?
        .rows_affected());
    match find(tx, id).await? {
        Some(_) => Ok(run_key(tx, id).await? == *key),
        None => Ok(false),
    }
}

/// Makes a mail that the copy had not planned. Its run's audience counts as frozen from now on: planning it further would
/// meet people who have their mail of it.
async fn make_mail(tx: &mut Tx, begun: &MailBegun, email_key: &str) -> Result<()> {
    let made = on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO mail (run, subscription, email_key, state, ready_at, attempts, in_doubt, detail) \
         VALUES ($1, $2, $3, 'planned', $4, 0, 0, '') ON CONFLICT DO NOTHING",
    )
    .bind(begun.mail.run)
    .bind(begun.mail.subscription.as_str())
    .bind(email_key)
    .bind(ms(begun.at))
    .execute(c)
    .await?
    .rows_affected());
    if made > 0 {
        on!(&mut *tx, c: D => sqlx::query("UPDATE run SET planned = 1 WHERE id = $1 AND planned = 0")
            .bind(begun.mail.run)
            .execute(c)
            .await?
            .rows_affected());
    }
    Ok(())
}

/// Makes the mail's lines those that it was sent with, and ticks them off what is owed.
async fn put_lines(tx: &mut Tx, begun: &MailBegun) -> Result<()> {
    let (run, subscription) = (begun.mail.run, begun.mail.subscription.as_str());
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail_item SET included = 0 WHERE run = $1 AND subscription = $2 AND exposed = 0",
    )
    .bind(run)
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    for line in &begun.lines {
        put_line(tx, run, subscription, line).await?;
        let owed = if line.withdrawn {
            "DELETE FROM correction WHERE subscription = $1 AND article = $2"
        } else {
            "DELETE FROM carried WHERE subscription = $1 AND article = $2"
        };
        on!(&mut *tx, c: D => sqlx::query(owed)
            .bind(subscription)
            .bind(line.article.as_str())
            .execute(c)
            .await?
            .rows_affected());
    }
    owe_corrections(tx, run, subscription).await
}

async fn put_line(tx: &mut Tx, run: i64, subscription: &str, line: &MailLine) -> Result<()> {
    let (withdrawn, revision) = (i64::from(line.withdrawn), signed(line.revision)?);
    on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO mail_item (run, subscription, article, withdrawn, revision, included, exposed) \
         VALUES ($1, $2, $3, $4, $5, 1, 1) ON CONFLICT DO NOTHING",
    )
    .bind(run)
    .bind(subscription)
    .bind(line.article.as_str())
    .bind(withdrawn)
    .bind(revision)
    .execute(c)
    .await?
    .rows_affected());
    // the copy had planned it, perhaps at an earlier revision
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE mail_item SET included = 1, exposed = CASE WHEN exposed = 0 THEN 1 ELSE exposed END, \
         revision = CASE WHEN EXISTS (SELECT k.revision FROM mail_item AS k WHERE k.subscription = $2 AND k.article = $3 \
            AND k.withdrawn = $4 AND k.revision = $5) THEN mail_item.revision ELSE $5 END \
         WHERE run = $1 AND subscription = $2 AND article = $3 AND withdrawn = $4",
    )
    .bind(run)
    .bind(subscription)
    .bind(line.article.as_str())
    .bind(withdrawn)
    .bind(revision)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// What was withdrawn before it was learnt that it had gone out.
async fn owe_corrections(tx: &mut Tx, run: i64, subscription: &str) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "INSERT INTO correction (subscription, article) SELECT m.subscription, m.article FROM mail_item AS m \
         JOIN item AS i ON i.article = m.article \
         WHERE m.run = $1 AND m.subscription = $2 AND m.withdrawn = 0 AND m.exposed > 0 AND i.withdrawn = 1 AND NOT EXISTS \
            (SELECT k.article FROM mail_item AS k WHERE k.subscription = m.subscription AND k.article = m.article \
             AND k.withdrawn = 1 AND k.revision >= m.revision) \
         ON CONFLICT (subscription, article) DO NOTHING",
    )
    .bind(run)
    .bind(subscription)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}
