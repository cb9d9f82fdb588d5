//! The current state of an article that is to be withdrawn, from intake's own rows or from the
//! archive.

use loa_domain::{EventKey, EventType};
use loa_store::{Archived, Current};

/// What is known of a subject that is to be withdrawn.
pub(crate) struct LastState {
    pub key: EventKey,
    pub revision: u64,
    pub category: String,
    pub is_document: bool,
    pub withdrawn: bool,
}

impl LastState {
    pub fn of(current: &Current) -> Self {
        let Current { revision, withdrawn, event, category, .. } = current.clone();
        Self { key: event, revision, category, is_document: false, withdrawn }
    }

    pub fn of_archived(event: Archived) -> Self {
        Self {
            revision: event.revision,
            category: event.routing_key.rsplit('.').next().unwrap_or("none").to_owned(),
            is_document: matches!(event.event_type, EventType::DocumentIssued | EventType::DocumentWithdrawn),
            withdrawn: event.event_type.is_withdrawal(),
            key: event.key,
        }
    }
}
