//! An error for a log line: its sentence and those of its causes. The one place for it.

use std::error::Error;

/// An error with its causes, on one line: `the digest ledger: the database is locked`. Some libraries repeat a cause in their
/// own sentence; it is said once.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the ledger is away")]
    struct Away(#[source] std::num::ParseIntError);

    #[test]
    fn an_error_is_told_with_all_that_caused_it() {
        let cause = "x".parse::<u8>().unwrap_err();
        assert_eq!(with_causes(&cause), "invalid digit found in string");
        assert_eq!(with_causes(&Away(cause)), "the ledger is away: invalid digit found in string");
    }

    #[test]
    fn what_a_library_repeats_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("not published: {0}")]
        struct Outer(#[source] Away);
        let outer = Outer(Away("x".parse::<u8>().unwrap_err()));
        assert_eq!(with_causes(&outer), "not published: the ledger is away: invalid digit found in string");
    }
}
