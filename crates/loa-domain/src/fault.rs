//! What an operator must see although every dependency is up, as facts: what is not complete, silent, changed, set aside or
//! about to go wrong.
//!
//! Whoever finds a fault reports it to `loa_worker::Status`, or judges it anew (`loa check`, the console). `loa-words` makes
//! sentences of it. Each fault has a name, by which it stands once and ends, and a kind for machines.

use crate::{
    LedgerName, NotCarried, Outlet, TopologyDifference, TopologyMend, TopologyNotKnown, TopologyThing, Trouble,
    WatchFailure, WatchWarning,
};
use jiff::Timestamp;
use std::fmt;

/// Events that an outlet has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// So many.
    pub count: u64,
    /// Or more: not all were counted.
    pub or_more: bool,
    /// When the oldest of them was archived: a replay since then brings all.
    pub since: Timestamp,
    /// The article of one of them.
    pub article: String,
    /// That event's id.
    pub event: String,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Events passed an outlet's queue, and the outlet has not seen them.
    NotReceived {
        /// Which outlet.
        outlet: Outlet,
        /// What it has not seen.
        missing: Missing,
        /// The dead letters of its queue, of which some may be these; `None`: they cannot be counted now.
        dead: Option<u64>,
    },
    /// Events may still stand in an outlet's queue, or in its consumer's hands.
    Late {
        /// Which outlet.
        outlet: Outlet,
        /// What it has not seen yet.
        missing: Missing,
    },
    /// An outlet is being asked what it has seen, and the audit is far behind.
    AuditBehind {
        /// Which outlet.
        outlet: Outlet,
        /// When the first of what the audit has not come to was archived.
        since: Timestamp,
    },
    /// Nobody asks an outlet what it has seen.
    NotAudited {
        /// Which outlet.
        outlet: Outlet,
        /// Since when events wait to be asked for; `None`: it was never asked.
        since: Option<Timestamp>,
    },
    /// An outlet was asked what it has seen, and a ledger did not answer.
    AuditUnanswered {
        /// Which outlet.
        outlet: Outlet,
        /// Why.
        trouble: Trouble,
    },
    /// No heartbeat comes through an outlet's queue.
    QueueSilent {
        /// Whose queue.
        outlet: Outlet,
        /// The last that came; `None`: none ever did.
        since: Option<Timestamp>,
    },
    /// No heartbeat comes through one binding of a queue.
    BindingSilent {
        /// Whose queue.
        outlet: Outlet,
        /// Which binding.
        binding: &'static str,
        /// The last that came; `None`: none ever did.
        since: Option<Timestamp>,
    },
    /// Heartbeats of a queue come from the future: the clocks of two machines differ.
    HeartbeatsAhead {
        /// Whose queue.
        outlet: Outlet,
        /// So far, in whole seconds.
        seconds: u64,
    },
    /// Another installation publishes to this broker's vhost.
    OtherInstallation {
        /// Its id.
        installation: String,
        /// Its machine; empty: it does not say.
        host: String,
        /// When it was first heard.
        since: Timestamp,
    },
    /// The clock of a machine that sends heartbeats is ahead of this one's.
    ClockAhead {
        /// Which machine; empty: it does not say.
        host: String,
    },
    /// Something at the broker is not as it should be.
    TopologyDiffers {
        /// What.
        thing: TopologyThing,
        /// What differs and what comes of it; never empty.
        differences: Vec<TopologyDifference>,
        /// What mends it.
        mend: TopologyMend,
    },
    /// Whether something at the broker is as it should be was asked for and not answered.
    TopologyUnknown {
        /// What.
        thing: TopologyThing,
        /// Why it is not known.
        why: TopologyNotKnown,
    },
    /// Messages that no queue took: no outlet has them.
    Unrouted {
        /// So many.
        count: u64,
    },
    /// Events that the bus does not take as they are.
    SetAside {
        /// So many.
        count: u64,
        /// The oldest since then.
        since: Timestamp,
        /// The article of one of them.
        article: String,
        /// Why it is, when it was last tried.
        why: NotCarried,
    },
    /// Back-files wait because the queue of an outlet is long.
    BackFilesHeld {
        /// Nothing of them went out since.
        since: Timestamp,
        /// Which queue.
        queue: String,
        /// Messages that are ready in it, or more.
        ready: u64,
    },
    /// A ledger that this process only reads cannot do its work.
    Store {
        /// Which ledger.
        ledger: LedgerName,
        /// Why.
        trouble: Trouble,
    },
    /// Rows of a ledger cannot be read, and are set aside.
    UnreadableRows {
        /// Which ledger.
        ledger: LedgerName,
        /// So many.
        count: u64,
        /// Some of them, by table, column and key.
        examples: Vec<String>,
    },
    /// The write-ahead log of a ledger's file grows.
    LongLog {
        /// Which ledger.
        ledger: LedgerName,
        /// Its file; the log stands beside it.
        file: String,
        /// The log's length.
        bytes: u64,
    },
    /// A source that is watched cannot be read, or is not what it was.
    Watched {
        /// Its name.
        source: String,
        /// Its address.
        address: String,
        /// How many looks in a row failed, and what the last one met; `None`: not so many that it matters.
        failed: Option<(u32, WatchFailure)>,
        /// What is odd about what was found.
        warnings: Vec<WatchWarning>,
    },
    /// Nobody has said whose installation this is: nothing goes in or out.
    NoIdentity {
        /// Settings of the identity that are not set.
        missing: Vec<&'static str>,
    },
}

/// By what a fault stands once, and ends. What is wrong by a name may change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultName {
    /// Whether an outlet has seen everything.
    Completeness(Outlet),
    /// Heartbeats of an outlet's queue.
    Heartbeats(Outlet),
    /// A binding of an outlet's queue.
    Binding(Outlet, &'static str),
    /// Another installation.
    Installation(String),
    /// A machine's clock.
    Clock(String),
    /// A thing of the topology.
    Topology(TopologyThing),
    /// What no queue took.
    Unrouted,
    /// What the bus does not take.
    SetAside,
    /// Back-files that wait for long queues.
    BackFilesHeld,
    /// A ledger that is only read.
    Store(LedgerName),
    /// Rows of a ledger.
    Unreadable(LedgerName),
    /// The log of a ledger.
    Log(LedgerName),
    /// A source that is watched.
    Watched(String),
    /// Whose installation this is.
    Identity,
}

impl Fault {
    /// By what it stands once, and ends.
    pub fn name(&self) -> FaultName {
        match self {
            Self::NotReceived { outlet, .. }
            | Self::Late { outlet, .. }
            | Self::AuditBehind { outlet, .. }
            | Self::NotAudited { outlet, .. }
            | Self::AuditUnanswered { outlet, .. } => FaultName::Completeness(*outlet),
            Self::QueueSilent { outlet, .. } | Self::HeartbeatsAhead { outlet, .. } => FaultName::Heartbeats(*outlet),
            Self::BindingSilent { outlet, binding, .. } => FaultName::Binding(*outlet, binding),
            Self::OtherInstallation { installation, .. } => FaultName::Installation(installation.clone()),
            Self::ClockAhead { host } => FaultName::Clock(host.clone()),
            Self::TopologyDiffers { thing, .. } | Self::TopologyUnknown { thing, .. } => {
                FaultName::Topology(thing.clone())
            }
            Self::Unrouted { .. } => FaultName::Unrouted,
            Self::SetAside { .. } => FaultName::SetAside,
            Self::BackFilesHeld { .. } => FaultName::BackFilesHeld,
            Self::Store { ledger, .. } => FaultName::Store(*ledger),
            Self::UnreadableRows { ledger, .. } => FaultName::Unreadable(*ledger),
            Self::LongLog { ledger, .. } => FaultName::Log(*ledger),
            Self::Watched { source, .. } => FaultName::Watched(source.clone()),
            Self::NoIdentity { .. } => FaultName::Identity,
        }
    }

    /// The word for machines, on `/readyz` and in `loa check --json`: that of the trouble, where a ledger is in trouble.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotReceived { .. } => "not_received",
            Self::Late { .. } => "late",
            Self::AuditBehind { .. } => "audit_behind",
            Self::NotAudited { .. } => "not_audited",
            Self::AuditUnanswered { .. } => "audit_unanswered",
            Self::QueueSilent { .. } => "queue_silent",
            Self::BindingSilent { .. } => "binding_silent",
            Self::HeartbeatsAhead { .. } => "heartbeats_ahead",
            Self::OtherInstallation { .. } => "other_installation",
            Self::ClockAhead { .. } => "clock_ahead",
            Self::TopologyDiffers { .. } => "topology_differs",
            Self::TopologyUnknown { .. } => "topology_unknown",
            Self::Unrouted { .. } => "unrouted",
            Self::SetAside { .. } => "set_aside",
            Self::BackFilesHeld { .. } => "back_files_held",
            Self::Store { trouble, .. } => trouble.kind.as_str(),
            Self::UnreadableRows { .. } => "unreadable_rows",
            Self::LongLog { .. } => "long_log",
            Self::Watched { .. } => "watched_source",
            Self::NoIdentity { .. } => "no_identity",
        }
    }
}

impl fmt::Display for FaultName {
    /// The name for machines: a key on `/readyz`, a label of `loa_fault`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completeness(outlet) => write!(f, "completeness {}", outlet.as_str()),
            Self::Heartbeats(outlet) => write!(f, "heartbeats of {}", outlet.queue_name()),
            Self::Binding(outlet, binding) => write!(f, "binding {binding} of {}", outlet.queue_name()),
            Self::Installation(installation) => write!(f, "installation {installation}"),
            Self::Clock(host) if host.is_empty() => f.write_str("clock of the machine that sends heartbeats"),
            Self::Clock(host) => write!(f, "clock of {host}"),
            Self::Topology(thing) => write!(f, "topology {thing}"),
            Self::Unrouted => f.write_str("unrouted messages"),
            Self::SetAside => f.write_str("events set aside"),
            Self::BackFilesHeld => f.write_str("back-files held"),
            Self::Store(ledger) => write!(f, "store {}", ledger.as_str()),
            Self::Unreadable(ledger) => write!(f, "unreadable {}", ledger.as_str()),
            Self::Log(ledger) => write!(f, "log {}", ledger.as_str()),
            Self::Watched(source) => write!(f, "watch {source}"),
            Self::Identity => f.write_str("identity"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TroubleKind;

    #[test]
    fn names_for_machines_are_those_of_the_manual() {
        let (feed, ledger) = (Outlet::Feed, LedgerName::Of(Outlet::Feed));
        for (name, said) in [
            (FaultName::Completeness(feed), "completeness feed"),
            (FaultName::Heartbeats(feed), "heartbeats of loa.feed"),
            (FaultName::Binding(feed, "article.#"), "binding article.# of loa.feed"),
            (FaultName::Installation("9f".into()), "installation 9f"),
            (FaultName::Clock("vps-2".into()), "clock of vps-2"),
            (FaultName::Topology(TopologyThing::Queue { name: "loa.feed".into() }), "topology queue loa.feed"),
            (FaultName::Unrouted, "unrouted messages"),
            (FaultName::SetAside, "events set aside"),
            (FaultName::BackFilesHeld, "back-files held"),
            (FaultName::Store(ledger), "store feed"),
            (FaultName::Unreadable(ledger), "unreadable feed"),
            (FaultName::Log(ledger), "log feed"),
            (FaultName::Watched("na-son".into()), "watch na-son"),
            (FaultName::Identity, "identity"),
        ] {
            assert_eq!(name.to_string(), said);
        }
    }

    #[test]
    fn what_is_wrong_with_one_thing_has_one_name_whatever_it_is() {
        let (outlet, since) = (Outlet::Push, None);
        let away = Trouble::from(TroubleKind::LedgerAway);
        assert_eq!(
            Fault::NotAudited { outlet, since }.name(),
            Fault::AuditUnanswered { outlet, trouble: away.clone() }.name()
        );
        assert_eq!(Fault::QueueSilent { outlet, since }.name(), Fault::HeartbeatsAhead { outlet, seconds: 9 }.name());
        assert_eq!(Fault::Store { ledger: LedgerName::Access, trouble: away }.kind(), "ledger_away");
    }
}
