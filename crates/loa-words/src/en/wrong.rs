//! What is wrong although every dependency is up, in English.

use crate::{
    Words,
    catalogue::{replay, seconds_since},
};
use jiff::Timestamp;
use loa_domain::{Fault, LedgerName, Missing};

/// What is wrong, and what to do.
pub(super) fn fault(words: &dyn Words, fault: &Fault, now: Timestamp) -> String {
    let ago = |since: &Timestamp| words.span(seconds_since(*since, now));
    let ever = |since: &Option<Timestamp>| since.as_ref().map_or("as long as is known".to_owned(), ago);
    match fault {
        Fault::NotReceived { outlet, missing, dead } => format!(
            "Not received: {} of the archive never reached the outlet {} (for instance {}, event {}), the oldest archived {} ago, and \
             {} does not have them: a binding is lost, the queue was purged or made anew, or somebody else consumes it. {} `{}` \
             brings them.",
            events(missing),
            outlet.as_str(),
            missing.article,
            missing.event,
            ago(&missing.since),
            outlet.queue_name(),
            dead_letters(*dead),
            replay(*outlet, missing.since)
        ),
        Fault::Late { outlet, missing } => format!(
            "Late: {} of the archive were not seen by the outlet {} yet (for instance {}), the oldest archived {} ago; they may stand in \
             {}, or in the hands of its consumer. See whether its service runs.",
            events(missing),
            outlet.as_str(),
            missing.article,
            ago(&missing.since),
            outlet.queue_name()
        ),
        Fault::AuditBehind { outlet, since } => format!(
            "Not known yet: the outlet {} is being asked what it has seen, and what was archived in the last {} is still to come; \
             an import or a restore takes the audit some minutes.",
            outlet.as_str(),
            ago(since)
        ),
        Fault::NotAudited { outlet, since: None } => format!(
            "Not known: the outlet {} was never asked what it has seen; `loa intake` asks, and must reach this ledger.",
            outlet.as_str()
        ),
        Fault::NotAudited { outlet, since: Some(since) } => format!(
            "Not known: for {} nobody has asked the outlet {} what it has seen; `loa intake` asks, and must reach this ledger.",
            ago(since),
            outlet.as_str()
        ),
        Fault::AuditUnanswered { outlet, trouble } => format!(
            "Not known whether the outlet {} has seen everything: a ledger does not answer. {}",
            outlet.as_str(),
            words.trouble(trouble)
        ),
        Fault::QueueSilent { outlet, since } => format!(
            "No heartbeat has come through {} for {}, and none is ready in it: its bindings are lost (`loa migrate` makes them), \
             somebody else consumes it, or its service holds what it has.",
            outlet.queue_name(),
            ever(since)
        ),
        Fault::BindingSilent { outlet, binding, since } => format!(
            "The binding {binding} of {} has carried nothing for {}: `loa topology check` says why and `loa migrate` makes it \
             anew where it is gone; `loa check` then names what to replay to an outlet.",
            outlet.queue_name(),
            ever(since)
        ),
        Fault::HeartbeatsAhead { outlet, seconds } => format!(
            "Heartbeats of {} come from the future, by {}: the clock of a machine that consumes it is ahead of this one's, or this \
             one is behind. How old they are is not known; set the clocks (NTP).",
            outlet.queue_name(),
            words.span(*seconds)
        ),
        Fault::OtherInstallation { installation, host, since } => format!(
            "Another installation ({installation}{}) has published to and consumed from this vhost for {}: each takes a part of \
             the other's events; give each a vhost of its own.",
            if host.is_empty() { String::new() } else { format!(", on {host}") },
            ago(since)
        ),
        Fault::ClockAhead { host } => format!(
            "The clock of {} is ahead of this machine's, or this one is behind: set the clocks (NTP).",
            if host.is_empty() { "the machine that sends heartbeats" } else { host }
        ),
        Fault::TopologyDiffers { thing, differences, mend } => format!(
            "At the broker, this is not as it should be: {thing}; {}. To mend it: {}.",
            super::topology::differences(differences),
            super::topology::mend(mend)
        ),
        Fault::TopologyUnknown { thing, why } => format!(
            "At the broker, it is not known whether this is as it should be: {thing}; {}.",
            super::topology::not_known(why)
        ),
        Fault::Unrouted { count } => format!(
            "{count} {} in loa.unrouted: no queue takes the routing key, so no outlet has the news. `loa dead-letters list --queue \
             unrouted` names them, and `loa dead-letters show` the key that brings each to every outlet.",
            if *count == 1 { "message lies" } else { "messages lie" }
        ),
        Fault::SetAside { count, since, article, why } => format!(
            "{count} {} set aside, the oldest for {} (for instance of {article}): the bus does not take them as they are. \
             No outlet has them. \
             They are tried again from time to time, and go out once the limit is raised. Of that one: {}.",
            if *count == 1 { "event is" } else { "events are" },
            ago(since),
            words.not_carried(why)
        ),
        Fault::BackFilesHeld { since, queue, ready } => format!(
            "Back-files have waited for {}, because {ready} messages or more are ready in {queue}. News goes on. Once that outlet \
             keeps up, back-files go on by themselves, and nothing is lost.",
            ago(since)
        ),
        Fault::Store { ledger, trouble } => {
            format!("This process cannot read {}. {}", words.ledger(*ledger), words.trouble(trouble))
        }
        Fault::UnreadableRows { ledger, count, examples } => unreadable(words, *ledger, *count, examples),
        Fault::LongLog { file, bytes, .. } => format!(
            "The log {file}-wal has grown to {} MB: somebody reads one moment of {file} and does not end (a `sqlite3` that was left \
             in a transaction, a copy that hangs), so that it cannot be folded into the file; `fuser {file}` names who has it open. \
             End that one: the log is then folded by itself, and nothing is lost.",
            bytes / 1_000_000
        ),
        Fault::NoIdentity { missing } => format!(
            "This installation has no identity yet, so nothing is published, sent or taken in: run `loa init`, or, where it ran before \
             an upgrade, set what it was then (docs/operating/identity.md); not set: {}.",
            missing.join(", ")
        ),
        Fault::Watched { source, address, failed, warnings } => {
            let odd = warnings.iter().map(|warning| words.watch_warning(warning, now)).collect();
            super::watched::source(source, address, failed.as_ref(), odd)
        }
    }
}

fn unreadable(words: &dyn Words, ledger: LedgerName, count: u64, examples: &[String]) -> String {
    let more = if count > examples.len() as u64 { "; and others" } else { "" };
    let sentence = format!(
        "{count} {} of {} cannot be read: set aside, and the others go on. Run the newest program that wrote this ledger; if that \
         does not help, bring the ledger back from its copy (docs/operating/backup-and-restore.md).",
        if count == 1 { "row" } else { "rows" },
        words.ledger(ledger)
    );
    words.with_detail(&sentence, &format!("{}{more}", examples.join("; ")))
}

fn events(missing: &Missing) -> String {
    match (missing.count, missing.or_more) {
        (1, _) => "1 event".to_owned(),
        (count, true) => format!("{count} events or more"),
        (count, false) => format!("{count} events"),
    }
}

fn dead_letters(dead: Option<u64>) -> String {
    match dead {
        Some(0) => "No dead letters stand in it.".into(),
        Some(dead) => format!("{dead} dead letters stand in it, perhaps some of these."),
        None => "Its dead letters cannot be counted now.".into(),
    }
}
