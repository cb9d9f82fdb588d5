//! Who we are to the broker's administrator, and the lines that this person can run: rights, import,
//! deletion. Words only.

use loa_bus::{BusError, BusErrorKind};
use loa_domain::{BusFact, BusReason, TopologyThing};

/// What Loa's queues and exchanges are called.
const OURS: &str = r"^loa\.";
/// The default exchange leads to the queue of a dead letter's copy, and of a replay.
const WRITTEN: &str = r"^(loa\.|amq\.default)";

/// A user on a vhost.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    pub(crate) vhost: String,
    /// `None`: the certificate says it.
    pub(crate) user: Option<String>,
}

impl Whose {
    /// `rabbitmqctl COMMAND -p VHOST`.
    pub(crate) fn rabbitmqctl(&self, command: &str) -> String {
        format!("rabbitmqctl {command} -p {}", quoted(&self.vhost))
    }

    /// The line that gives the right to make what is missing.
    pub(crate) fn right_to_make(&self) -> String {
        format!("`{}`", self.line())
    }

    fn line(&self) -> String {
        let user = self.user.as_deref().map_or_else(|| "USER".to_owned(), quoted);
        format!("{} {user} '{OURS}' '{WRITTEN}' '{OURS}'", self.rabbitmqctl("set_permissions"))
    }

    /// What we are not allowed to make, which right it needs, and the two ways out.
    pub(crate) fn may_not_make(&self, thing: TopologyThing, words: &str) -> BusError {
        self.may_not_make_one_of(thing, None, words, words)
    }

    /// One of two things that something is to be bound to is missing; the broker does not say which.
    pub(crate) fn may_not_make_either(&self, thing: TopologyThing, or: TopologyThing) -> BusError {
        self.may_not_make_one_of(thing, Some(or), "the broker knows no such thing to bind", "")
    }

    fn may_not_make_one_of(
        &self,
        thing: TopologyThing,
        or: Option<TopologyThing>,
        words: &str,
        said: &str,
    ) -> BusError {
        let other = or.as_ref().map_or_else(String::new, |other| format!(" or the {other}"));
        let text = format!(
            "the {thing}{other} is missing, and this user lacks the right `configure` on it to make it ({words}); either let the \
             broker's administrator import what `loa topology print` prints (`rabbitmqctl import_definitions FILE`), or \
             have the right given: {}",
            self.right_to_make()
        );
        let fact = BusFact::NoRightToMake { thing, or, command: self.line() };
        let reason = BusReason { facts: vec![fact], said: said.into() };
        BusError::new(BusErrorKind::Refused, text).with(reason).because("access_refused")
    }

    /// What we are not allowed to bind.
    pub(crate) fn may_not_bind(&self, thing: TopologyThing, words: &str) -> BusError {
        let text = format!(
            "the {thing} cannot be made: this needs the rights `write` on the queue and `read` on the exchange, and topic \
             permissions that let its key be read ({words}); either let the broker's administrator import what `loa \
             topology print` prints (`rabbitmqctl import_definitions FILE`), or have the rights given: {}",
            self.right_to_make()
        );
        let fact = BusFact::NoRightToBind { thing, command: self.line() };
        let reason = BusReason { facts: vec![fact], said: words.into() };
        BusError::new(BusErrorKind::Refused, text).with(reason).because("access_refused")
    }
}

/// A word as a shell takes it.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_pasted_whatever_the_vhost_is_called() {
        let line = |vhost: &str| Whose { vhost: vhost.to_owned(), user: Some("loa".to_owned()) }.right_to_make();
        assert_eq!(line("/"), r"`rabbitmqctl set_permissions -p / loa '^loa\.' '^(loa\.|amq\.default)' '^loa\.'`");
        assert!(line("tin tức").contains(" -p 'tin tức' loa "));
        assert!(line("o'clock").contains(r" -p 'o'\''clock' "));
    }
}
