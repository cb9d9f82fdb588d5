//! Why a text would cost too much to read as HTML, as a fact. `loa-html` measures it, `loa-words` says it.

use serde::{Deserialize, Serialize};

/// Which bound a text oversteps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HtmlExcess {
    /// Too many attributes in one tag, or in a script that looks like one; how many.
    Attributes(usize),
    /// More elements inside each other than this.
    Depth(usize),
    /// More different names of elements and attributes than this.
    Names(usize),
    /// Tags so misnested that reading them takes more steps than its length allows.
    Steps,
    /// Tags left open so that it grows to far more than its length when they are put right.
    Growth,
}
