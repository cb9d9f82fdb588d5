//! Why the bus does not work, in English. Clauses.

use loa_domain::{BusFact, DialFault, QueuesFileFault, ServerWords, TlsFault};

/// What brings queues back: what was on its way is in intake's archive.
const ANEW: &str = "stop every `loa` that uses it, move it and the files beside it (`-wal`, `-shm`) away, run `loa migrate`, and \
                    send what was on its way again: `loa replay --outlet feed`, `digest`, `push` (see \
                    `docs/operating/backup-and-restore.md`)";
/// Who lets us make what is missing.
const IMPORT: &str = "either let the broker's administrator import what `loa topology print` prints (`rabbitmqctl \
                      import_definitions FILE`), or have it allowed by";

/// What the adapter met. One list, so that it is seen whole.
pub(super) fn fact(fact: &BusFact) -> String {
    match fact {
        BusFact::ClosedByUs => "closed by us".into(),
        BusFact::NotAnsweredYet => "it has not answered yet".into(),
        BusFact::ConnectionLost => "the connection was lost".into(),
        BusFact::NotInTime => "no answer came in time".into(),
        BusFact::ResourceAlarm => "the broker has an alarm of its memory or disk".into(),
        BusFact::QueueFull => "a queue is at its limit".into(),
        BusFact::ConsumerEnded { queue } => {
            format!("the broker ended the consumer of {queue}; the queue may have been deleted")
        }
        BusFact::NotReached { place, fault } => format!("{place}: {}", dial(fault)),
        BusFact::Missing { thing } => format!("the {thing} is missing"),
        BusFact::NoQueueFor { exchange, key } => {
            format!("no queue behind the exchange {} takes the routing key {}", exchange.escaped(), key.escaped())
        }
        BusFact::NoRightToMake { thing, or, command } => format!(
            "the {thing}{} is missing, and this user lacks the right `configure` on it to make it; {IMPORT} `{command}`",
            or.as_ref().map_or_else(String::new, |other| format!(" or the {other}"))
        ),
        BusFact::NoRightToBind { thing, command } => format!(
            "the {thing} cannot be made: this needs the rights `write` on the queue and `read` on the exchange, and topic \
             permissions that let its key be read; {IMPORT} `{command}`"
        ),
        BusFact::NoRightToRenew { queue } => {
            format!("the queue {queue} cannot be renewed: `loa migrate` needs the right `configure` for it, once")
        }
        BusFact::OtherArguments { thing } => format!(
            "the {thing} exists with other arguments; it must be emptied and deleted before ours can be made: `loa topology \
             check` says how"
        ),
        BusFact::QueuesFile { file, fault } => queues_file(file, *fault),
    }
}

fn dial(fault: &DialFault) -> String {
    match fault {
        DialFault::NameNotInTime => "its name was not looked up in time".into(),
        DialFault::NameUnknown { said } => format!("its name cannot be looked up{}", words(said)),
        DialFault::NameWithoutAddress => "its name has no address".into(),
        DialFault::NotInTime { seconds } => format!("it did not answer within {seconds} s"),
        DialFault::Network { said } => format!("no connection{}", words(said)),
        DialFault::Tls(fault) => tls(fault),
        DialFault::Password { said } => format!("our password cannot be read{}", words(said)),
        DialFault::Refused { said } => format!("it refuses us{}", words(said)),
        DialFault::BrokeOff { said } => format!("it answered, and no connection came about{}", words(said)),
    }
}

fn tls(fault: &TlsFault) -> String {
    match fault {
        TlsFault::OwnFiles { said } => format!("our own certificates or keys cannot be used{}", words(said)),
        TlsFault::NoCertificateName => "such a name can stand in no certificate".into(),
        TlsFault::Ended => "the connection ended during the TLS handshake; is TLS on at this port?".into(),
        TlsFault::UnknownIssuer => {
            "its certificate is signed by nobody we trust; `bus.rabbitmq.ca_file` names its CA".into()
        }
        TlsFault::OtherName { names } if names.is_empty() => "its certificate is for another name".into(),
        TlsFault::OtherName { names } => format!("its certificate is for other names: {names}"),
        TlsFault::Expired => "its certificate has expired".into(),
        TlsFault::NotTls => "it does not speak TLS at this port".into(),
        TlsFault::Failed { said } => format!("the TLS handshake failed{}", words(said)),
    }
}

fn queues_file(file: &str, fault: QueuesFileFault) -> String {
    match fault {
        QueuesFileFault::DiskFull => format!("the disk that holds {file} is full: make room"),
        QueuesFileFault::NotWritable => {
            format!(
                "{file} may not be written: look at its owner and rights, and whether its disk is mounted read-only"
            )
        }
        QueuesFileFault::Damaged => format!("{file} is damaged: {ANEW}"),
        QueuesFileFault::NotQueues => format!("{file} is no file of queues, or its beginning was overwritten: {ANEW}"),
        QueuesFileFault::TableMissing => {
            format!("{file} lacks a table of ours, and may have been emptied or exchanged for another file: {ANEW}")
        }
        QueuesFileFault::DiskError => {
            format!("{file} cannot be read or written: look at its disk, in the system's log too")
        }
        QueuesFileFault::CannotOpen => {
            format!("{file} cannot be opened: is it there, and may this user read and write it and its folder?")
        }
        QueuesFileFault::Gone => {
            format!("{file} was deleted, moved away or exchanged while it was in use: {ANEW}")
        }
    }
}

fn words(said: &ServerWords) -> String {
    if said.is_empty() { String::new() } else { format!(" (“{said}”)") }
}
