//! Letters that only look like Vietnamese ones: `Ð` of Iceland for `Đ`, Cyrillic `о` for `o`, full-width `Ｎ` for `N`.
//!
//! Keyboards, converters and picture readers write them, and nobody sees it. Text stays as it was written; whoever compares
//! names (the gazetteer, the addresses of categories) compares what is seen. Pure.

use unicode_normalization::char::is_combining_mark;

/// Each letter behind those that look like it.
const ALIKE: &[(char, &str)] = &[
    ('Đ', "ÐƉƋ"),
    ('đ', "ðɖƌ"),
    ('A', "АΑ"),
    ('B', "ВΒ"),
    ('C', "СϹ"),
    ('D', "Ԁ"),
    ('E', "ЕΕ"),
    ('H', "НΗҺ"),
    ('I', "ІΙӀ"),
    ('J', "Ј"),
    ('K', "КΚ"),
    ('M', "МΜ"),
    ('N', "Ν"),
    ('O', "ОΟՕ"),
    ('P', "РΡ"),
    ('Q', "Ԛ"),
    ('S', "Ѕ"),
    ('T', "ТΤ"),
    ('V', "Ѵ"),
    ('W', "Ԝ"),
    ('X', "ХΧ"),
    ('Y', "УΥҮ"),
    ('Z', "Ζ"),
    ('a', "аαɑ"),
    ('c', "сϲ"),
    ('d', "ԁ"),
    ('e', "е"),
    ('g', "ɡ"),
    ('h', "һհ"),
    ('i', "іιı"),
    ('j', "ј"),
    ('k', "кκ"),
    ('l', "ӏ"),
    ('n', "ո"),
    ('o', "оοօ"),
    ('p', "рρ"),
    ('q', "ԛ"),
    ('s', "ѕ"),
    ('u', "υս"),
    ('v', "ѵν"),
    ('w', "ԝ"),
    ('x', "хχ"),
    ('y', "уүγ"),
];

/// The Vietnamese letter, sign or digit that a character looks like; any other stands for itself. For single letters, without
/// the marks upon them.
pub fn seen_as(c: char) -> char {
    match c {
        ..='\u{7f}' => c,
        // full-width forms of ASCII
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        // marks, and letters with theirs: most of what is not ASCII here
        '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' => c,
        _ => ALIKE.iter().find(|(_, alike)| alike.contains(c)).map_or(c, |(letter, _)| *letter),
    }
}

/// A text in which words of letters that look like Vietnamese ones are written with those. A word that is not wholly made of
/// them is of another language, and stays.
pub fn without_lookalikes(text: &str) -> String {
    let word = |word: &str| {
        let seen: String = word.chars().map(seen_as).collect();
        if seen.chars().all(|c| !c.is_alphabetic() || is_latin(c)) { seen } else { word.to_owned() }
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

fn is_latin(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}') || is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_vietnamese_word_is_one_and_other_languages_stay() {
        for (written, seen) in [
            ("Ðiện Biên Ɖông", "Điện Biên Đông"),
            ("Tin tứ\u{441}", "Tin tức"),
            ("Ｎａ　Ｓｏｎ", "Na Son"),
            ("хã Na Sоn", "xã Na Son"),
            ("Новости Điện Biên", "Новости Điện Biên"),
            ("Ελλάδα", "Ελλάδα"),
            ("ສະບາຍດີ", "ສະບາຍດີ"),
            ("", ""),
        ] {
            assert_eq!(without_lookalikes(written), seen);
        }
    }

    #[test]
    fn a_letter_of_vietnamese_is_never_another_one() {
        for c in "AĂÂBCDĐEÊGHIKLMNOÔƠPQRSTUƯVXYaăâbcdđeêghiklmnoôơpqrstuưvxyÀảãÁạềĩỹ0 ,".chars()
        {
            assert_eq!(seen_as(c), c);
        }
    }
}
