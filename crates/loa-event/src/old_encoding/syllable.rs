//! Whether a word is a syllable of Vietnamese: what tells a text in an old encoding from one in another language.
//!
//! A syllable is an onset, a rime and at most one tone; there are a few thousand. Pure.

use unicode_normalization::UnicodeNormalization;

/// The written tones, as combining marks; the last two stand before a stop, too.
const TONES: [char; 5] = ['\u{300}', '\u{309}', '\u{303}', '\u{301}', '\u{323}'];
const ONSETS: &str = "  b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x ";
const RIMES: &str = " a ac ach ai am an ang anh ao ap at au ay ă ăc ăm ăn ăng ăp ăt â âc âm ân âng âp ât âu ây \
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu \
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot \
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uân uâng uât uây uc uê uêch uênh ui um un ung uôc uôi uôm uôn uông uôt \
    up ut uy uya uych uyên uyêt uynh uyt uyu uơ ư ưa ưc ưi ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu ưm ưn \
    y yêm yên yêng yêt yêu ";
/// Letters of the longest syllable: `nghiêng`.
pub(super) const LETTERS_MAX: usize = 7;

/// Whether a word can be read as one syllable, whatever its capitals.
pub(super) fn is_syllable(word: &str) -> bool {
    if word.chars().count() > 2 * LETTERS_MAX {
        return false;
    }
    let (mut tone, mut tones, mut letters) = (None, 0, String::new());
    for c in word.nfd().flat_map(char::to_lowercase) {
        if TONES.contains(&c) {
            (tone, tones) = (Some(c), tones + 1);
        } else {
            letters.push(c);
        }
    }
    let letters: String = letters.nfc().collect();
    if tones > 1 || letters.is_empty() || letters.chars().count() > LETTERS_MAX {
        return false;
    }
    let splits = letters.char_indices().map(|(at, _)| at).take(4);
    splits.map(|at| letters.split_at(at)).any(|(onset, rime)| {
        let is_known = ONSETS.contains(&format!(" {onset} ")) && RIMES.contains(&format!(" {rime} "));
        let is_stopped = ["c", "ch", "p", "t"].iter().any(|stop| rime.ends_with(stop));
        is_known && (!is_stopped || matches!(tone, Some('\u{301}' | '\u{323}')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_told_from_words_of_other_languages() {
        for word in
            "Điện Biên Đông xã hội chủ nghĩa Việt Nam nghiêng quyết giờ gì ở ý khuya NƯỚC hoà hòa Ủy ban".split(' ')
        {
            assert!(is_syllable(word), "{word}");
        }
        for word in ["", "fũr", "việtt", "mat", "straße", "dzung", "àbc", "ngà̀", "word", "ửber", "kửln"] {
            assert!(!is_syllable(word), "{word}");
        }
    }
}
