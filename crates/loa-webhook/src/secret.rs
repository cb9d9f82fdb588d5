//! A signing secret: 24 to 64 bytes, written `whsec_` and base64 (Standard Webhooks, "Symmetric
//! signature").
//!
//! It leaves this type only through [`Secret::reveal`], called where the operator is shown it once,
//! and through signing.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use std::fmt;

const PREFIX: &str = "whsec_";
/// Shortest secret, in bytes.
const LENGTH_MIN: usize = 24;
/// Longest secret, in bytes.
const LENGTH_MAX: usize = 64;
/// People lose the padding when they copy.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret that the receiver shares. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Why something is not a secret. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The prefix is missing.
    #[error("a signing secret begins with whsec_")]
    Prefix,
    /// What follows the prefix is not base64.
    #[error("what follows whsec_ is not base64")]
    Base64,
    /// Too short or too long.
    #[error("a signing secret has 24 to 64 bytes, this one has {0}")]
    Length(usize),
}

impl Secret {
    /// Wraps raw bytes.
    ///
    /// # Errors
    /// [`SecretError::Length`] unless there are 24 to 64 of them.
    pub fn new(bytes: Vec<u8>) -> Result<Self, SecretError> {
        if (LENGTH_MIN..=LENGTH_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(SecretError::Length(bytes.len()))
        }
    }

    /// Reads the written form; padding may be missing.
    ///
    /// # Errors
    /// By kind; none quotes the text.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        Self::new(LENIENT.decode(encoded).map_err(|_| SecretError::Base64)?)
    }

    /// The written form, for the one time that it is shown.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The raw bytes, for the ledger.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_as_it_was_written() {
        let secret = Secret::new((0..32).collect()).unwrap();
        assert_eq!(Secret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_eq!(Secret::parse(secret.reveal().trim_end_matches('=')), Ok(secret));
    }

    #[test]
    fn a_secret_is_never_printed_by_accident() {
        assert_eq!(format!("{:?}", Secret::new(vec![65; 24]).unwrap()), "Secret(***)");
    }

    #[test]
    fn what_is_not_a_secret_is_refused_by_kind() {
        assert_eq!(Secret::parse("AAAA"), Err(SecretError::Prefix));
        assert_eq!(Secret::parse("whsec_***"), Err(SecretError::Base64));
        assert_eq!(Secret::parse("whsec_AAAA"), Err(SecretError::Length(3)));
        assert_eq!(Secret::new(vec![0; 65]), Err(SecretError::Length(65)));
    }
}
