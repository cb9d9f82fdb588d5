//! Goes through the rows that this outlet works with: items, runs, mails on the way, subscriptions.
#![expect(dead_code, reason = "columns are read to find out whether they can be")]

use super::{
    claim::NEXT_RUN,
    runs::{RUN_AFTER, RunRow},
};
use crate::{
    db::{Db, share_of, through, through_part},
    fault::Result,
    row::{Keyed, from_row, row_of},
};
use loa_domain::{Content, EmailAddress, Frequency, SubscriptionId, SubscriptionState};
use tokio::time::Instant;

from_row!(ItemRow in "item" by article {
    article: String,
    revision: i64,
    withdrawn: i64,
    event_id: String,
    content: Option<String>,
    content_revision: i64,
    content_event_id: String,
    category: String,
    published_at: i64,
    reason: String,
    accepted_at: i64,
    sequence: i64,
    shown_from: Option<i64>,
    upcoming: Option<String>,
});
from_row!(MailRow { subscription: String, state: String, attempts: i64, in_doubt: i64, name: String });
from_row!(WishedRow in "subscription" by id {
    id: String,
    email: String,
    frequency: String,
    state: String,
    token: String,
    token_hash: String,
    since: i64,
});

impl ItemRow {
    fn check(self) -> Result<()> {
        let cell = row_of("item", &self.article);
        cell.count("revision", self.revision)?;
        self.shown_from.map(|at| cell.time("shown_from", at)).transpose()?;
        self.upcoming.map(|json| cell.json::<Content>("upcoming", &json)).transpose()?;
        self.content.map(|json| cell.json::<Content>("content", &json)).transpose().map(drop)
    }
}

/// Named by run and subscription, and read run by run.
impl Keyed for MailRow {
    const TABLE: &'static str = "mail";
    const KEY: &'static str = "name";
    fn key(&self) -> String {
        self.name.clone()
    }
    fn after(&self) -> String {
        self.subscription.clone()
    }
}

impl MailRow {
    fn check(self) -> Result<()> {
        row_of("mail", &self.name).small("attempts", self.attempts).map(drop)
    }
}

impl WishedRow {
    fn check(self) -> Result<()> {
        let cell = row_of("subscription", &self.id);
        cell.text::<SubscriptionId>("id", self.id.clone())?;
        cell.text::<EmailAddress>("email", self.email.clone())?;
        cell.word("frequency", &self.frequency, Frequency::parse)?;
        cell.word("state", &self.state, SubscriptionState::parse)?;
        cell.time("since", self.since).map(drop)
    }
}

/// Reads them all, until it is time to end: then `false`. Each table has its share of the time.
pub(crate) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let text = String::new;
    let items = "SELECT article, revision, withdrawn, event_id, content, content_revision, content_event_id, category, \
                 published_at, reason, accepted_at, sequence, shown_from, upcoming \
                 FROM item WHERE article > $1 ORDER BY article LIMIT $2";
    let wishes = "SELECT s.id, p.email, s.frequency, s.state, s.token, s.token_hash, s.since \
                  FROM subscription AS s JOIN subscriber AS p ON p.id = s.subscriber \
                  WHERE s.id > $1 ORDER BY s.id LIMIT $2";
    Ok(through(db, wishes, text(), share_of(until, 4), WishedRow::check).await?
        & through(db, RUN_AFTER, 0_i64, share_of(until, 3), |run: RunRow| run.check()).await?
        & mails(db, share_of(until, 2)).await?
        & through(db, items, text(), until, ItemRow::check).await?)
}

/// Reads the mails on the way, run by run.
async fn mails(db: &Db, until: Instant) -> Result<bool> {
    let mails = "SELECT subscription, state, attempts, in_doubt, CAST(run AS TEXT) || '/' || subscription AS name FROM mail \
                 WHERE run = $3 AND ready_at IS NOT NULL AND subscription > $1 ORDER BY subscription LIMIT $2";
    let mut run = 0_i64;
    loop {
        let next: Option<i64> = read!(db, c => sqlx::query_scalar(NEXT_RUN).bind(run).fetch_one(c).await?);
        let Some(next) = next else { return Ok(true) };
        if !through_part(db, mails, Some(next), String::new(), until, MailRow::check).await? {
            return Ok(false);
        }
        run = next;
    }
}
