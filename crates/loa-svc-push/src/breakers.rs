//! The circuit breakers of all endpoints, in memory.
//!
//! The rule is `loa_domain::Breaker`'s. Deliveries of an endpoint that is not called stay due in the ledger, so a restart
//! forgets the breakers and loses nothing.

use jiff::Timestamp;
use loa_domain::{Breaker, BreakerRule, BreakerState, EndpointId};
use std::collections::HashMap;

/// Endpoints that may not be called as usual.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NotClosed {
    /// By nobody.
    pub(crate) open: Vec<EndpointId>,
    /// By one attempt, no more.
    pub(crate) half_open: Vec<EndpointId>,
}

/// The breakers; endpoints that are well have no entry.
#[derive(Debug)]
pub(crate) struct Breakers {
    rule: BreakerRule,
    of: HashMap<EndpointId, Breaker>,
}

impl Breakers {
    pub(crate) fn new(rule: BreakerRule) -> Self {
        Self { rule, of: HashMap::new() }
    }

    /// Who may not be called as usual now.
    pub(crate) fn not_closed(&self, now: Timestamp) -> NotClosed {
        let mut found = NotClosed::default();
        for (id, breaker) in &self.of {
            match breaker.state(now) {
                BreakerState::Closed => {}
                BreakerState::HalfOpen => found.half_open.push(id.clone()),
                BreakerState::Open => found.open.push(id.clone()),
            }
        }
        found
    }

    /// An attempt begins.
    pub(crate) fn begin(&mut self, id: &EndpointId) {
        if let Some(breaker) = self.of.get_mut(id) {
            breaker.begin();
        }
    }

    /// An attempt was answered, if only by a refusal.
    pub(crate) fn succeed(&mut self, id: &EndpointId, now: Timestamp) {
        if let Some(breaker) = self.of.get_mut(id) {
            breaker.succeed(now);
            if breaker.is_default() {
                self.of.remove(id);
            }
        }
    }

    /// An attempt failed. Returns until when the breaker is open, when this opened it.
    pub(crate) fn fail(&mut self, id: &EndpointId, now: Timestamp) -> Option<Timestamp> {
        self.of.entry(id.clone()).or_default().fail(&self.rule, now)
    }

    /// The endpoint asks to be left alone until then.
    pub(crate) fn pause(&mut self, id: &EndpointId, until: Timestamp) {
        self.of.entry(id.clone()).or_default().pause(until);
    }

    /// An operator enabled it: what was is forgotten.
    pub(crate) fn forget(&mut self, id: &EndpointId) {
        self.of.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_endpoint_has_a_breaker_of_its_own_and_one_that_is_well_takes_no_room() {
        let minute = Duration::from_secs(60);
        let mut breakers = Breakers::new(BreakerRule { failures: 1, open: minute, open_max: minute });
        let (one, other) = (EndpointId::new("ep_a").unwrap(), EndpointId::new("ep_b").unwrap());
        let (now, later) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        breakers.fail(&one, now);
        breakers.pause(&other, later);
        let open = breakers.not_closed(now).open;
        assert!(open.len() == 2 && open.contains(&one) && open.contains(&other));
        assert_eq!(breakers.not_closed(later), NotClosed { open: vec![], half_open: vec![one.clone()] });
        breakers.succeed(&one, later);
        breakers.succeed(&other, later);
        assert_eq!((breakers.not_closed(later), breakers.of.len()), (NotClosed::default(), 0));
    }

    #[test]
    fn what_an_operator_enables_is_called_at_once() {
        let hour = Duration::from_secs(3_600);
        let mut breakers = Breakers::new(BreakerRule { failures: 1, open: hour, open_max: hour });
        let id = EndpointId::new("ep_a").unwrap();
        breakers.fail(&id, Timestamp::UNIX_EPOCH);
        breakers.forget(&id);
        assert_eq!(breakers.not_closed(Timestamp::UNIX_EPOCH), NotClosed::default());
    }
}
