//! `Last-Modified` of what readers put together of feeds. Nothing of a combination is kept, and yet its date must step with
//! every version, never go back, and be the same on every replica.
//!
//! So it is made of what the ledger knows anyway: the latest of when one of its parts changed, when its newest entry was published
//! (one dated in the future appears without a change), and when the form that this program gives to feeds was first told. A
//! change within the same second has the same date, so none is told before that second is surely over.

use crate::{
    Service,
    naming::Labels,
    publishing::{FeedError, chain},
    succession,
};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{Combination, FeedName};
use loa_feed::{Feed, Format, fingerprint, render};
use std::sync::OnceLock;

/// How long after its second a date is told: longer than the clocks of replicas are apart.
const SECOND_IS_OVER: SignedDuration = SignedDuration::from_secs(5);
/// Under what the ledger keeps the form. No feed and no document is called so.
const FORM: &str = "+form";

/// When the form that this program gives to feeds was first told; nothing until the ledger has said so.
#[derive(Default)]
pub(crate) struct FormDate(OnceLock<Timestamp>);

/// When a combination last changed; told when that second is over.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Dated(Timestamp);

impl Dated {
    /// What `Last-Modified` says now.
    pub(crate) fn told(self, form: &FormDate, now: Timestamp) -> Option<Timestamp> {
        let at = self.0.max(*form.0.get()?);
        at.checked_add(SECOND_IS_OVER).is_ok_and(|over| over <= now).then_some(at)
    }
}

impl Service {
    /// Has the ledger keep since when feeds have the form that this program and its settings give them. Once; while it cannot,
    /// combinations go without a date.
    pub(crate) async fn keep_form_date(&self) {
        let inner = &self.0;
        if inner.form_date.0.get().is_some() {
            return;
        }
        let kept = match self.form() {
            Ok(form) => inner.ledger.rendered(FORM, &form, 0, inner.world.now()).await.map_err(FeedError::from),
            Err(error) => Err(error),
        };
        match kept {
            // false: another task was first, with the same words
            Ok(kept) => drop(inner.form_date.0.set(kept.last_modified)),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "what feeds look like could not be noted; combinations go without Last-Modified");
            }
        }
    }

    /// Everything that makes the same entries read otherwise: program, settings, templates, the directory of areas.
    fn form(&self) -> Result<String, FeedError> {
        let inner = &self.0;
        let empty = Feed::assemble(&inner.site, inner.names.head(&FeedName::All, None), &[], &[], inner.window);
        let mut pieces = vec![env!("CARGO_PKG_VERSION").to_owned(), format!("{:?}", inner.window)];
        for format in Format::ALL {
            pieces.push(render(format, &inner.site, &empty)?);
        }
        pieces.push(inner.pages.feed(&inner.names, &empty, &Labels::new(), succession::day(Timestamp::UNIX_EPOCH))?);
        pieces.extend(inner.directory.iter().map(|area| format!("{area:?}")));
        Ok(fingerprint(pieces.iter().map(|piece| piece.as_bytes())))
    }

    /// When the parts of a combination last changed.
    pub(crate) async fn parts_changed_at(&self, combination: &Combination) -> Result<Timestamp, FeedError> {
        Ok(self.0.ledger.changed_at(&combination.parts()).await?)
    }

    /// The date of a combination that reads so, and whose parts had changed at `before` when it began to be read; `None` when
    /// they changed meanwhile: nobody knows whether it has the change.
    pub(crate) async fn dated(
        &self,
        combination: &Combination,
        before: Timestamp,
        feed: &Feed,
    ) -> Result<Option<Dated>, FeedError> {
        if self.parts_changed_at(combination).await? != before {
            return Ok(None);
        }
        let newest = feed.entries().first().map(|item| item.published_at);
        Ok(Some(Dated(newest.map_or(before, |at| before.max(whole_second(at))))))
    }
}

/// The first whole second that is not before an instant.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().saturating_add(i64::from(at.subsec_nanosecond() > 0))).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_told_when_its_second_is_over_and_the_form_is_kept() {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (form, over) = (FormDate::default(), at + SECOND_IS_OVER);
        assert_eq!(Dated(at).told(&form, over), None);
        form.0.set(at - SECOND_IS_OVER).unwrap();
        assert_eq!(Dated(at).told(&form, at), None);
        assert_eq!(Dated(at).told(&form, over), Some(at));
        assert_eq!(
            Dated(at - 2 * SECOND_IS_OVER).told(&form, over),
            Some(at - SECOND_IS_OVER),
            "a new form is a change"
        );
        assert_eq!(whole_second(at + SignedDuration::from_millis(1)), at + SignedDuration::from_secs(1));
        assert!(FeedName::parse(FORM).is_none());
    }
}
