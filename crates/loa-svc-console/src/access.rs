//! Who may look: a bearer token for machines, HTTP Basic for browsers, whose password is a token of the same kind.
//!
//! Nothing here changes state, so a browser that sends the credentials by itself (from another site's link) does no harm.

use crate::Service;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use loa_domain::Scope;
use loa_worker::{Problem, admit, bearer_token};

/// The way a client may say who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `Authorization: Bearer`, answers are problems.
    Api,
    /// `Authorization: Basic`, answers make a browser ask.
    Browser,
}

/// An answer that is not what was asked for. Boxed: it is rare, and large.
pub(crate) struct Refused(Box<Response>);

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl Service {
    /// Lets in who has a token of scope `read` or `operate`; otherwise the answer to give.
    pub(crate) async fn let_in(&self, headers: &HeaderMap, way: Way) -> Result<(), Refused> {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let secret = match way {
            Way::Api => bearer_token(sent).map(str::to_owned),
            Way::Browser => basic_password(sent).or_else(|| bearer_token(sent).map(str::to_owned)),
        };
        match admit(&*self.0.doors.tokens, secret.as_deref(), Scope::Read).await {
            Ok(_) => Ok(()),
            // a browser asks for another token, whichever way this one is not good
            Err(refusal) if matches!(refusal.status, 401 | 403) && way == Way::Browser => Err(who_are_you(way).into()),
            Err(refusal) if refusal.status == 401 => Err(who_are_you(way).into()),
            Err(refusal) => Err(problem(&refusal).into()),
        }
    }
}

/// The password in Basic credentials (RFC 7617 §2); a token pasted as the user's name serves as well.
fn basic_password(authorization: &str) -> Option<String> {
    let (scheme, encoded) = authorization.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    let secret = if password.is_empty() { user } else { password };
    (!secret.is_empty()).then(|| secret.to_owned())
}

fn who_are_you(way: Way) -> Response {
    match way {
        Way::Api => {
            let mut response = problem(&Problem::unauthorized(Scope::Read));
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        Way::Browser => {
            let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"Loa\", charset=\"UTF-8\"")];
            let words = "Cần mã truy cập (token) có quyền read, nhập vào ô mật khẩu; tên đăng nhập để tùy ý.\n\
                A token of scope `read` is needed, as the password; the user name is free. `loa token create` makes one.\n";
            (StatusCode::UNAUTHORIZED, ask, words).into_response()
        }
    }
}

/// A problem as an answer (RFC 9457).
pub(crate) fn problem(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, Problem::MEDIA_TYPE)], problem.to_json()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_password_of_basic_credentials_or_the_name_when_there_is_none() {
        let check = |text: &str| basic_password(&format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(check("ai cũng được:loa_abc").as_deref(), Some("loa_abc"));
        assert_eq!(check("x:a:b").as_deref(), Some("a:b"));
        assert_eq!(check("loa_abc:").as_deref(), Some("loa_abc"));
        assert_eq!(check(":"), None);
        assert_eq!(check("no colon"), None);
        assert_eq!(basic_password("Basic !!!"), None);
        assert_eq!(basic_password("Bearer loa_abc"), None);
    }
}
