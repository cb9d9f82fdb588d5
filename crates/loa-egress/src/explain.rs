//! Why a call failed, for the ledger and for people.
//!
//! An error of the HTTP client comes in; a class that callers branch on and what the libraries said go out: no word of ours. Addresses may
//! hold secrets: callers take them out of the error first (`without_url`).

use crate::ResolveError;
use loa_webhook::Failure;
use std::{error::Error, io};

/// Why a call failed, and what was said about it by libraries and the system, which may be nothing: by the types in the chain of causes, never by their text.
pub fn explain(error: &reqwest::Error) -> (Failure, String) {
    let mut detail = error.to_string();
    let (mut named, mut tls) = (None, false);
    let mut cause = error.source();
    while let Some(inner) = cause {
        detail = format!("{detail}: {inner}");
        named = named.or_else(|| match inner.downcast_ref::<ResolveError>() {
            Some(ResolveError::Refused(_)) => Some((Failure::Refused, String::new())),
            Some(ResolveError::LookUp { source, .. }) => Some((Failure::Dns, source.to_string())),
            None => None,
        });
        tls |= is_tls(inner);
        cause = inner.source();
    }
    match named {
        Some(named) => named,
        None if error.is_timeout() => (Failure::Timeout, detail),
        None if tls => (Failure::Tls, detail),
        None if error.is_connect() => (Failure::Connect, detail),
        None => (Failure::Protocol, detail),
    }
}

/// Whether it is a TLS error. An `io::Error` does not show what it wraps in `source()`, and may wrap another one.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let mut wrapped = error.downcast_ref::<io::Error>();
    let mut innermost = error.is::<rustls::Error>();
    while let Some(inner) = wrapped.and_then(io::Error::get_ref) {
        innermost = inner.is::<rustls::Error>();
        wrapped = inner.downcast_ref::<io::Error>();
    }
    innermost
}

/// A text from outside as one line of at most `max` characters, for logs and pages: no control characters, no direction marks.
pub fn printable(text: &str, max: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    loa_domain::clean_line(&line).chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_receiver_says_cannot_break_a_log_line() {
        assert_eq!(printable("a\r\nb\u{1b}[31mc\u{202e}", 100), "a b [31mc");
        assert_eq!(printable(&"ạ".repeat(2_000), 1_000).chars().count(), 1_000);
    }
}
