//! What `declare` did and what `inspect` found, thing by thing: exchanges, queues, bindings, and the policies over them.
//!
//! Plain values with their sentences. Adapters make them; commands and readiness show them.

use crate::Queue;
use std::fmt;

/// One thing of the topology, as `declare` left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `queue loa.feed`, `binding article.# of loa.feed to loa.events`.
    pub what: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The queue that it belongs to and, if it was made, may have missed messages until now.
    pub of: Option<Queue>,
}

/// What became of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was there.
    There,
    /// It was not there, and is now.
    Made,
    /// It was there in an older form and is renewed; what was done.
    Renewed(String),
    /// More could not be found out; a sentence with the reason.
    Unsure(String),
}

impl Declared {
    /// The queue that missed what was published while this was not there.
    pub fn missed(&self) -> Option<Queue> {
        self.of.filter(|_| self.outcome == Outcome::Made)
    }
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, outcome, .. } = self;
        match outcome {
            Outcome::There => write!(f, "{what}: there"),
            Outcome::Made => write!(f, "{what}: made"),
            Outcome::Renewed(how) => write!(f, "{what}: renewed: {how}"),
            Outcome::Unsure(sentence) => write!(f, "{what}: {sentence}"),
        }
    }
}

/// One thing of the topology, as `inspect` found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `queue loa.feed`, `policies on loa.feed`.
    pub what: String,
    /// How it is.
    pub found: Found,
}

/// How a thing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// As it should be.
    Right,
    /// As it should be, with a word about it.
    Remark(String),
    /// It is not there, as it should be. Said so that a fault of it ends; no news for people.
    Absent,
    /// Nobody could be asked, by the settings or the rights as they are; why, and what would let us ask.
    NotAsked(String),
    /// It was asked for and not answered.
    NotKnown(String),
    /// It differs, and costs news now or later.
    Wrong {
        /// What is wrong and what comes of it.
        how: String,
        /// The lines that mend it.
        mend: String,
    },
}

impl Finding {
    /// Whether somebody must act, or look.
    pub fn is_fault(&self) -> bool {
        matches!(self.found, Found::Wrong { .. } | Found::NotKnown(_))
    }

    /// Whether the thing was looked at, and is as it should be.
    pub fn is_good(&self) -> bool {
        matches!(self.found, Found::Right | Found::Remark(_) | Found::Absent)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found } = self;
        match found {
            Found::Right => write!(f, "{what}: as it should be"),
            Found::Remark(words) => write!(f, "{what}: {words}"),
            Found::Absent => write!(f, "{what}: there is none, as it should be"),
            Found::NotAsked(why) => write!(f, "{what}: not looked at: {why}"),
            Found::NotKnown(why) => write!(f, "{what}: not known: {why}"),
            Found::Wrong { how, mend } => write!(f, "{what}: {how}; to mend it: {mend}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_may_have_missed_something() {
        let declared = |outcome| Declared { what: "queue loa.feed".to_owned(), outcome, of: Some(Queue::Feed) };
        assert_eq!(declared(Outcome::Made).missed(), Some(Queue::Feed));
        for outcome in [Outcome::There, Outcome::Renewed(String::new()), Outcome::Unsure(String::new())] {
            assert_eq!(declared(outcome).missed(), None);
        }
        assert_eq!(declared(Outcome::There).to_string(), "queue loa.feed: there");
    }
}
