//! The source text of an HTML page beside its tree: the line on which a text stands.
//!
//! The parser keeps no positions, so a text is searched behind the one before it. A text that is
//! not found is at line 0; the line is never guessed.

/// Texts that may go unfound before looking ends: each failure reads to the end of the page.
const MISSES_MAX: usize = 100;

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
