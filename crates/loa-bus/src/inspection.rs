//! What `declare` did and what `inspect` found, thing by thing: exchanges, queues, bindings, and the policies over them.
//!
//! Adapters make them of facts of `loa-domain`; `loa-words` says those, commands and readiness show them.

use crate::Queue;
use loa_domain::{TopologyOutcome, TopologyState, TopologyThing};

/// One thing of the topology, as `declare` left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Which.
    pub thing: TopologyThing,
    /// What became of it.
    pub outcome: TopologyOutcome,
    /// The queue that it belongs to and, if it was made, may have missed messages until now.
    pub of: Option<Queue>,
}

impl Declared {
    /// The queue that missed what was published while this was not there.
    pub fn missed(&self) -> Option<Queue> {
        self.of.filter(|_| self.outcome == TopologyOutcome::Made)
    }
}

/// One thing of the topology, as `inspect` found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub thing: TopologyThing,
    /// How it is.
    pub state: TopologyState,
}

impl Finding {
    /// Whether somebody must act, or look.
    pub fn is_fault(&self) -> bool {
        matches!(self.state, TopologyState::Wrong { .. } | TopologyState::NotKnown { .. })
    }

    /// Whether the thing was looked at, and is as it should be.
    pub fn is_good(&self) -> bool {
        matches!(self.state, TopologyState::Right | TopologyState::Noted { .. } | TopologyState::Absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::TopologyDoubt;

    #[test]
    fn only_what_was_made_may_have_missed_something() {
        let thing = || TopologyThing::Queue { name: "loa.feed".to_owned() };
        let declared = |outcome| Declared { thing: thing(), outcome, of: Some(Queue::Feed) };
        assert_eq!(declared(TopologyOutcome::Made).missed(), Some(Queue::Feed));
        let unsure = TopologyOutcome::Unsure { doubt: TopologyDoubt::NotAskedBefore };
        for outcome in [TopologyOutcome::There, TopologyOutcome::Renewed { messages: 1 }, unsure] {
            assert_eq!(declared(outcome).missed(), None);
        }
    }
}
