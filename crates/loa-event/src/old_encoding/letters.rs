//! The letters of the old encodings, as they look when their bytes are taken for Latin-1.
//!
//! TCVN3 and VISCII have a byte for each letter (capitals of VISCII below A0 are not here: they are control characters, which
//! no text of an event may have); VNI has a letter and a mark behind it. Sources: TCVN 5712:1993 (VN3), RFC 1456,
//! and the table of VNI Software for Windows. Pure.

use loa_domain::OldEncoding;

/// The character of each byte from A1 on, a blank where there is none.
const TCVN3: &str = "ĂÂÊÔƠƯĐăâêôơưđ      àảãáạ ằẳẵắ       ặầẩẫấậè ẻẽéẹềểễếệìỉ   ĩíịò ỏõóọồổỗốộờởỡớợù ủũúụừửữứựỳỷỹýỵ ";
const VISCII: &str = "ắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ";
/// Letters of VNI that stand alone.
const VNI_ALONE: [(char, char); 14] = [
    ('ñ', 'đ'),
    ('Ñ', 'Đ'),
    ('ö', 'ư'),
    ('Ö', 'Ư'),
    ('ô', 'ơ'),
    ('Ô', 'Ơ'),
    ('æ', 'ỉ'),
    ('Æ', 'Ỉ'),
    ('ó', 'ĩ'),
    ('Ó', 'Ĩ'),
    ('ò', 'ị'),
    ('Ò', 'Ị'),
    ('î', 'ỵ'),
    ('Î', 'Ỵ'),
];
/// Marks of VNI behind a letter, and what they are as combining marks.
const VNI_MARKS: [(char, &str); 17] = [
    ('ù', "\u{301}"),
    ('ø', "\u{300}"),
    ('û', "\u{309}"),
    ('õ', "\u{303}"),
    ('ï', "\u{323}"),
    ('â', "\u{302}"),
    ('á', "\u{302}\u{301}"),
    ('à', "\u{302}\u{300}"),
    ('å', "\u{302}\u{309}"),
    ('ã', "\u{302}\u{303}"),
    ('ä', "\u{302}\u{323}"),
    ('ê', "\u{306}"),
    ('é', "\u{306}\u{301}"),
    ('è', "\u{306}\u{300}"),
    ('ú', "\u{306}\u{309}"),
    ('ü', "\u{306}\u{303}"),
    ('ë', "\u{306}\u{323}"),
];

/// A text with the letters of an encoding written as they are. What is none of them stays; nothing is composed.
pub(super) fn converted(text: &str, encoding: OldEncoding) -> String {
    letters_of(text, encoding).concat()
}

/// What each character of a text is in an encoding, in their order; for a mark of VNI, a combining mark.
pub(super) fn letters_of(text: &str, encoding: OldEncoding) -> Vec<String> {
    let by_byte = |table: &str| text.chars().map(|c| letter(table, c).unwrap_or(c).to_string()).collect();
    match encoding {
        OldEncoding::Tcvn3 => by_byte(TCVN3),
        OldEncoding::Viscii => by_byte(VISCII),
        OldEncoding::Vni => of_vni(text),
    }
}

fn letter(table: &str, c: char) -> Option<char> {
    let place = (c as usize).checked_sub(0xa1)?;
    table.chars().nth(place).filter(|&letter| letter != ' ' && place < 0x5f)
}

fn of_vni(text: &str) -> Vec<String> {
    let mut out = Vec::with_capacity(text.len());
    // what the last character was read as, where a mark may follow
    let mut base = None;
    for c in text.chars() {
        let small = c.to_lowercase().next().unwrap_or(c);
        let marks = VNI_MARKS.iter().find(|(mark, _)| *mark == small).map(|(_, marks)| *marks);
        if let Some(marks) = marks.filter(|marks| base.is_some_and(|base| may_carry(base, marks))) {
            out.push(marks.to_owned());
            base = None;
            continue;
        }
        let read = VNI_ALONE.iter().find(|(alone, _)| *alone == c).map_or(c, |(_, letter)| *letter);
        out.push(read.to_string());
        base = "aeiouyơư".contains(read.to_lowercase().next().unwrap_or(read)).then_some(read);
    }
    out
}

/// Only `a` has a breve, only `a`, `e` and `o` a circumflex, and a letter with a horn has tones alone.
fn may_carry(base: char, marks: &str) -> bool {
    let base = base.to_lowercase().next().unwrap_or(base);
    match marks.chars().next() {
        Some('\u{306}') => base == 'a',
        Some('\u{302}') => matches!(base, 'a' | 'e' | 'o'),
        _ => true,
    }
}

/// Whether a character, met inside a word, is none of Vietnamese as it is written today, and is one of an encoding.
pub(super) fn is_strange(c: char, encoding: OldEncoding) -> bool {
    const OF_TODAY: &str = "ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýÐð";
    let is_odd = matches!(c, '\u{a1}'..='\u{ff}') && !OF_TODAY.contains(c);
    is_odd
        && match encoding {
            OldEncoding::Tcvn3 => letter(TCVN3, c).is_some(),
            OldEncoding::Viscii => letter(VISCII, c).is_some(),
            OldEncoding::Vni => {
                let small = c.to_lowercase().next().unwrap_or(c);
                VNI_ALONE.iter().any(|(alone, _)| *alone == c) || VNI_MARKS.iter().any(|(mark, _)| *mark == small)
            }
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn each_table_has_a_place_for_each_byte() {
        for table in [TCVN3, VISCII] {
            assert_eq!(table.chars().count(), 0x5f, "{table}");
        }
    }

    #[test]
    fn each_encoding_is_read() {
        for (encoding, text) in [
            (
                OldEncoding::Tcvn3,
                "§iÖn Biªn §«ng: Céng hßa x· héi chñ nghÜa ViÖt Nam, §éc lËp - Tù do - H¹nh phóc, h\u{ad}íng",
            ),
            (
                OldEncoding::Vni,
                "Ñieän Bieân Ñoâng: Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam, Ñoäc laäp - Töï do - Haïnh phuùc, höôùng",
            ),
            (
                OldEncoding::Viscii,
                "Ði®n Biên Ðông: Cµng hòa xã hµi chü nghîa Vi®t Nam, Ðµc l§p - Tñ do - HÕnh phúc, hß¾ng",
            ),
        ] {
            let read: String = converted(text, encoding).nfc().collect();
            let right = "Điện Biên Đông: Cộng hòa xã hội chủ nghĩa Việt Nam, Độc lập - Tự do - Hạnh phúc, hướng";
            assert_eq!(read, right, "{encoding:?}");
        }
        assert_eq!(converted("HOÄI NGHÒ, UÛY BAN", OldEncoding::Vni).nfc().collect::<String>(), "HỘI NGHỊ, ỦY BAN");
    }
}
