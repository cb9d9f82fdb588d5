//! Whether what was typed comes from a page of ours.
//!
//! Who follows a link, or is sent by another site's form, must not find a stranger's words on a page of
//! ours. Who typed them into our own form finds them again. Browsers say which it is (Fetch Metadata,
//! `Sec-Fetch-Site`), and no script can forge it.

use axum::http::HeaderMap;

/// Whether a browser says that the request comes from a page of ours. A program that says nothing gets nothing back.
pub fn from_own_page(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_page_gets_back_what_was_typed() {
        for (said, own) in [("same-origin", true), ("cross-site", false), ("same-site", false), ("none", false)] {
            let headers = HeaderMap::from_iter([("sec-fetch-site".parse().unwrap(), said.parse().unwrap())]);
            assert_eq!(from_own_page(&headers), own, "{said}");
        }
        assert!(!from_own_page(&HeaderMap::new()));
    }
}
