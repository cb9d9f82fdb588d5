//! Archive documents (RFC 5005 §4): the names of a feed's other documents, and the place of one
//! among them.
//!
//! One archive document covers one month in which something was published, in the months of the
//! site's zone. A month with more entries than a document should have is in parts. The oldest part
//! comes first, so that later publications move none of them.

use loa_domain::Month;
use std::fmt;

/// What an archive document is called: `2025-07`; from the second part on, `2025-07-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveName {
    /// The month.
    pub month: Month,
    /// Which part of it, from 1.
    pub part: u32,
}

impl ArchiveName {
    /// Reads what [`Display`](fmt::Display) writes, and nothing else: a document has one name.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| -> Option<u32> {
            let plain = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok())?
        };
        let mut pieces = text.split('-');
        let (year, month) = (pieces.next()?, pieces.next()?);
        let part = pieces.next().map_or(Some(1), number)?;
        let month = Month::new(i16::try_from(number(year)?).ok()?, i8::try_from(number(month)?).ok()?)?;
        let name = Self { month, part };
        let exists = part >= 1 && pieces.next().is_none();
        (exists && name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for ArchiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            1 => self.month.fmt(f),
            part => write!(f, "{}-{part}", self.month),
        }
    }
}

/// Where a document stands among those of its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Which archive it is; `None`: what readers subscribe to.
    pub archive: Option<ArchiveName>,
    /// The archive with the next older entries.
    pub previous: Option<ArchiveName>,
    /// For an archive, that with the next newer entries.
    pub next: Option<ArchiveName>,
}

impl Position {
    /// Whether it is an archive, and the only one: everything that stands in its feed stands in it.
    pub fn is_complete(&self) -> bool {
        self.archive.is_some() && self.previous.is_none() && self.next.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_one_name() {
        for name in ["2025-07", "2025-07-2", "2025-12-1000", "0000-01", "9999-12"] {
            assert_eq!(ArchiveName::parse(name).unwrap().to_string(), name);
        }
        for other in [
            "2025-7",
            "25-07",
            "2025-07-1",
            "2025-07-0",
            "2025-07-02",
            "2025-13",
            "2025-00",
            "02025-07",
            "2025-07-",
            "2025",
            "2025-07-2-3",
            "-2025-07",
            "+2025-07",
            "2025-07-99999999999",
            "10000-01",
            "２０２５-07",
            "",
        ] {
            assert_eq!(ArchiveName::parse(other), None, "{other:?}");
        }
    }
}
