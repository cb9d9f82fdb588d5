//! A form as it was sent: urlencoded or multipart, for RFC 8058 §3.2 lets the mail provider choose.

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use url::form_urlencoded;

/// Names and values, in order; names may repeat.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body by its content type; another type, or none, is read as urlencoded.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match boundary(kind) {
            Some(boundary) => Self(multipart(&boundary, &String::from_utf8_lossy(body))),
            None => Self(form_urlencoded::parse(body).into_owned().collect()),
        }
    }

    /// The first value of this name; empty when there is none.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value.as_str())
    }

    /// All values of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Whether this is a mail provider's one-click request (RFC 8058 §3.2).
    pub(super) fn is_one_click(&self) -> bool {
        self.one("List-Unsubscribe").eq_ignore_ascii_case("One-Click")
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let given = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (!given.is_empty()).then_some(given)
}

/// The fields of a multipart form (RFC 7578); files are read as text, which ours have none of.
fn multipart(boundary: &str, body: &str) -> Vec<(String, String)> {
    let mark = format!("--{boundary}");
    let field = |part: &str| {
        let part = part.strip_prefix("\r\n").or_else(|| part.strip_prefix('\n'))?;
        let (head, value) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let name = line.split(';').find_map(|piece| piece.trim().strip_prefix("name="))?.trim_matches('"');
        let value = value.strip_suffix("\r\n").or_else(|| value.strip_suffix('\n')).unwrap_or(value);
        Some((name.to_owned(), value.to_owned()))
    };
    body.split(&mark).skip(1).filter_map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Form {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        Form::read(&headers, body.as_bytes())
    }

    #[test]
    fn a_one_click_request_is_understood_in_both_forms() {
        assert!(read("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").is_one_click());
        let body = "---F\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n---F--\r\n";
        assert!(read("multipart/form-data; boundary=-F", body).is_one_click());
        assert!(
            read("Multipart/Form-Data; charset=utf-8; boundary=\"-F\"", &body.replace("\r\n", "\n")).is_one_click()
        );
        for (kind, body) in [
            ("application/x-www-form-urlencoded", ""),
            ("application/x-www-form-urlencoded", "List-Unsubscribe=no"),
            ("multipart/form-data; boundary=-F", "garbage ---F garbage"),
            ("multipart/form-data", "List-Unsubscribe=no"),
            ("text/plain", "\u{0}\u{1}"),
        ] {
            assert!(!read(kind, body).is_one_click(), "{kind} {body:?}");
        }
    }

    #[test]
    fn names_may_repeat() {
        let form = read("application/x-www-form-urlencoded", "area=a&area=b&email=%C4%91%40x.vn");
        assert_eq!(form.all("area").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((form.one("email"), form.one("none")), ("đ@x.vn", ""));
    }
}
