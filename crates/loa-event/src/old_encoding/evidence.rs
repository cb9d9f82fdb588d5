//! What the words of a text say for each old encoding, and what follows from it.
//!
//! A word counts once, however often it comes. The sign of an encoding is a word that is a syllable of Vietnamese only when it
//! is read so, and has a character that Vietnamese does not have. Pure.

use super::{
    letters::{converted, is_strange},
    reading::{has_even_capitals, has_small_accents, has_strange, is_short_name, says_nothing},
    syllable::{self, is_syllable},
    words::Word,
};
use loa_domain::OldEncoding;
use std::collections::HashSet;

/// Different words that are looked at: what so many do not say, more do not.
const WORDS_MAX: usize = 5_000;
/// So many signs make a mixed text an old one, where a font says so, too.
const SIGNS_MIN: usize = 3;

/// What is to be done with a text.
#[derive(Debug)]
pub(super) enum Verdict {
    No,
    Certain(OldEncoding),
    /// A font names the encoding, and not all words are of it.
    Doubtful(OldEncoding),
    /// So many words look like it.
    AFew(OldEncoding, usize),
}

/// What the words of a text say.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Words with letters that only Unicode has.
    proper: usize,
    /// Words of ASCII that are no syllables.
    alien: usize,
    /// Words of Latin-1 beyond ASCII.
    latin: usize,
    /// Of them, syllables as they stand.
    as_they_stand: usize,
    read: [Read; 3],
}

/// What words are when they are read in one encoding.
#[derive(Debug, Default)]
struct Read {
    /// Syllables.
    syllables: usize,
    /// Of them, those that are none as they stand.
    only_so: usize,
    /// Of them, those that have a character which Vietnamese does not have.
    signs: usize,
    /// These characters.
    characters: HashSet<char>,
    /// Capitals: neither for it nor against.
    neutral: usize,
    /// Of them, names in short of an office or a kind of paper, with such a character.
    strange_names: usize,
    /// Words that are nothing either way.
    foreign: usize,
    /// Words with such a character, whatever they are.
    strange: usize,
}

impl Evidence {
    pub fn of(words: &[Word]) -> Self {
        let (mut evidence, mut known) = (Self::default(), HashSet::new());
        for word in words.iter().filter(|word| !word.is_in_tag) {
            if known.len() < WORDS_MAX && known.insert((&*word.text, word.is_before_c)) {
                evidence.word(word);
            }
        }
        evidence
    }

    fn word(&mut self, word: &Word) {
        let text = &*word.text;
        if text.is_ascii() {
            let is_a_word = text.len() > 1 && text.bytes().all(|b| b.is_ascii_alphabetic());
            let is_short = text.bytes().all(|b| b.is_ascii_uppercase());
            self.alien += usize::from(is_a_word && !is_short && !is_syllable(text));
        } else if text.contains(|c| c > '\u{ff}') {
            self.proper += 1;
        } else if (text.contains(|c: char| c.is_ascii_alphabetic()) || word.is_before_c)
            && text.chars().count() <= 2 * syllable::LETTERS_MAX
            && !says_nothing(text)
        {
            self.latin_word(word);
        }
    }

    fn latin_word(&mut self, word: &Word) {
        let stands = is_syllable(&word.text);
        self.latin += 1;
        self.as_they_stand += usize::from(stands);
        for (encoding, known) in OldEncoding::ALL.into_iter().zip(&mut self.read) {
            let read = converted(&word.text, encoding);
            let is_strange_in_it = has_strange(&word.text, encoding);
            known.strange += usize::from(is_strange_in_it);
            // one letter before `/c` is there in short
            let is_word = word.places.len() > 1;
            if is_word && is_syllable(&read) && has_even_capitals(&read) {
                known.syllables += 1;
                known.only_so += usize::from(!stands);
                known.signs += usize::from(is_strange_in_it);
                known.characters.extend(word.text.chars().filter(|c| is_strange(*c, encoding)));
            } else if is_short_name(word, &read, encoding) {
                known.neutral += 1;
                known.strange_names += usize::from(is_strange_in_it);
                known.characters.extend(word.text.chars().filter(|c| is_strange(*c, encoding)));
            } else if is_syllable(&read) && has_small_accents(&word.text, encoding) {
                known.neutral += 1;
            } else if !stands {
                known.foreign += 1;
            }
        }
    }

    fn read(&self, encoding: OldEncoding) -> &Read {
        let place = OldEncoding::ALL.iter().position(|known| *known == encoding).unwrap_or_default();
        &self.read[place]
    }

    /// `fonts`: encodings that the text's fonts name.
    pub fn verdict(&self, fonts: &[OldEncoding]) -> Verdict {
        let weight = |encoding: OldEncoding| {
            let read = self.read(encoding);
            (read.signs, read.syllables, read.strange_names)
        };
        let is_named = |encoding: OldEncoding| fonts.contains(&encoding);
        let best = OldEncoding::ALL.into_iter().rev().max_by_key(|encoding| (weight(*encoding), is_named(*encoding)));
        let Some(encoding) = best.filter(|encoding| weight(*encoding).0 + weight(*encoding).2 > 0) else {
            return Verdict::No;
        };
        let read = self.read(encoding);
        let like_it = |other: OldEncoding| weight(other) == weight(encoding) && is_named(other) == is_named(encoding);
        let is_alone = OldEncoding::ALL.into_iter().filter(|other| like_it(*other)).count() == 1;
        let others = self.latin - read.syllables - read.neutral;
        let is_named = is_named(encoding);
        let is_enough = is_named || read.only_so >= 2 && read.characters.len() >= 2 && self.alien * 2 <= read.syllables;
        let is_whole = self.proper == 0 && others * 10 <= read.syllables && read.signs > 0;
        let is_old = read.signs >= SIGNS_MIN && read.signs > read.foreign && read.signs * 3 >= self.proper;
        match () {
            () if is_whole && is_enough && is_alone => Verdict::Certain(encoding),
            () if is_named && (is_old || is_whole) => Verdict::Doubtful(encoding),
            () if read.foreign == 0 || is_whole || read.signs >= SIGNS_MIN && read.signs > read.foreign => {
                Verdict::AFew(encoding, read.signs + read.strange_names)
            }
            () => Verdict::No,
        }
    }

    /// Whether a text that says too little by itself reads well in an encoding, and not as it stands.
    pub fn goes_along(&self, encoding: OldEncoding) -> bool {
        let read = self.read(encoding);
        let well = read.syllables + read.neutral;
        self.proper == 0 && well > 0 && well == self.latin && self.as_they_stand < self.latin
    }

    /// Words with a character that Vietnamese does not have and the encoding has.
    pub fn strange(&self, encoding: OldEncoding) -> usize {
        self.read(encoding).strange
    }
}
