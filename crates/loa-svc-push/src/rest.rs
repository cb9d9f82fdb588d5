//! Who is left alone for a while: a circuit breaker and `Retry-After`, for each endpoint.
//!
//! Pure but for its memory: every question brings the instant along. A resting endpoint's deliveries stay due in the
//! ledger, so a restart forgets the rests and loses nothing. After a rest that followed failures, one probe goes first;
//! its answer opens the way for the others or doubles the rest.

use jiff::Timestamp;
use loa_domain::EndpointId;
use std::{collections::HashMap, time::Duration};

/// The breaker's settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BreakerRule {
    /// Failures in a row that open it.
    pub(crate) failures: u32,
    /// The first rest.
    pub(crate) rest: Duration,
    /// The longest rest.
    pub(crate) rest_max: Duration,
}

/// What an attempt says about its endpoint as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It lives: it answered, if only to refuse.
    Alive,
    /// It fails: no answer, or 5xx.
    Failing,
}

/// Who may be called now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rota {
    /// Not these.
    pub(crate) resting: Vec<EndpointId>,
    /// These with one attempt, no more.
    pub(crate) probing: Vec<EndpointId>,
}

/// The rests of all endpoints; those that are well have no entry.
#[derive(Debug)]
pub(crate) struct Rests {
    rule: BreakerRule,
    of: HashMap<EndpointId, Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    /// Failures in a row.
    failures: u32,
    /// Rests in a row.
    rests: u32,
    /// Open: until then nobody, then one probe.
    open_until: Option<Timestamp>,
    /// A probe is under way.
    probing: bool,
    /// The receiver's own wish.
    paused_until: Option<Timestamp>,
}

impl Rests {
    pub(crate) fn new(rule: BreakerRule) -> Self {
        Self { rule, of: HashMap::new() }
    }

    /// Who may be called now.
    pub(crate) fn rota(&self, now: Timestamp) -> Rota {
        let mut rota = Rota::default();
        for (id, rest) in &self.of {
            let paused = rest.paused_until.is_some_and(|until| now < until);
            match rest.open_until {
                _ if paused => rota.resting.push(id.clone()),
                Some(until) if now < until || rest.probing => rota.resting.push(id.clone()),
                Some(_) => rota.probing.push(id.clone()),
                None => {}
            }
        }
        rota
    }

    /// An attempt begins.
    pub(crate) fn began(&mut self, id: &EndpointId) {
        if let Some(rest) = self.of.get_mut(id) {
            rest.probing = rest.open_until.is_some();
        }
    }

    /// An attempt ended. Returns the instant until which the endpoint now rests, when that is news.
    pub(crate) fn ended(&mut self, id: &EndpointId, sign: Sign, now: Timestamp) -> Option<Timestamp> {
        if sign == Sign::Alive {
            if let Some(rest) = self.of.get_mut(id) {
                let paused_until = rest.paused_until.filter(|until| now < *until);
                *rest = Rest { paused_until, ..Rest::default() };
                if paused_until.is_none() {
                    self.of.remove(id);
                }
            }
            return None;
        }
        let rule = self.rule;
        let rest = self.of.entry(id.clone()).or_default();
        rest.failures = rest.failures.saturating_add(1);
        let straggler = rest.open_until.is_some() && !rest.probing;
        if straggler || (rest.failures < rule.failures && !rest.probing) {
            return None;
        }
        let length = rule.rest.saturating_mul(1 << rest.rests.min(16)).min(rule.rest_max);
        rest.probing = false;
        rest.rests += 1;
        rest.open_until = now.checked_add(length).ok();
        rest.open_until
    }

    /// The receiver asks to be left alone until then.
    pub(crate) fn pause(&mut self, id: &EndpointId, until: Timestamp) {
        let rest = self.of.entry(id.clone()).or_default();
        rest.paused_until = rest.paused_until.max(Some(until));
    }

    /// An operator enabled or tested it: what was is forgotten.
    pub(crate) fn forget(&mut self, id: &EndpointId) {
        self.of.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> EndpointId {
        EndpointId::new("ep_a").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn rests() -> Rests {
        Rests::new(BreakerRule { failures: 3, rest: Duration::from_secs(60), rest_max: Duration::from_secs(100) })
    }

    fn fail(rests: &mut Rests, times: u32, now: i64) {
        for _ in 0..times {
            rests.began(&id());
            rests.ended(&id(), Sign::Failing, at(now));
        }
    }

    const FREE: Rota = Rota { resting: Vec::new(), probing: Vec::new() };

    fn resting() -> Rota {
        Rota { resting: vec![id()], probing: Vec::new() }
    }

    fn probing() -> Rota {
        Rota { resting: Vec::new(), probing: vec![id()] }
    }

    #[test]
    fn after_failures_in_a_row_it_rests_and_then_one_probe_goes_first() {
        let mut rests = rests();
        fail(&mut rests, 2, 0);
        assert_eq!(rests.rota(at(0)), FREE);
        fail(&mut rests, 1, 0);
        assert_eq!(rests.rota(at(59)), resting());
        assert_eq!(rests.rota(at(60)), probing());
        rests.began(&id());
        assert_eq!(rests.rota(at(60)), resting(), "one probe, no more");
        rests.ended(&id(), Sign::Alive, at(61));
        assert_eq!(rests.rota(at(61)), FREE);
    }

    #[test]
    fn each_failed_probe_doubles_the_rest_up_to_its_longest() {
        let mut rests = rests();
        fail(&mut rests, 3, 0);
        fail(&mut rests, 1, 60);
        assert_eq!(rests.rota(at(159)), resting());
        assert_eq!(rests.rota(at(160)), probing(), "60, then 100 and not 120");
    }

    #[test]
    fn stragglers_that_began_before_the_rest_do_not_lengthen_it() {
        let mut rests = rests();
        fail(&mut rests, 3, 0);
        assert_eq!(rests.ended(&id(), Sign::Failing, at(30)), None);
        assert_eq!(rests.rota(at(60)), probing());
    }

    #[test]
    fn a_success_between_failures_starts_the_count_again() {
        let mut rests = rests();
        fail(&mut rests, 2, 0);
        rests.ended(&id(), Sign::Alive, at(1));
        fail(&mut rests, 2, 2);
        assert_eq!(rests.rota(at(2)), FREE);
    }

    #[test]
    fn a_receivers_wish_outlives_answers_that_were_under_way_and_the_longest_wins() {
        let mut rests = rests();
        rests.pause(&id(), at(100));
        rests.pause(&id(), at(50));
        rests.ended(&id(), Sign::Alive, at(10));
        assert_eq!(rests.rota(at(99)), resting());
        assert_eq!(rests.rota(at(100)), FREE);
        rests.forget(&id());
        assert_eq!(rests.rota(at(0)), FREE);
    }
}
