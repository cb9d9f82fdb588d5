//! `X-Hub-Signature` (WebSub §7.1): the body's HMAC under the subscriber's secret.

use loa_domain::SignatureAlgorithm;
use ring::hmac;

/// The header's value: `sha256=` and hexadecimal digits.
pub fn hub_signature(algorithm: SignatureAlgorithm, secret: &[u8], body: &[u8]) -> String {
    let method = match algorithm {
        SignatureAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureAlgorithm::Sha256 => hmac::HMAC_SHA256,
        SignatureAlgorithm::Sha384 => hmac::HMAC_SHA384,
        SignatureAlgorithm::Sha512 => hmac::HMAC_SHA512,
    };
    let tag = hmac::sign(&hmac::Key::new(method, secret), body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}={digits}", algorithm.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_rfc_2202_and_rfc_4231() {
        let check = |algorithm, expected: &str| {
            let signature = hub_signature(algorithm, b"Jefe", b"what do ya want for nothing?");
            assert!(signature.starts_with(expected), "{signature}");
        };
        check(SignatureAlgorithm::Sha1, "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        check(SignatureAlgorithm::Sha256, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        check(SignatureAlgorithm::Sha384, "sha384=af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e");
        check(SignatureAlgorithm::Sha512, "sha512=164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554");
    }
}
