//! The English catalogue. One file, so that whoever reads it over has all of it.

use crate::{
    Alarm, BarePage, Notice, Trial, Words,
    catalogue::{counted, unit},
};
use jiff::civil::Date;
use loa_domain::{
    Account, AttemptError, DisableReason, EventType, Frequency, HubReason, JourneyStep, MailReason, Outlet,
    PauseReason, RunKey,
};

/// The catalogue.
pub(crate) struct English;

impl Words for English {
    fn outlet(&self, outlet: Outlet) -> &'static str {
        match outlet {
            Outlet::Intake => "Intake",
            Outlet::Feed => "Feeds",
            Outlet::Digest => "Digests",
            Outlet::Push => "Webhooks",
        }
    }

    fn event(&self, event_type: EventType) -> &'static str {
        match event_type {
            EventType::ArticlePublished => "a new article",
            EventType::ArticleUpdated => "an update of the article",
            EventType::ArticleWithdrawn => "the article's withdrawal",
            EventType::DocumentIssued => "a new document",
            EventType::DocumentWithdrawn => "the document's withdrawal",
        }
    }

    fn frequency(&self, frequency: Frequency) -> &'static str {
        match frequency {
            Frequency::Immediate => "immediate",
            Frequency::Daily => "daily",
            Frequency::Weekly => "weekly",
        }
    }

    fn frequency_choice(&self, frequency: Frequency) -> &'static str {
        match frequency {
            Frequency::Immediate => "As soon as there is news",
            Frequency::Daily => "Daily, in the morning",
            Frequency::Weekly => "Weekly",
        }
    }

    fn list_name(&self, portal: &str) -> String {
        format!("News of {portal}")
    }

    fn date(&self, on: Date) -> String {
        on.strftime("%-d %B %Y").to_string()
    }

    fn run(&self, run: &RunKey) -> String {
        let by_hand = if run.slot.starts_with("manual-") { ", started by hand" } else { "" };
        format!("the {} run of {}{by_hand}", self.frequency(run.frequency), self.date(run.on))
    }

    fn account(&self, mails: &Account) -> String {
        let counts = counted(mails, ["sent", "failed", "suppressed", "uncertain", "waiting"]);
        if counts.is_empty() { "no mails".into() } else { format!("{} planned: {counts}", mails.planned) }
    }

    fn step(&self, step: &JourneyStep) -> &'static str {
        match step {
            JourneyStep::Submitted { .. } => "submitted",
            JourneyStep::Archived { .. } => "archived",
            JourneyStep::Relayed => "relayed",
            JourneyStep::Accepted => "accepted",
            JourneyStep::Withdrawn => "withdrawn",
            JourneyStep::NotReceived => "not received",
            JourneyStep::SetAside { .. } => "set aside",
            JourneyStep::Stale { .. } => "too late to stand",
            JourneyStep::IdUsedAgain => "id used again",
            JourneyStep::Waiting => "waiting for its date",
            JourneyStep::Planned { .. } => "planned",
            JourneyStep::Mailed { .. } => "mailed",
            JourneyStep::Corrected { .. } => "corrected",
            JourneyStep::Pending { .. } => "waiting for delivery",
            JourneyStep::Delivered { .. } => "delivered",
            JourneyStep::Failed { .. } => "not delivered",
            JourneyStep::Superseded { .. } => "superseded",
        }
    }

    fn told(&self, step: &JourneyStep) -> String {
        let tried = |attempts: u32| match attempts {
            0 => "not tried yet".to_owned(),
            1 => "tried once".to_owned(),
            attempts => format!("tried {attempts} times"),
        };
        match step {
            JourneyStep::Submitted { event_type } => format!("Intake took in {}.", self.event(*event_type)),
            JourneyStep::Archived { event_type } => {
                format!("Another system published {}; intake keeps it.", self.event(*event_type))
            }
            JourneyStep::Relayed => "The bus confirmed it; it is on its way to the outlets.".into(),
            JourneyStep::Accepted => "The outlet accepted this version.".into(),
            JourneyStep::Withdrawn => "The outlet accepted the withdrawal.".into(),
            JourneyStep::SetAside { error } => self
                .with_words("The bus does not take this version as it is; it is tried again from time to time.", error),
            JourneyStep::NotReceived => {
                "It has not reached this outlet; `loa check` says how many more have not, and what brings them.".into()
            }
            JourneyStep::Stale { withdrawal: true } => {
                "The withdrawal came after a newer version and changed nothing.".into()
            }
            JourneyStep::Stale { withdrawal: false } => {
                "This version came after a newer one and changed nothing.".into()
            }
            JourneyStep::IdUsedAgain => {
                "The producer had used the event's id before for other content; this one was taken in by its version."
                    .into()
            }
            JourneyStep::Waiting => "It is dated ahead; the outlet shows it from this time on.".into(),
            JourneyStep::Planned { run, correction: false, mails } | JourneyStep::Mailed { run, mails } => {
                format!("In {}; {}.", self.run(run), self.account(mails))
            }
            JourneyStep::Planned { run, correction: true, mails } | JourneyStep::Corrected { run, mails } => {
                format!("A correction in {}; {}.", self.run(run), self.account(mails))
            }
            JourneyStep::Pending { delivery, endpoint, attempts } => {
                format!("Delivery {delivery} to {endpoint} waits, {}.", tried(*attempts))
            }
            JourneyStep::Delivered { delivery, endpoint, attempts } => {
                format!("{endpoint} took delivery {delivery}, {}.", tried(*attempts))
            }
            JourneyStep::Failed { delivery, endpoint, attempts } => {
                format!("Delivery {delivery} to {endpoint} was given up, {}.", tried(*attempts))
            }
            JourneyStep::Superseded { delivery, endpoint, attempts } => {
                format!(
                    "{endpoint} has a newer version; delivery {delivery} is not sent any more, {}.",
                    tried(*attempts)
                )
            }
        }
    }

    fn span(&self, seconds: u64) -> String {
        let (figure, unit) = unit(seconds, ["second", "minute", "hour", "day"]);
        format!("{figure} {unit}{}", if figure == 1 { "" } else { "s" })
    }

    fn mail_reason(&self, reason: MailReason) -> &'static str {
        match reason {
            MailReason::SubscriptionEnded => "The subscription ended before the mail went out.",
            MailReason::NothingLeft => "Everything in it was withdrawn before it went out.",
            MailReason::NotAnAddress => "No mail can be sent to this address.",
            MailReason::MailboxRefused => "The mail server refuses this mailbox for good.",
            MailReason::PolicyRefused => "The mail server refuses this mailbox by its policy.",
            MailReason::TimeUp => "The time for sending it is over.",
            MailReason::SendWindow => "It waits for the send window.",
            MailReason::NotBegun => "Sending it had not begun; it waits for the next round.",
            MailReason::RunPaused => "Its run is paused.",
            MailReason::ServerUnreachable => "The mail server cannot be reached, or does not let us in.",
            MailReason::ServerBusy => "The mail server asks for another try later.",
            MailReason::ConnectionLost => "The connection to the mail server was lost while sending.",
            MailReason::LostTwice => "Sending was interrupted twice; it may have arrived and is not sent a third time.",
            MailReason::NotedBefore => "Noted by an earlier version.",
        }
    }

    fn pause_reason(&self, reason: PauseReason) -> &'static str {
        match reason {
            PauseReason::ServerRefuses => "The mail server refuses what this system sends.",
            PauseReason::PolicyRefusals => "The mail server refused several mailboxes in a row by its policy.",
            PauseReason::ReturnPath => "The return path is not an address; correct the configuration.",
            PauseReason::NotComposed => "A mail could not be composed. This is a defect; see the log.",
            PauseReason::NotedBefore => "Noted by an earlier version.",
        }
    }

    fn attempt_error(&self, error: AttemptError, status: Option<u16>) -> String {
        match (error, status) {
            (AttemptError::Http, Some(status @ 300..=399)) => {
                format!("The endpoint redirects (HTTP {status}), which is not followed; correct its address.")
            }
            (AttemptError::Http, Some(status)) => format!("The endpoint answered HTTP {status}."),
            (AttemptError::Http, None) => "The endpoint's answer was no success.".into(),
            (AttemptError::Dns, _) => "The endpoint's name cannot be resolved.".into(),
            (AttemptError::Blocked, _) => {
                "The address may not be called: it is not https, or not public. If it is right, \
                allow it by push.allow_hosts or push.allow_networks."
                    .into()
            }
            (AttemptError::Connect, _) => "The endpoint cannot be connected to.".into(),
            (AttemptError::Tls, _) => "The endpoint's certificate or TLS handshake failed.".into(),
            (AttemptError::Timeout, _) => "The endpoint did not answer in time.".into(),
            (AttemptError::Protocol, _) => "The connection broke, or the answer is not HTTP.".into(),
            (AttemptError::Ours, _) => "A fault of Loa; see the log.".into(),
        }
    }

    fn hub_reason(&self, reason: HubReason, status: Option<u16>) -> String {
        match (reason, status) {
            (HubReason::Confirmed, _) => "The subscriber confirmed its request.".into(),
            (HubReason::Taken, _) => "The subscriber took the newest version.".into(),
            (HubReason::DenialTold, _) => "The subscriber was told that its request is denied.".into(),
            (HubReason::Http, Some(status @ 300..=399)) => {
                format!("The subscriber redirects (HTTP {status}), which is not followed.")
            }
            (HubReason::Http, Some(status)) => format!("The subscriber answered HTTP {status}."),
            (HubReason::Http, None) => "The subscriber's answer was no success.".into(),
            (HubReason::NotTheChallenge, _) => "The subscriber's answer is not the challenge it was sent.".into(),
            (HubReason::Dns, _) => "The subscriber's name cannot be resolved.".into(),
            (HubReason::Blocked, _) => {
                "The address may not be called: it is not public. If it is right, allow it by hub.allow_hosts or \
                 hub.allow_networks."
                    .into()
            }
            (HubReason::Connect, _) => "The subscriber cannot be connected to.".into(),
            (HubReason::Tls, _) => "The subscriber's certificate or TLS handshake failed.".into(),
            (HubReason::Timeout, _) => "The subscriber did not answer in time.".into(),
            (HubReason::Protocol, _) => "The connection broke, or the answer is not HTTP.".into(),
            (HubReason::NetworkFull, _) => "As many calls to its network are under way as may be.".into(),
            (HubReason::NetworkTooOften, _) => "Its network was asked too often.".into(),
            (HubReason::NeverRecorded, _) => "It was called several times; what came of it was never recorded.".into(),
            (HubReason::Ours, _) => "A fault of Loa; see the log.".into(),
            (HubReason::NotedBefore, _) => "Noted by an earlier version.".into(),
        }
    }

    fn disable_reason(&self, reason: DisableReason) -> &'static str {
        match reason {
            DisableReason::Gone => "It answered 410: it wants no more webhooks.",
            DisableReason::Operator => "An operator disabled it.",
        }
    }

    fn trial(&self, trial: Trial) -> &'static str {
        match trial {
            Trial::Taken => "Taken.",
            Trial::WouldRetry => "A delivery would be tried again.",
            Trial::WouldGiveUp => "A delivery with this answer would be given up.",
            Trial::WouldDisable => "A delivery with this answer would disable the endpoint.",
        }
    }

    fn alarm(&self, alarm: &Alarm) -> String {
        match alarm {
            Alarm::LedgerAway(outlet) => {
                format!("The ledger of {} does not answer: its part of this page is missing.", outlet.as_str())
            }
            Alarm::NotConnected(name) => format!("This process has not reached {name}."),
            Alarm::TopologyDiffers(what) => format!(
                "At the broker, {what} is not as it should be; `loa topology check` says what differs and what mends it."
            ),
            Alarm::BusBlocked(words) => self.with_words("The bus takes no messages just now.", words.as_str()),
            Alarm::BusRefuses(words) => self.with_words(
                "The bus refuses the connection; check user name, password and permissions.",
                words.as_str(),
            ),
            Alarm::BusDown(words) => self.with_words("The bus cannot be reached.", words.as_str()),
            Alarm::DeadLetters { queue, count } => format!(
                "{count} dead letters in {queue}: read why, have the sender mend it, then `loa dead-letters redrive`."
            ),
            Alarm::Unrouted { count } => format!(
                "{count} messages in loa.unrouted: no queue takes their routing keys, and no outlet has them. `loa \
                 dead-letters list --queue unrouted` names them, `loa dead-letters redrive LETTER --key KEY` brings them."
            ),
            Alarm::SetAside { count, seconds, article, words } => self.with_words(
                &format!(
                    "{count} events are set aside, the oldest for {} (for instance of {article}): the bus does not take \
                     them as they are. They are tried again from time to time.",
                    self.span(*seconds)
                ),
                words.as_str(),
            ),
            Alarm::OutboxLate { waiting, oldest_seconds } => format!(
                "{waiting} events wait for the bus, the oldest for {}: check the connection to it.",
                self.span(*oldest_seconds)
            ),
            Alarm::NotReceived { outlet, count, or_more, seconds } => format!(
                "{count}{} events have not reached the outlet {}, the oldest for {}: `loa check` names the command that \
                 brings them.",
                if *or_more { " or more" } else { "" },
                self.outlet(*outlet),
                self.span(*seconds)
            ),
            Alarm::Late { outlet, count, or_more, seconds } => format!(
                "{count}{} events wait in the queue of the outlet {}, the oldest for {}: see whether its service runs.",
                if *or_more { " or more" } else { "" },
                self.outlet(*outlet),
                self.span(*seconds)
            ),
            Alarm::CompletenessUnknown(outlet) => format!(
                "It is not known whether the outlet {} has received everything: see whether intake runs and reaches \
                 this outlet's ledger.",
                self.outlet(*outlet)
            ),
            Alarm::BindingSilent { queue, binding, seconds } if binding.is_empty() => format!(
                "No heartbeat has come through the queue {queue} for {}: check its bindings with `loa migrate`.",
                seconds.map_or("as long as is known".to_owned(), |seconds| self.span(seconds))
            ),
            Alarm::BindingSilent { queue, binding, seconds } => format!(
                "The binding {binding} of the queue {queue} has carried nothing for {}: `loa migrate` makes it anew.",
                seconds.map_or("as long as is known".to_owned(), |seconds| self.span(seconds))
            ),
            Alarm::FromTheFuture { queue, seconds } => format!(
                "Heartbeats of the queue {queue} come from the future, by {}: set the clocks of the machines (NTP). How old \
                 they are is not known meanwhile.",
                self.span(*seconds)
            ),
            Alarm::OtherInstallation { installation, host, seconds } => format!(
                "Another installation ({installation}, on {host}) has used the same vhost for {}: each needs a vhost of \
                 its own, or they take each other's news.",
                self.span(*seconds)
            ),
            Alarm::RunPaused { run, id, waiting, why } => format!(
                "Paused: {}, {waiting} mails wait. {} When the cause is gone, POST /v1/digest-runs/{id}/resume.",
                self.run(run),
                self.pause(why)
            ),
            Alarm::RunUnbalanced(run) => {
                format!("The account of {} does not balance: a defect, please report it.", self.run(run))
            }
            Alarm::DeliveriesFailed { count, or_more } => {
                let more = if *or_more { " or more" } else { "" };
                format!("{count}{more} deliveries failed: see /v1/deliveries?state=failed.")
            }
            Alarm::EndpointDisabled { endpoint, reason, note } => {
                format!("Endpoint {endpoint} is disabled. {}", self.disabled(*reason, note))
            }
        }
    }

    fn notice(&self, notice: Notice) -> &'static str {
        match notice {
            Notice::NotAnEmail => "This is not an e-mail address. It looks like name@example.vn.",
            Notice::NoFrequency => "Please choose how often.",
            Notice::NoSuchArea => "An area is not in the list any more. Please choose again.",
            Notice::NoSuchCategory => "A category is not right. Please choose again.",
            Notice::TooManyChosen => "Please choose fewer areas and categories; none means all of them.",
            Notice::ConfirmationNotSent => "The confirmation was not sent",
            Notice::MailServerBusy => "The mail server is busy. Please subscribe again in a few minutes.",
            Notice::AskedTooOften => {
                "Too much was asked for from this network, or for this mail provider. Please try again in an hour."
            }
            Notice::DeadLink => "This link does not work",
            Notice::DeadLinkHelp => {
                "This address is wrong or no longer valid. Please use the link in the newest mail, or subscribe again."
            }
            Notice::Unsubscribed => "Unsubscribed.",
            Notice::Busy => "The server is busy. Please try again in a few minutes.",
            Notice::Fault => "The server has a fault. Please try again later.",
            Notice::HubIsForReaders => {
                "This is a WebSub hub: feed readers subscribe here, by POST (https://www.w3.org/TR/websub/)."
            }
            Notice::TestWebhook => "A test webhook by Loa; please answer 2xx.",
            Notice::TokenNeeded => {
                "A token of scope `read` is needed, as the password; the user name is free. `loa token create` makes one."
            }
        }
    }

    fn bare_page(&self, page: BarePage) -> (&'static str, &'static str) {
        match page {
            BarePage::NotFound => ("Page not found", "There is nothing at this address, or it has moved."),
            BarePage::OnlyToLookAt => ("This cannot be done", "This address is only to be looked at."),
            BarePage::TooSlow => ("Too late", "The request came too slowly. Please try again."),
            BarePage::TooLarge => ("Too large", "What was sent is larger than this address takes."),
            BarePage::Fault => ("A fault of the server", "It was noted. Please try again in a few minutes."),
            BarePage::Unreadable => ("The request cannot be read", "The address or what was sent is not right."),
        }
    }

    fn verbatim(&self, said: &str) -> String {
        format!("Verbatim: “{said}”.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journey_reads_like_a_note() {
        let run = RunKey {
            frequency: Frequency::Weekly,
            on: "2023-11-06".parse().unwrap(),
            slot: String::new(),
            zone: "Asia/Ho_Chi_Minh".into(),
        };
        let mails = Account { planned: 1, uncertain: 1, ..Account::default() };
        assert_eq!(
            English.told(&JourneyStep::Planned { run, correction: true, mails }),
            "A correction in the weekly run of 6 November 2023; 1 planned: 1 uncertain."
        );
        assert_eq!([1, 120].map(|seconds| English.span(seconds)), ["1 second", "2 minutes"]);
    }
}
