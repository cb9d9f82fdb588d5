//! A feed into one of its formats.
//!
//! The three writers below know the formats' rules; this file only chooses. A failure is a defect of a writer, never of
//! an entry.

use crate::{Feed, Format, RenderError, Site, atom, json, rss2};

/// Writes a feed. The same input gives the same bytes, always.
///
/// # Errors
/// See [`RenderError`].
pub fn render(format: Format, site: &Site, feed: &Feed) -> Result<String, RenderError> {
    match format {
        Format::Rss => rss2::write(site, feed),
        Format::Atom => atom::write(site, feed),
        Format::Json => json::write(site, feed),
    }
}
