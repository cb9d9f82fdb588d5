//! Notices Vietnamese in an encoding from before Unicode (TCVN3, VNI, VISCII) whose bytes were taken for Latin-1, and reads it.
//!
//! Such text is valid UTF-8 and means nothing: `§iÖn Biªn`. A portal that keeps old articles sends it. Where the words say
//! which encoding it is, the text is converted word by word, and that is told, with the words that read as nothing and stay.
//! What is not certain stays and is told; only where a font names the encoding, too, a mixed text is refused. A text that has
//! no sign of an old encoding, or is in another language, is not touched.
//!
//! Pure: cleaned texts in, readable texts out. The event's hash and its original bytes are those of what was sent.

mod evidence;
mod font;
mod letters;
mod reading;
mod syllable;
mod words;

use crate::{Note, Refusal};
use evidence::{Evidence, Verdict};
use font::named_by_fonts;
use letters::is_strange;
use loa_domain::{Flaw, MemberName, OldEncoding, Remark, clean_text, twice_encoded};
use reading::{Reading, reading};
use words::Word;

/// One text of an event.
pub(crate) struct Text<'t> {
    pub pointer: String,
    /// Cleaned; converted where it is in an old encoding.
    pub text: &'t mut String,
    /// As it was sent, where that is at hand.
    pub sent: &'t str,
    pub is_html: bool,
}

/// Converts the texts of one event to Unicode, where they are Vietnamese in an old encoding, and tells it.
///
/// # Errors
/// A text was encoded twice; a font names an old encoding, and not all of the text is in it; or the text is in VISCII, and its capitals, which are control
/// characters there, are gone.
pub(crate) fn modernise(texts: &mut [Text<'_>], language: &str, notes: &mut Vec<Note>) -> Result<(), Refusal> {
    if !language.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case("vi")) {
        return Ok(());
    }
    if let Some(text) = texts.iter().find(|text| twice_encoded(text.text).is_some()) {
        return Err(text.encoded_twice());
    }
    let mut verdicts = texts.iter().map(Text::verdict).collect::<Result<Vec<_>, _>>()?;
    if let Some(known) = the_only(&verdicts) {
        for (text, verdict) in texts.iter().zip(&mut verdicts) {
            text.beside(known, verdict)?;
        }
    }
    let mut left = Vec::new();
    for (text, verdict) in texts.iter_mut().zip(&verdicts) {
        if let Verdict::Certain(encoding) = *verdict {
            left.push((text.pointer.clone(), encoding, text.convert(encoding)));
        }
    }
    for encoding in OldEncoding::ALL {
        let mut of_it = left.iter().filter(|(_, known, _)| *known == encoding).map(|(pointer, ..)| pointer);
        let pointer = match (of_it.next(), of_it.next()) {
            (None, _) => continue,
            (Some(one), None) => one.clone(),
            _ => "/data".to_owned(),
        };
        notes.push(Note { pointer, remark: Remark::Converted(encoding) });
    }
    let unread = left.into_iter().filter(|(.., words)| *words > 0);
    notes.extend(unread.map(|(pointer, encoding, words)| {
        let remark = Remark::Unread { encoding, words };
        Note { pointer, remark }
    }));
    notes.extend(texts.iter().zip(verdicts).filter_map(|(text, verdict)| {
        let Verdict::AFew(encoding, words) = verdict else { return None };
        Some(Note { pointer: text.pointer.clone(), remark: Remark::LooksOld { encoding, words } })
    }));
    Ok(())
}

/// The encoding that is certain of some text, where there is no other.
fn the_only(verdicts: &[Verdict]) -> Option<OldEncoding> {
    let mut certain = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::Certain(encoding) => Some(*encoding),
        _ => None,
    });
    let first = certain.next()?;
    certain.all(|other| other == first).then_some(first)
}

impl Text<'_> {
    fn verdict(&self) -> Result<Verdict, Refusal> {
        if !self.has_strange() {
            return Ok(Verdict::No);
        }
        let fonts = if self.is_html { named_by_fonts(self.sent) } else { Vec::new() };
        match Evidence::of(&self.words()).verdict(&fonts) {
            Verdict::Doubtful(encoding) => Err(self.refusal(encoding)),
            // its capitals are among the control characters, which no text may have: what is left is not all of it
            Verdict::Certain(OldEncoding::Viscii) if self.has_controls() => Err(self.capitals_gone()),
            verdict => Ok(verdict),
        }
    }

    /// A text that is not certain by itself, beside one that is: it goes along, or is told.
    fn beside(&self, known: OldEncoding, verdict: &mut Verdict) -> Result<(), Refusal> {
        if self.text.is_ascii() || matches!(verdict, Verdict::Certain(_)) {
            return Ok(());
        }
        let evidence = Evidence::of(&self.words());
        if evidence.goes_along(known) {
            if known == OldEncoding::Viscii && self.has_controls() {
                return Err(self.capitals_gone());
            }
            *verdict = Verdict::Certain(known);
        } else if matches!(verdict, Verdict::No) && evidence.strange(known) > 0 {
            *verdict = Verdict::AFew(known, evidence.strange(known));
        }
        Ok(())
    }

    /// Hardly any text of today has a sign; then no word need be looked at.
    fn has_strange(&self) -> bool {
        self.text.contains(|c| OldEncoding::ALL.iter().any(|encoding| is_strange(c, *encoding)))
    }

    fn words(&self) -> Vec<Word> {
        if self.is_html { words::of_html(self.text) } else { words::of_text(self.text) }
    }

    /// Converts what reads as something; how many words do not, and stay.
    fn convert(&mut self, encoding: OldEncoding) -> usize {
        let (mut out, mut done, mut left) = (String::with_capacity(self.text.len() * 5 / 4), 0, 0);
        for word in self.words() {
            match reading(&word, encoding) {
                Reading::Same => {}
                Reading::Nothing => left += 1,
                Reading::Letters(letters) => {
                    for ((place, was), is) in word.places.iter().zip(word.text.chars()).zip(letters) {
                        out.push_str(&self.text[done..*place]);
                        out.push_str(&is);
                        done = place + was.len_utf8();
                    }
                }
            }
        }
        out.push_str(&self.text[done..]);
        *self.text = clean_text(&out);
        left
    }

    fn has_controls(&self) -> bool {
        self.sent.contains(|c: char| matches!(c, '\u{80}'..='\u{9f}'))
    }

    fn capitals_gone(&self) -> Refusal {
        self.refused(Flaw::CapitalsGone { name: self.member() })
    }

    fn encoded_twice(&self) -> Refusal {
        self.refused(Flaw::EncodedTwice { name: self.member() })
    }

    fn refusal(&self, encoding: OldEncoding) -> Refusal {
        self.refused(Flaw::MixedEncoding { name: self.member(), encoding })
    }

    fn refused(&self, flaw: Flaw) -> Refusal {
        Refusal::at(self.pointer.clone(), flaw)
    }

    fn member(&self) -> MemberName {
        MemberName::of_pointer(&self.pointer).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{letters::converted, *};
    use loa_domain::Embedded;
    use loa_words::Language;

    #[test]
    fn no_word_before_a_link_has_a_letter_that_an_old_encoding_would_be_read_from() {
        for (language, embedded) in Language::ALL.iter().flat_map(|l| Embedded::ALL.map(|embedded| (l, embedded))) {
            let word = language.words().embedded(embedded);
            assert!(OldEncoding::ALL.iter().all(|encoding| converted(word, *encoding) == word), "{word}");
        }
    }
}
