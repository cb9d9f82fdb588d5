//! The real clock, random numbers and the language of the terminal: here alone they are read.

use crate::output;
use loa_words::Language;
use loa_worker::World;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;

/// The world as it is.
#[allow(clippy::disallowed_methods, reason = "here is where everyone else is handed them from")]
pub fn real() -> World {
    let dice = SystemRandom::new();
    World {
        clock: Arc::new(jiff::Timestamp::now),
        random: Arc::new(move |buffer| {
            if dice.fill(buffer).is_err() {
                // getrandom(2) does not fail on a running Linux; going on with predictable tokens would be worse than ending
                output::complain("the system gives no random numbers");
                std::process::abort();
            }
        }),
    }
}

/// The language of the terminal, by POSIX's order of its variables.
#[allow(clippy::disallowed_methods, reason = "the environment is read here and where the settings are read")]
pub fn language() -> Language {
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let variable = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find(set).unwrap_or("LANG");
    Language::of_locale(&std::env::var(variable).unwrap_or_default())
}

/// What this process is called on the broker's and the database's own pages: `loa feed@host`.
pub fn process_name(command: &str) -> String {
    // Linux says it here, as `hostname` does; without a name the program's is better than nothing
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => format!("loa {command}"),
        host => format!("loa {command}@{host}"),
    }
}
