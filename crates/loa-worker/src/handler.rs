//! What a service does with messages, and the two decisions that are the same for every service: what a message decodes
//! to, and what follows when a ledger does not take a batch.
//!
//! Messages come from `consume.rs`, events go to a service's ledger. Nothing here knows which service or broker it is.

use async_trait::async_trait;
use loa_area::Directory;
use loa_bus::{DeadReason, Message, Received};
use loa_domain::{
    Calendar, Change, Content, DeadCause, Event, Flaw, HeaderType, PUBLISHED_REVISION_MAX, Portal, PortalList, Quoted,
    Whose,
};
use loa_store::{StoreError, StoreErrorKind};
use loa_words::Language;
use std::error::Error;

/// What a service does with messages.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// A decoded message.
    type Item: Clone + Send + Sync + 'static;

    /// Decodes a message: pure. `Err` sends it to the dead letters.
    ///
    /// # Errors
    /// The reason and position, for an operator.
    fn decode(&self, message: &Message) -> Result<Self::Item, DeadReason>;

    /// Brings up to date by what messages are decoded, after one was refused that may be understood meanwhile (its source was
    /// not known). Default: there is nothing to bring.
    ///
    /// # Errors
    /// When that cannot be done and no message may be judged before it is: the batch is held.
    async fn refresh(&self) -> Result<(), AcceptError> {
        Ok(())
    }

    /// Takes a batch into the ledger, in one transaction, in the given order. Repeats are no change.
    ///
    /// # Errors
    /// See [`AcceptError`]; nothing of the batch may have been kept.
    async fn accept(&self, batch: Vec<Self::Item>) -> Result<(), AcceptError>;
}

/// Why a batch was not accepted, by what the loop does about it.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The ledger is away or damaged: hold the batch and try again in place, for as long as it takes.
    #[error("the ledger is away")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Another replica wrote the same rows at the same moment: try the same batch again in place, a few times.
    #[error("another replica was first")]
    Conflict(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else: find the message at fault and give it back.
    #[error("the batch was not accepted")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// What follows when a ledger does not take a batch: the one policy of all services.
///
/// `Conflict` means in each ledger that a row was there already when it was written, although it was not when the
/// transaction looked. Another replica has accepted the same event; the next try sees its rows. A conflict that stays is a
/// defect, so the loop counts the tries. `Corrupt` lies in the ledger: no message is at fault, whichever of them met the row
/// that cannot be read, so they are held like those of a ledger that is away. (Ledgers set such rows aside where they can.)
/// `Stale`, `NotFound` and `Rejected` lie in the batch, and do not pass by themselves.
pub fn accept_error(error: StoreError) -> AcceptError {
    match error.kind {
        StoreErrorKind::Unavailable | StoreErrorKind::Corrupt => AcceptError::Unavailable(error.into()),
        StoreErrorKind::Conflict => AcceptError::Conflict(error.into()),
        StoreErrorKind::Stale | StoreErrorKind::NotFound | StoreErrorKind::Rejected => {
            AcceptError::Failed(error.into())
        }
    }
}

/// Decodes a message into an event, with the areas of this directory on the days of this calendar, and refuses a revision that is beyond reason
/// ([`PUBLISHED_REVISION_MAX`]). What was left out of it is logged: a producer on the bus has no answer to read it in.
///
/// Its source says whose it is. What names no area and shows none is about its portal's, where the portal has one.
pub fn decode_event(
    message: &Message,
    directory: &Directory,
    calendar: &Calendar,
    portals: &PortalList,
) -> Result<Event, DeadReason> {
    // what a retired portal published before may be sent again, and what it takes back is gone
    let event = decode_message(message, directory, calendar)?;
    let may_be_retired = event.event_type.is_withdrawal() || message.headers.contains_key(REPLAY_HEADER);
    as_portals(event, directory, portals, may_be_retired)
}

/// As [`decode_event`], whosever it is.
///
/// # Errors
/// The refusal's sentence and position: the message will never be an event.
pub fn decode_message(message: &Message, directory: &Directory, calendar: &Calendar) -> Result<Event, DeadReason> {
    let content_type = Some(message.content_type.as_str()).filter(|text| !text.is_empty());
    let id = Some(message.id.as_str()).filter(|id| !id.is_empty());
    loa_event::decode_with_notes(content_type, &message.headers, id, &message.body, directory, calendar)
        .and_then(|(event, notes)| {
            if let Some(content) = event.content() {
                loa_event::within_reason(content.revision(), PUBLISHED_REVISION_MAX)?;
            }
            for note in notes {
                tracing::info!(article = %event.subject(), event = %event.key.id, note = %note.sentence(), "an event is taken, and not all of it as it was sent");
            }
            Ok(event)
        })
        .map_err(|refusal| dead(refusal.position(), refusal.flaw))
}

/// The reason of a message that is no event which can be taken.
fn dead(position: String, flaw: Flaw) -> DeadReason {
    let reason = Language::English.words().flaw(&flaw);
    DeadReason { reason, cause: Some(DeadCause::Flaw(flaw)), position }
}

/// The header by which an outlet tells a replayed event from a first one.
pub const REPLAY_HEADER: &str = "loa-replay";

/// The event, as its source's portal's. `may_be_retired`: also as one's that publishes no more.
///
/// # Errors
/// The source is no portal's, or a retired one's; the sentence says what to do.
pub fn as_portals(
    event: Event,
    directory: &Directory,
    portals: &PortalList,
    may_be_retired: bool,
) -> Result<Event, DeadReason> {
    let source = || Quoted::new(&event.key.source);
    let refuse = |flaw| Err(dead(SOURCE.to_owned(), flaw));
    match portals.whose(&event.key.source) {
        Whose::Of(portal) => Ok(placed(event, directory, portal)),
        // what happened before is not less true for having arrived after it
        Whose::Retired(portal)
            if may_be_retired || event.time.is_some_and(|at| portal.retired_at.is_none_or(|end| at < end)) =>
        {
            Ok(placed(event, directory, portal))
        }
        Whose::Retired(portal) => refuse(Flaw::RetiredSource { source: source(), portal: portal.slug.clone() }),
        Whose::Unknown => refuse(Flaw::UnknownSource { source: source() }),
    }
}

/// The event as this portal's. What names no area and shows none is about the portal's.
fn placed(mut event: Event, directory: &Directory, portal: &Portal) -> Event {
    event.portal = portal.key_slug().cloned();
    if let (Some(area), Change::Live(content)) = (&portal.area, &mut event.change) {
        let areas = match &mut **content {
            Content::Article(article) => &mut article.areas,
            Content::Document(document) => &mut document.areas,
        };
        if areas.is_empty() {
            areas.push(area.clone());
            event.reach = directory.reach(areas);
            event.reach.sort();
            event.reach.dedup();
        }
    }
    event
}

/// The position of a refusal that another list of portals may take back.
pub(crate) const SOURCE: &str = "/source";

/// Why a message is no event whatever its other headers say: an attribute of an event in binary mode has a type without one
/// text. A header without a value counts as absent, unless every event needs it.
pub(crate) fn odd_attribute(received: &Received) -> Option<DeadReason> {
    let content_type = received.message.content_type.as_str();
    if content_type.get(..MEDIA_TYPES.len()).is_some_and(|head| head.eq_ignore_ascii_case(MEDIA_TYPES)) {
        return None; // in structured mode headers are not looked at
    }
    received.odd_headers.iter().find_map(|(header, found)| {
        let name = loa_event::attribute_name(header)?;
        if *found == HeaderType::Void && !REQUIRED.contains(&name.as_str()) {
            return None;
        }
        let flaw = Flaw::HeaderType { header: header.as_str().into(), found: *found };
        Some(dead(format!("/{name}"), flaw))
    })
}

/// How the content type of an event in structured mode begins.
const MEDIA_TYPES: &str = "application/cloudevents";
/// The attributes that every event needs.
const REQUIRED: [&str; 5] = ["specversion", "type", "source", "id", "subject"];

#[cfg(test)]
mod tests {
    use super::*;
    use loa_bus::{OddHeaders, Tag};

    #[test]
    fn a_ledger_that_is_away_or_damaged_holds_a_conflict_is_tried_again_and_all_else_is_isolated() {
        let policy = |kind| match accept_error(StoreError::new(kind, "it was so")) {
            AcceptError::Unavailable(_) => "hold",
            AcceptError::Conflict(_) => "again",
            AcceptError::Failed(_) => "isolate",
        };
        assert_eq!(policy(StoreErrorKind::Unavailable), "hold");
        assert_eq!(policy(StoreErrorKind::Corrupt), "hold", "what lies in the ledger is no message's fault");
        assert_eq!(policy(StoreErrorKind::Conflict), "again");
        for kind in [StoreErrorKind::Stale, StoreErrorKind::NotFound, StoreErrorKind::Rejected] {
            assert_eq!(policy(kind), "isolate", "{kind:?}");
        }
    }

    #[test]
    fn what_is_no_event_is_a_dead_letter_with_reason_and_position() {
        let message = Message {
            id: String::new(),
            content_type: "application/cloudevents+json".to_owned(),
            headers: std::collections::BTreeMap::new(),
            body: r#"{"specversion": "0.3"}"#.into(),
        };
        let dead = decode_event(&message, &Directory::empty(), &Calendar::new(jiff::tz::TimeZone::UTC), &portals())
            .unwrap_err();
        assert_eq!(dead.position, "/specversion");
        assert!(dead.reason.contains("specversion"), "{}", dead.reason);
    }

    fn portal(slug: &str, source: &str) -> Portal {
        Portal {
            slug: slug.parse().unwrap(),
            name: slug.to_owned(),
            url: source.parse().unwrap(),
            source: source.to_owned(),
            tag_authority: format!("{slug}.example"),
            tag_date: jiff::civil::date(2026, 7, 1),
            area: None,
            added_at: jiff::Timestamp::UNIX_EPOCH,
            retired_at: None,
        }
    }

    fn portals() -> PortalList {
        let retired = Portal { retired_at: Some(jiff::Timestamp::UNIX_EPOCH), ..portal("cu", "https://cu.vn/") };
        let commune = Portal { area: Some("na-son-2025".parse().unwrap()), ..portal("na-son", "https://na-son.vn/") };
        PortalList::of(portal(loa_domain::HOME, "https://a.vn/"), vec![retired, commune])
    }

    fn published_by(source: &str) -> Result<Event, DeadReason> {
        event_of(source, "published", &[])
    }

    fn event_of(source: &str, verb: &str, headers: &[(&str, &str)]) -> Result<Event, DeadReason> {
        let body = format!(
            r#"{{"specversion":"1.0","id":"e","source":"{source}","subject":"tin-1","type":"vn.loa.article.{verb}.v1",
            "data":{{"id":"tin-1","revision":1,"url":"https://a.vn/a","title":"T","category":{{"slug":"s"}},
            "published_at":"2026-11-29T08:00:00Z","at":"2026-11-29T08:00:00Z"}}}}"#
        );
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let message = Message {
            id: String::new(),
            content_type: "application/cloudevents+json".to_owned(),
            headers,
            body: body.into(),
        };
        decode_event(&message, &Directory::empty(), &Calendar::new(jiff::tz::TimeZone::UTC), &portals())
    }

    #[test]
    fn an_event_is_its_sources_portals_and_one_id_of_two_portals_is_two_subjects() {
        let (home, other) = (published_by("https://a.vn/").unwrap(), published_by("https://na-son.vn/").unwrap());
        assert_eq!((home.subject().as_str(), other.subject().as_str()), ("tin-1", "na-son tin-1"));
        assert!(home.reach.is_empty());
        assert_eq!(other.reach, ["na-son-2025".parse().unwrap()], "what names no area is about its portal's");
        assert_eq!(other.content().unwrap().areas(), other.reach);
    }

    #[test]
    fn an_event_of_no_portal_or_of_a_retired_one_is_a_dead_letter_that_says_what_to_do() {
        let unknown = published_by("https://a.vn").unwrap_err();
        assert_eq!(unknown.position, SOURCE);
        for words in ["\"https://a.vn\"", "loa portals add", "loa dead-letters redrive"] {
            assert!(unknown.reason.contains(words), "{}", unknown.reason);
        }
        let retired = published_by("https://cu.vn/").unwrap_err();
        let before = event_of("https://cu.vn/", "published", &[(REPLAY_HEADER, "1")]).unwrap();
        assert_eq!(before.subject().as_str(), "cu tin-1", "what it published before can be sent again");
        assert!(event_of("https://cu.vn/", "withdrawn", &[]).is_ok(), "what it takes back is gone");
        let event = published_by("https://na-son.vn/").unwrap();
        let of_time = |time: &str| {
            let event = Event {
                key: loa_domain::EventKey { source: "https://cu.vn/".to_owned(), ..event.key.clone() },
                time: Some(time.parse().unwrap()),
                ..event.clone()
            };
            as_portals(event, &Directory::empty(), &portals(), false).is_ok()
        };
        assert!(of_time("1969-12-31T23:59:59Z"), "it happened before, and arrives late");
        assert!(!of_time("1970-01-01T00:00:00Z"));
        assert!(retired.position == SOURCE && retired.reason.contains("retired"), "{}", retired.reason);
    }

    #[test]
    fn a_revision_beyond_reason_is_a_dead_letter_but_not_of_a_withdrawal() {
        let decoded = |verb: &str, revision: u64| {
            let body = format!(
                r#"{{"specversion":"1.0","id":"e","source":"https://a.vn/","subject":"a","type":"vn.loa.article.{verb}.v1",
                "data":{{"id":"a","revision":{revision},"url":"https://a.vn/a","title":"T","category":{{"slug":"s"}},
                "published_at":"2026-11-29T08:00:00Z","at":"2026-11-29T08:00:00Z"}}}}"#
            );
            let message = Message {
                id: String::new(),
                content_type: "application/cloudevents+json".to_owned(),
                headers: std::collections::BTreeMap::new(),
                body: body.into(),
            };
            decode_event(&message, &Directory::empty(), &Calendar::new(jiff::tz::TimeZone::UTC), &portals())
        };
        decoded("published", 1_790_000_000_000_000).expect("microseconds are usual");
        let dead = decoded("published", 9_007_199_254_740_991).unwrap_err();
        assert_eq!(dead.position, "/data/revision");
        assert!(dead.reason.contains("9007199254740991") && dead.reason.contains("without"), "{}", dead.reason);
        decoded("withdrawn", 9_007_199_254_740_991).expect("what is taken back is gone");
    }

    #[test]
    fn an_attribute_without_one_text_is_refused_by_header_and_type() {
        let received = |content_type: &str, header: &str, found: HeaderType| Received {
            tag: Tag(1),
            message: Message {
                id: String::new(),
                content_type: content_type.to_owned(),
                headers: std::collections::BTreeMap::new(),
                body: "{}".into(),
            },
            odd_headers: OddHeaders::from([(header.to_owned(), found)]),
            routing_key: String::new(),
            redelivered: false,
        };
        for header in ["cloudEvents:id", "cloudEvents_id", "ce-id", "CLOUDEVENTS:ID"] {
            let dead = odd_attribute(&received("application/json", header, HeaderType::Table)).unwrap();
            assert!(dead.reason.contains(header) && dead.reason.contains("an AMQP table"), "{}", dead.reason);
            assert_eq!(dead.position, "/id");
        }
        assert!(odd_attribute(&received("", "ce-id", HeaderType::Void)).is_some());
        assert!(odd_attribute(&received("", "ce-traceparent", HeaderType::Void)).is_none(), "absent");
        assert!(odd_attribute(&received("", "x-retries", HeaderType::Table)).is_none(), "not ours to read");
        assert!(odd_attribute(&received("application/cloudevents+json", "ce-id", HeaderType::Table)).is_none());
    }
}
