//! Why bytes are not an event: a fact, and a position for whoever corrects it.
//!
//! The fact, its sentence and the position become the headers of a dead letter, and the problem document of
//! `POST /v1/articles`. Sentences stand in `loa-words`.

use loa_domain::{Flaw, IdError, RefusalKind};
use loa_words::Language;
use std::fmt;

/// Where in the text a syntax error stands. Lines and columns count from 1, columns in bytes; the offset from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextPosition {
    /// Line.
    pub line: usize,
    /// Column, in bytes.
    pub column: usize,
    /// Bytes before it.
    pub offset: usize,
}

/// The answer to bytes that are no event of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub flaw: Flaw,
    /// Where, as a JSON Pointer (RFC 6901) into the event in structured form, in binary mode too; empty: the whole.
    pub pointer: String,
    /// Where in the text, for a syntax error.
    pub text: Option<TextPosition>,
}

impl Refusal {
    /// One at a place of the event.
    pub fn at(pointer: impl Into<String>, flaw: Flaw) -> Self {
        Self { flaw, pointer: pointer.into(), text: None }
    }

    /// What is wrong, for branching and for counting.
    pub fn kind(&self) -> RefusalKind {
        self.flaw.kind()
    }

    /// One sentence, without the position, in English as all that machines are answered. Quotes at most 80 characters of what was
    /// received.
    pub fn sentence(&self) -> String {
        Language::English.words().flaw(&self.flaw)
    }

    /// The position in one word or two, for a header: `/data/title`, `line 3 column 7 (byte 41)`; empty: the whole.
    pub fn position(&self) -> String {
        match (&self.text, self.pointer.as_str()) {
            (None, pointer) => pointer.to_owned(),
            (Some(t), "") => format!("line {} column {} (byte {})", t.line, t.column, t.offset),
            (Some(t), pointer) => format!("{pointer}, line {} column {} (byte {})", t.line, t.column, t.offset),
        }
    }
}

/// Refuses a revision above `max` (`loa_domain::PUBLISHED_REVISION_MAX`).
///
/// # Errors
/// When it is above.
pub fn within_reason(revision: u64, max: u64) -> Result<(), Refusal> {
    if revision <= max {
        return Ok(());
    }
    Err(Refusal::at("/data/revision", Flaw::RevisionTooHigh { revision, max }))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        match self.position() {
            position if position.is_empty() => Ok(()),
            position => write!(f, " (at {position})"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Why a text is no article's id.
pub(crate) fn bad_id(IdError { text, fault, .. }: IdError) -> Flaw {
    Flaw::ArticleId { text: text.into(), fault }
}
