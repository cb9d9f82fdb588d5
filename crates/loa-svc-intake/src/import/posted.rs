//! Whether a page's time of posting can be: who could read the page read it after it was posted.
//!
//! Pure: a page's article and the time now in, a refusal or none out.

use jiff::{SignedDuration, Timestamp};
use loa_domain::Flaw;
use loa_event::Refusal;
use loa_portal::PortalArticle;

/// How far a portal's clock may be ahead, or its zone be another.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Refuses a page that says it was posted at a time that has not come. It would be shown nowhere until then; mostly its day and
/// month are the other way round, or its year is a slip.
pub fn not_yet_posted(article: &PortalArticle, now: Timestamp) -> Option<Refusal> {
    let at = article.published_at.filter(|at| at.duration_since(now) > AHEAD_MAX)?;
    Some(Refusal::at("/data/published_at", Flaw::NotYetPosted { at }))
}
