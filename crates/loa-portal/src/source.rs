//! The source text of an HTML page beside its tree: the line on which a text stands, and whether
//! the page is too deep to parse.
//!
//! The parser keeps no positions, so a text is searched behind the one before it. A text that is
//! not found is at line 0; the line is never guessed.

use crate::PageError;
use std::collections::HashMap;

/// Elements open inside each other, by a count that may err upward: ten times what portals have.
const OPEN_MAX: usize = 1_000;
/// Texts that may go unfound before looking ends: each failure reads to the end of the page.
const MISSES_MAX: usize = 100;
/// Elements that close themselves, or that the parser closes.
const UNNESTED: [&str; 28] = [
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p",
    "param", "path", "rect", "circle", "line", "source", "tbody", "td", "th", "thead", "tr", "track", "wbr",
];

/// Refuses what would hold the parser up: its time grows with the square of the depth.
pub(crate) fn check_depth(html: &str) -> Result<(), PageError> {
    let mut open: HashMap<String, usize> = HashMap::new();
    let (mut total, mut rest) = (0_usize, html);
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let is_end = rest.starts_with('/');
        let name = rest.trim_start_matches('/');
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
        let name = name.to_ascii_lowercase();
        if name.is_empty() || UNNESTED.contains(&name.as_str()) {
            continue;
        }
        let count = open.entry(name).or_default();
        match is_end {
            false => (*count, total) = (*count + 1, total + 1),
            true if *count > 0 => (*count, total) = (*count - 1, total - 1),
            true => {}
        }
        if total > OPEN_MAX {
            return Err(PageError::TooDeep { max: OPEN_MAX });
        }
    }
    Ok(())
}

/// Where in the source the walk is.
pub(crate) struct Source<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// Whether the last text was found.
    is_found: bool,
    misses: usize,
}

impl<'t> Source<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1, is_found: false, misses: 0 }
    }

    /// Looks for a text node behind the last one.
    pub(crate) fn meet(&mut self, node: &str) {
        const SOUGHT_MAX: usize = 40;
        // Up to the first character that may be written as a reference in the source, or the line's end.
        let sought = node.trim().split(['&', '<', '>', '"', '\u{a0}', '\n', '\r']).next().unwrap_or_default();
        let sought = sought.char_indices().nth(SOUGHT_MAX).map_or(sought, |(end, _)| &sought[..end]);
        if sought.is_empty() {
            return;
        }
        self.is_found = false;
        if self.misses >= MISSES_MAX {
            return;
        }
        match self.text[self.at..].find(sought) {
            Some(offset) => {
                self.line += self.text[self.at..self.at + offset].bytes().filter(|&b| b == b'\n').count();
                self.at += offset;
                self.is_found = true;
            }
            None => self.misses += 1,
        }
    }

    /// The line of the last text met; 0 when it was not found.
    pub(crate) fn line(&self) -> usize {
        if self.is_found { self.line } else { 0 }
    }
}
