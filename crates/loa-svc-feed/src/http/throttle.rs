//! The throttle: who takes the same unchanged document in full again and again is asked to wait
//! (429).
//!
//! Counted are full responses (200) to a plain GET, for each address and each version in each
//! coding. Exempt is whoever says what version it has (`If-None-Match`, `If-Modified-Since`),
//! whatever it says; so are HEAD, a document that changed since, and our own networks. The table
//! has a fixed size (`loa_http::Tally`). It knows answers by their `ETag` alone.

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use loa_http::{ClientAddress, Problem, Tally, household};
use std::{convert::Infallible, net::IpAddr};

/// How long is counted, in seconds.
const PERIOD_SECONDS: u32 = 600;
/// The table: so many counts of 16 bytes each, 1 MiB.
const COUNTS: usize = 65_536;

/// What was counted.
pub(crate) struct Throttle {
    /// Most full responses in a period; 0: nothing is counted.
    full_responses_max: u32,
    tally: Tally,
}

impl Throttle {
    pub(crate) fn new(full_responses_max: u32, seed: [u8; 16]) -> Self {
        let counts = if full_responses_max == 0 { 0 } else { COUNTS };
        Self { full_responses_max, tally: Tally::new(PERIOD_SECONDS, counts, seed) }
    }

    /// Counts a full response; the seconds to wait, when it is one too many.
    fn count(&self, client: IpAddr, representation: &[u8], now: Timestamp) -> Option<u32> {
        self.tally.count((household(client), representation), self.full_responses_max, now)
    }

    /// The answer, or a request to wait in its place.
    pub(crate) fn throttled(&self, request: &CountedRequest, answer: Response, now: Timestamp) -> Response {
        let (Some(client), true) = (request.counted, answer.status() == StatusCode::OK) else { return answer };
        let Some(representation) = answer.headers().get(header::ETAG) else { return answer };
        let Some(seconds) = self.count(client, representation.as_bytes(), now) else { return answer };
        let detail = format!(
            "this document is unchanged and was sent in full to this address {} times within {} minutes; ask with \
             If-None-Match or If-Modified-Since, which is always answered, or again in {seconds} s",
            self.full_responses_max,
            PERIOD_SECONDS / 60
        );
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS.as_u16(), "Too many full responses", detail);
        let mut refused = problem.retry_after(seconds).into_response();
        let headers = refused.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
        for name in [header::VARY, header::X_CONTENT_TYPE_OPTIONS, header::ACCESS_CONTROL_ALLOW_ORIGIN] {
            if let Some(value) = answer.headers().get(&name) {
                headers.insert(name, value.clone());
            }
        }
        refused
    }
}

/// What of a request decides whether it is counted.
pub(crate) struct CountedRequest {
    /// Who asks, if it is a plain GET and they are known.
    counted: Option<IpAddr>,
}

impl<S: Sync> FromRequestParts<S> for CountedRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let says_what_it_has =
            [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].iter().any(|name| parts.headers.contains_key(name));
        let client =
            parts.extensions.get::<ClientAddress>().filter(|_| parts.method == Method::GET && !says_what_it_has);
        Ok(Self { counted: client.map(|client| client.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn four(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn one_too_many_waits_for_the_rest_of_its_period_and_then_begins_anew() {
        let throttle = Throttle::new(3, [7; 16]);
        let ask = |second| throttle.count(four(1), b"\"a\"", at(second));
        assert_eq!([0, 10, 20].map(ask), [None, None, None]);
        assert_eq!([30, 590, 599].map(ask), [Some(570), Some(10), Some(1)]);
        assert_eq!([600, 601, 602, 603].map(ask), [None, None, None, Some(597)]);
        assert_eq!(throttle.count(four(2), b"\"a\"", at(603)), None, "somebody else");
        assert_eq!(throttle.count(four(1), b"\"b\"", at(603)), None, "another version, or another coding");
        assert_eq!(ask(-50), None, "the clock was set back");
        let free = Throttle::new(0, [7; 16]);
        assert!((0..1_000).all(|_| free.count(four(1), b"\"a\"", at(0)).is_none()));
        assert_eq!(free.tally.bytes(), 0);
    }

    #[test]
    fn addresses_of_one_household_count_as_one_and_of_two_as_two() {
        let throttle = Throttle::new(1, [7; 16]);
        let ask = |net: u16, host: u16| {
            throttle.count(Ipv6Addr::new(0x2001, 0xdb8, 0, net, 0, 0, 0, host).into(), b"\"a\"", at(0)).is_some()
        };
        assert_eq!([ask(1, 1), ask(1, 2), ask(2, 1)], [false, true, false]);
    }

    #[test]
    fn any_number_of_clients_take_no_more_room_and_who_asks_for_more_than_they_do_is_still_known() {
        let throttle = Throttle::new(50, [7; 16]);
        for _ in 0..40 {
            assert_eq!(throttle.count(four(0), b"\"a\"", at(0)), None);
        }
        for other in 1..400_000 {
            assert_eq!(throttle.count(four(other), b"\"a\"", at(1)), None, "none is mistaken for another");
        }
        let asked: Vec<_> = (0..12).map(|_| throttle.count(four(0), b"\"a\"", at(2)).is_some()).collect();
        assert_eq!(asked, [[false; 10].as_slice(), &[true; 2]].concat());
        assert_eq!(throttle.tally.bytes(), 1 << 20);
    }
}
