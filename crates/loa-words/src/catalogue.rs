//! What a catalogue must have: a word or a sentence for each fact. A word stands in a table or after a label, in lower case
//! where its language wants it so; a sentence begins with a capital and ends with a full stop.

use crate::{Alarm, BarePage, Connection, Notice, Trial};
use jiff::{Timestamp, civil::Date};
use loa_domain::{
    Account, AddressRefusal, Advice, Assumption, AttemptError, Because, BusFact, Clue, DateFault, DeadCause,
    DeliveryState, Dependency, DisableReason, EgressSettings, Embedded, EndpointState, EventType, Fault, Flaw,
    Frequency, HeaderType, HubReason, HubState, JourneyStep, LastCall, LedgerName, LeftOut, MailReason, MailState,
    NotCarried, Outlet, PageError, PageField, PauseReason, Remark, RunKey, RunState, Scope, ServerWords, SourceClue,
    StayReason, SubscriptionState, TopologyMend, TopologyOutcome, TopologyState, TopologyThing, Trouble, TroubleKind,
    WatchFailure, WatchWarning,
};

/// A catalogue. Implementations match facts without a default arm.
pub trait Words: Send + Sync {
    /// An outlet's name.
    fn outlet(&self, outlet: Outlet) -> &'static str;

    /// A ledger's name, within a sentence.
    fn ledger(&self, ledger: LedgerName) -> &'static str;

    /// What a process needs to work, in a few words that name it.
    fn dependency(&self, dependency: Dependency) -> String;

    /// How the connection to the bus is.
    fn connection(&self, connection: Connection) -> &'static str;

    /// Where a subscription stands.
    fn subscription_state(&self, state: SubscriptionState) -> &'static str;

    /// Where a digest run stands.
    fn run_state(&self, state: RunState) -> &'static str;

    /// Where a mail stands.
    fn mail_state(&self, state: MailState) -> &'static str;

    /// Whether an endpoint gets deliveries, in one word. [`Words::endpoint`] says why it does not.
    fn endpoint_state(&self, state: &EndpointState) -> &'static str;

    /// Where a delivery stands.
    fn delivery_state(&self, state: DeliveryState) -> &'static str;

    /// Where a subscription at the hub stands; `owed`: it has not been given the newest version yet.
    fn hub_state(&self, state: HubState, owed: bool) -> &'static str;

    /// What a token allows.
    fn scope(&self, scope: Scope) -> &'static str;

    /// What happened, by the event's type: "a new article".
    fn event(&self, event_type: EventType) -> &'static str;

    /// How often somebody wants mail.
    fn frequency(&self, frequency: Frequency) -> &'static str;

    /// The same where somebody chooses.
    fn frequency_choice(&self, frequency: Frequency) -> &'static str;

    /// What the mailing list is called where the settings do not say.
    fn list_name(&self, portal: &str) -> String;

    /// A civil date, as it is written in running text.
    fn date(&self, on: Date) -> String;

    /// A digest run, within a sentence.
    fn run(&self, run: &RunKey) -> String;

    /// How many mails stand how, without those of which there are none.
    fn account(&self, mails: &Account) -> String;

    /// A step of a journey, in a word or two.
    fn step(&self, step: &JourneyStep) -> &'static str;

    /// The same in a sentence, with what belongs to it. No address of a person.
    fn told(&self, step: &JourneyStep) -> String;

    /// How long something took or lies back, in its largest unit.
    fn span(&self, seconds: u64) -> String;

    /// Why a mail was not sent, or not yet.
    fn mail_reason(&self, reason: MailReason) -> &'static str;

    /// Why a run is stopped.
    fn pause_reason(&self, reason: PauseReason) -> &'static str;

    /// Why an attempt failed; `status` where an answer came.
    fn attempt_error(&self, error: AttemptError, status: Option<u16>) -> String;

    /// What a call of a subscriber of the hub came to; `status` where an answer came.
    fn hub_reason(&self, reason: HubReason, status: Option<u16>) -> String;

    /// Why an endpoint is disabled.
    fn disable_reason(&self, reason: DisableReason) -> &'static str;

    /// What would follow from a trial's answer.
    fn trial(&self, trial: Trial) -> &'static str;

    /// Why a dependency is down, and what to do; `place`: the file, schema or ledger where it lies, or nothing.
    fn trouble_kind(&self, kind: TroubleKind, place: &str) -> String;

    /// What is wrong, and what to do. `now`: what the ages in it are counted to.
    fn fault(&self, fault: &Fault, now: Timestamp) -> String;

    /// Why an address may not be called, and which settings would allow it. A clause.
    fn address_refusal(&self, refusal: &AddressRefusal, settings: EgressSettings) -> String;

    /// Why the bus does not take a message as it is. A clause.
    fn not_carried(&self, why: &NotCarried) -> String;

    /// What the adapter of the bus met. A clause.
    fn bus_fact(&self, fact: &BusFact) -> String;

    /// All that it met, in a sentence; empty: nothing is known.
    fn bus_facts(&self, facts: &[BusFact]) -> String;

    /// What a thing of the topology is called, within a sentence.
    fn topology_thing(&self, thing: &TopologyThing) -> String;

    /// How a thing of the topology is, without what mends it. A clause.
    fn topology_state(&self, state: &TopologyState) -> String;

    /// What mends a difference of the topology. A clause, in which commands stand between backquotes.
    fn topology_mend(&self, mend: &TopologyMend) -> String;

    /// What became of a thing of the topology that should be there. A clause.
    fn topology_outcome(&self, outcome: &TopologyOutcome) -> String;

    /// What is odd about a source that is watched, and what to do. `now`: what the ages in it are counted to.
    fn watch_warning(&self, warning: &WatchWarning, now: Timestamp) -> String;

    /// What needs somebody, and what to do.
    fn alarm(&self, alarm: &Alarm) -> String;

    /// What a reader is told on a page.
    fn notice(&self, notice: Notice) -> &'static str;

    /// A bare page's heading, and its advice.
    fn bare_page(&self, page: BarePage) -> (&'static str, &'static str);

    /// The word before the link that stands in a body for what was embedded there. Readers of feeds and mails see it.
    fn embedded(&self, embedded: Embedded) -> &'static str;

    /// What is told of an event that was taken all the same.
    fn remark(&self, remark: &Remark) -> String;

    /// Why an event or a submission is not taken, and what to do. In English a clause, as error messages are: machines are answered
    /// with it.
    fn flaw(&self, flaw: &Flaw) -> String;

    /// Why a page, a feed or a sitemap is refused, and what to do. In English a clause.
    fn page_error(&self, error: &PageError) -> String;

    /// What a value of a page is called, within a sentence.
    fn page_field(&self, field: PageField) -> &'static str;

    /// What speaks for a value of a page, or against it. A clause.
    fn clue(&self, clue: &Clue) -> String;

    /// All that speaks for a value, and against it. A clause.
    fn clues(&self, clues: &[Clue]) -> String;

    /// Why something written is no time of posting. A clause.
    fn date_fault(&self, fault: &DateFault) -> String;

    /// Why a line of a page, or an entry of a source, was left out. A clause.
    fn left_out(&self, why: &LeftOut) -> String;

    /// The same as a line of a report: where it stands, why, and its beginning. `line` 0: it stands in none.
    fn report_line(&self, line: usize, text: &str, why: &LeftOut) -> String;

    /// Why a value of a page was taken, and where it stands. `line` 0: in none.
    fn evidence(&self, line: usize, clues: &[Clue], is_assumed: bool) -> String;

    /// What speaks for a source's form. A clause.
    fn source_clue(&self, clue: &SourceClue) -> String;

    /// What an import chose because the page does not say it, or does not publish of it. In English a clause.
    fn assumption(&self, assumption: &Assumption) -> String;

    /// Why a source that is watched, or a page of it, could not be read. In English a clause.
    fn watch_failure(&self, failure: &WatchFailure) -> String;

    /// What the header of a message is that has no one text; it follows on "is".
    fn header_type(&self, found: HeaderType) -> &'static str;

    /// Why a message is among the dead letters. In English a clause.
    fn dead_cause(&self, cause: &DeadCause) -> String;

    /// Why a letter stays where it is though it was to go again. In English a clause.
    fn stay_reason(&self, why: &StayReason) -> String;

    /// What to do about a dead letter.
    fn advice(&self, advice: &Advice) -> String;

    /// What an adapter or an engine said, marked as a technical detail, which is in whatever language it is.
    fn detail(&self, said: &str) -> String;

    /// Why a dependency is down, with what the adapter of the bus met, and the technical detail.
    fn trouble(&self, trouble: &Trouble) -> String {
        let sentence =
            format!("{} {}", self.trouble_kind(trouble.kind, &trouble.place), self.bus_facts(&trouble.facts));
        self.with_detail(sentence.trim_end(), trouble.detail.as_str())
    }

    /// A sentence of ours, and after it a technical detail, if there is one.
    fn with_detail(&self, sentence: &str, said: &str) -> String {
        if said.is_empty() { sentence.to_owned() } else { format!("{sentence} {}", self.detail(said)) }
    }

    /// What the other side said, marked as its own words.
    fn verbatim(&self, said: &str) -> String;

    /// A sentence of ours, and after it what the other side said.
    fn with_words(&self, sentence: &str, said: &str) -> String {
        match (sentence.is_empty(), said.is_empty()) {
            (_, true) => sentence.to_owned(),
            (true, false) => self.verbatim(said),
            (false, false) => format!("{sentence} {}", self.verbatim(said)),
        }
    }

    /// How a mail stands, as far as there is something to say.
    fn mail(&self, reason: Option<MailReason>, said: &ServerWords) -> String {
        self.with_words(reason.map_or("", |reason| self.mail_reason(reason)), said.as_str())
    }

    /// Why a run is stopped, with what the mail server said.
    fn pause(&self, why: &Because<PauseReason>) -> String {
        self.with_words(self.pause_reason(why.reason), why.words.as_str())
    }

    /// What an attempt came to, with what the receiver said.
    fn attempt(&self, error: Option<AttemptError>, status: Option<u16>, said: &ServerWords) -> String {
        let sentence = error.map(|error| self.attempt_error(error, status)).unwrap_or_default();
        self.with_words(&sentence, said.as_str())
    }

    /// What the last call of a subscriber came to, with what was said.
    fn hub_call(&self, call: &LastCall) -> String {
        self.with_words(&self.hub_reason(call.reason, call.status), call.words.as_str())
    }

    /// Whether an endpoint gets deliveries, and if not, why.
    fn endpoint(&self, state: &EndpointState) -> String {
        let word = self.endpoint_state(state);
        match state {
            EndpointState::Enabled => word.to_owned(),
            EndpointState::Disabled { reason, note } => format!("{word}: {}", self.disabled(*reason, note)),
        }
    }

    /// Why an endpoint is disabled, with what the operator noted.
    fn disabled(&self, reason: DisableReason, note: &str) -> String {
        self.with_words(self.disable_reason(reason), note)
    }
}

/// Whether somebody started a run: by its slot, which earlier versions began with `tay-`. Message-IDs are made of slots, so
/// those that are kept stay as they are.
pub(crate) fn is_by_hand(run: &RunKey) -> bool {
    ["manual-", "tay-"].iter().any(|head| run.slot.starts_with(head))
}

/// How long ago, in whole seconds; nothing is ago that is to come.
pub(crate) fn seconds_since(since: Timestamp, now: Timestamp) -> u64 {
    now.duration_since(since).as_secs().max(0).cast_unsigned()
}

/// The command that brings what an outlet has not seen since then.
pub fn replay(outlet: Outlet, since: Timestamp) -> String {
    format!("loa replay --outlet {} --since {since}", outlet.as_str())
}

/// The figures of an account that are not zero, each with its word.
pub(crate) fn counted(words: &dyn Words, mails: &Account, waiting: &'static str) -> String {
    let named = [
        (mails.sent, words.mail_state(MailState::Sent)),
        (mails.failed, words.mail_state(MailState::Failed)),
        (mails.suppressed, words.mail_state(MailState::Suppressed)),
        (mails.uncertain, words.mail_state(MailState::Uncertain)),
        (mails.waiting, waiting),
    ];
    let named = named.iter().filter(|(figure, _)| *figure > 0);
    named.map(|(figure, word)| format!("{figure} {word}")).collect::<Vec<_>>().join(", ")
}

/// The beginning of a line, as a report quotes it.
pub(crate) fn beginning(text: &str) -> String {
    const SHOWN_MAX: usize = 120;
    let shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// A span's figure and its unit: seconds, minutes, hours or days.
pub(crate) fn unit(seconds: u64, units: [&'static str; 4]) -> (u64, &'static str) {
    match seconds {
        0..60 => (seconds, units[0]),
        60..3_600 => (seconds / 60, units[1]),
        3_600..86_400 => (seconds / 3_600, units[2]),
        _ => (seconds / 86_400, units[3]),
    }
}
