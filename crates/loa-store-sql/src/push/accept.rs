//! Accepting events: the original bytes once, and one delivery for each endpoint that wants the event.
//!
//! What is dated in the future waits (`accept/upcoming.rs`). Which of several versions may go out is decided by
//! `loa_domain::standing`; here is written down what follows for deliveries.

pub(super) mod upcoming;

use self::upcoming::Known;
use super::endpoints;
use crate::{
    counter,
    db::{Db, Tx},
    fault::Result,
    row::{ms, signed},
    seen::{self, CHUNK, Fresh},
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, DeliveryState, EndpointId, Event, EventType, Standing, Version, standing_of};
use loa_store::Accepted;
use sqlx::QueryBuilder;
use std::collections::{HashMap, hash_map::Entry};

/// An event whose deliveries are to be planned; its bytes are kept.
pub(super) struct Owed {
    /// Its number.
    pub(super) event: i64,
    pub(super) event_type: EventType,
    pub(super) article: String,
    pub(super) version: Version,
}

/// A delivery on its way in.
struct Planned<'a> {
    owed: &'a Owed,
    endpoint: &'a EndpointId,
    state: DeliveryState,
}

/// What follows from a fresh event, beside that it was seen.
enum Follows {
    /// It is owed to endpoints.
    Owed,
    /// It waits for its time, or (`None`) a newer version came before it that is itself not to be seen: it never goes out.
    Waits(Option<Timestamp>),
    /// Nothing: a withdrawal of what nobody was ever shown.
    Nothing,
}

/// Takes a batch in.
pub(super) async fn accept(db: &Db, batch: &[Event], at: Timestamp) -> Result<Accepted> {
    let mut tx = db.begin().await?;
    // what came before this batch by its time is taken in before it
    let admitted = upcoming::admit(&mut tx, at).await?;
    let unknown = seen::unknown(&mut tx, batch, |event| event, |event| &mut event.key).await?;
    let mut articles: HashMap<ArticleKey, Known> = HashMap::new();
    let mut accepted = Accepted { duplicates: unknown.duplicates, reused: unknown.reused, ..Accepted::default() };
    let (mut fresh, mut follows) = (Vec::new(), Vec::new());
    for event in &unknown.fresh {
        let event = event.as_ref();
        let article = match articles.entry(event.subject()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let known = upcoming::known(&mut tx, vacant.key().as_str()).await?;
                vacant.insert(known)
            }
        };
        let version = event.version();
        let stale = article.highest.as_ref().is_some_and(|highest| *highest > version);
        accepted.fresh += 1;
        accepted.stale += u64::from(stale);
        fresh.push(Fresh { event, stale });
        follows.push(follow(article, event, version, stale, at));
    }
    if fresh.is_empty() && admitted == 0 {
        return Ok(accepted); // nothing was written: the transaction ends by being dropped
    }
    seen::note(&mut tx, &fresh, at).await?;
    let owed = keep(&mut tx, &fresh, &follows).await?;
    plan(&mut tx, &owed, at).await?;
    for (article, known) in &articles {
        upcoming::drop_lower(&mut tx, article.as_str(), known, at).await?;
    }
    tx.commit().await?;
    Ok(accepted)
}

/// What follows from an event, and from now on is known of its article.
fn follow(article: &mut Known, event: &Event, version: Version, stale: bool, at: Timestamp) -> Follows {
    let never_shown = article.never_shown();
    let highest_is_unseen = article.shown_from.is_some()
        || (never_shown && article.highest.as_ref().is_some_and(|highest| highest.withdrawn));
    let shown_from = match standing_of(event, at) {
        Standing::NotYet { from } => Some(from),
        _ => None,
    };
    // nobody is shown it any more, so that its withdrawal has nothing to tell, and the next one that comes late neither goes out
    let is_too_late = stale && !version.withdrawn && highest_is_unseen;
    if !version.withdrawn {
        article.publications += 1;
        article.unseen += u64::from(shown_from.is_some() || is_too_late);
    }
    if !stale {
        article.highest = Some(version.clone());
        article.shown_from = shown_from;
        article.moved = true;
    }
    match shown_from {
        Some(from) => Follows::Waits((!stale).then_some(from)),
        None if is_too_late => Follows::Waits(None),
        None if version.withdrawn && never_shown => Follows::Nothing,
        None => Follows::Owed,
    }
}

/// Keeps the bytes of what is owed to an endpoint now, or to any at its time.
async fn keep(tx: &mut Tx, fresh: &[Fresh<'_>], follows: &[Follows]) -> Result<Vec<Owed>> {
    let endpoints = endpoints::wants(tx).await?;
    let is_wanted = |event: &Event| endpoints.iter().any(|endpoint| endpoint.wants(event.event_type));
    let kept: Vec<(&Event, &Follows)> = fresh
        .iter()
        .zip(follows)
        .map(|(one, follows)| (one.event, follows))
        .filter(|(event, follows)| match follows {
            Follows::Owed => is_wanted(event),
            Follows::Waits(from) => from.is_some(),
            Follows::Nothing => false,
        })
        .collect();
    let numbered: Vec<(i64, &Event)> = match kept.len() {
        0 => Vec::new(),
        count => (counter::take(tx, "event", count).await?..).zip(kept.iter().map(|(event, _)| *event)).collect(),
    };
    freeze(tx, &numbered).await?;
    let mut owed = Vec::new();
    for ((number, event), (_, follows)) in numbered.iter().zip(&kept) {
        match follows {
            Follows::Owed => owed.push(Owed {
                event: *number,
                event_type: event.event_type,
                article: event.subject().to_string(),
                version: event.version(),
            }),
            Follows::Waits(from) => upcoming::wait(tx, event, from.map(|from| (*number, from))).await?,
            Follows::Nothing => {}
        }
    }
    for (one, follows) in fresh.iter().zip(follows) {
        if matches!(follows, Follows::Waits(None)) {
            upcoming::wait(tx, one.event, None).await?;
        }
    }
    Ok(owed)
}

/// Owes events to the endpoints that want them.
pub(super) async fn plan(tx: &mut Tx, owed: &[Owed], at: Timestamp) -> Result<()> {
    if owed.is_empty() {
        return Ok(());
    }
    let endpoints = endpoints::wants(tx).await?;
    let mut planned = Vec::new();
    for one in owed {
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.wants(one.event_type)).map(|endpoint| &endpoint.id)
        {
            let undone = newer_delivered(tx, endpoint.as_str(), &one.article, &one.version).await?;
            let state = if undone { DeliveryState::Superseded } else { DeliveryState::Pending };
            planned.push(Planned { owed: one, endpoint, state });
        }
    }
    if planned.is_empty() { Ok(()) } else { owe(tx, &planned, at).await }
}

/// Whether a newer version of the article was delivered to the endpoint.
pub(super) async fn newer_delivered(tx: &mut Tx, endpoint: &str, article: &str, version: &Version) -> Result<bool> {
    let found: Option<i64> = on!(tx, c: D => sqlx::query_scalar(
        "SELECT number FROM delivery WHERE endpoint = $1 AND article = $2 AND state = 'delivered' \
         AND (revision, withdrawn, version_id) > ($3, $4, $5) LIMIT 1",
    )
    .bind(endpoint)
    .bind(article)
    .bind(signed(version.revision)?)
    .bind(i64::from(version.withdrawn))
    .bind(version.event_id.as_str())
    .fetch_optional(c)
    .await?);
    Ok(found.is_some())
}

async fn freeze(tx: &mut Tx, numbered: &[(i64, &Event)]) -> Result<()> {
    for chunk in numbered.chunks(CHUNK) {
        on!(&mut *tx, c: D => {
            let mut query =
                QueryBuilder::<D>::new("INSERT INTO event (id, event_source, event_id, event_type, body) ");
            query.push_values(chunk, |mut row, (number, event)| {
                row.push_bind(*number)
                    .push_bind(event.key.source.as_str())
                    .push_bind(event.key.id.as_str())
                    .push_bind(event.event_type.as_str())
                    .push_bind(event.original_bytes.as_slice());
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

async fn owe(tx: &mut Tx, planned: &[Planned<'_>], at: Timestamp) -> Result<()> {
    let first = counter::take(tx, "delivery", planned.len()).await?;
    let mut rows = Vec::with_capacity(planned.len());
    for (number, one) in (first..).zip(planned) {
        rows.push((number, one, signed(one.owed.version.revision)?));
    }
    for chunk in rows.chunks(CHUNK) {
        on!(&mut *tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO delivery (number, endpoint, event, article, revision, withdrawn, version_id, state, \
                 ready_at, tries, attempts, created_at, changed_at) ",
            );
            query.push_values(chunk, |mut row, (number, one, revision)| {
                row.push_bind(*number)
                    .push_bind(one.endpoint.as_str())
                    .push_bind(one.owed.event)
                    .push_bind(one.owed.article.as_str())
                    .push_bind(*revision)
                    .push_bind(i64::from(one.owed.version.withdrawn))
                    .push_bind(one.owed.version.event_id.as_str())
                    .push_bind(one.state.as_str())
                    .push_bind((one.state == DeliveryState::Pending).then_some(ms(at)))
                    .push_bind(0_i64)
                    .push_bind(0_i64)
                    .push_bind(ms(at))
                    .push_bind(ms(at));
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}
