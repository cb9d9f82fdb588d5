//! What a process needs to work: its dependencies, by the names that `/readyz`, metrics and the manual have for them.
//!
//! Names only. Whether a dependency is up, `loa-worker` keeps; what it is called for people, `loa-words` says. What a queue or a
//! ledger is made of is not known here; a queue is named by the outlet whose it is.

use crate::Outlet;
use std::fmt;

/// A ledger by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerName {
    /// An outlet's, or intake's.
    Of(Outlet),
    /// Tokens of the HTTP API.
    Access,
    /// Receipts.
    Receipts,
    /// Sources that are looked at.
    Watch,
}

impl LedgerName {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Of(Outlet::Intake),
        Self::Of(Outlet::Feed),
        Self::Of(Outlet::Digest),
        Self::Of(Outlet::Push),
        Self::Access,
        Self::Receipts,
        Self::Watch,
    ];

    /// The word for machines, which is also the name of its file and of its schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Of(outlet) => outlet.as_str(),
            Self::Access => "access",
            Self::Receipts => "receipts",
            Self::Watch => "watch",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }
}

/// A loop that works from a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worker {
    /// Relays, writes, sends or delivers for this outlet.
    Of(Outlet),
    /// Tells the subscribers of the hub, from push's ledger.
    Hub,
    /// Looks at portals that cannot call us.
    Watch,
}

impl Worker {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Of(Outlet::Intake),
        Self::Of(Outlet::Feed),
        Self::Of(Outlet::Digest),
        Self::Of(Outlet::Push),
        Self::Hub,
        Self::Watch,
    ];

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Of(outlet) => outlet.as_str(),
            Self::Hub => "hub",
            Self::Watch => "watch",
        }
    }
}

/// What a process needs to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dependency {
    /// An outlet's queue (intake's: the archive's) is consumed.
    Queue(Outlet),
    /// What comes from that queue is accepted by the ledger.
    Accepting(Outlet),
    /// A loop's steps on its ledger succeed.
    Working(Worker),
    /// The place where a ledger is kept is whole and may be written.
    Place(LedgerName),
    /// Exchanges and queues are there.
    Topology,
    /// Exchanges and queues were made at the start; they are not, for instance, where a queue is there with other arguments.
    TopologyMade,
    /// The ledgers' schemas on a server were made at the start.
    LedgersMade,
    /// The ledgers answer that a console which runs alone shows.
    LedgersRead,
}

impl Dependency {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let outlets = Outlet::ALL.into_iter().flat_map(|outlet| [Self::Queue(outlet), Self::Accepting(outlet)]);
        let alone = [Self::Topology, Self::TopologyMade, Self::LedgersMade, Self::LedgersRead];
        outlets.chain(Worker::ALL.map(Self::Working)).chain(LedgerName::ALL.map(Self::Place)).chain(alone)
    }
}

impl fmt::Display for Dependency {
    /// The name for machines: a key on `/readyz`, a label of `loa_dependency_up`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(outlet) => write!(f, "bus {}", outlet.queue_name()),
            Self::Accepting(outlet) => write!(f, "accept {}", outlet.queue_name()),
            Self::Working(worker) => write!(f, "ledger {}", worker.as_str()),
            Self::Place(ledger) => write!(f, "store {}", ledger.as_str()),
            Self::Topology => f.write_str("topology"),
            Self::TopologyMade => f.write_str("topology made"),
            Self::LedgersMade => f.write_str("ledgers made"),
            Self::LedgersRead => f.write_str("ledgers"),
        }
    }
}

impl Outlet {
    /// The name of its queue at the broker.
    pub fn queue_name(self) -> &'static str {
        match self {
            Self::Intake => "loa.archive",
            Self::Feed => "loa.feed",
            Self::Digest => "loa.digest",
            Self::Push => "loa.push",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_for_machines_are_those_of_the_manual() {
        let (feed, hub) = (Outlet::Feed, Worker::Hub);
        for (dependency, name) in [
            (Dependency::Queue(feed), "bus loa.feed"),
            (Dependency::Queue(Outlet::Intake), "bus loa.archive"),
            (Dependency::Accepting(feed), "accept loa.feed"),
            (Dependency::Working(Worker::Of(feed)), "ledger feed"),
            (Dependency::Working(hub), "ledger hub"),
            (Dependency::Place(LedgerName::Receipts), "store receipts"),
            (Dependency::Topology, "topology"),
            (Dependency::TopologyMade, "topology made"),
            (Dependency::LedgersMade, "ledgers made"),
            (Dependency::LedgersRead, "ledgers"),
        ] {
            assert_eq!(dependency.to_string(), name);
        }
    }

    #[test]
    fn no_two_dependencies_have_one_name() {
        let names: BTreeSet<String> = Dependency::all().map(|dependency| dependency.to_string()).collect();
        assert_eq!(names.len(), Dependency::all().count());
    }

    #[test]
    fn the_name_of_a_ledger_reads_back() {
        for name in LedgerName::ALL {
            assert_eq!(LedgerName::parse(name.as_str()), Some(name));
        }
        assert_eq!(LedgerName::parse("bus"), None);
    }
}
