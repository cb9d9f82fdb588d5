//! What speaks for a value: candidates while a page is weighed, and the evidence that is shown of
//! what was chosen.
//!
//! Collectors make candidates, `weigh.rs` decides between them. Nothing here reads a page.

use loa_domain::{Clue, PageField};
use serde::Serialize;

/// Why a value was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Whose.
    pub field: PageField,
    /// The value as it is published, or its beginning.
    pub value: String,
    /// The line in the file where it stands, 1 and up; 0 when not known.
    pub line: usize,
    /// What speaks for it; at least one.
    pub clues: Vec<Clue>,
    /// Whether it was taken for want of better: the page does not say it outright.
    pub is_assumed: bool,
}

/// A value that a page may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate<T> {
    pub(crate) value: T,
    /// As it is written.
    pub(crate) text: String,
    pub(crate) line: usize,
    /// The blocks it stands in, first and last; `None`: only machines are told it.
    pub(crate) blocks: Option<(usize, usize)>,
    /// What speaks for it and against it.
    pub(crate) clues: Vec<Clue>,
    pub(crate) weight: i32,
}

impl<T> Candidate<T> {
    /// Adds what speaks for it (or, with a weight below 0, against it).
    pub(crate) fn add(&mut self, weight: i32, clue: Clue) {
        self.weight += weight;
        self.clues.push(clue);
    }

    /// The evidence, once it is chosen.
    pub(crate) fn chosen(&self, field: PageField, value: String, is_assumed: bool) -> Evidence {
        Evidence { field, value, line: self.line, clues: self.clues.clone(), is_assumed }
    }
}
