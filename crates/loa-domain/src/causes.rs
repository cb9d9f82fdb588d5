//! An error for a log line: its sentence and those of its causes.

use std::error::Error;

/// An error with its causes, on one line: `the digest ledger: the database is locked`.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
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
}
