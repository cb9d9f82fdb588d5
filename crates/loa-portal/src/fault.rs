//! The two ways of not understanding: an error for a page that is refused, and a report of a line
//! of a good page.

use crate::evidence::Candidate;
use loa_domain::{LeftOut, PageCandidate, PageError, PageField};
use serde::Serialize;

/// Two candidates that disagree.
pub(crate) fn undecided<T>(field: PageField, one: &Candidate<T>, other: &Candidate<T>) -> PageError {
    let said = |candidate: &Candidate<T>| PageCandidate {
        text: candidate.text.as_str().into(),
        line: candidate.line,
        clues: candidate.clues.clone(),
    };
    PageError::Undecided { field, one: said(one), other: said(other) }
}

/// A line of the page that was left out or not understood, kept whole so that nothing is lost in silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotUnderstood {
    /// The line in the file, 1 and up; 0 when not known.
    pub line: usize,
    /// The line's text, cleaned, whole.
    pub text: String,
    /// Why.
    #[serde(flatten)]
    pub why: LeftOut,
}
