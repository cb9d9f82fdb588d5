//! Which language somebody reads: from a request (RFC 9110 §12.5.4), or from the environment of a terminal.

use crate::{Words, en::English, vi::Vietnamese};

/// A language that has a catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// The one that is shown to whoever did not ask for another.
    #[default]
    Vietnamese,
    /// The second one.
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Vietnamese, Self::English];

    /// The tag of BCP 47, for `lang` and `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }

    /// Its catalogue.
    pub fn words(self) -> &'static dyn Words {
        match self {
            Self::Vietnamese => &Vietnamese,
            Self::English => &English,
        }
    }

    /// The language that an `Accept-Language` likes best; Vietnamese where it likes none of ours better.
    pub fn of_request(accept_language: Option<impl AsRef<[u8]>>) -> Self {
        let header = accept_language.as_ref().and_then(|value| std::str::from_utf8(value.as_ref()).ok());
        let accept_language = header.unwrap_or_default();
        let weight = |language: Self| {
            let named = accept_language.split(',').filter_map(range).filter(|(tag, _)| language.is_named(tag));
            named.map(|(_, weight)| weight).max()
        };
        match (weight(Self::Vietnamese), weight(Self::English)) {
            (None, Some(1..)) => Self::English,
            (Some(vietnamese), Some(english)) if english > vietnamese => Self::English,
            _ => Self::Vietnamese,
        }
    }

    /// The language of a locale's name, as in `LANG`: `vi_VN.UTF-8`. English where it is not Vietnamese: commands speak
    /// English.
    pub fn of_locale(name: &str) -> Self {
        if Self::Vietnamese.is_named(&name.to_ascii_lowercase()) { Self::Vietnamese } else { Self::English }
    }

    fn is_named(self, tag: &str) -> bool {
        tag.split(['-', '_', '.', '@']).next() == Some(self.tag())
    }
}

/// One language range, in lower case, and its weight in thousandths. What cannot be read is passed over.
fn range(part: &str) -> Option<(String, u32)> {
    let mut pieces = part.split(';').map(str::trim);
    let tag = pieces.next().filter(|tag| !tag.is_empty())?.to_ascii_lowercase();
    let Some(weight) = pieces.next() else { return Some((tag, 1_000)) };
    let weight = weight.strip_prefix("q=")?;
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let thousandths: u32 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let weight = whole.parse::<u32>().ok()?.checked_mul(1_000)?.checked_add(thousandths)?;
    (weight <= 1_000).then_some((tag, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_for_those_who_like_it_better() {
        for (header, wanted) in [
            ("", Language::Vietnamese),
            ("*", Language::Vietnamese),
            ("vi", Language::Vietnamese),
            ("fr, de;q=0.8", Language::Vietnamese),
            ("en", Language::English),
            ("en-US,en;q=0.5", Language::English),
            ("vi-VN,vi;q=0.9,en;q=0.8", Language::Vietnamese),
            ("en-GB;q=0.9, vi;q=0.3", Language::English),
            ("en, vi", Language::Vietnamese),
            ("en;q=0", Language::Vietnamese),
            ("en;q=nothing, ;;,", Language::Vietnamese),
        ] {
            assert_eq!(Language::of_request(Some(header)), wanted, "{header:?}");
        }
        assert_eq!(Language::of_request(None::<&str>), Language::Vietnamese);
        assert_eq!(Language::of_request(Some([0xff, b'e'])), Language::Vietnamese);
    }

    #[test]
    fn a_terminal_speaks_english_unless_its_locale_is_vietnamese() {
        assert_eq!(Language::of_locale("vi_VN.UTF-8"), Language::Vietnamese);
        for other in ["", "C", "C.UTF-8", "en_US.UTF-8", "virtual"] {
            assert_eq!(Language::of_locale(other), Language::English, "{other:?}");
        }
    }
}
