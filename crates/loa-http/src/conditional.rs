//! Conditional requests (RFC 9110 §13): whether a client already has what it asks for.
//!
//! Pure. Clients are sloppy and proxies rewrite tags: a tag of ours is recognised in every form in which
//! it was seen to come back (weak, with `-gzip` or `;gzip` from a proxy, without quotes).

use crate::http_date::parse_http_date;
use jiff::Timestamp;

/// What to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revalidation {
    /// 200 with the document.
    Full,
    /// 304: the reader has it.
    NotModified,
}

/// Decides by RFC 9110 §13.2.2 for GET and HEAD.
///
/// `tag` is the content's own mark, without quotes and coding ([`crate::fingerprint`]). `If-None-Match` wins: when it
/// is there, `If-Modified-Since` is not looked at. Several header lines are given joined by a comma. A date later than
/// `last_modified` means the reader is up to date; one that is no HTTP date is not there. Without `last_modified`,
/// `If-Modified-Since` is not looked at.
pub fn revalidate(
    if_none_match: Option<&str>,
    if_modified_since: Option<&str>,
    tag: &str,
    last_modified: Option<Timestamp>,
) -> Revalidation {
    let has_it = match if_none_match.map(str::trim).filter(|text| !text.is_empty()) {
        Some("*") => true,
        Some(list) => tags(list).iter().any(|given| names(given, tag)),
        None => match (if_modified_since.and_then(parse_http_date), last_modified) {
            (Some(since), Some(modified)) => modified.as_second() <= since.as_second(),
            _ => false,
        },
    };
    if has_it { Revalidation::NotModified } else { Revalidation::Full }
}

/// The opaque parts of a list of entity tags. A comma inside quotes belongs to the tag.
fn tags(list: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return found;
        }
        let opaque = rest.strip_prefix("W/").or_else(|| rest.strip_prefix("w/")).unwrap_or(rest);
        if let Some(quoted) = opaque.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            found.push(&quoted[..end]);
            rest = quoted.get(end + 1..).unwrap_or_default();
        } else {
            let end = opaque.find(',').unwrap_or(opaque.len());
            found.push(opaque[..end].trim());
            rest = &opaque[end..];
        }
    }
}

fn names(given: &str, tag: &str) -> bool {
    let suffix_fits = |suffix: &str| {
        let coding = suffix.trim_start_matches(['-', ';']);
        coding.len() < suffix.len() && ["gzip", "br", "zstd", "deflate"].contains(&coding)
    };
    given.strip_prefix(tag).is_some_and(|suffix| suffix.is_empty() || suffix_fits(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Revalidation::{Full, NotModified};

    const TAG: &str = "0123abcd";
    const MODIFIED: &str = "Thu, 16 Nov 2023 01:02:22 GMT";
    const EARLIER: &str = "Wed, 15 Nov 2023 01:02:22 GMT";
    const LATER: &str = "Fri, 17 Nov 2023 01:02:22 GMT";

    fn check(if_none_match: Option<&str>, if_modified_since: Option<&str>, expected: Revalidation) {
        let modified = parse_http_date(MODIFIED);
        assert!(modified.is_some());
        assert_eq!(
            revalidate(if_none_match, if_modified_since, TAG, modified),
            expected,
            "If-None-Match: {if_none_match:?}, If-Modified-Since: {if_modified_since:?}"
        );
    }

    #[test]
    fn the_eight_rows_of_the_matrix() {
        check(Some("\"0123abcd\""), None, NotModified);
        check(Some("W/\"0123abcd\""), None, NotModified);
        check(Some("*"), None, NotModified);
        check(Some("\"x\", \"0123abcd\", \"y\""), None, NotModified);
        check(Some("\"x\""), Some(MODIFIED), Full);
        check(Some("\"0123abcd\""), Some(EARLIER), NotModified);
        check(None, Some(LATER), NotModified);
        check(None, Some("yesterday"), Full);
    }

    #[test]
    fn dates_alone_decide_by_the_second() {
        check(None, None, Full);
        check(None, Some(MODIFIED), NotModified);
        check(None, Some(EARLIER), Full);
        check(None, Some("2023-11-17T01:02:22Z"), Full);
        check(None, Some(""), Full);
        check(None, Some("Fri, 17 Nov 2023 01:02:22 +0700"), Full);
        check(None, Some("Friday, 17-Nov-23 01:02:22 GMT"), NotModified);
        check(None, Some("Fri Nov 17 01:02:22 2023"), NotModified);
        check(None, Some("Wed Nov  1 01:02:22 2023"), Full);
        assert_eq!(revalidate(None, Some(LATER), TAG, None), Full, "no Last-Modified, nothing to compare with");
    }

    #[test]
    fn tags_are_known_again_in_the_forms_that_proxies_give_them() {
        for known in [
            "\"0123abcd-gzip\"",
            "\"0123abcd;gzip\"",
            "W/\"0123abcd-gzip\"",
            "\"0123abcd--gzip\"",
            "0123abcd",
            "w/\"0123abcd\"",
            " \"a,b\" ,\t\"0123abcd\"",
            "\"0123abcd",
            "W/\"x\",W/\"0123abcd\"",
            ", ,\"0123abcd\"",
            "\"0123abcd-br\"",
        ] {
            check(Some(known), None, NotModified);
        }
        for other in [
            "\"0123abc\"",
            "\"0123abcde\"",
            "\"0123abcd-x\"",
            "\"-gzip\"",
            "\"\"",
            "\"a,0123abcd\"",
            "\"*\"",
            ",",
            "W/",
        ] {
            check(Some(other), None, Full);
        }
    }

    #[test]
    fn an_empty_if_none_match_is_none() {
        check(Some("  "), Some(MODIFIED), NotModified);
    }
}
