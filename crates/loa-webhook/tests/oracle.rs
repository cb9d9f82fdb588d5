//! Our signatures against an independent implementation: the `standardwebhooks` crate, both ways.
//!
//! The oracle reads the wall clock itself, so these tests do too.
#![allow(clippy::disallowed_methods, reason = "the oracle reads the wall clock")]

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use loa_domain::EventKey;
use loa_webhook::{HEADER_SIGNATURE, Secret, WebhookId, sign, verify};
use standardwebhooks::Webhook;

const BODY: &str = r#"{"specversion":"1.0","title":"Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP"}"#;

fn id() -> WebhookId {
    WebhookId::of(&EventKey { source: "https://dienbiendong.example".into(), id: "bai.1".into() })
}

#[test]
fn the_oracle_accepts_what_we_sign_with_any_secret_of_a_rotation() {
    let secrets = [Secret::new(vec![9; 24]).unwrap(), Secret::new((0..64).collect()).unwrap()];
    let signed = sign(&id(), Timestamp::now(), BODY.as_bytes(), &secrets).unwrap();
    let headers: HeaderMap = signed
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect();
    for secret in &secrets {
        let oracle = Webhook::new(&secret.reveal()).unwrap();
        oracle.verify(BODY.as_bytes(), &headers).unwrap();
        assert!(oracle.verify(b"tampered", &headers).is_err());
    }
    let stranger = Webhook::new(&Secret::new(vec![1; 24]).unwrap().reveal()).unwrap();
    assert!(stranger.verify(BODY.as_bytes(), &headers).is_err());
}

#[test]
fn we_accept_what_the_oracle_signs() {
    let secret = Secret::new(vec![42; 32]).unwrap();
    let now = Timestamp::now();
    let oracle = Webhook::new(&secret.reveal()).unwrap();
    let signature = oracle.sign(id().as_str(), now.as_second(), BODY.as_bytes()).unwrap();
    let timestamp = now.as_second().to_string();
    let id = id();
    let header = |name: &str| match name {
        HEADER_SIGNATURE => Some(signature.as_str()),
        "webhook-id" => Some(id.as_str()),
        "webhook-timestamp" => Some(timestamp.as_str()),
        _ => None,
    };
    verify(header, BODY.as_bytes(), std::slice::from_ref(&secret), now).unwrap();
    assert!(verify(header, b"tampered", &[secret], now).is_err());
}
