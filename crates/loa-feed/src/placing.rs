//! The feeds that an article or document belongs to.

use loa_domain::{AreaId, Content, FeedName, PortalSlug};

/// The feeds of a content: `all` (documents too: it is everything that is said), its portal's, `documents` for a
/// document, its category, and each area of its reach (its own and their successors). Sorted, no repeats.
pub fn feeds_of(content: &Content, reach: &[AreaId], portal: &PortalSlug) -> Vec<FeedName> {
    let mut feeds = vec![FeedName::All, FeedName::Portal(portal.clone())];
    if matches!(content, Content::Document(_)) {
        feeds.push(FeedName::Documents);
    }
    feeds.extend(content.category().map(|category| FeedName::Category(category.slug.clone())));
    feeds.extend(content.areas().iter().chain(reach).cloned().map(FeedName::Area));
    feeds.sort();
    feeds.dedup();
    feeds
}
