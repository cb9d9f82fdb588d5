//! What stands at the broker, how it is, what differs from what it should be, and what mends it, as facts.
//!
//! The adapter of the bus finds them (`loa-bus-rabbitmq`), `loa-words` says them. Names, arguments and policies are data, as the
//! broker tells them; what the broker says itself stands in fields of [`ServerWords`]. Commands are texts that a shell takes.

use crate::{Outlet, ServerWords};
use std::fmt;

/// A thing of the topology.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopologyThing {
    /// An exchange.
    Exchange {
        /// Its name.
        name: String,
    },
    /// An exchange, told with its type.
    ExchangeOfType {
        /// Its name.
        name: String,
        /// `topic`, `fanout`.
        exchange_type: &'static str,
    },
    /// A queue.
    Queue {
        /// Its name.
        name: String,
    },
    /// One binding.
    Binding {
        /// What is bound to what, by which key.
        binding: TopologyBinding,
        /// The queue that it leads to.
        queue: String,
    },
    /// The bindings of one queue.
    BindingsOf {
        /// Which queue.
        queue: String,
    },
    /// The policies that are in force on one queue.
    PoliciesOn {
        /// Which queue.
        queue: String,
    },
    /// All bindings.
    Bindings,
    /// All policies.
    Policies,
    /// RabbitMQ's management API.
    ManagementApi,
}

/// By which key messages come from an exchange.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopologyBinding {
    /// The exchange.
    pub exchange: String,
    /// The routing key, or a pattern of keys. Empty: any.
    pub key: String,
}

impl fmt::Display for TopologyThing {
    /// The name for machines: in a fault's key on `/readyz`, in a label of `loa_fault`, `what` of `loa topology check --json`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange { name } => write!(f, "exchange {name}"),
            Self::ExchangeOfType { name, exchange_type } => write!(f, "exchange {name} ({exchange_type})"),
            Self::Queue { name } => write!(f, "queue {name}"),
            Self::Binding { binding: TopologyBinding { exchange, key }, queue } => {
                write!(f, "binding {} of {queue} to {exchange}", if key.is_empty() { "(any key)" } else { key })
            }
            Self::BindingsOf { queue } => write!(f, "bindings of {queue}"),
            Self::PoliciesOn { queue } => write!(f, "policies on {queue}"),
            Self::Bindings => f.write_str("bindings"),
            Self::Policies => f.write_str("policies"),
            Self::ManagementApi => f.write_str("management API"),
        }
    }
}

/// How a thing is that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyState {
    /// As it should be.
    Right,
    /// As it should be, and something is to be known about it.
    Noted {
        /// What.
        remark: TopologyRemark,
    },
    /// It is not there, as it should be. Said so that a fault of it ends; no news for people.
    Absent,
    /// Nobody could be asked, by the settings or the rights as they are.
    NotAsked {
        /// Why, and what would let us ask.
        why: TopologyNotAsked,
    },
    /// It was asked for and not answered.
    NotKnown {
        /// Why.
        why: TopologyNotKnown,
    },
    /// It differs, and costs news now or later.
    Wrong {
        /// What differs; never empty.
        differences: Vec<TopologyDifference>,
        /// What mends it.
        mend: TopologyMend,
    },
}

/// What is to be known of a thing that is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyRemark {
    /// Policies that mirror classic queues. They are in force on none of ours, and RabbitMQ 4 knows none.
    Mirroring {
        /// Which.
        policies: Vec<BrokerPolicy>,
    },
    /// Somebody else's bindings beside ours.
    OthersBindings {
        /// Which.
        bindings: Vec<TopologyBinding>,
    },
}

/// Why nobody could be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyNotAsked {
    /// We lack a right.
    Forbidden {
        /// What the broker said.
        said: ServerWords,
    },
    /// An exchange is there; its type and arguments are told only to those with the right `configure`.
    ExchangeNotTold,
    /// A queue is there; its arguments are told only to those with the right `configure`.
    QueueNotTold,
    /// AMQP does not tell bindings.
    Bindings {
        /// Whether the management API is set, and did not answer.
        is_api_set: bool,
    },
    /// AMQP does not tell policies.
    Policies {
        /// Whether the management API is set, and did not answer.
        is_api_set: bool,
    },
}

/// Why something that was asked for is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyNotKnown {
    /// The management API gave no answer.
    Api {
        /// Why.
        failure: ManagementFailure,
    },
    /// The broker does not say which policy is in force on a queue.
    PolicyInForce {
        /// Those that would do harm.
        policies: Vec<BrokerPolicy>,
    },
}

/// Why RabbitMQ's management API gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManagementFailure {
    /// It cannot be reached.
    Silent {
        /// Its address.
        url: String,
        /// What the system says.
        said: ServerWords,
    },
    /// It refuses our user.
    Refused {
        /// Its address.
        url: String,
        /// Who we are there.
        user: String,
        /// The commands that give the tag and the right.
        commands: [String; 2],
    },
    /// It answers with a status that is none of its own.
    Status {
        /// Its address.
        url: String,
        /// Which.
        status: u16,
    },
    /// Its answer is too long to be one.
    TooLong {
        /// Its address.
        url: String,
        /// The most bytes that are read.
        bytes_max: usize,
    },
    /// Something else answers at its address.
    Stranger {
        /// The address.
        url: String,
    },
    /// A file of ours that it is asked with cannot be read, or is no certificate.
    OwnFiles {
        /// What the system says.
        said: ServerWords,
    },
}

/// What differs, and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyDifference {
    /// It is not there.
    Missing,
    /// An exchange is of another type.
    ExchangeType {
        /// That of the one that is there.
        found: ServerWords,
        /// That of ours.
        should: &'static str,
    },
    /// An argument has another value.
    Argument {
        /// Its name.
        name: String,
        /// What it is.
        found: ServerWords,
        /// What it should be.
        should: String,
    },
    /// An argument is not set.
    ArgumentMissing {
        /// Its name.
        name: String,
        /// What it should be.
        should: String,
    },
    /// An argument is set that should not be.
    ArgumentTooMany {
        /// Its name.
        name: ServerWords,
        /// What it is.
        found: ServerWords,
    },
    /// The broker says that it is other than ours.
    Told {
        /// How.
        said: ServerWords,
    },
    /// Bindings are missing: what they should carry does not come.
    Unbound {
        /// Which.
        bindings: Vec<TopologyBinding>,
    },
    /// `loa migrate` was interrupted while it renewed a queue, and this is what kept its messages meanwhile.
    RenewalInterrupted {
        /// The queue that was renewed.
        queue: String,
    },
    /// Policies do harm to a queue.
    Policies {
        /// Those that do.
        policies: Vec<BrokerPolicy>,
        /// By which of their keys.
        harms: Vec<HarmfulKey>,
    },
}

/// A policy of the broker's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerPolicy {
    /// Its name.
    pub name: ServerWords,
    /// The pattern of the queues that it is for.
    pub pattern: ServerWords,
    /// Whether it is an operator policy, which stands beside the others.
    pub is_operators: bool,
}

/// A key of a policy that does harm to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarmfulKey {
    /// The key.
    pub key: &'static str,
    /// Its value.
    pub value: ServerWords,
    /// What comes of it.
    pub harm: PolicyHarm,
}

/// What a policy does to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyHarm {
    /// At a length, a keeping queue takes no more, and what it should keep waits with its sender.
    KeepsNoMore,
    /// At a length, publishing stops for all outlets.
    StopsPublishing,
    /// At an age in ms, what it keeps is deleted.
    DeletesWhatIsOld,
    /// At an age in ms, what waits becomes a dead letter.
    BuriesWhatIsOld,
    /// After so many ms without a consumer the queue is deleted.
    DeletesTheQueue,
    /// What was got so often and not settled is deleted.
    DeletesWhatReturns,
    /// What came back so often becomes a dead letter.
    BuriesWhatReturns,
    /// Full, it drops its oldest.
    DropsTheOldest,
    /// What leaves it goes where nobody looks for it.
    LeadsAway,
}

impl PolicyHarm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::KeepsNoMore,
        Self::StopsPublishing,
        Self::DeletesWhatIsOld,
        Self::BuriesWhatIsOld,
        Self::DeletesTheQueue,
        Self::DeletesWhatReturns,
        Self::BuriesWhatReturns,
        Self::DropsTheOldest,
        Self::LeadsAway,
    ];
}

/// What mends a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyMend {
    /// It is made.
    Make {
        /// How.
        remake: Remake,
    },
    /// `loa migrate` renews a queue of older programs, and keeps what is in it.
    Renew,
    /// `loa migrate` goes on with a renewal where it was interrupted.
    EndRenewal,
    /// Somebody deletes the exchange, and it is made at once.
    DeleteExchange {
        /// Which.
        exchange: &'static str,
        /// In which vhost.
        vhost: String,
        /// How it is made.
        remake: Remake,
    },
    /// Somebody deletes the queue, once it is empty, and it is made.
    DeleteQueue {
        /// Whether it keeps what somebody has to look at; otherwise its service empties it.
        keeps: bool,
        /// The command that deletes it.
        command: String,
        /// How it is made.
        remake: Remake,
    },
    /// Policies are kept from our queues.
    Policies {
        /// One for each policy.
        mends: Vec<PolicyMend>,
    },
}

/// How a thing is made anew, and what was missed meanwhile is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remake {
    /// By `loa migrate`. Nothing was missed that a replay brings.
    Migrate,
    /// By `loa migrate`; then what one outlet missed is replayed.
    ReplayTo(Outlet),
    /// By `loa migrate`; then what the three outlets missed is replayed.
    ReplayToAll,
}

/// What keeps one policy from our queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyMend {
    /// The command.
    pub command: String,
    /// Whether it lays a policy without effect over the other; otherwise it narrows the other's pattern.
    pub lays_over: bool,
}

/// What became of a thing that should be there, when the topology was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyOutcome {
    /// It was there.
    There,
    /// It was not there, and is now.
    Made,
    /// A keeping queue was there in an older form, and refuses now when it is full. What it had is kept.
    Renewed {
        /// So many messages were moved.
        messages: u64,
    },
    /// More could not be found out.
    Unsure {
        /// Why.
        doubt: TopologyDoubt,
    },
}

/// Why it is not known what became of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopologyDoubt {
    /// It is there now. Whether it was before, we were not allowed to ask.
    NotAskedBefore,
    /// We may neither look nor make. That its bindings are there shows that it is.
    ShownByBindings,
    /// It is bound now. Whether it was before cannot be asked over AMQP.
    BoundOverAmqp,
    /// It is bound now. Whether it was before, the management API did not say.
    BoundUnanswered {
        /// Why.
        failure: ManagementFailure,
    },
    /// We may not bind, and nobody else can be asked over AMQP.
    MayNotBind {
        /// What the broker said.
        said: ServerWords,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_called_for_machines_as_the_manual_calls_them() {
        let (queue, name) = (|| "loa.feed".to_owned(), || "loa.events".to_owned());
        let binding = |key: &str| TopologyBinding { exchange: name(), key: key.to_owned() };
        for (thing, said) in [
            (TopologyThing::Exchange { name: name() }, "exchange loa.events"),
            (TopologyThing::ExchangeOfType { name: name(), exchange_type: "topic" }, "exchange loa.events (topic)"),
            (TopologyThing::Queue { name: queue() }, "queue loa.feed"),
            (
                TopologyThing::Binding { binding: binding("article.#"), queue: queue() },
                "binding article.# of loa.feed to loa.events",
            ),
            (
                TopologyThing::Binding { binding: binding(""), queue: queue() },
                "binding (any key) of loa.feed to loa.events",
            ),
            (TopologyThing::BindingsOf { queue: queue() }, "bindings of loa.feed"),
            (TopologyThing::PoliciesOn { queue: queue() }, "policies on loa.feed"),
            (TopologyThing::Bindings, "bindings"),
            (TopologyThing::Policies, "policies"),
            (TopologyThing::ManagementApi, "management API"),
        ] {
            assert_eq!(thing.to_string(), said);
        }
    }
}
