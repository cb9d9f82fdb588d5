//! Takes a submission in: chooses its revision, recognises a repeat, builds its event, decodes it
//! as every outlet will, and stores it.

use crate::{
    IntakeError, RawContent, Renumbered, Service, SubmissionAnswer,
    last_state::LastState,
    raw_content::{fingerprint, probe},
};
use jiff::Timestamp;
use loa_domain::{
    ArticleId, ArticleKey, Event, EventType, Flaw, JsonType, PUBLISHED_REVISION_MAX, PortalSlug, Remark, shown_until,
};
use loa_event::{
    Note, Parts, Refusal, STRUCTURED, category_word, decode_with_notes, encode, limits::REVISION_MAX, routing_key_of,
    within_reason,
};
use loa_store::{Current, StoreError, Submission, Submitted};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How often a submission is tried when others change the same article at the same moment. Each time one of them gets
/// through, so this is how many may save one article at once.
const TRIES_MAX: usize = 64;

/// The namespace of event ids (UUID version 5); changing it would make every repeat a new event.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x6c6f_615f_6576_5e6e_a5f0_7661_6e5f_6961);

impl Service {
    /// Takes in the state of an article or document. On disk when it returns; the relay sends it on. Idempotent: the
    /// same content again is no change, and answers with the revision and event it was first given.
    ///
    /// # Errors
    /// See [`IntakeError`]; nothing was stored.
    pub async fn publish(&self, content: RawContent) -> Result<SubmissionAnswer, IntakeError> {
        self.publish_for(None, content).await
    }

    /// As [`Self::publish`], for another portal than the home portal.
    ///
    /// # Errors
    /// As [`Self::publish`]; `Portal` and `RetiredPortal`.
    pub async fn publish_for(
        &self,
        portal: Option<&PortalSlug>,
        content: RawContent,
    ) -> Result<SubmissionAnswer, IntakeError> {
        let portal = self.portal(portal).await?;
        if portal.retired_at.is_some() {
            return Err(IntakeError::RetiredPortal(portal.slug));
        }
        let publication = Publication::of(content, portal.key_slug())?;
        for _ in 0..TRIES_MAX {
            let current = match &publication.id {
                Some((key, _)) => self.current(key).await?,
                None => None,
            };
            let revision = match (publication.next_revision(current.as_ref())?, &publication.id, &current) {
                (Some(revision), ..) => revision,
                (None, Some((_, id)), Some(current)) => return Ok(unchanged(id, portal.key_slug(), current)),
                // nothing stands that it could be a repeat of
                (None, ..) => break,
            };
            let draft = Draft {
                portal: portal.key_slug(),
                source: &portal.source,
                event_type: publication.event_type(current.as_ref()),
                revision,
                fingerprint: &publication.fingerprint,
                category: None,
            };
            let data = publication.data_as(revision, current.as_ref());
            let drafted = self.draft(data, draft, current.map(|current| current.revision)).await?;
            if let Some(answered) = self.submit(drafted).await? {
                return Ok(answered);
            }
        }
        // Without a good id the gate has refused by now.
        Err(IntakeError::Busy(publication.id.map(|(key, _)| String::from(key)).unwrap_or_default()))
    }

    /// Takes an article or document back. On disk when it returns. Idempotent: what is withdrawn stays as it was
    /// withdrawn first. What came in through another producer can be withdrawn too, once the archive has it. `key`: the text of
    /// an [`ArticleKey`].
    ///
    /// # Errors
    /// See [`IntakeError`]; nothing was stored.
    pub async fn withdraw(&self, key: &str, reason: &str) -> Result<SubmissionAnswer, IntakeError> {
        let key: ArticleKey = key.parse()?;
        let (id, portal) = (ArticleId::new(key.id())?, key.portal());
        // not the source of the event that stands: before there were several portals, it could be any
        let source = self.portal(portal.as_ref()).await?.source;
        for _ in 0..TRIES_MAX {
            let current = self.current(&key).await?;
            if let Some(current) = current.as_ref().filter(|current| current.withdrawn) {
                return Ok(unchanged(&id, portal.as_ref(), current));
            }
            let last = match (self.last_archived(&key).await?, &current) {
                (Some(last), _) => last,
                (None, Some(current)) => LastState::of(current),
                (None, None) => return Err(IntakeError::Unknown(key)),
            };
            if last.withdrawn && current.is_none() {
                return Ok(SubmissionAnswer {
                    id,
                    portal,
                    revision: last.revision,
                    event_id: last.key.id,
                    unchanged: true,
                    notes: Vec::new(),
                });
            }
            let standing = current.as_ref().map_or(last.revision, |current| current.revision.max(last.revision));
            let data = json!({ "id": id, "reason": reason, "at": whole_second(self.0.world.now()) });
            let draft = Draft {
                portal: portal.as_ref(),
                source: &source,
                event_type: if last.is_document { EventType::DocumentWithdrawn } else { EventType::ArticleWithdrawn },
                // at one revision a withdrawal wins, so that the highest there is can be withdrawn too
                revision: standing.saturating_add(1).min(REVISION_MAX),
                fingerprint: "withdrawn",
                category: Some(current.as_ref().map_or(&last.category, |current| &current.category)),
            };
            let expect = current.as_ref().map(|current| current.revision);
            let drafted = self.draft(data, draft, expect).await?;
            if let Some(answered) = self.submit(drafted).await? {
                return Ok(answered);
            }
        }
        Err(IntakeError::Busy(key.into()))
    }

    /// Lets a producer's revisions of an article begin at 1 again, after one slip has left it behind: they are counted on from
    /// what stands. Nobody who follows the article notices. Idempotent as long as nothing else is published. `key`: the text of
    /// an [`ArticleKey`].
    ///
    /// # Errors
    /// See [`IntakeError`]; `Unknown` when nothing of it was ever published.
    pub async fn renumber(&self, key: &str) -> Result<Renumbered, IntakeError> {
        let id: ArticleKey = key.parse()?;
        let Some(current) = self.0.ledger.renumber(&id, PUBLISHED_REVISION_MAX).await? else {
            return Err(IntakeError::Unknown(id));
        };
        if current.revision >= PUBLISHED_REVISION_MAX {
            return Err(IntakeError::NothingFollows { id, standing: current.revision });
        }
        tracing::info!(article = %id, counted_from = current.counted_from, "an operator let its revisions begin at 1 again");
        Ok(Renumbered { id, counted_from: current.counted_from })
    }

    /// What stands of an article; `None` when nothing came in through here.
    pub(crate) async fn current(&self, key: &ArticleKey) -> Result<Option<Current>, StoreError> {
        Ok(self.0.ledger.current(std::slice::from_ref(key)).await?.into_iter().next().flatten())
    }

    /// Builds the event of a submission and puts it through the gate.
    async fn draft(&self, mut data: Value, draft: Draft<'_>, expect: Option<u64>) -> Result<Drafted, IntakeError> {
        // only where none is given: one that is no whole number is for the gate to refuse
        if let Value::Object(members) = &mut data
            && members.get("revision").is_none_or(Value::is_null)
        {
            members.insert("revision".to_owned(), draft.revision.into());
        }
        let at = self.0.world.now();
        let subject = data.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let event_id = event_id(draft.source, &subject, draft.revision, draft.fingerprint);
        let time = Some(whole_second(at));
        let parts = Parts {
            id: &event_id,
            source: draft.source,
            event_type: draft.event_type,
            subject: &subject,
            time,
            data: &data,
        };
        let body = encode(&parts);
        let (directory, calendar) = (self.0.directory.clone(), self.0.portal.calendar.clone());
        // Cleaning a body of the largest size takes a while; others' requests go on meanwhile.
        let decode = move || decode_with_notes(Some(STRUCTURED), &BTreeMap::new(), None, &body, &directory, &calendar);
        let (event, mut notes) = self.0.decoding.run(decode).await?;
        let event = Event { portal: draft.portal.cloned(), ..event };
        notes.extend(dated_ahead(&event, at));
        let category = draft.category.map_or_else(|| category_word(&event), str::to_owned);
        let (id, portal, article) = (event.id().clone(), event.portal.clone(), event.subject());
        let lane = self.0.config.back_files().lane(&event, at);
        let submission = Submission {
            article,
            routing_key: routing_key_of(draft.event_type, &category),
            key: event.key,
            event_type: draft.event_type,
            revision: draft.revision,
            fingerprint: draft.fingerprint.to_owned(),
            body: event.original_bytes,
            lane,
            expect,
            category,
            at,
        };
        Ok(Drafted { id, portal, submission, notes })
    }

    /// Stores a submission; `None` when something else stands by now: decide again.
    async fn submit(&self, drafted: Drafted) -> Result<Option<SubmissionAnswer>, StoreError> {
        let Drafted { id, portal, submission, notes } = drafted;
        let outcome = self.0.ledger.submit(std::slice::from_ref(&submission)).await?.into_iter().next();
        let is_repeat = match outcome {
            Some(Submitted::Stored) => false,
            Some(Submitted::Repeat) => true,
            Some(Submitted::Conflict(_)) | None => return Ok(None),
        };
        self.0.wake_up.wake();
        metrics::counter!("loa_intake_submissions_total", "type" => submission.event_type.as_str()).increment(1);
        tracing::info!(article = %submission.article, revision = submission.revision, event_type = %submission.event_type, "taken in");
        Ok(Some(SubmissionAnswer {
            id,
            portal,
            revision: submission.revision,
            event_id: submission.key.id,
            unchanged: is_repeat,
            notes: notes.iter().map(Note::sentence).collect(),
        }))
    }

    /// The newest archived state of a subject, whoever published it.
    async fn last_archived(&self, key: &ArticleKey) -> Result<Option<LastState>, StoreError> {
        Ok(self.0.ledger.newest(key).await?.map(LastState::of_archived))
    }
}

/// Why nothing can be made of an object without an id: said here, for the gate would speak of the event's `subject`.
fn without_id(data: &Value) -> Option<Refusal> {
    let flaw = match data.as_object()?.get("id") {
        None | Some(Value::Null) => Flaw::Missing { name: "id".into() },
        Some(Value::String(id)) if id.is_empty() => Flaw::Missing { name: "id".into() },
        Some(Value::String(_)) => return None,
        Some(other) => return Some(loa_event::wrong_type("/data/id", JsonType::Text, other)),
    };
    Some(Refusal::at("/data/id", flaw))
}

/// What a producer is told of a change dated in the future: followers are not shown that date before its time.
fn dated_ahead(event: &Event, now: Timestamp) -> Option<Note> {
    let content = event.content()?;
    let is_ahead = content.modified_at() >= shown_until(now) && content.modified_at() > content.published_at();
    is_ahead.then(|| Note {
        pointer: "/data/modified_at".to_owned(),
        remark: Remark::ChangedAhead {
            modified_at: content.modified_at(),
            shown: content.clone().dated_by(now).modified_at(),
        },
    })
}

/// What a producer asks to be published, before it is known what stands.
struct Publication {
    data: Value,
    is_document: bool,
    /// `None`: it has no good one, and the gate refuses it.
    id: Option<(ArticleKey, ArticleId)>,
    /// The revision that the producer gives it.
    given: Option<u64>,
    fingerprint: String,
}

impl Publication {
    fn of(content: RawContent, portal: Option<&PortalSlug>) -> Result<Self, Refusal> {
        let (data, is_document) = match content {
            RawContent::Article(data) => (data, false),
            RawContent::Document(data) => (data, true),
        };
        let (id, given) = probe(&data);
        if let Some(refusal) = without_id(&data) {
            return Err(refusal);
        }
        let id = id.map(|id| (ArticleKey::new(portal, &id), id));
        let fingerprint = fingerprint(&data, is_document);
        Ok(Self { data, is_document, id, given, fingerprint })
    }

    /// The revision it gets beside what stands; `None` when it is what stands.
    fn next_revision(&self, current: Option<&Current>) -> Result<Option<u64>, IntakeError> {
        // a producer whose numbers began anew counts from there
        let counted_from = counted_from(current);
        let given = self.given.map(|given| given.saturating_add(counted_from));
        if let (Some((key, _)), Some(current)) = (&self.id, current) {
            let same = !current.withdrawn && current.fingerprint == self.fingerprint;
            // also the very number that slipped, sent once more
            if same && (given.is_none() || [self.given, given].contains(&Some(current.revision))) {
                return Ok(None);
            }
            if let Some(given) = given.filter(|given| *given <= current.revision) {
                let counted = |revision: u64| revision.saturating_sub(counted_from);
                return Err(IntakeError::NotNewer {
                    id: key.clone(),
                    given: counted(given),
                    standing: counted(current.revision),
                });
            }
        }
        let revision = given.unwrap_or_else(|| current.map_or(1, |current| current.revision + 1));
        // also one that is counted on from a withdrawal, which may be higher: what every outlet refuses is not taken
        within_reason(revision, PUBLISHED_REVISION_MAX)?;
        Ok(Some(revision))
    }

    fn event_type(&self, current: Option<&Current>) -> EventType {
        match (current, self.is_document) {
            (_, true) => EventType::DocumentIssued,
            (Some(current), false) if !current.withdrawn => EventType::ArticleUpdated,
            _ => EventType::ArticlePublished,
        }
    }

    /// Its data, with the number that outlets will read where the producer's begins anew.
    fn data_as(&self, revision: u64, current: Option<&Current>) -> Value {
        let mut data = self.data.clone();
        if let (Some(written), Some(_), 1..) = (data.get_mut("revision"), self.given, counted_from(current)) {
            *written = revision.into();
        }
        data
    }
}

fn counted_from(current: Option<&Current>) -> u64 {
    current.map_or(0, |current| current.counted_from)
}

/// What sets one event apart while it is drafted.
struct Draft<'a> {
    /// `None`: the home portal.
    portal: Option<&'a PortalSlug>,
    source: &'a str,
    event_type: EventType,
    revision: u64,
    fingerprint: &'a str,
    /// The third word of the routing key, where the event does not say it itself.
    category: Option<&'a str>,
}

/// A submission that has passed the gate.
struct Drafted {
    id: ArticleId,
    portal: Option<PortalSlug>,
    submission: Submission,
    notes: Vec<Note>,
}

fn unchanged(id: &ArticleId, portal: Option<&PortalSlug>, current: &Current) -> SubmissionAnswer {
    SubmissionAnswer {
        id: id.clone(),
        portal: portal.cloned(),
        revision: current.revision,
        event_id: current.event.id.clone(),
        unchanged: true,
        notes: Vec::new(),
    }
}

/// The same for a repeat of the same submission at whatever replica, another for any other.
fn event_id(source: &str, subject: &str, revision: u64, fingerprint: &str) -> String {
    let name = Value::from(vec![source.to_owned(), subject.to_owned(), revision.to_string(), fingerprint.to_owned()]);
    Uuid::new_v5(&EVENT_NAMESPACE, name.to_string().as_bytes()).to_string()
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
