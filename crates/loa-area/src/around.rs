//! The context of a name in a text: the word for its kind before it, the list it stands in, the
//! district or province behind it.
//!
//! Called by the gazetteer for each name it found. It reads words (`words.rs`) and the names of
//! superiors (`reading.rs`). It does not decide what the name means; `gazetteer.rs` does.

use crate::{
    lexicon::Written,
    reading::{Found, Reading},
    words::{Case, Words},
};
use jiff::civil::Date;

/// No name of a district or province has more words; a longer run of capitals is not looked up.
const NAME_WORDS_MAX: usize = 8;
/// How many words behind a name are looked at for its district and province: a list of some forty names.
const LIST_WORDS_MAX: usize = 120;

impl Reading {
    /// What the words right before `first` say the name is: `xã`, `các xã:`, `TT.`, `P.`
    pub(crate) fn written_before(&self, words: &Words<'_>, first: usize) -> Written {
        if first == 0 {
            return Written::Bare;
        }
        let gap = words.gap_before(first);
        if gap.trim() == "."
            && let Some(written) = self.dotted.get(words.key(first - 1))
        {
            return *written;
        }
        if !gap.chars().all(|c| c.is_whitespace() || ":\"“”‘'«(".contains(c)) || gap.matches('\n').count() > 1 {
            return Written::Bare;
        }
        for length in (1..=3.min(first)).rev() {
            let from = first - length;
            let is_one_phrase = (from + 1..first).all(|word| words.joined(word));
            if is_one_phrase && let Some(written) = self.phrases.get(&words.keys(from, first)) {
                return *written;
            }
        }
        Written::Bare
    }

    /// Whether only the joints of a list stand between word `behind - 1` and word `next`: commas, dashes, `và`.
    pub(crate) fn lists(&self, words: &Words<'_>, behind: usize, next: usize) -> bool {
        next >= behind
            && next - behind <= 2
            && (behind..next).all(|word| self.joining.contains(words.key(word)))
            && (behind..=next)
                .all(|word| words.gap_before(word).chars().all(|c| c.is_whitespace() || ",;/&+-–，；、".contains(c)))
            && (next > behind || !words.joined(next))
    }

    /// Whether a dash joins a name to the next: the two ends of a road.
    pub(crate) fn runs_on(&self, words: &Words<'_>, found: &Found, next: Option<&Found>) -> bool {
        let is_next = next.is_some_and(|next| next.first == found.last + 1);
        is_next && matches!(words.gap_before(found.last + 1).trim(), "-" | "–")
    }

    /// The district and province written behind a name or behind the list it stands in, as (level, key of the name).
    pub(crate) fn qualifiers(&self, words: &Words<'_>, behind: usize, on: Date) -> Vec<(Written, String)> {
        let mut found = Vec::new();
        let end = words.words.len().min(behind + LIST_WORDS_MAX);
        let mut at = behind;
        while at < end {
            let gap = words.gap_before(at);
            let is_bracket = gap.trim() == "(";
            if !is_bracket && !gap.chars().all(|c| c.is_whitespace() || ",;/&+-–，；、".contains(c))
                || gap.matches('\n').count() > 1
            {
                break;
            }
            if self.joining.contains(words.key(at)) {
                // `xã Na Son và huyện Tủa Chùa`: a neighbour, not where Na Son is.
                if !found.is_empty()
                    || matches!(
                        self.phrase_at(words, at + 1),
                        Some((Written::District | Written::Province | Written::City, _))
                    )
                {
                    break;
                }
                at += 1;
                continue;
            }
            match self.phrase_at(words, at) {
                Some((level @ (Written::District | Written::Province | Written::City), length)) => {
                    let (key, after) = self.superior_at(words, at + length, at);
                    let Some(key) = key else { break };
                    found.push((level, key));
                    at = after;
                }
                Some((Written::Area(_), length)) if found.is_empty() => at += length,
                Some((Written::Area(_), _)) => break,
                // Other phrases are parts of names here: `Sông Mã`.
                _ => {
                    let after = words.run_end(at);
                    if after == at {
                        break;
                    }
                    let key = run_key(words, at, after);
                    let is_known = self.superiors.get(&key).is_some_and(|s| s.until.is_none_or(|until| on < until));
                    let is_place = is_known && (is_bracket || !self.area_names.contains(&key) || !found.is_empty());
                    if is_place || is_bracket && self.is_elsewhere(words, at, after) {
                        found.push((Written::Bare, key));
                    } else if !found.is_empty() {
                        break;
                    }
                    at = after;
                }
            }
        }
        found
    }

    /// The longest phrase that begins at a word, and how many words it has.
    fn phrase_at(&self, words: &Words<'_>, at: usize) -> Option<(Written, usize)> {
        (1..=3).rev().filter(|length| at + length <= words.words.len()).find_map(|length| {
            let is_one_phrase = (at + 1..at + length).all(|word| words.joined(word));
            let written = self.phrases.get(&words.keys(at, at + length)).filter(|_| is_one_phrase)?;
            Some((*written, length))
        })
    }

    /// The name behind `huyện` or `tỉnh`: the longest that is known, else all capitalised words. And the word behind it.
    fn superior_at(&self, words: &Words<'_>, at: usize, phrase: usize) -> (Option<String>, usize) {
        let after = words.run_end(at);
        if after == at {
            return (None, at);
        }
        for end in (at + 1..=linked_end(words, at)).rev() {
            for from in [at, phrase] {
                let key = words.keys(from, end);
                if self.superiors.contains_key(&key) {
                    return (Some(key), end);
                }
            }
        }
        (Some(run_key(words, at, after)), after)
    }

    /// Whether words in brackets behind a name are another place: `(Sông Mã)`, not `(OCOP)` nor `(Ảnh: …)`.
    fn is_elsewhere(&self, words: &Words<'_>, at: usize, after: usize) -> bool {
        (2..=NAME_WORDS_MAX).contains(&(after - at))
            && words.gap_before(after).starts_with(')')
            && (at..after)
                .all(|word| words.words[word].case == Case::Capital && words.key(word).chars().any(char::is_alphabetic))
            && !self.area_names.contains(&words.keys(at, after))
    }
}

/// As [`Words::run_end`], over signs that stand inside names too: `Cư M'gar`, `Bà Rịa - Vũng Tàu`. Only for names that are known.
fn linked_end(words: &Words<'_>, at: usize) -> usize {
    let mut end = at + 1;
    while end < words.words.len().min(at + NAME_WORDS_MAX) {
        let is_linked = matches!(words.gap_before(end).trim(), "'" | "’" | "-" | "–");
        let is_next = words.joined(end) && words.words[end].case != Case::Small;
        if !is_linked && !is_next {
            break;
        }
        end += 1;
    }
    end
}

/// The key of a run of words: of its first words only where it is longer than any name, so that it is none that is known.
fn run_key(words: &Words<'_>, at: usize, after: usize) -> String {
    words.keys(at, after.min(at + NAME_WORDS_MAX + 1))
}
