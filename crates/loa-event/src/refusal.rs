//! Why bytes are not an event: a kind for machines, a sentence for an operator, and a position for
//! whoever corrects it.
//!
//! The sentence and position become the headers of a dead letter, and the problem document of
//! `POST /v1/articles`.

use std::fmt;

/// What is wrong, for branching and for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// Neither structured nor binary mode of CloudEvents, or a version other than 1.0.
    NotCloudEvent,
    /// Not JSON (RFC 8259), or not UTF-8.
    NotJson,
    /// One name twice in one object: readers disagree on which counts.
    DuplicateKey,
    /// Over the limit of bytes.
    TooLarge,
    /// Over the limit of nesting.
    TooDeep,
    /// A type that the contract does not know.
    UnknownType,
    /// A required member is absent, null or empty.
    Missing,
    /// A member of another JSON type than the contract says.
    WrongShape,
    /// A value outside its limits: too long, too many, too small.
    OutOfBounds,
    /// A date or an instant that cannot be, or is a placeholder.
    BadDate,
    /// An address that is not absolute http or https.
    BadAddress,
    /// Two members that must agree do not.
    Mismatch,
}

impl RefusalKind {
    /// One word for headers, metrics and the `type` of a problem.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCloudEvent => "not-cloudevent",
            Self::NotJson => "not-json",
            Self::DuplicateKey => "duplicate-key",
            Self::TooLarge => "too-large",
            Self::TooDeep => "too-deep",
            Self::UnknownType => "unknown-type",
            Self::Missing => "missing",
            Self::WrongShape => "wrong-shape",
            Self::OutOfBounds => "out-of-bounds",
            Self::BadDate => "bad-date",
            Self::BadAddress => "bad-address",
            Self::Mismatch => "mismatch",
        }
    }
}

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
    pub kind: RefusalKind,
    /// One sentence, without the position. Quotes at most 80 characters of what was received.
    pub sentence: String,
    /// Where, as a JSON Pointer (RFC 6901) into the event in structured form, in binary mode too; empty: the whole.
    pub pointer: String,
    /// Where in the text, for a syntax error.
    pub text: Option<TextPosition>,
}

impl Refusal {
    pub(crate) fn at(kind: RefusalKind, pointer: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), pointer: pointer.into(), text: None }
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
    let sentence = format!(
        "`revision` is {revision}, which no way of numbering edits comes to (the highest taken is {max}); it \
         would leave no room for later edits: send the number of the edit, its time in microseconds at most, or publish without \
         `revision` over HTTP, and one is given"
    );
    Err(Refusal::at(RefusalKind::OutOfBounds, "/data/revision", sentence))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match self.position() {
            position if position.is_empty() => Ok(()),
            position => write!(f, " (at {position})"),
        }
    }
}

impl std::error::Error for Refusal {}

/// What was received, short enough and plain enough for a sentence.
pub(crate) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
