//! What of a text is beyond its bound.

use loa_domain::HtmlExcess;

/// Why a text is not to be read as HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// Which bound it oversteps.
    pub kind: HtmlExcess,
    /// The steps taken until then.
    pub steps: u64,
}
