//! The verification of intent: the question to a callback whether its owner means the request, and
//! the meaning of its answer (WebSub §5.2, §5.3).

use loa_domain::HubMode;
use url::{Url, form_urlencoded::byte_serialize};

/// What a callback is asked or told by a GET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent<'a> {
    /// Whether it means what was asked in its name.
    Verify {
        /// What was asked.
        mode: HubMode,
        /// To be echoed; random, used once.
        challenge: &'a str,
        /// For how long the subscription would be granted; not for [`HubMode::Unsubscribe`].
        lease_seconds: u64,
        /// What subscribers of before the Recommendation sent along and want to see again (`hub.verify_token`).
        token: Option<&'a str>,
    },
    /// That it is not subscribed, and why.
    Denied {
        /// For people.
        reason: &'a str,
    },
}

/// The address to be asked: the callback with its own query kept as it is, and ours behind it.
pub fn intent_url(callback: &Url, topic: &str, intent: &Intent<'_>) -> Url {
    let mut ours = Vec::new();
    match intent {
        Intent::Verify { mode, challenge, lease_seconds, token } => {
            ours.extend([("hub.mode", mode.as_str()), ("hub.topic", topic), ("hub.challenge", challenge)]);
            let lease = lease_seconds.to_string();
            let mut query = encoded(&ours);
            if *mode == HubMode::Subscribe {
                query = format!("{query}&{}", encoded(&[("hub.lease_seconds", &lease)]));
            }
            if let Some(token) = token {
                query = format!("{query}&{}", encoded(&[("hub.verify_token", token)]));
            }
            with_query(callback, &query)
        }
        Intent::Denied { reason } => {
            ours.extend([("hub.mode", "denied"), ("hub.topic", topic), ("hub.reason", reason)]);
            with_query(callback, &encoded(&ours))
        }
    }
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", byte_serialize(value.as_bytes()).collect::<String>()))
        .collect();
    pairs.join("&")
}

fn with_query(callback: &Url, query: &str) -> Url {
    let joined = match callback.query() {
        None | Some("") => query.to_owned(),
        Some(own) if own.ends_with('&') => format!("{own}{query}"),
        Some(own) => format!("{own}&{query}"),
    };
    let mut url = callback.clone();
    url.set_query(Some(&joined));
    url
}

/// What a callback's answer to [`Intent::Verify`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentAnswer {
    /// It means it.
    Confirmed,
    /// It does not, or is something else than a subscriber: asking again would change nothing.
    Refused,
    /// It could not say: it is overrun, or down.
    Unable,
}

/// Decides by the answer's status and the beginning of its body. Only 2xx with exactly the challenge is a yes; redirects
/// are not followed.
pub fn judge_intent(status: u16, body: &[u8], challenge: &str) -> IntentAnswer {
    match status {
        200..=299 if body == challenge.as_bytes() => IntentAnswer::Confirmed,
        429 | 502..=504 => IntentAnswer::Unable,
        _ => IntentAnswer::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(callback: &str, intent: &Intent<'_>, expected: &str) {
        let url = intent_url(&callback.parse().unwrap(), "https://a.vn/feeds/all.atom", intent);
        assert_eq!(url.as_str(), expected);
    }

    const TOPIC: &str = "https%3A%2F%2Fa.vn%2Ffeeds%2Fall.atom";

    #[test]
    fn a_callbacks_own_query_is_kept_and_ours_comes_behind_it() {
        let verify = Intent::Verify { mode: HubMode::Subscribe, challenge: "c1", lease_seconds: 864_000, token: None };
        let ours = format!("hub.mode=subscribe&hub.topic={TOPIC}&hub.challenge=c1&hub.lease_seconds=864000");
        check("https://s.example/cb", &verify, &format!("https://s.example/cb?{ours}"));
        check("https://s.example/cb?", &verify, &format!("https://s.example/cb?{ours}"));
        check("https://s.example/cb?k=a%20b+c&k", &verify, &format!("https://s.example/cb?k=a%20b+c&k&{ours}"));
        check(
            "https://s.example/cb?hub.mode=mine&hub.topic=x",
            &verify,
            &format!("https://s.example/cb?hub.mode=mine&hub.topic=x&{ours}"),
        );
    }

    #[test]
    fn leaving_has_no_lease_and_an_old_token_comes_back() {
        let verify =
            Intent::Verify { mode: HubMode::Unsubscribe, challenge: "c1", lease_seconds: 1, token: Some("a&b") };
        let expected = format!(
            "https://s.example/cb?hub.mode=unsubscribe&hub.topic={TOPIC}&hub.challenge=c1&hub.verify_token=a%26b"
        );
        check("https://s.example/cb", &verify, &expected);
    }

    #[test]
    fn a_denial_says_why() {
        let expected = format!("https://s.example/cb?hub.mode=denied&hub.topic={TOPIC}&hub.reason=no+such+feed");
        check("https://s.example/cb", &Intent::Denied { reason: "no such feed" }, &expected);
    }

    #[test]
    fn only_2xx_with_exactly_the_challenge_is_a_yes() {
        let check = |status, body: &str, expected| assert_eq!(judge_intent(status, body.as_bytes(), "abc"), expected);
        check(200, "abc", IntentAnswer::Confirmed);
        check(204, "", IntentAnswer::Refused);
        for (status, body) in
            [(200, "abcd"), (200, "ab"), (200, "abc\n"), (200, ""), (302, "abc"), (404, ""), (500, "abc")]
        {
            check(status, body, IntentAnswer::Refused);
        }
        check(503, "abc", IntentAnswer::Unable);
    }
}
