//! Takes a submission in: chooses its revision, recognises a repeat, builds its event, decodes it
//! as every outlet will, and stores it.

use crate::{
    IntakeError, RawContent, Service, SubmissionAnswer,
    raw_content::{fingerprint, probe},
    standing::Standing,
};
use jiff::Timestamp;
use loa_domain::{ArticleId, CLOCK_SKEW, Event, EventType, PUBLISHED_REVISION_MAX, shown_until};
use loa_event::{
    Note, Parts, Refusal, RefusalKind, STRUCTURED, category_word, decode_with_notes, encode, limits::REVISION_MAX,
    routing_key_of, within_reason,
};
use loa_store::{ArchiveQuery, Current, StoreError, Submission, Submitted};
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
        let (data, is_document) = match content {
            RawContent::Article(data) => (data, false),
            RawContent::Document(data) => (data, true),
        };
        let (id, given) = probe(&data);
        if let Some(refusal) = without_id(&data) {
            return Err(refusal.into());
        }
        let fingerprint = fingerprint(&data, is_document);
        for _ in 0..TRIES_MAX {
            let current = match &id {
                Some(id) => self.current(id).await?,
                None => None,
            };
            if let (Some(id), Some(current)) = (&id, &current) {
                let same = !current.withdrawn && current.fingerprint == fingerprint;
                if same && given.is_none_or(|given| given == current.revision) {
                    return Ok(unchanged(id, current));
                }
                if let Some(given) = given.filter(|given| *given <= current.revision) {
                    return Err(IntakeError::NotNewer { id: id.clone(), given, standing: current.revision });
                }
            }
            let revision = given.unwrap_or_else(|| current.as_ref().map_or(1, |current| current.revision + 1));
            // also one that is counted on from a withdrawal, which may be higher: what every outlet refuses is not taken
            within_reason(revision, PUBLISHED_REVISION_MAX)?;
            let event_type = match (&current, is_document) {
                (_, true) => EventType::DocumentIssued,
                (Some(current), false) if !current.withdrawn => EventType::ArticleUpdated,
                _ => EventType::ArticlePublished,
            };
            let draft = Draft {
                source: &self.0.portal.source,
                event_type,
                revision,
                fingerprint: &fingerprint,
                category: None,
            };
            let (submission, notes) = self.draft(data.clone(), draft, current.map(|current| current.revision)).await?;
            if let Some(answered) = self.submit(submission, notes).await? {
                return Ok(answered);
            }
        }
        // Without a good id the gate has refused by now.
        Err(IntakeError::Busy(id.map(String::from).unwrap_or_default()))
    }

    /// Takes an article or document back. On disk when it returns. Idempotent: what is withdrawn stays as it was
    /// withdrawn first. What came in through another producer can be withdrawn too, once the archive has it.
    ///
    /// # Errors
    /// See [`IntakeError`]; nothing was stored.
    pub async fn withdraw(&self, id: &str, reason: &str) -> Result<SubmissionAnswer, IntakeError> {
        let id = ArticleId::new(id)?;
        for _ in 0..TRIES_MAX {
            let current = self.current(&id).await?;
            if let Some(current) = current.as_ref().filter(|current| current.withdrawn) {
                return Ok(unchanged(&id, current));
            }
            let last = match (self.last_archived(&id).await?, &current) {
                (Some(last), _) => last,
                (None, Some(current)) => Standing::of(current),
                (None, None) => return Err(IntakeError::Unknown(id)),
            };
            if last.withdrawn && current.is_none() {
                return Ok(SubmissionAnswer {
                    id,
                    revision: last.revision,
                    event_id: last.key.id,
                    unchanged: true,
                    notes: Vec::new(),
                });
            }
            let standing = current.as_ref().map_or(last.revision, |current| current.revision.max(last.revision));
            let data = json!({ "id": id, "reason": reason, "at": whole_second(self.0.world.now()) });
            let draft = Draft {
                source: current.as_ref().map_or(&last.key.source, |current| &current.event.source),
                event_type: if last.is_document { EventType::DocumentWithdrawn } else { EventType::ArticleWithdrawn },
                // at one revision a withdrawal wins, so that the highest there is can be withdrawn too
                revision: standing.saturating_add(1).min(REVISION_MAX),
                fingerprint: "withdrawn",
                category: Some(current.as_ref().map_or(&last.category, |current| &current.category)),
            };
            let expect = current.as_ref().map(|current| current.revision);
            let (submission, notes) = self.draft(data, draft, expect).await?;
            if let Some(answered) = self.submit(submission, notes).await? {
                return Ok(answered);
            }
        }
        Err(IntakeError::Busy(id.into()))
    }

    /// What stands of an article; `None` when nothing came in through here.
    pub(crate) async fn current(&self, id: &ArticleId) -> Result<Option<Current>, StoreError> {
        Ok(self.0.ledger.current(std::slice::from_ref(id)).await?.into_iter().next().flatten())
    }

    /// Builds the event of a submission and puts it through the gate.
    async fn draft(
        &self,
        mut data: Value,
        draft: Draft<'_>,
        expect: Option<u64>,
    ) -> Result<(Submission, Vec<Note>), IntakeError> {
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
        let directory = self.0.directory.clone();
        // Cleaning a body of the largest size takes a while; others' requests go on meanwhile.
        let decode = move || decode_with_notes(Some(STRUCTURED), &BTreeMap::new(), None, &body, &directory);
        let (event, mut notes) = self.0.decoding.run(decode).await?;
        notes.extend(dated_ahead(&event, at));
        let category = draft.category.map_or_else(|| category_word(&event), str::to_owned);
        let submission = Submission {
            article: event.subject().clone(),
            routing_key: routing_key_of(draft.event_type, &category),
            key: event.key,
            event_type: draft.event_type,
            revision: draft.revision,
            fingerprint: draft.fingerprint.to_owned(),
            body: event.original_bytes,
            expect,
            category,
            at,
        };
        Ok((submission, notes))
    }

    /// Stores a submission; `None` when something else stands by now: decide again.
    async fn submit(&self, submission: Submission, notes: Vec<Note>) -> Result<Option<SubmissionAnswer>, StoreError> {
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
            id: submission.article,
            revision: submission.revision,
            event_id: submission.key.id,
            unchanged: is_repeat,
            notes: notes.into_iter().map(|note| note.sentence).collect(),
        }))
    }

    /// The newest archived state of a subject, whoever published it.
    async fn last_archived(&self, id: &ArticleId) -> Result<Option<Standing>, StoreError> {
        let mut query = ArchiveQuery { article: Some(id.clone()), limit: 1_000, ..ArchiveQuery::default() };
        let mut newest: Option<Standing> = None;
        loop {
            let page = self.0.ledger.archived(&query).await?;
            let Some(last) = page.last() else { return Ok(newest) };
            query.after = last.sequence;
            for event in page {
                if newest.as_ref().is_none_or(|newest| newest.revision <= event.revision) {
                    newest = Some(Standing::of_archived(event));
                }
            }
        }
    }
}

/// Why nothing can be made of an object without an id: said here, for the gate would speak of the event's `subject`.
fn without_id(data: &Value) -> Option<Refusal> {
    let (kind, sentence) = match data.as_object()?.get("id") {
        None | Some(Value::Null) => (RefusalKind::Missing, "`id` is missing"),
        Some(Value::String(id)) if id.is_empty() => (RefusalKind::Missing, "`id` is empty"),
        Some(Value::String(_)) => return None,
        Some(_) => (RefusalKind::WrongShape, "`id` must be text"),
    };
    Some(Refusal { kind, pointer: "/data/id".to_owned(), sentence: sentence.to_owned(), text: None })
}

/// What a producer is told of a change dated in the future: followers are not shown that date before its time.
fn dated_ahead(event: &Event, now: Timestamp) -> Option<Note> {
    let content = event.content()?;
    let is_ahead = content.modified_at() >= shown_until(now) && content.modified_at() > content.published_at();
    let sentence = format!(
        "`modified_at` is {}, in the future; until then, followers see {} instead (clocks may differ by {} minutes)",
        content.modified_at(),
        content.clone().dated_by(now).modified_at(),
        CLOCK_SKEW.as_mins()
    );
    is_ahead.then(|| Note { pointer: "/data/modified_at".to_owned(), sentence })
}

/// What sets one event apart while it is drafted.
struct Draft<'a> {
    source: &'a str,
    event_type: EventType,
    revision: u64,
    fingerprint: &'a str,
    /// The third word of the routing key, where the event does not say it itself.
    category: Option<&'a str>,
}

fn unchanged(id: &ArticleId, current: &Current) -> SubmissionAnswer {
    SubmissionAnswer {
        id: id.clone(),
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
