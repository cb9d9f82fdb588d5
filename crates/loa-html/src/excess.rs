//! What of a text is beyond its bound.

use crate::bounds::{DEPTH_MAX, NAMES_MAX};
use std::fmt;

/// Why a text is not to be read as HTML. The sentence goes on from "the text has …".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// Which bound it oversteps.
    pub kind: ExcessKind,
    /// The steps taken until then.
    pub steps: u64,
}

/// The bounds of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExcessKind {
    /// More attributes in one tag than [`ATTRIBUTES_MAX`](crate::ATTRIBUTES_MAX), in a page
    /// [`PAGE_ATTRIBUTES_MAX`](crate::PAGE_ATTRIBUTES_MAX); how many.
    Attributes(usize),
    /// More elements inside each other than [`DEPTH_MAX`].
    Depth,
    /// More different names of elements and attributes than [`NAMES_MAX`].
    Names,
    /// Tags so misnested that reading them takes more steps than its length allows.
    Steps,
    /// Tags left open so that it grows to far more than its length when they are put right.
    Growth,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ExcessKind::Attributes(count) => {
                write!(f, "{count} attributes in one tag, or in a script that looks like one: more than are allowed")
            }
            ExcessKind::Depth => {
                write!(f, "more than {DEPTH_MAX} elements inside each other; close each tag, or send flatter HTML")
            }
            ExcessKind::Names => {
                write!(f, "more than {NAMES_MAX} different names of elements and attributes; send HTML")
            }
            ExcessKind::Steps => f.write_str(
                "tags so misnested that putting them right costs too much; close each tag where it was opened",
            ),
            ExcessKind::Growth => f.write_str(
                "tags left open so that it grows far beyond its length when they are put right; close each tag",
            ),
        }
    }
}

impl std::error::Error for Excess {}
