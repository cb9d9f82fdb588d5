//! A text as the gazetteer reads it: words with their keys, the gaps between them, and each word's
//! capitals.
//!
//! The keys of all words stand in one string, each between `<` and `>`, with `|` where more than
//! white space separates two words. So one automaton over that string finds whole words only, and
//! never a name across a full stop.

use crate::spelling;
use std::cell::Cell;

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// Begins with a small letter.
    Small,
    /// Begins with a capital, or is a number.
    Capital,
    /// Two letters or more, all capitals.
    Upper,
}

/// One word of the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    /// Bytes in the text.
    pub(crate) start: usize,
    /// Bytes in the text.
    pub(crate) end: usize,
    pub(crate) case: Case,
    /// Bytes of its key in the haystack, without `<` and `>`.
    key: (usize, usize),
    /// Which line it is on; the first is 0.
    pub(crate) line: usize,
}

/// A text cut into words.
pub(crate) struct Words<'t> {
    pub(crate) text: &'t str,
    pub(crate) words: Vec<Word>,
    /// What the automaton searches.
    pub(crate) haystack: String,
    /// Of each line, whether most of its words begin with capitals, so that a capital there says nothing.
    headline: Vec<bool>,
    /// Of each word, the first of the run of capitalised words, joined by spaces alone, that ends with it; itself where it
    /// is none.
    run_first: Vec<usize>,
    /// Of each word, the end of the run of words not in small letters, joined by spaces alone, that begins with it; itself
    /// where it is none.
    run_end: Vec<usize>,
    /// Bytes and words looked at, for a test: what a text costs grows with its length.
    looked: Cell<u64>,
}

impl<'t> Words<'t> {
    /// Cuts a text, with the key function of one reading.
    pub(crate) fn cut(text: &'t str, key: fn(&str) -> String) -> Self {
        let mut cut = Self {
            text,
            words: Vec::new(),
            haystack: String::with_capacity(text.len() + text.len() / 2),
            headline: Vec::new(),
            run_first: Vec::new(),
            run_end: Vec::new(),
            looked: Cell::new(text.len() as u64),
        };
        let (mut line, mut counted, mut at) = (0, 0, 0);
        while let Some(offset) = text[at..].find(spelling::is_word_char) {
            let start = at + offset;
            let end = text[start..].find(|c| !spelling::is_word_char(c)).map_or(text.len(), |length| start + length);
            let word_key = key(&text[start..end]);
            at = end;
            if word_key.is_empty() {
                continue;
            }
            line += text[counted..start].bytes().filter(|&b| b == b'\n').count();
            counted = start;
            if let Some(last) = cut.words.last()
                && !is_space(&text[last.end..start])
            {
                cut.haystack.push('|');
            }
            cut.haystack.push('<');
            let key_start = cut.haystack.len();
            cut.haystack.push_str(&word_key);
            cut.words.push(Word {
                start,
                end,
                case: case(&text[start..end]),
                key: (key_start, cut.haystack.len()),
                line,
            });
            cut.haystack.push('>');
        }
        cut.headline = headlines(&cut.words, line);
        cut.find_runs();
        cut
    }

    /// Runs are found once, from both ends: a text of one run would else be walked through for each name in it.
    fn find_runs(&mut self) {
        let words = self.words.len();
        let joined: Vec<bool> = (0..words).map(|word| self.joined(word)).collect();
        let case = |word: usize| self.words[word].case;
        let mut run_first = Vec::with_capacity(words);
        for word in 0..words {
            let goes_on = word > 0 && joined[word] && case(word) == Case::Capital && case(word - 1) == Case::Capital;
            run_first.push(if goes_on { run_first[word - 1] } else { word });
        }
        let mut run_end: Vec<usize> = (0..words).collect();
        for word in (0..words).rev().filter(|&word| case(word) != Case::Small) {
            let goes_on = word + 1 < words && joined[word + 1] && case(word + 1) != Case::Small;
            run_end[word] = if goes_on { run_end[word + 1] } else { word + 1 };
        }
        (self.run_first, self.run_end) = (run_first, run_end);
    }

    /// The first word of the run of capitalised words that ends with this one.
    pub(crate) fn run_first(&self, word: usize) -> usize {
        self.run_first[word]
    }

    /// The end of the run of capitalised words that begins at a word, joined by spaces alone; the word itself where it is in
    /// small letters, or behind the last.
    pub(crate) fn run_end(&self, word: usize) -> usize {
        self.run_end.get(word).copied().unwrap_or(word)
    }

    /// Bytes and words looked at so far.
    pub(crate) fn looked(&self) -> u64 {
        self.looked.get()
    }

    pub(crate) fn key(&self, word: usize) -> &str {
        let (start, end) = self.words[word].key;
        self.looked.set(self.looked.get() + 1);
        &self.haystack[start..end]
    }

    /// The keys of words `from..to`, parted by spaces.
    pub(crate) fn keys(&self, from: usize, to: usize) -> String {
        (from..to).map(|word| self.key(word)).collect::<Vec<_>>().join(" ")
    }

    /// The word whose `<` stands at that byte of the haystack.
    pub(crate) fn word_at(&self, haystack_start: usize) -> usize {
        self.words.partition_point(|word| word.key.0 <= haystack_start)
    }

    /// What stands before a word: between it and the one before, or the text's beginning.
    pub(crate) fn gap_before(&self, word: usize) -> &'t str {
        let start = if word == 0 { 0 } else { self.words[word - 1].end };
        let gap = &self.text[start..self.words.get(word).map_or(self.text.len(), |w| w.start)];
        self.looked.set(self.looked.get() + gap.len() as u64);
        gap
    }

    /// Whether only white space, and no line end, parts a word from the one before it.
    pub(crate) fn joined(&self, word: usize) -> bool {
        word > 0 && word < self.words.len() && {
            let gap = self.gap_before(word);
            is_space(gap) && !gap.contains(['\n', '\r'])
        }
    }

    /// Whether a sentence, a line or a quotation begins with the word.
    pub(crate) fn begins(&self, word: usize) -> bool {
        word == 0
            || !is_space(self.gap_before(word)) && !self.gap_before(word).trim().eq(",")
            || self.gap_before(word).contains(['\n', '\r'])
    }

    pub(crate) fn is_headline(&self, word: usize) -> bool {
        self.headline.get(self.words[word].line).copied().unwrap_or(false)
    }
}

/// White space that may stand inside a name: at most one line end, for text that was wrapped.
fn is_space(gap: &str) -> bool {
    gap.chars().all(char::is_whitespace) && gap.bytes().filter(|&b| b == b'\n').count() <= 1
}

fn case(word: &str) -> Case {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    match letters.next() {
        Some(first) if first.is_lowercase() => Case::Small,
        Some(_) => {
            let rest: Vec<char> = letters.collect();
            if !rest.is_empty() && rest.iter().all(|c| c.is_uppercase()) { Case::Upper } else { Case::Capital }
        }
        None => Case::Capital,
    }
}

/// Lines with four words or more of which fewer than three in ten begin with a small letter.
fn headlines(words: &[Word], last_line: usize) -> Vec<bool> {
    let mut counts = vec![(0_usize, 0_usize); last_line + 1];
    for word in words {
        counts[word.line].0 += 1;
        counts[word.line].1 += usize::from(word.case == Case::Small);
    }
    counts.into_iter().map(|(all, small)| all >= 4 && small * 10 < all * 3).collect()
}
