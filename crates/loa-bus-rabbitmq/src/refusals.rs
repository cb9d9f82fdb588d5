//! Remembers which routing keys the broker refuses, as long as somebody tries them.

use loa_bus::{BusError, BusErrorKind};
use loa_domain::BusReason;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Routing keys remembered as refused; of further ones nothing is noted until one of these goes through.
const REFUSED_KEYS_MAX: usize = 64;

/// A refusal that was not met again for so long is forgotten: whoever publishes tries again far more often, and another
/// process may have published the message since.
const REMEMBERED: Duration = Duration::from_secs(30 * 60);

/// What the broker last said of each exchange and routing key that it refuses. Topic permissions differ by key, so
/// that one key goes through says nothing about another.
#[derive(Default)]
pub(crate) struct Refusals(BTreeMap<(&'static str, String), (BusReason, Instant)>);

impl Refusals {
    /// Remembers a refusal until the same key goes through.
    pub(crate) fn note(&mut self, (exchange, key): (&'static str, &str), error: Option<&BusError>) {
        let place = (exchange, key.to_owned());
        match error {
            None => {
                self.0.remove(&place);
            }
            Some(error) if error.kind == BusErrorKind::Refused => {
                self.0.retain(|_, (_, at)| at.elapsed() < REMEMBERED);
                if self.0.len() < REFUSED_KEYS_MAX || self.0.contains_key(&place) {
                    self.0.insert(place, (error.reason(), Instant::now()));
                }
            }
            Some(_) => {}
        }
    }

    /// One of the refusals that stand.
    pub(crate) fn reason(&self) -> Option<BusReason> {
        self.0.values().find(|(_, at)| at.elapsed() < REMEMBERED).map(|(reason, _)| reason.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> BusError {
        BusError::new(BusErrorKind::Refused, "no right")
    }

    #[test]
    fn a_refused_key_is_remembered_until_that_key_goes_through() {
        let mut refusals = Refusals::default();
        let article = (EVENTS, "article.published.x");
        refusals.note(article, Some(&refused()));
        refusals.note((EVENTS, "heartbeat"), None);
        assert_eq!(refusals.reason(), Some(BusReason::said("no right")), "another key's confirm cleared it");
        refusals.note(article, None);
        assert_eq!(refusals.reason(), None);
    }

    #[test]
    fn refused_keys_are_remembered_up_to_a_bound() {
        let mut refusals = Refusals::default();
        for n in 0..=REFUSED_KEYS_MAX {
            refusals.note((EVENTS, &format!("article.published.{n}")), Some(&refused()));
        }
        assert_eq!(refusals.0.len(), REFUSED_KEYS_MAX);
    }

    const EVENTS: &str = loa_bus::EVENTS_EXCHANGE;
}
