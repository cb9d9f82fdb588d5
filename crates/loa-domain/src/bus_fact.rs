//! Why the bus does not work, as facts: what adapters of the bus met, and apart from it what a broker, a library or the system
//! said.
//!
//! `loa-bus-rabbitmq` and `loa-bus-sqlite` find them, `loa-words` says them, on `/readyz`, in the console and on the command line.
//! Nothing is decided by them: [`TroubleKind`](crate::TroubleKind) says what somebody acts on.

use crate::{Quoted, ServerWords, TopologyThing};

/// Why the bus, or a call of it, does not work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusReason {
    /// What the adapter met, as far as it knows it. May be empty.
    pub facts: Vec<BusFact>,
    /// What the broker, a library or the system said. Empty: nothing, or it stands in a fact.
    pub said: ServerWords,
}

impl BusReason {
    /// One about which nobody said anything.
    pub fn of(fact: BusFact) -> Self {
        Self { facts: vec![fact], said: ServerWords::default() }
    }

    /// One of which only the words are known.
    pub fn said(words: impl Into<ServerWords>) -> Self {
        Self { facts: Vec::new(), said: words.into() }
    }
}

/// What an adapter of the bus met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusFact {
    /// We closed the connection.
    ClosedByUs,
    /// The broker has not answered yet.
    NotAnsweredYet,
    /// The connection was lost.
    ConnectionLost,
    /// The broker did not answer in time.
    NotInTime,
    /// The broker has an alarm and does not say which: memory or disk.
    ResourceAlarm,
    /// A queue is at its limit.
    QueueFull,
    /// The broker ended a consumer: its queue was deleted.
    ConsumerEnded {
        /// The queue.
        queue: String,
    },
    /// An address of a broker was tried in vain.
    NotReached {
        /// The host, and its address where the host is a name.
        place: String,
        /// Why.
        fault: DialFault,
    },
    /// A thing of the topology is missing.
    Missing {
        /// Which.
        thing: TopologyThing,
    },
    /// No queue takes a message.
    NoQueueFor {
        /// The exchange to which it was published.
        exchange: Quoted,
        /// Its routing key.
        key: Quoted,
    },
    /// We lack the right to make what is missing.
    NoRightToMake {
        /// What.
        thing: TopologyThing,
        /// What is missing instead, where that is not known.
        or: Option<TopologyThing>,
        /// The line that gives the right.
        command: String,
    },
    /// We lack the rights to bind.
    NoRightToBind {
        /// What.
        thing: TopologyThing,
        /// The line that gives the rights.
        command: String,
    },
    /// We lack the right to renew a queue, or somebody else made it otherwise.
    NoRightToRenew {
        /// Which queue.
        queue: String,
    },
    /// A thing of the topology exists with other arguments.
    OtherArguments {
        /// Which.
        thing: TopologyThing,
    },
    /// The file of queues is at fault.
    QueuesFile {
        /// Which file.
        file: String,
        /// How it is.
        fault: QueuesFileFault,
    },
}

/// Why an address of a broker was tried in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialFault {
    /// The name was not looked up in time.
    NameNotInTime,
    /// The name cannot be looked up.
    NameUnknown {
        /// What the system said.
        said: ServerWords,
    },
    /// The name has no address.
    NameWithoutAddress,
    /// No answer came in time.
    NotInTime {
        /// The time, in whole seconds.
        seconds: u64,
    },
    /// There is no connection.
    Network {
        /// What the system said.
        said: ServerWords,
    },
    /// The connection cannot be encrypted.
    Tls(TlsFault),
    /// Our password cannot be had.
    Password {
        /// Why.
        said: ServerWords,
    },
    /// The broker refuses us.
    Refused {
        /// What the broker said.
        said: ServerWords,
    },
    /// The broker answered, and the connection did not come about.
    BrokeOff {
        /// What the library met.
        said: ServerWords,
    },
}

/// Why a connection cannot be encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    /// Our own files cannot be used.
    OwnFiles {
        /// Which, and why.
        said: ServerWords,
    },
    /// A name that can stand in no certificate.
    NoCertificateName,
    /// The connection ended during the handshake.
    Ended,
    /// The certificate is signed by nobody we trust.
    UnknownIssuer,
    /// The certificate is for other names.
    OtherName {
        /// For which; empty: it does not say.
        names: String,
    },
    /// The certificate has expired.
    Expired,
    /// It does not speak TLS.
    NotTls,
    /// Another failure of the handshake.
    Failed {
        /// What the library met.
        said: ServerWords,
    },
}

/// How the file of queues is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuesFileFault {
    /// Its disk is full.
    DiskFull,
    /// It may not be written.
    NotWritable,
    /// It is damaged.
    Damaged,
    /// It is no file of queues.
    NotQueues,
    /// It lacks a table of ours.
    TableMissing,
    /// It cannot be read or written.
    DiskError,
    /// It cannot be opened.
    CannotOpen,
    /// It was deleted, moved away or exchanged while it was in use.
    Gone,
}

impl QueuesFileFault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::DiskFull,
        Self::NotWritable,
        Self::Damaged,
        Self::NotQueues,
        Self::TableMissing,
        Self::DiskError,
        Self::CannotOpen,
        Self::Gone,
    ];
}
