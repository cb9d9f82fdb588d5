//! The rules of a site for programs that visit it (`robots.txt`, RFC 9309).
//!
//! A text comes in; whether an address may be visited comes out. Who fetches it, and for how long it holds, is not known here.

use url::Url;

/// The most that is read of it, in bytes (RFC 9309 §2.5: at least 500 KiB).
pub const ROBOTS_BYTES_MAX: usize = 512 * 1_024;
/// The most rules that are kept.
const RULES_MAX: usize = 5_000;

/// What a site allows us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robots {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    is_allowed: bool,
    /// What the path and query begin with; `*` is anything, `$` at the end is their end.
    pattern: String,
}

impl Robots {
    /// Everything: the site has no such file (RFC 9309 §2.3.1.3).
    pub fn everything() -> Self {
        Self { rules: Vec::new() }
    }

    /// Nothing: the site cannot say now (RFC 9309 §2.3.1.4).
    pub fn nothing() -> Self {
        Self { rules: vec![Rule { is_allowed: false, pattern: "/".to_owned() }] }
    }

    /// Reads the rules for a program of this name (`loa`): those of its own groups, else those for everybody.
    pub fn read(text: &str, product: &str) -> Self {
        let (mut own, mut all) = (Vec::new(), Vec::new());
        let (mut is_own, mut is_all, mut has_own, mut is_in_names) = (false, false, false, false);
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    if !is_in_names {
                        (is_own, is_all) = (false, false);
                    }
                    is_in_names = true;
                    let token: String =
                        value.chars().take_while(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '_')).collect();
                    is_own |= token.eq_ignore_ascii_case(product);
                    has_own |= is_own;
                    is_all |= value == "*";
                }
                word @ ("allow" | "disallow") => {
                    is_in_names = false;
                    // an empty value says nothing
                    if value.is_empty() {
                        continue;
                    }
                    let rule = Rule { is_allowed: word == "allow", pattern: comparable(value) };
                    if is_own && own.len() < RULES_MAX {
                        own.push(rule);
                    } else if is_all && all.len() < RULES_MAX {
                        all.push(rule);
                    }
                }
                _ => {}
            }
        }
        Self { rules: if has_own { own } else { all } }
    }

    /// Whether an address may be visited: by the longest rule that fits, and of two as long by the one that allows.
    pub fn allows(&self, address: &Url) -> bool {
        let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = comparable(&format!("{}{query}", address.path()));
        let fitting = self.rules.iter().filter(|rule| fits(&rule.pattern, &path));
        fitting.max_by_key(|rule| (rule.pattern.len(), rule.is_allowed)).is_none_or(|rule| rule.is_allowed)
    }
}

/// A pattern or a path as both are compared (RFC 9309 §2.2.2): other letters than ASCII's percent-encoded, encoded letters of
/// ASCII that mean nothing as themselves, and one way of writing hexadecimal digits.
fn comparable(written: &str) -> String {
    let bytes = written.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut same = String::with_capacity(written.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let encoded = (*byte == b'%').then(|| Some(16 * digit(at + 1)? + digit(at + 2)?)).flatten();
        let (value, length) = encoded.and_then(|value| u8::try_from(value).ok()).map_or((*byte, 1), |value| (value, 3));
        match value {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => same.push(char::from(value)),
            0x21..=0x7e if length == 1 => same.push(char::from(value)),
            other => same.push_str(&format!("%{other:02X}")),
        }
        at += length;
    }
    same
}

/// Whether a path begins as the pattern says. Each part between stars is looked for once, so this is linear.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, to_the_end) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return !to_the_end || rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    if to_the_end { rest.ends_with(last) } else { rest.contains(last) }
}

#[cfg(test)]
mod tests {
    use super::Robots;

    fn check(text: &str, path: &str, expected: bool) {
        let address = format!("https://huyen.example{path}").parse().expect("an address");
        assert_eq!(Robots::read(text, "loa").allows(&address), expected, "{path} by {text:?}");
    }

    #[test]
    fn the_longest_rule_that_fits_decides_and_of_two_the_one_that_allows() {
        let text = "User-agent: *\nDisallow: /tin/\nAllow: /tin/moi/\nDisallow: /*.pdf$\nDisallow: /a\nAllow: /a\n";
        check(text, "/tin/1.html", false);
        check(text, "/tin/moi/1.html", true);
        check(text, "/van-ban/1.pdf", false);
        check(text, "/van-ban/1.pdf?x=1", true);
        check(text, "/a", true);
        check(text, "/", true);
    }

    #[test]
    fn rules_of_our_own_group_stand_for_those_of_everybody() {
        let text =
            "User-agent: *\nDisallow: /\n\nUser-agent: Other\nUser-agent: Loa/1.0\nDisallow: /rieng\nCrawl-delay: 5";
        check(text, "/tin", true);
        check(text, "/rieng/1", false);
        check("User-agent: loa\nDisallow:\nUser-agent: *\nDisallow: /", "/tin", true);
        check("User-agent: loaf\nDisallow: /", "/tin", true);
    }

    #[test]
    fn paths_with_other_letters_and_queries_are_compared_as_addresses_are_written() {
        check("User-agent: *\nDisallow: /tìm", "/tìm-kiếm", false);
        check("User-agent: *\nDisallow: /t%c3%acm", "/tìm-kiếm", false);
        check("User-agent: *\nDisallow: /%74in", "/tin", false);
        check("User-agent: *\nDisallow: /a%2Fb", "/a/b", true);
        check("User-agent: *\nDisallow: /a%2fb", "/a%2Fb", false);
        check("User-agent: *\nDisallow: /*?PageIndex=", "/All/?PageIndex=2", false);
        check("User-agent: *\nDisallow: /*?PageIndex=", "/All/", true);
    }

    #[test]
    fn what_is_no_such_file_forbids_nothing_and_nothing_is_allowed_where_the_site_cannot_say() {
        check("<html><title>Trang chủ</title></html>", "/", true);
        let address = "https://huyen.example/".parse().expect("an address");
        assert!(!Robots::nothing().allows(&address) && Robots::everything().allows(&address));
    }
}
