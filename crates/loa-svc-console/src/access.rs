//! The check of who may look: a bearer token for machines, HTTP Basic for browsers, whose password is a
//! token of the same kind.
//!
//! Nothing here changes state. A browser that sends the credentials by itself, from another site's link,
//! does no harm.

use crate::Service;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use loa_domain::Scope;
use loa_http::{Guard, Problem, TokenCheck, admit, bearer_token};
use loa_words::{Language, Notice};

/// Why a page or a journey is not shown.
#[derive(Debug)]
pub(crate) enum NotShown {
    /// As a problem says.
    Problem(Problem),
    /// A browser is to ask its user for a token.
    AskForToken,
}

impl From<Problem> for NotShown {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for NotShown {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::AskForToken => {
                let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"Loa\", charset=\"UTF-8\"")];
                // whoever has no token yet may read either language
                let said = Language::ALL.map(|language| language.words().notice(Notice::TokenNeeded)).join("\n");
                (StatusCode::UNAUTHORIZED, ask, format!("{said}\n")).into_response()
            }
        }
    }
}

impl Guard for Service {
    fn tokens(&self) -> &dyn TokenCheck {
        &*self.0.doors.tokens
    }

    fn service(&self) -> &'static str {
        "console"
    }
}

/// Somebody at a browser with a token of scope `read` or `operate`.
pub(crate) struct Visitor;

impl FromRequestParts<Service> for Visitor {
    type Rejection = NotShown;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, NotShown> {
        let sent = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let secret = basic_password(sent).or_else(|| bearer_token(sent).map(str::to_owned));
        match admit(service, parts, secret.as_deref(), Scope::Read).await {
            Ok(_) => Ok(Self),
            // a browser asks for another token, whichever way this one is not good
            Err(problem) if matches!(problem.status, 401 | 403) => Err(NotShown::AskForToken),
            Err(problem) => Err(problem.into()),
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
