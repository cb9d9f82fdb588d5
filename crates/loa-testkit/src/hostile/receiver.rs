//! What receivers and subscribers of the hub send: an answer's head and body, and the form of a
//! request to the hub.

use jiff::Timestamp;
use loa_domain::HubMode;
use loa_webhook::{
    Answer, judge_status,
    websub::{HubRequest, Intent, IntentAnswer, intent_url, judge_intent, parse_hub_request, same_address_form},
};
use url::Url;

/// What the hub asked for.
const CHALLENGE: &str = "0123456789abcdef";

/// An answer: its status as three digits, `Retry-After` up to the first line break, its body behind it.
///
/// # Panics
/// When a success is none, a rest has no end, or a body that is not the challenge confirms.
pub fn receiver_answer(bytes: &[u8]) {
    let (status, rest) = bytes.split_at(bytes.len().min(3));
    let status: u16 = std::str::from_utf8(status).ok().and_then(|digits| digits.parse().ok()).unwrap_or(200);
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (head, body) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    let now: Timestamp = "2026-11-29T08:15:00Z".parse().expect("a time");
    for header in [None, std::str::from_utf8(head).ok()] {
        let answer = judge_status(status, header, now);
        assert_eq!(answer == Answer::Delivered, (200..=299).contains(&status), "2xx and nothing else is a success");
        let rests_for_ever = matches!(answer, Answer::RetryLater { after: None, pause: true, .. });
        assert!(!rests_for_ever, "a receiver that rests says, or is told, for how long");
    }
    let confirmed = judge_intent(status, body, CHALLENGE) == IntentAnswer::Confirmed;
    assert_eq!(confirmed, (200..=299).contains(&status) && body == CHALLENGE.as_bytes());
}

/// A form sent to the hub. Returns whether it is one that the hub takes.
///
/// # Panics
/// When what is taken leads elsewhere than written, has no bound, or cannot be asked about.
pub fn hub_request(form: &[u8]) -> bool {
    let asked = match parse_hub_request(form) {
        Err(fault) => {
            assert!(fault.to_string().len() < 300, "a refusal is one short sentence: {fault}");
            return false;
        }
        Ok(HubRequest::Ping(topics)) => {
            assert!(topics.len() <= 100 && topics.iter().all(|topic| topic.len() <= 2_048), "a ping has a bound");
            return true;
        }
        Ok(HubRequest::Subscribing(asked)) => asked,
    };
    let callback = &asked.callback;
    assert!(matches!(callback.scheme(), "http" | "https") && callback.fragment().is_none());
    assert!(asked.secret.as_ref().is_none_or(|secret| (1..200).contains(&secret.len())), "WebSub §5.1");
    let same: Url = same_address_form(callback).parse().expect("an address stays one");
    assert_eq!(same_address_form(&same), same_address_form(callback), "there is one form of an address");
    let intent = Intent::Verify {
        mode: HubMode::Subscribe,
        challenge: CHALLENGE,
        lease_seconds: asked.lease_seconds.unwrap_or_default(),
        token: asked.token.as_deref(),
    };
    let question = intent_url(callback, &asked.topic, &intent);
    let own = callback.query().unwrap_or_default();
    assert_eq!((question.origin(), question.path()), (callback.origin(), callback.path()), "asked where it was named");
    assert!(question.query().is_some_and(|query| query.starts_with(own)), "a callback's own query stays");
    let said = question.query_pairs().filter(|(name, value)| name == "hub.challenge" && value == CHALLENGE).count();
    assert!(said >= 1, "the challenge is asked, whatever the topic holds");
    true
}
