//! The token in a mail's links: 128 random bits that say nothing and cannot be guessed (RFC 8058
//! §3.1).
//!
//! It is short because a folded `List-Unsubscribe` has broken signatures at large receivers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// A token: 22 characters of base64url. `Debug` hides it; it belongs in one mailbox's mails and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// How long every token is, in characters.
    pub const LENGTH: usize = 22;

    /// Makes a token of random bytes.
    pub fn from_bytes(random: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// Reads a token from a link; `None` when it cannot be one. Says nothing about whether anybody has it.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = (text.len() == Self::LENGTH).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        (bytes.len() == 16).then(|| Self(text.to_owned()))
    }

    /// The token itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its SHA-256, in hex: what it is looked up by.
    pub fn hash(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// SHA-256 in lower-case hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_short_and_reads_back() {
        let token = Token::from_bytes([0xfb; 16]);
        assert_eq!(token.as_str().len(), Token::LENGTH);
        assert_eq!(Token::parse(token.as_str()), Some(token.clone()));
        assert_eq!(token.hash().len(), 64);
        assert_eq!(format!("{token:?}"), "Token(***)");
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        for bad in ["", "abc", "AAAAAAAAAAAAAAAAAAAAA/", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(Token::parse(bad), None, "{bad:?}");
        }
    }
}
