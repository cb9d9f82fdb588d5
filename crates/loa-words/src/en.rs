//! The English catalogue. One file, so that whoever reads it over has all of it; only what is
//! wrong with an installation stands beside it.

mod address;
mod bus;
mod flaw;
mod letter;
mod page;
mod report;
mod topology;
mod trouble;
mod watched;
mod wrong;

use crate::{
    Alarm, BarePage, Connection, Notice, Trial, Words,
    catalogue::{counted, is_by_hand, unit},
};
use jiff::{Timestamp, civil::Date};
use loa_domain::{
    Account, AddressRefusal, Advice, Altered, Assumption, AttemptError, BusFact, Clue, DateFault, DeadCause,
    DeliveryState, Dependency, DisableReason, EgressSettings, Embedded, EndpointState, EventType, Fault, Flaw,
    Frequency, HeaderType, HubReason, HubState, JourneyStep, LedgerName, LeftOut, MailReason, MailState, NotCarried,
    Outlet, PageError, PageField, PauseReason, Remark, RunKey, RunState, Scope, SourceClue, StayReason,
    SubscriptionState, TopologyMend, TopologyOutcome, TopologyState, TopologyThing, TroubleKind, WatchFailure,
    WatchWarning, Worker,
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

    fn ledger(&self, ledger: LedgerName) -> &'static str {
        match ledger {
            LedgerName::Of(Outlet::Intake) => "intake's ledger",
            LedgerName::Of(Outlet::Feed) => "the feed ledger",
            LedgerName::Of(Outlet::Digest) => "the digest ledger",
            LedgerName::Of(Outlet::Push) => "the push ledger",
            LedgerName::Access => "the access ledger",
            LedgerName::Receipts => "the receipts",
            LedgerName::Watch => "the watch ledger",
        }
    }

    fn dependency(&self, dependency: Dependency) -> String {
        match dependency {
            Dependency::Queue(outlet) => format!("consuming from {}", outlet.queue_name()),
            Dependency::Accepting(outlet) => {
                format!(
                    "accepting what comes from {} into {}",
                    outlet.queue_name(),
                    self.ledger(LedgerName::Of(outlet))
                )
            }
            Dependency::Working(Worker::Of(outlet)) => {
                let work = match outlet {
                    Outlet::Intake => "relaying",
                    Outlet::Feed => "writing feeds",
                    Outlet::Digest => "sending digests",
                    Outlet::Push => "delivering webhooks",
                };
                format!("{work} from {}", self.ledger(LedgerName::Of(outlet)))
            }
            Dependency::Working(Worker::Hub) => "telling the subscribers of the hub".into(),
            Dependency::Working(Worker::Watch) => "looking at portals that cannot call us".into(),
            Dependency::Place(ledger) => format!("the place of {}", self.ledger(ledger)),
            Dependency::Topology => "the exchanges and queues at the broker".into(),
            Dependency::TopologyMade => "making exchanges and queues at the start".into(),
            Dependency::LedgersMade => "making the ledgers at the start".into(),
            Dependency::LedgersRead => "reading the ledgers".into(),
        }
    }

    fn connection(&self, connection: Connection) -> &'static str {
        match connection {
            Connection::Up => "up",
            Connection::Connecting => "connecting",
            Connection::Blocked => "takes nothing for now",
            Connection::Refused => "refused",
            Connection::Down => "lost",
        }
    }

    fn subscription_state(&self, state: SubscriptionState) -> &'static str {
        match state {
            SubscriptionState::Pending => "to be confirmed",
            SubscriptionState::Active => "active",
            SubscriptionState::Unsubscribed => "unsubscribed",
            SubscriptionState::Suspended => "suspended",
        }
    }

    fn run_state(&self, state: RunState) -> &'static str {
        match state {
            RunState::Planning => "being planned",
            RunState::Sending => "being sent",
            RunState::Paused => "paused",
            RunState::Ended => "ended",
        }
    }

    fn mail_state(&self, state: MailState) -> &'static str {
        match state {
            MailState::Planned => "to be sent",
            MailState::Submitting => "being sent",
            MailState::Sent => "sent",
            MailState::Failed => "failed",
            MailState::Suppressed => "suppressed",
            MailState::Uncertain => "uncertain",
        }
    }

    fn endpoint_state(&self, state: &EndpointState) -> &'static str {
        match state {
            EndpointState::Enabled => "enabled",
            EndpointState::Disabled { .. } => "disabled",
        }
    }

    fn delivery_state(&self, state: DeliveryState) -> &'static str {
        match state {
            DeliveryState::Pending => "waiting for delivery",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "not delivered",
            DeliveryState::Superseded => "superseded",
        }
    }

    fn hub_state(&self, state: HubState, owed: bool) -> &'static str {
        match (state, owed) {
            (HubState::Pending, _) => "to be verified",
            (HubState::Active, false) => "active",
            (HubState::Active, true) => "active, owed a newer version",
        }
    }

    fn scope(&self, scope: Scope) -> &'static str {
        match scope {
            Scope::Publish => "publish",
            Scope::Operate => "operate",
            Scope::Read => "read",
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
        let by_hand = if is_by_hand(run) { ", started by hand" } else { "" };
        format!("the {} run of {}{by_hand}", self.frequency(run.frequency), self.date(run.on))
    }

    fn account(&self, mails: &Account) -> String {
        let counts = counted(self, mails, "waiting");
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
            JourneyStep::Pending { .. } => self.delivery_state(DeliveryState::Pending),
            JourneyStep::Delivered { .. } => self.delivery_state(DeliveryState::Delivered),
            JourneyStep::Failed { .. } => self.delivery_state(DeliveryState::Failed),
            JourneyStep::Superseded { .. } => self.delivery_state(DeliveryState::Superseded),
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
            JourneyStep::SetAside { why } => format!(
                "The bus does not take this version as it is ({}); it is tried again from time to time.",
                self.not_carried(why)
            ),
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

    fn trouble_kind(&self, kind: TroubleKind, place: &str) -> String {
        trouble::kind(kind, place)
    }

    fn address_refusal(&self, refusal: &AddressRefusal, settings: EgressSettings) -> String {
        address::refusal(refusal, settings.as_str())
    }

    fn not_carried(&self, why: &NotCarried) -> String {
        letter::not_carried(why)
    }

    fn bus_fact(&self, fact: &BusFact) -> String {
        bus::fact(fact)
    }

    fn bus_facts(&self, facts: &[BusFact]) -> String {
        let facts: Vec<String> = facts.iter().map(bus::fact).collect();
        if facts.is_empty() { String::new() } else { format!("In particular: {}.", facts.join("; ")) }
    }

    fn topology_thing(&self, thing: &TopologyThing) -> String {
        thing.to_string()
    }

    fn topology_state(&self, state: &TopologyState) -> String {
        topology::state(state)
    }

    fn topology_mend(&self, mend: &TopologyMend) -> String {
        topology::mend(mend)
    }

    fn topology_outcome(&self, outcome: &TopologyOutcome) -> String {
        topology::outcome(outcome)
    }

    fn watch_warning(&self, warning: &WatchWarning, now: Timestamp) -> String {
        watched::warning(self, warning, now)
    }

    fn fault(&self, fault: &Fault, now: Timestamp) -> String {
        wrong::fault(self, fault, now)
    }

    fn alarm(&self, alarm: &Alarm) -> String {
        match alarm {
            Alarm::LedgerAway(outlet) => {
                format!("The ledger of {} does not answer: its part of this page is missing.", outlet.as_str())
            }
            Alarm::WatchAway => {
                "The ledger of the watch does not answer: how the watched sources are is not known.".to_owned()
            }
            Alarm::Down(dependency, trouble) => {
                format!("Down: {}. {}", self.dependency(*dependency), self.trouble(trouble))
            }
            Alarm::Bus(trouble) => self.trouble(trouble),
            Alarm::DeadLetters { queue, count } => format!(
                "{count} dead letters in {queue}: read why, have the sender mend it, then `loa dead-letters redrive`."
            ),
            Alarm::OutboxLate { waiting, oldest_seconds } => format!(
                "{waiting} events wait for the bus, the oldest for {}: check the connection to it.",
                self.span(*oldest_seconds)
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
            Notice::LettersGoneThrough => "Somebody goes through the letters of a long queue. Look again in a minute.",
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

    fn embedded(&self, embedded: Embedded) -> &'static str {
        match embedded {
            Embedded::Film => "Watch video",
            Embedded::Sound => "Listen",
            Embedded::File => "Open file",
            Embedded::Map => "Open map",
            Embedded::Page => "Open page",
        }
    }

    fn remark(&self, remark: &Remark) -> String {
        match remark {
            Remark::UnknownArea(named) => format!("The directory knows no area {named}."),
            Remark::UnknownCode { code, on } => {
                format!("No area had the code {code} on {on}, as far as the directory knows.")
            }
            Remark::ChangedAhead { modified_at, shown } => {
                format!("`modified_at` is {modified_at}, in the future; until then, followers see {shown} instead.")
            }
            Remark::Altered { what, count } => {
                let what = match what {
                    Altered::Embedded => "players, sounds, films, objects or embedded pages became links",
                    Altered::EmbeddedWithoutAddress => {
                        "embedded things without an address that readers can open were left out of the body"
                    }
                    Altered::UnseenFrames => "frames that nobody sees were left out of the body",
                    Altered::UnseenPictures => {
                        "pictures that nobody sees (hidden, or of one pixel) were left out of the body"
                    }
                    Altered::PicturesWithoutAddress => {
                        "pictures without an address that can be fetched were left out of the body; send addresses"
                    }
                    Altered::Formulas => "formulas became text",
                    Altered::Drawings => "drawings (svg, canvas) were left out of the body; their text stays",
                    Altered::FormFields => {
                        "fields or buttons of forms were left out of the body; what is filled in stays"
                    }
                    Altered::Scripts => "scripts, templates or titles of pages were left out of the body",
                    Altered::HiddenPassages => "passages that a style hides from everybody were left out of the body",
                    Altered::DisguisedAddresses => {
                        "addresses with a user name before the host were left out of the body"
                    }
                    Altered::UnusableAddresses => {
                        "addresses of links that are not http, https, mailto or tel were left out; the text stays"
                    }
                    Altered::LostLetters => "letters were lost before the text came here (U+FFFD), and stay so",
                };
                format!("{count} {what}.")
            }
            Remark::Converted(encoding) => {
                format!("The text was in the old encoding {} and was converted to Unicode.", encoding.as_str())
            }
            Remark::Unread { encoding, words } => {
                format!("{words} words read as nothing in {}, and stay as they came; look at them.", encoding.as_str())
            }
            Remark::LooksOld { encoding, words } => {
                format!(
                    "{words} words look like the old encoding {}, and stay as they came; look at them.",
                    encoding.as_str()
                )
            }
        }
    }

    fn flaw(&self, flaw: &Flaw) -> String {
        flaw::flaw(flaw)
    }

    fn header_type(&self, found: HeaderType) -> &'static str {
        flaw::header_type(found)
    }

    fn page_error(&self, error: &PageError) -> String {
        page::error(error)
    }

    fn page_field(&self, field: PageField) -> &'static str {
        page::field(field)
    }

    fn clue(&self, clue: &Clue) -> String {
        page::clue(clue)
    }

    fn clues(&self, clues: &[Clue]) -> String {
        page::all(clues)
    }

    fn date_fault(&self, fault: &DateFault) -> String {
        page::date(fault)
    }

    fn left_out(&self, why: &LeftOut) -> String {
        report::left_out(why)
    }

    fn report_line(&self, line: usize, text: &str, why: &LeftOut) -> String {
        report::line(line, text, why)
    }

    fn evidence(&self, line: usize, clues: &[Clue], is_assumed: bool) -> String {
        report::evidence(line, clues, is_assumed)
    }

    fn source_clue(&self, clue: &SourceClue) -> String {
        report::source(clue)
    }

    fn assumption(&self, assumption: &Assumption) -> String {
        report::assumption(assumption)
    }

    fn watch_failure(&self, failure: &WatchFailure) -> String {
        watched::failure(failure)
    }

    fn dead_cause(&self, cause: &DeadCause) -> String {
        letter::cause(cause)
    }

    fn stay_reason(&self, why: &StayReason) -> String {
        letter::stays(why)
    }

    fn advice(&self, advice: &Advice) -> String {
        letter::advice(advice)
    }

    fn detail(&self, said: &str) -> String {
        format!("Detail: “{said}”.")
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
