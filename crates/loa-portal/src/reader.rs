//! The blocks of a page while it is read: which are used, and what is to be told of them.
//!
//! Each block ends up used or reported; there is no third way, so nothing is lost in silence. This file knows blocks and
//! their labels, and no part of a page: those who read a part take from it.

use crate::{
    NotUnderstood,
    block::{Block, Form},
    file::is_file,
    label::{self, Label},
};
use jiff::tz::TimeZone;
use loa_domain::LeftOut;
use std::collections::BTreeMap;

/// The blocks, which of them are used, and what is to be told of them.
pub(crate) struct Reader {
    pub(crate) blocks: Vec<Block>,
    pub(crate) used: Vec<bool>,
    /// The portal's.
    pub(crate) zone: TimeZone,
    /// By block; what was told of one first stands.
    notes: BTreeMap<usize, LeftOut>,
}

impl Reader {
    pub(crate) fn new(blocks: Vec<Block>, zone: TimeZone) -> Self {
        let used = vec![false; blocks.len()];
        Self { blocks, used, zone, notes: BTreeMap::new() }
    }

    /// Marks a block as used.
    pub(crate) fn take(&mut self, place: usize) {
        self.used[place] = true;
    }

    /// Tells a block, used or not.
    pub(crate) fn note(&mut self, place: usize, why: LeftOut) {
        self.notes.entry(place).or_insert(why);
    }

    /// Whether a block is a line of text without a label, so that it can be the value of a label before it.
    pub(crate) fn is_value(&self, place: usize) -> bool {
        self.blocks.get(place).is_some_and(|block| block.is_words() && label_of(block).is_none())
    }

    /// A label's value, and whether it stands on the next line: a label may stand alone.
    pub(crate) fn value_of(&self, place: usize, value: &str) -> (String, bool) {
        let has_next = value.is_empty() && self.is_value(place + 1);
        (if has_next { self.blocks[place + 1].text.clone() } else { value.to_owned() }, has_next)
    }

    pub(crate) fn take_both(&mut self, place: usize, has_next: bool) {
        self.take(place);
        if has_next {
            self.take(place + 1);
        }
    }

    /// Keeps the first number of its sort; a block without one, or with another, is told.
    pub(crate) fn take_number(&mut self, place: usize, count: Option<u64>, kept: &mut Option<u64>, why: LeftOut) {
        match count {
            Some(count) if kept.is_none_or(|kept| kept == count) => {
                *kept = Some(count);
                self.take(place);
            }
            Some(_) => self.note(place, LeftOut::SecondCount),
            None => self.note(place, why),
        }
    }

    /// What is told, in the order of the page: all notes, every block that nothing used, and every address that was
    /// dropped from one that was.
    pub(crate) fn report(self) -> Vec<NotUnderstood> {
        let Self { blocks, used, notes: mut told, .. } = self;
        for (place, block) in blocks.iter().enumerate() {
            if used[place] {
                if let Some(address) = block.lost.first() {
                    let (address, more) = (address.as_str().into(), block.lost.len() - 1);
                    told.entry(place).or_insert(match block.form {
                        Form::Image { .. } => LeftOut::PictureAddress { address, more },
                        _ => LeftOut::LinkAddress { address, more },
                    });
                }
            } else {
                told.entry(place).or_insert_with(|| why_left_out(block));
            }
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

/// What a block says it is by its words.
pub(crate) fn label_of(block: &Block) -> Option<(Label, &str)> {
    label::of(&block.text).or_else(|| {
        // `File đính kèm` and the file itself may stand in one line without a colon between them.
        let is_files = block.links.iter().any(|(_, url)| is_file(url));
        is_files.then(|| label::files_at_head(&block.text)).flatten().map(|value| (Label::Files, value))
    })
}

/// Why nothing used a block.
fn why_left_out(block: &Block) -> LeftOut {
    match &block.form {
        Form::Furniture => return LeftOut::Menu,
        Form::Embedded => return LeftOut::Player,
        Form::Unaddressed => return LeftOut::ScriptedPicture,
        Form::Image { .. } => return LeftOut::PictureOutside,
        _ => {}
    }
    match label_of(block).map(|(label, _)| label) {
        Some(Label::Share) => LeftOut::Share,
        Some(Label::Comments) => LeftOut::Comments,
        Some(Label::Rating) => LeftOut::Rating,
        Some(Label::Tags) => LeftOut::Keywords,
        Some(Label::Ago) => LeftOut::CountedTime,
        Some(Label::Tool) => LeftOut::PageTool,
        Some(Label::Owner) => LeftOut::SiteWords,
        _ if block.place.is_aside => LeftOut::Aside,
        _ => LeftOut::NoKnownPart,
    }
}
