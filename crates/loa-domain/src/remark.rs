//! What is told of an event that was taken all the same: what was left out of it, or is shown otherwise than it was sent.
//!
//! Facts with their counts. Decoding finds them (`loa-event`), `loa-words` says them. What refuses an event is not here.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The directory knows no such area; as it was named, cut short.
    UnknownArea(String),
    /// No area had this code on that day, as far as the directory knows.
    UnknownCode {
        /// As it was sent, cut short.
        code: String,
        /// The day asked for.
        on: Date,
    },
    /// The last change is dated in the future.
    ChangedAhead {
        /// When it says it was changed.
        modified_at: Timestamp,
        /// What followers are shown until then.
        shown: Timestamp,
    },
    /// Cleaning changed so many of these in a body.
    Altered {
        /// What.
        what: Altered,
        /// How many; 1 or more.
        count: usize,
    },
    /// The text was in an encoding from before Unicode, and was converted.
    Converted(OldEncoding),
    /// In a text that was converted, some words read as nothing, and stay as they came.
    Unread {
        /// What the text was converted from.
        encoding: OldEncoding,
        /// How many words; 1 or more.
        words: usize,
    },
    /// A few words look like an encoding from before Unicode; they stay as they came.
    LooksOld {
        /// Which.
        encoding: OldEncoding,
        /// How many words; 1 or more.
        words: usize,
    },
}

/// What cleaning a body leaves out, or shows otherwise. In the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Altered {
    /// Players, sounds, films, objects and embedded pages: links now.
    Embedded,
    /// The same without an address that anybody can open: gone.
    EmbeddedWithoutAddress,
    /// Frames that nobody sees: gone.
    UnseenFrames,
    /// Pictures that nobody sees: gone.
    UnseenPictures,
    /// Pictures without an address that anybody can fetch: gone.
    PicturesWithoutAddress,
    /// Formulas: text now.
    Formulas,
    /// Drawings: only their text is left.
    Drawings,
    /// Fields of forms: only what is filled in is left.
    FormFields,
    /// Scripts, templates and titles of pages: gone.
    Scripts,
    /// Passages that a style hides from everybody: gone. Without the style they would be seen.
    HiddenPassages,
    /// Addresses with a user name: gone.
    DisguisedAddresses,
    /// Addresses of links that are neither of the web nor of mail nor of a telephone: gone.
    UnusableAddresses,
    /// Letters that were lost before the text came here; they stay as they came.
    LostLetters,
}

impl Altered {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Embedded,
        Self::EmbeddedWithoutAddress,
        Self::UnseenFrames,
        Self::UnseenPictures,
        Self::PicturesWithoutAddress,
        Self::Formulas,
        Self::Drawings,
        Self::FormFields,
        Self::Scripts,
        Self::HiddenPassages,
        Self::DisguisedAddresses,
        Self::UnusableAddresses,
        Self::LostLetters,
    ];
}

/// What stands embedded in a page, for the word before the link that takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embedded {
    /// A film.
    Film,
    /// A sound.
    Sound,
    /// A paper or any other file.
    File,
    /// A map.
    Map,
    /// A page of whatever else.
    Page,
}

impl Embedded {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Film, Self::Sound, Self::File, Self::Map, Self::Page];
}

/// How Vietnamese was written in bytes before Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OldEncoding {
    /// TCVN 5712:1993, VN3; fonts named `.Vn…`. Also called ABC.
    Tcvn3,
    /// VNI for Windows; fonts named `VNI-…`.
    Vni,
    /// RFC 1456.
    Viscii,
}

impl OldEncoding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tcvn3, Self::Vni, Self::Viscii];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcvn3 => "TCVN3",
            Self::Vni => "VNI",
            Self::Viscii => "VISCII",
        }
    }
}
