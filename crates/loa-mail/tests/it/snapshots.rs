//! Snapshots of whole mails.

use crate::samples::{at, digest, directory, letterhead, recipient};
use loa_domain::Frequency;
use loa_mail::{Confirmation, Purpose, Token, WishWords};

#[test]
fn a_daily_digest_on_the_wire() {
    let letterhead = letterhead();
    let rendered = letterhead.render(&digest(), &directory()).unwrap();
    let message = letterhead.compose(&rendered, &recipient(), 42, at()).unwrap();
    insta::assert_snapshot!("digest_wire", String::from_utf8(message.bytes).unwrap().replace("\r\n", "\n"));
}

#[test]
fn a_daily_digest_as_it_looks() {
    let rendered = letterhead().render(&digest(), &directory()).unwrap();
    insta::assert_snapshot!("digest_html", rendered.html_with("https://example/link"));
    insta::assert_snapshot!("digest_text", rendered.text_with("https://example/link"));
}

#[test]
fn the_two_answers_to_the_form() {
    for (name, purpose) in [("confirm", Purpose::Confirm), ("already_active", Purpose::AlreadyActive)] {
        let confirmation = Confirmation {
            purpose,
            frequency: Frequency::Weekly,
            wish: WishWords { areas: vec!["Xã Na Son".into()], ..WishWords::default() },
            key: Token::from_bytes([9; 16]),
            days: 3,
        };
        let message = letterhead().confirmation(&confirmation, &recipient(), at()).unwrap();
        let parsed = mail_parser::MessageParser::default().parse(&message.bytes).unwrap();
        let head = String::from_utf8_lossy(&message.bytes);
        let head = head.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n", "\n");
        insta::assert_snapshot!(name, format!("{head}\n\n{}", parsed.body_text(0).unwrap()));
    }
}
