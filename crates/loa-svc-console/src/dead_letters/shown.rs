//! A letter as machines read it: a line of a list, and whole with what to do about it.
//!
//! The command line's `--json` and the HTTP API answer with the same values.

use super::explain;
use loa_bus::DeadLetter;
use loa_domain::DeadCause;
use loa_words::Language;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A letter in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub struct LetterLine {
    /// Its name: the queue it died in (`unrouted`: no queue took it), and its key there.
    #[schema(example = "feed/3f9a2c1b4d5e")]
    pub letter: String,
    /// `archive`, `feed`, `digest`, `push`, or `unrouted`.
    pub queue: String,
    /// The id of its message.
    pub message_id: String,
    /// What it was first published with; empty when unknown.
    pub routing_key: String,
    /// Why it cannot be processed.
    pub reason: String,
    /// The same in a word: `missing`, `bad-date`, `delivery-limit`, …; null when it is not known.
    pub kind: Option<&'static str>,
    /// Where in it: a JSON pointer, or line and column; empty: the whole message.
    pub position: String,
    /// Since when; null when the broker moved it itself and gave no time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub dead_at: Option<String>,
    /// When it died for the first time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_dead_at: Option<String>,
    /// How often it died; each redrive in vain adds one.
    pub deaths: u32,
    /// The program that moved it here; empty where the broker did.
    pub buried_by: String,
    /// Headers that no frame had room for; empty: none.
    pub headers_left_out: String,
    /// The length of its body.
    pub bytes: usize,
}

impl From<&DeadLetter> for LetterLine {
    fn from(letter: &DeadLetter) -> Self {
        Self {
            letter: letter.name(),
            queue: letter.place.word().to_owned(),
            message_id: letter.message.id.clone(),
            routing_key: letter.routing_key.clone(),
            reason: letter.reason.reason.clone(),
            kind: letter.reason.cause.as_ref().map(DeadCause::kind),
            position: letter.reason.position.clone(),
            dead_at: letter.dead_at.map(|at| at.to_string()),
            first_dead_at: letter.past.first_dead_at.map(|at| at.to_string()),
            deaths: letter.past.deaths,
            buried_by: letter.buried_by.clone(),
            headers_left_out: letter.past.headers_left_out.clone(),
            bytes: letter.bytes,
        }
    }
}

/// A letter, whole, with what to do about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeadLetterWhole)]
pub struct WholeLetter {
    /// As in a list.
    #[serde(flatten)]
    pub line: LetterLine,
    /// The other letters of the same message, by name.
    pub others: Vec<String>,
    /// What the message says of itself, as far as it can be read: `source`, `id`, `type`, `subject`, `title`.
    pub about: BTreeMap<&'static str, String>,
    /// The place at fault, cut out of the body; empty when it cannot be found.
    pub excerpt: String,
    /// What to do, a sentence each.
    pub advice: Vec<String>,
    /// Headers that have a text.
    pub headers: BTreeMap<String, String>,
    /// Headers that have none, with the type that they have.
    pub odd_headers: BTreeMap<String, &'static str>,
    /// Empty when the producer gave none.
    pub content_type: String,
    /// What of it is no UTF-8 is replaced.
    pub body: String,
}

impl WholeLetter {
    /// `others`: the other letters of the same message.
    pub fn of(letter: &DeadLetter, others: Vec<String>) -> Self {
        Self {
            line: letter.into(),
            about: explain::about(letter).into_iter().collect(),
            excerpt: explain::excerpt(letter),
            advice: explain::advised(letter, &others, Language::English),
            headers: letter.message.headers.clone(),
            odd_headers: odd_headers(letter),
            content_type: letter.message.content_type.clone(),
            body: String::from_utf8_lossy(&letter.message.body).into_owned(),
            others,
        }
    }
}

/// The type of each header that has no text, in words.
fn odd_headers(letter: &DeadLetter) -> BTreeMap<String, &'static str> {
    let words = Language::English.words();
    letter.odd_headers.iter().map(|(name, found)| (name.clone(), words.header_type(*found))).collect()
}
