//! A request to the hub (WebSub §5.1): a form becomes what it asks for, or a sentence that says
//! what is wrong with it.
//!
//! The caller checks whether the callback may be called at all; this file checks only what holds
//! for any callback.

use loa_domain::{HubMode, SignatureAlgorithm};
use url::{Url, form_urlencoded};

/// The longest address, in bytes.
const ADDRESS_LENGTH_MAX: usize = 2_048;
/// A secret is shorter than this, in bytes (WebSub §5.1).
const SECRET_LENGTH_BELOW: usize = 200;
/// The longest token of an old subscriber that is given back, in bytes; a longer one is as if it were not there.
const TOKEN_LENGTH_MAX: usize = 256;
/// Most topics of one ping.
const PING_TOPICS_MAX: usize = 100;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubRequest {
    /// To begin, renew or end a subscription.
    Subscribing(Subscribing),
    /// To look whether these topics changed (what publishers call a ping).
    Ping(Vec<String>),
}

/// What a subscriber asks for: to begin, renew or end a subscription. Its parts are as the subscriber wrote them.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscribing {
    /// Which of the two.
    pub mode: HubMode,
    /// The topic's address.
    pub topic: String,
    /// Where to call. May hold a secret of the subscriber's own in its query: never logged.
    pub callback: Url,
    /// For how long, in seconds; `None`: it did not say.
    pub lease_seconds: Option<u64>,
    /// What to sign with.
    pub secret: Option<Vec<u8>>,
    /// How to sign: a parameter of our own, `hub.signature_algorithm`.
    pub algorithm: SignatureAlgorithm,
    /// `hub.verify_token` of PubSubHubbub 0.3.
    pub token: Option<String>,
}

impl std::fmt::Debug for Subscribing {
    /// Without what may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscribing")
            .field("mode", &self.mode)
            .field("topic", &self.topic)
            .field("host", &self.callback.host_str())
            .finish_non_exhaustive()
    }
}

/// Why a request is refused; the sentence is the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubFault {
    /// Bytes that are no text.
    #[error("the form is not UTF-8")]
    NotText,
    /// What no address has, and no ledger can keep.
    #[error("{0} holds a control character")]
    Control(&'static str),
    /// A parameter is missing.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// Another mode.
    #[error("hub.mode is subscribe, unsubscribe or publish")]
    Mode,
    /// The callback is no address.
    #[error("hub.callback is not an absolute http or https address: {0}")]
    Callback(String),
    /// A fragment would never be sent.
    #[error("hub.callback has a fragment (#), which is never sent")]
    Fragment,
    /// A port at which something else than a subscriber listens.
    #[error("hub.callback has port {0}; it may be 80, 443, or 1024 and above")]
    Port(u16),
    /// Too long.
    #[error("{0} is longer than {ADDRESS_LENGTH_MAX} bytes")]
    TooLong(&'static str),
    /// 200 bytes and more.
    #[error("hub.secret must be shorter than {SECRET_LENGTH_BELOW} bytes")]
    Secret,
    /// No number.
    #[error("hub.lease_seconds is not a number of seconds")]
    Lease,
    /// Another algorithm.
    #[error("hub.signature_algorithm is sha1, sha256, sha384 or sha512")]
    Algorithm,
}

/// Reads a form. Parameters that are not known change nothing; of one that stands several times the first counts.
///
/// # Errors
/// By kind.
pub fn parse_hub_request(form: &[u8]) -> Result<HubRequest, HubFault> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    let first = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let given = |name: &'static str| match first(name).map(str::trim).unwrap_or_default() {
        "" => Err(HubFault::Missing(name)),
        value if value.contains(char::REPLACEMENT_CHARACTER) => Err(HubFault::NotText),
        value if value.contains(char::is_control) => Err(HubFault::Control(name)),
        value => Ok(value),
    };
    let mode = given("hub.mode")?;
    if mode == "publish" {
        return ping(&pairs);
    }
    let mode = HubMode::parse(mode).ok_or(HubFault::Mode)?;
    let (topic, callback) = (given("hub.topic")?, given("hub.callback")?);
    if topic.len() > ADDRESS_LENGTH_MAX {
        return Err(HubFault::TooLong("hub.topic"));
    }
    Ok(HubRequest::Subscribing(Subscribing {
        mode,
        topic: topic.to_owned(),
        callback: read_callback(callback)?,
        lease_seconds: read_lease(first("hub.lease_seconds").unwrap_or_default(), mode)?,
        secret: read_secret(first("hub.secret").unwrap_or_default())?,
        algorithm: match first("hub.signature_algorithm").unwrap_or_default() {
            "" => SignatureAlgorithm::default(),
            name => SignatureAlgorithm::parse(name).ok_or(HubFault::Algorithm)?,
        },
        token: first("hub.verify_token")
            .filter(|token| (1..=TOKEN_LENGTH_MAX).contains(&token.len()) && !token.contains(char::is_control))
            .map(str::to_owned),
    }))
}

fn ping(pairs: &[(String, String)]) -> Result<HubRequest, HubFault> {
    let topics: Vec<String> = pairs
        .iter()
        .filter(|(name, value)| matches!(name.as_str(), "hub.topic" | "hub.url") && value.len() <= ADDRESS_LENGTH_MAX)
        .map(|(_, value)| value.clone())
        .take(PING_TOPICS_MAX)
        .collect();
    if topics.is_empty() { Err(HubFault::Missing("hub.topic")) } else { Ok(HubRequest::Ping(topics)) }
}

fn read_callback(text: &str) -> Result<Url, HubFault> {
    if text.len() > ADDRESS_LENGTH_MAX {
        return Err(HubFault::TooLong("hub.callback"));
    }
    let url = Url::parse(text).map_err(|error| HubFault::Callback(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(HubFault::Callback(format!("it begins with {}:", url.scheme())));
    }
    if url.fragment().is_some() {
        return Err(HubFault::Fragment);
    }
    match url.port_or_known_default() {
        Some(port @ (0..=79 | 81..=442 | 444..=1023)) => Err(HubFault::Port(port)),
        _ => Ok(url),
    }
}

/// What does not fit into a number is longer than any lease.
fn read_lease(text: &str, mode: HubMode) -> Result<Option<u64>, HubFault> {
    match text.trim() {
        _ if mode == HubMode::Unsubscribe => Ok(None),
        "" => Ok(None),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(digits.parse().unwrap_or(u64::MAX))),
        _ => Err(HubFault::Lease),
    }
}

fn read_secret(text: &str) -> Result<Option<Vec<u8>>, HubFault> {
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(HubFault::NotText);
    }
    match text.len() {
        0 => Ok(None),
        SECRET_LENGTH_BELOW.. => Err(HubFault::Secret),
        _ => Ok(Some(text.as_bytes().to_vec())),
    }
}

/// How long subscriptions last, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRule {
    /// At least.
    pub min: u64,
    /// When the subscriber does not say.
    pub default: u64,
    /// At most: nothing is for ever (WebSub §5.1).
    pub max: u64,
}

impl LeaseRule {
    /// What is granted when so much is asked for.
    pub fn grant(&self, asked: Option<u64>) -> u64 {
        asked.unwrap_or(self.default).max(self.min).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "hub.topic=https%3A%2F%2Fa.vn%2Ffeeds%2Fall.atom";

    fn read(rest: &str) -> Result<Subscribing, HubFault> {
        match parse_hub_request(format!("hub.mode=subscribe&{TOPIC}&{rest}").as_bytes()) {
            Ok(HubRequest::Subscribing(request)) => Ok(request),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault),
        }
    }

    #[test]
    fn a_plain_request_asks_for_what_it_says_and_nothing_else() {
        let request = read("hub.callback=https%3A%2F%2Fs.example%2Fcb%3Fk%3D1").unwrap();
        assert_eq!((request.mode, request.topic.as_str()), (HubMode::Subscribe, "https://a.vn/feeds/all.atom"));
        assert_eq!(request.callback.as_str(), "https://s.example/cb?k=1");
        assert_eq!((request.lease_seconds, request.secret, request.token), (None, None, None));
        assert_eq!(request.algorithm, SignatureAlgorithm::Sha256);
    }

    #[test]
    fn what_freshrss_flask_websub_and_old_subscribers_send_is_understood() {
        let callback = "hub.callback=http%3A%2F%2Frss.example%2Fapi%2Fpshb.php%3Fk%3Dabc";
        let request = read(&format!("hub.verify=sync&{callback}&foo=bar&hub.foo=hub.bar")).unwrap();
        assert_eq!(request.callback.as_str(), "http://rss.example/api/pshb.php?k=abc");
        let request =
            read(&format!("{callback}&hub.secret=s%C3%A1t&hub.lease_seconds=864000&hub.verify_token=t")).unwrap();
        assert_eq!(request.secret.as_deref(), Some("sát".as_bytes()));
        assert_eq!((request.lease_seconds, request.token.as_deref()), (Some(864_000), Some("t")));
        let request =
            read(&format!("{callback}&hub.secret=&hub.lease_seconds=&hub.signature_algorithm=sha512")).unwrap();
        assert_eq!(
            (request.secret, request.lease_seconds, request.algorithm),
            (None, None, SignatureAlgorithm::Sha512)
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let callback = "hub.callback=https%3A%2F%2Fs.example%2Fcb";
        let long = "x".repeat(3_000);
        for (rest, expected) in [
            ("", HubFault::Missing("hub.callback")),
            ("hub.callback=", HubFault::Missing("hub.callback")),
            ("hub.callback=https%3A%2F%2Fs.example%2F%23a", HubFault::Fragment),
            ("hub.callback=http%3A%2F%2Fs.example%3A25%2F", HubFault::Port(25)),
            (&format!("hub.callback=https%3A%2F%2Fs.example%2F{long}"), HubFault::TooLong("hub.callback")),
            ("hub.callback=https%3A%2F%2Fs.example%2Fa%0D%0AX%3A+y", HubFault::Control("hub.callback")),
            (&format!("{callback}&hub.secret={}", "s".repeat(200)), HubFault::Secret),
            (&format!("{callback}&hub.secret=%FF"), HubFault::NotText),
            (&format!("{callback}&hub.lease_seconds=-1"), HubFault::Lease),
            (&format!("{callback}&hub.lease_seconds=soon"), HubFault::Lease),
            (&format!("{callback}&hub.signature_algorithm=md5"), HubFault::Algorithm),
        ] {
            assert_eq!(read(rest), Err(expected), "{rest}");
        }
        for callback in ["cb", "%2Fcb", "ftp%3A%2F%2Fs.example%2F", "javascript%3Aalert(1)", "https%3A%2F%2F"] {
            assert!(matches!(read(&format!("hub.callback={callback}")), Err(HubFault::Callback(_))), "{callback}");
        }
        let whole = |form: &str| parse_hub_request(form.as_bytes()).unwrap_err();
        assert_eq!(whole(""), HubFault::Missing("hub.mode"));
        assert_eq!(whole("hub.mode=listen"), HubFault::Mode);
        assert_eq!(whole(&format!("hub.mode=subscribe&{callback}&{TOPIC}%00")), HubFault::Control("hub.topic"));
        assert_eq!(read(&format!("{callback}&hub.verify_token=%00t")).unwrap().token, None);
        assert_eq!(
            read(&format!("{callback}&hub.secret=%00")).unwrap().secret.as_deref(),
            Some(&b"\0"[..]),
            "is no text"
        );
        assert_eq!(whole(&format!("hub.mode=subscribe&{callback}")), HubFault::Missing("hub.topic"));
        assert_eq!(whole(&format!("hub.mode=subscribe&{callback}&hub.topic={long}")), HubFault::TooLong("hub.topic"));
        assert_eq!(read(&format!("{callback}&hub.secret={}", "s".repeat(199))).unwrap().secret.unwrap().len(), 199);
    }

    #[test]
    fn a_lease_is_ignored_when_leaving_and_clamped_when_coming() {
        let form = format!("hub.mode=unsubscribe&{TOPIC}&hub.callback=https%3A%2F%2Fs.example%2F&hub.lease_seconds=x");
        assert!(
            matches!(parse_hub_request(form.as_bytes()), Ok(HubRequest::Subscribing(request)) if request.lease_seconds.is_none())
        );
        let rule = LeaseRule { min: 86_400, default: 864_000, max: 2_592_000 };
        let granted = [None, Some(0), Some(7_200), Some(864_001), Some(u64::MAX)].map(|asked| rule.grant(asked));
        assert_eq!(granted, [864_000, 86_400, 86_400, 864_001, 2_592_000]);
    }

    #[test]
    fn a_ping_names_its_topics_in_either_way() {
        let ping = |form: &str| parse_hub_request(form.as_bytes());
        assert_eq!(ping("hub.mode=publish&hub.topic=a&hub.url=b"), Ok(HubRequest::Ping(vec!["a".into(), "b".into()])));
        assert_eq!(ping("hub.mode=publish"), Err(HubFault::Missing("hub.topic")));
        let many = "hub.mode=publish".to_owned() + &"&hub.topic=a".repeat(1_000);
        assert!(matches!(ping(&many), Ok(HubRequest::Ping(topics)) if topics.len() == PING_TOPICS_MAX));
    }
}
