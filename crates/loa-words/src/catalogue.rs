//! What a catalogue must have: a word or a sentence for each fact. A word stands in a table or after a label, in lower case
//! where its language wants it so; a sentence begins with a capital and ends with a full stop.

use crate::{Alarm, BarePage, Notice, Trial};
use jiff::civil::Date;
use loa_domain::{
    Account, AttemptError, Because, DisableReason, EventType, Frequency, HubReason, JourneyStep, LastCall, MailReason,
    Outlet, PauseReason, RunKey, ServerWords,
};

/// A catalogue. Implementations match facts without a default arm.
pub trait Words: Send + Sync {
    /// An outlet's name.
    fn outlet(&self, outlet: Outlet) -> &'static str;

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

    /// What needs somebody, and what to do.
    fn alarm(&self, alarm: &Alarm) -> String;

    /// What a reader is told on a page.
    fn notice(&self, notice: Notice) -> &'static str;

    /// A bare page's heading, and its advice.
    fn bare_page(&self, page: BarePage) -> (&'static str, &'static str);

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

    /// Why an endpoint is disabled, with what the operator noted.
    fn disabled(&self, reason: DisableReason, note: &str) -> String {
        self.with_words(self.disable_reason(reason), note)
    }
}

/// The figures of an account that are not zero, each with its word.
pub(crate) fn counted(mails: &Account, words: [&str; 5]) -> String {
    let figures = [mails.sent, mails.failed, mails.suppressed, mails.uncertain, mails.waiting];
    let named = figures.iter().zip(words).filter(|(figure, _)| **figure > 0);
    named.map(|(figure, word)| format!("{figure} {word}")).collect::<Vec<_>>().join(", ")
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
