//! One area in one period, and how it ended: one row of the directory as a value.
//!
//! An area is not a code. `03203` was Thị trấn Điện Biên Đông until 30 June 2025 and is Xã Na Son
//! since. A change of name, border or rank makes a new area under a new id. `load.rs` makes areas
//! from CSV; nothing here checks whether areas fit together (`directory.rs` does).

use jiff::civil::Date;
use loa_domain::AreaId;
use std::fmt;

/// A commune, town, ward or special zone in the period in which it was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Ours; never changes, never given twice. `config/areas/README.md` says how it is made.
    pub id: AreaId,
    /// The official code, as text (`03205`). Unique among the areas in force on one day, not for ever.
    pub code: String,
    /// The name without its kind, NFC: `Na Son`.
    pub name: String,
    /// What kind of unit it is.
    pub kind: AreaKind,
    /// The district with its kind, `Huyện Điện Biên Đông`; empty since districts ended on 1 July 2025.
    pub district: String,
    /// The province with its kind: `Tỉnh Điện Biên`.
    pub province: String,
    /// The first day in force; `None`: since before the directory's records.
    pub valid_from: Option<Date>,
    /// The first day no longer in force; `None`: still in force.
    pub valid_until: Option<Date>,
    /// What took its place, in the order of the file; empty while in force, or when nothing did.
    pub successors: Vec<Succession>,
    /// Other spellings of the name, NFC, without kind: `Pú Nhi` for `Pu Nhi`.
    pub aliases: Vec<String>,
}

impl Area {
    /// The name as officials write it: `Xã Na Son`.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// The full name and where it is: `Xã Na Son, Huyện Điện Biên Đông, Tỉnh Điện Biên`.
    pub fn label(&self) -> String {
        let mut label = self.full_name();
        for part in [&self.district, &self.province].into_iter().filter(|part| !part.is_empty()) {
            label.push_str(", ");
            label.push_str(part);
        }
        label
    }

    /// The name and its other spellings, without kind.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }

    /// Whether the area was in force on that day (local, `Asia/Ho_Chi_Minh`).
    pub fn is_in_force(&self, on: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= on) && self.valid_until.is_none_or(|until| on < until)
    }
}

/// The kinds of unit at the lowest level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AreaKind {
    /// Xã.
    Commune,
    /// Thị trấn; none since 1 July 2025.
    Town,
    /// Phường.
    Ward,
    /// Đặc khu; since 1 July 2025.
    SpecialZone,
}

impl AreaKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Commune, Self::Town, Self::Ward, Self::SpecialZone];

    /// The Vietnamese word, as the first word of a full name.
    pub fn vietnamese(self) -> &'static str {
        match self {
            Self::Commune => "Xã",
            Self::Town => "Thị trấn",
            Self::Ward => "Phường",
            Self::SpecialZone => "Đặc khu",
        }
    }

    /// Reads [`Self::vietnamese`] back, in upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.vietnamese().to_lowercase() == text.to_lowercase())
    }
}

impl fmt::Display for AreaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.vietnamese())
    }
}

/// One of the areas that took another's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The area that took it.
    pub to: AreaId,
    /// How much of it.
    pub share: Share,
}

/// How much of an area went to one successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// All of it; the only successor.
    Whole,
    /// Some of it; an area divided has several successors.
    Part,
    /// Some of it, and the part to assume when only one may be named. One at most.
    PartDefault,
}

impl Share {
    /// The word in the directory's files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Part => "part",
            Self::PartDefault => "part-default",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Whole, Self::Part, Self::PartDefault].into_iter().find(|share| share.as_str() == text)
    }
}
