//! Signs and verifies by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one signature per
//! valid secret.
//!
//! The body is taken as bytes and never changed: normalising Vietnamese text between signing and
//! sending would break the signature. [`verify`] is what a receiver does; the stand-in portal of
//! `loa demo` and the tests use it.

use crate::{Secret, WebhookId};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use ring::hmac;

/// The header of the event's outward id; the same on every attempt.
pub const HEADER_ID: &str = "webhook-id";
/// The header of the attempt's instant, in whole seconds since 1970.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// The header of the signatures, separated by one space.
pub const HEADER_SIGNATURE: &str = "webhook-signature";
/// How far a receiver's clock may differ from ours before it takes a request for a replayed one.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// A request with more signatures than this is hostile: a sender never holds so many secrets.
const SIGNATURES_MAX: usize = 16;

/// The three headers of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders([(&'static str, String); 3]);

impl SignedHeaders {
    /// Name and value, in the order id, timestamp, signature.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of one of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// An unsigned webhook must never leave the house.
    #[error("the endpoint has no signing secret")]
    NoSecret,
}

/// Why a request is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// One of the three headers is missing.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// The timestamp is not a whole number of seconds.
    #[error("the timestamp is not a number of seconds")]
    BadTimestamp,
    /// Signed too long ago: perhaps a replayed request.
    #[error("the timestamp is more than five minutes old")]
    TooOld,
    /// Signed in the future: one of the clocks is wrong.
    #[error("the timestamp is more than five minutes ahead")]
    TooNew,
    /// No signature fits any secret.
    #[error("no signature fits")]
    Mismatch,
}

/// Signs one attempt with every secret given (the newest first; several while a secret is being rotated).
///
/// # Errors
/// [`SignError::NoSecret`] when there is none.
pub fn sign(id: &WebhookId, at: Timestamp, body: &[u8], secrets: &[Secret]) -> Result<SignedHeaders, SignError> {
    if secrets.is_empty() {
        return Err(SignError::NoSecret);
    }
    let timestamp = at.as_second().to_string();
    let content = signed_content(id.as_str(), &timestamp, body);
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), &content);
            format!("v1,{}", STANDARD.encode(tag.as_ref()))
        })
        .collect();
    Ok(SignedHeaders([
        (HEADER_ID, id.as_str().to_owned()),
        (HEADER_TIMESTAMP, timestamp),
        (HEADER_SIGNATURE, signatures.join(" ")),
    ]))
}

/// Does what a receiver has to do: one of the request's signatures must fit one of the secrets, and its timestamp must
/// be within [`TOLERANCE`] of `now`. `header` looks a header up by its lower-case name. Signatures are compared in
/// constant time; versions other than `v1` are passed over, as the specification asks.
///
/// # Errors
/// By kind; a receiver answers each of them 400 or 401.
pub fn verify<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    secrets: &[Secret],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let named = |name: &'static str| header(name).ok_or(VerifyError::MissingHeader(name));
    let (id, timestamp, signatures) = (named(HEADER_ID)?, named(HEADER_TIMESTAMP)?, named(HEADER_SIGNATURE)?);
    let seconds: i64 = timestamp.parse().map_err(|_| VerifyError::BadTimestamp)?;
    let at = Timestamp::from_second(seconds).map_err(|_| VerifyError::BadTimestamp)?;
    let age = now.duration_since(at);
    if age > TOLERANCE {
        return Err(VerifyError::TooOld);
    }
    if age < -TOLERANCE {
        return Err(VerifyError::TooNew);
    }
    let content = signed_content(id, timestamp, body);
    let fits = signatures
        .split(' ')
        .take(SIGNATURES_MAX)
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|tag| {
            secrets.iter().any(|secret| {
                hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), &content, &tag).is_ok()
            })
        });
    if fits { Ok(()) } else { Err(VerifyError::Mismatch) }
}

fn signed_content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(id.len() + timestamp.len() + body.len() + 2);
    content.extend_from_slice(id.as_bytes());
    content.push(b'.');
    content.extend_from_slice(timestamp.as_bytes());
    content.push(b'.');
    content.extend_from_slice(body);
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id() -> WebhookId {
        WebhookId::parse("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk").unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// Verifies what was signed at second 1,000 with `signing`, at second `now`, with `known`.
    fn check(signing: &[Secret], known: &[Secret], now: i64, expected: Result<(), VerifyError>) {
        let headers = sign(&id(), at(1_000), b"body", signing).unwrap();
        assert_eq!(verify(|n| headers.get(n), b"body", known, at(now)), expected);
    }

    fn secret(byte: u8) -> Secret {
        Secret::new(vec![byte; 32]).unwrap()
    }

    #[test]
    fn the_specifications_own_example_is_reproduced() {
        let secret = Secret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let headers = sign(&id(), at(1_649_367_553), body, &[secret]).unwrap();
        assert_eq!(headers.get(HEADER_SIGNATURE), Some("v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="));
        assert_eq!(headers.get(HEADER_TIMESTAMP), Some("1649367553"));
    }

    #[test]
    fn while_rotating_either_secret_verifies_and_a_foreign_one_does_not() {
        let both = [secret(2), secret(1)];
        check(&both, &[secret(1)], 1_000, Ok(()));
        check(&both, &[secret(2)], 1_000, Ok(()));
        check(&both, &[secret(3)], 1_000, Err(VerifyError::Mismatch));
        check(&both, &[], 1_000, Err(VerifyError::Mismatch));
    }

    #[test]
    fn a_replayed_request_is_too_old_after_five_minutes() {
        check(&[secret(1)], &[secret(1)], 1_300, Ok(()));
        check(&[secret(1)], &[secret(1)], 1_301, Err(VerifyError::TooOld));
        check(&[secret(1)], &[secret(1)], 700, Ok(()));
        check(&[secret(1)], &[secret(1)], 699, Err(VerifyError::TooNew));
    }

    #[test]
    fn nothing_leaves_unsigned() {
        assert_eq!(sign(&id(), at(0), b"", &[]), Err(SignError::NoSecret));
    }

    #[test]
    fn other_versions_and_garbage_among_the_signatures_are_passed_over() {
        let headers = sign(&id(), at(1_000), b"body", &[secret(1)]).unwrap();
        let good = headers.get(HEADER_SIGNATURE).unwrap();
        let with = |list: String| {
            let get = |n: &str| if n == HEADER_SIGNATURE { Some(list.as_str()) } else { headers.get(n) };
            verify(get, b"body", &[secret(1)], at(1_000))
        };
        assert_eq!(with(format!("v1a,xyz v1, v1,%% {good}")), Ok(()));
        assert_eq!(with(good.replace("v1,", "v2,")), Err(VerifyError::Mismatch));
        assert_eq!(with(good.chars().take(10).collect()), Err(VerifyError::Mismatch));
        assert_eq!(with(String::new()), Err(VerifyError::Mismatch));
    }

    #[test]
    fn a_missing_header_is_named() {
        for missing in [HEADER_ID, HEADER_TIMESTAMP, HEADER_SIGNATURE] {
            let headers = sign(&id(), at(1_000), b"", &[secret(1)]).unwrap();
            let get = |n: &str| if n == missing { None } else { headers.get(n) };
            assert_eq!(verify(get, b"", &[secret(1)], at(1_000)), Err(VerifyError::MissingHeader(missing)));
        }
    }

    proptest! {
        #[test]
        fn what_was_signed_verifies_and_one_changed_bit_does_not(
            body in prop::collection::vec(any::<u8>(), 0..200),
            key in prop::collection::vec(any::<u8>(), 24..=64),
            seconds in 0_i64..4_000_000_000,
            position in any::<prop::sample::Index>(),
        ) {
            let secret = [Secret::new(key).unwrap()];
            let headers = sign(&id(), at(seconds), &body, &secret).unwrap();
            prop_assert_eq!(verify(|n| headers.get(n), &body, &secret, at(seconds)), Ok(()));
            let mut changed = body.clone();
            if changed.is_empty() { changed.push(0) } else { let i = position.index(changed.len()); changed[i] ^= 1 }
            prop_assert_eq!(verify(|n| headers.get(n), &changed, &secret, at(seconds)), Err(VerifyError::Mismatch));
        }
    }
}
