//! What is wrong with a source that is watched, in English.

use crate::{Words, catalogue::seconds_since};
use jiff::Timestamp;
use loa_domain::{AttemptError, EgressSettings, WatchFailure, WatchWarning};

/// All that is wrong with one source.
pub(super) fn source(name: &str, address: &str, failed: Option<&(u32, WatchFailure)>, odd: Vec<String>) -> String {
    let mut sentences = vec![format!("The watched source {name} ({address}) needs somebody.")];
    if let Some((looks, error)) = failed {
        sentences.push(format!("{looks} looks in a row failed; the last met: {}.", failure(error)));
    }
    sentences.extend(odd);
    sentences.join(" ")
}

/// What is odd, and what to do.
pub(super) fn warning(words: &dyn Words, warning: &WatchWarning, now: Timestamp) -> String {
    let span = |since: Timestamp| words.span(seconds_since(since, now));
    match warning {
        WatchWarning::Empty { since } => {
            format!("It has named no article for {}: look at it with `loa watch test`.", span(*since))
        }
        WatchWarning::FormChanged { since, why } => {
            format!("Its form has changed, seen for {}: {}.", span(*since), failure(why))
        }
        WatchWarning::NoneKnown { items, pages } => format!(
            "None of the {items} articles on its {pages} pages was known: those in between may have been missed, or all \
             addresses have changed."
        ),
        WatchWarning::Overdue { since } => format!(
            "Nobody has looked at it for {} after it was due: see that `loa watch` or `loa up` runs.",
            span(*since)
        ),
        WatchWarning::TooLong { items } => format!(
            "It names more than the {items} articles that are read of it; what stands outside is not seen: choose a narrower source"
        ),
        WatchWarning::Late { newest_at, usual_seconds } => format!(
            "Its newest article is {} old; it usually has another within {} days.",
            span(*newest_at),
            usual_seconds.div_ceil(86_400)
        ),
        WatchWarning::Moved { to } => {
            format!("It has moved to {to} for good: remove this source and add that address.")
        }
        WatchWarning::PagesRefused { refused, looked_at, why } => {
            format!("{refused} of {looked_at} pages could not be read; the last: {}.", failure(why))
        }
        WatchWarning::ManyMissing { missing, looked_at } => format!(
            "{missing} of {looked_at} pages are missing at once, which looks like a fault of the site; nothing is withdrawn \
             for it."
        ),
    }
}

/// Why a source, or a page of it, could not be read. A clause.
pub(super) fn failure(failure: &WatchFailure) -> String {
    match failure {
        WatchFailure::NoAddress { text } => format!("{text} is no address"),
        WatchFailure::Robots { address } => format!("the site's robots.txt forbids {}", address.escaped()),
        WatchFailure::NotAllowed { address, refusal } => {
            let why = refusal.as_ref().map(|why| super::address::refusal(why, EgressSettings::Watch.as_str()));
            let why = why.unwrap_or_else(|| "see `watch.allow_hosts` and `watch.allow_networks`".to_owned());
            format!("{} may not be asked by the settings of this installation: {why}", address.escaped())
        }
        WatchFailure::NoLocation { address } => format!("{} leads on, but does not say where", address.escaped()),
        WatchFailure::Redirects { address, max } => format!("{} leads on more than {max} times", address.escaped()),
        WatchFailure::Missing { address, status } => {
            format!("{} answers {status}: it is not there", address.escaped())
        }
        WatchFailure::Status { address, status } => format!("{} answers {status}", address.escaped()),
        WatchFailure::Rest { until } => format!("the host asks to be left alone until {until}"),
        WatchFailure::TooLong { address, max } => {
            format!("{}: it is longer than the {max} bytes that are read", address.escaped())
        }
        WatchFailure::NotInTime { address } => format!("{}: it did not end in time", address.escaped()),
        WatchFailure::BrokeOff { address } => format!("{}: it broke off", address.escaped()),
        WatchFailure::NoAnswer { address, error, said } => {
            let why = no_answer(*error);
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            format!("{} cannot be read ({why}){said}", address.escaped())
        }
        WatchFailure::NotAsked { address } => format!("{} gives an answer that was not asked for", address.escaped()),
        WatchFailure::OtherKind { was, is } => format!("it was a {}, and is a {} now", was.as_str(), is.as_str()),
        WatchFailure::Page { error } => super::page::error(error),
        WatchFailure::LookTooLong { seconds } => format!("the look did not end within {seconds} s"),
        WatchFailure::Ours { trouble, said } => {
            let why = trouble.map(|kind| super::trouble::kind(kind, ""));
            let why = why.map_or_else(String::new, |why| format!(" ({})", why.trim_end_matches('.')));
            format!("what was found could not be recorded{why}: {said}")
        }
        WatchFailure::Refused { flaws } => flaws.iter().map(super::flaw::flaw).collect::<Vec<_>>().join("; "),
        WatchFailure::NotedBefore { said } => format!("noted before: {said}"),
    }
}

fn no_answer(error: AttemptError) -> &'static str {
    match error {
        AttemptError::Http => "the answer is none that can be used",
        AttemptError::Dns => "its name does not resolve",
        AttemptError::Blocked => "the address may not be called",
        AttemptError::Connect => "no connection",
        AttemptError::Tls => "its certificate or TLS is at fault",
        AttemptError::Timeout => "no answer in time",
        AttemptError::Protocol => "the connection broke, or the answer is no HTTP",
        AttemptError::Ours => "a defect of Loa",
    }
}
