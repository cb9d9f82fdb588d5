//! The blocks of a page while it is read: which are used, and what is to be told of them.
//!
//! Each block ends up used or reported; there is no third way, so nothing is lost in silence. This file knows blocks and
//! their labels, and no part of a page: `read.rs`, `body.rs` and `document.rs` take from it.

use crate::{
    NotUnderstood,
    block::{Block, Form},
    label,
};
use std::collections::BTreeMap;

/// The blocks, which of them are used, and what is to be told of them.
pub(crate) struct Reader {
    pub(crate) blocks: Vec<Block>,
    pub(crate) used: Vec<bool>,
    /// By block; what was told of one first stands.
    notes: BTreeMap<usize, String>,
}

impl Reader {
    pub(crate) fn new(blocks: Vec<Block>) -> Self {
        let used = vec![false; blocks.len()];
        Self { blocks, used, notes: BTreeMap::new() }
    }

    /// Marks a block as used.
    pub(crate) fn take(&mut self, place: usize) {
        self.used[place] = true;
    }

    /// Tells a block, used or not.
    pub(crate) fn note(&mut self, place: usize, why: impl Into<String>) {
        self.notes.entry(place).or_insert_with(|| why.into());
    }

    /// Whether a block is a line of text without a label, so that it can be the value of a label before it.
    pub(crate) fn is_value(&self, place: usize) -> bool {
        self.blocks.get(place).is_some_and(|block| {
            !block.text.is_empty()
                && !matches!(block.form, Form::Image { .. } | Form::Furniture | Form::Embedded)
                && label::of(&block.text).is_none()
        })
    }

    pub(crate) fn take_both(&mut self, place: usize, has_next: bool) {
        self.take(place);
        if has_next {
            self.take(place + 1);
        }
    }

    /// Keeps the first number of its sort; a block without one, or with another, is told.
    pub(crate) fn take_number(&mut self, place: usize, count: Option<u64>, kept: &mut Option<u64>, why: &str) {
        match count {
            Some(count) if kept.is_none_or(|kept| kept == count) => {
                *kept = Some(count);
                self.take(place);
            }
            Some(_) => self.note(place, "a second count, which differs from the first"),
            None => self.note(place, why),
        }
    }

    /// What is told, in the order of the page: all notes, and every block that nothing used.
    pub(crate) fn report(self) -> Vec<NotUnderstood> {
        let Self { blocks, used, notes: mut told } = self;
        for (place, block) in blocks.iter().enumerate().filter(|(place, _)| !used[*place]) {
            let why = match &block.form {
                Form::Furniture => "a menu, header or footer, which is no part of the article",
                Form::Embedded => "a player or frame, which is not taken over",
                Form::Image { .. } => "a picture outside the article",
                _ => "it stands outside every known part of the page",
            };
            told.entry(place).or_insert_with(|| why.to_owned());
        }
        let text = |block: &Block| match &block.form {
            Form::Image { name, .. } => format!("{name} {}", block.text).trim().to_owned(),
            _ => block.text.clone(),
        };
        told.into_iter()
            .map(|(place, why)| NotUnderstood { line: blocks[place].line, text: text(&blocks[place]), why })
            .collect()
    }
}
