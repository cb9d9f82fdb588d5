//! Answers that nobody wrote: an address that there is not, a method that it does not know, a request that the server
//! could not read. The framework leaves them empty or in its own English; here they get a page or a problem (RFC 9457).
//!
//! What a service said itself (a page, a problem, a text with a header of its own) is left alone.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use loa_worker::Problem;

/// As the pages of the services look, light and dark.
const STYLE: &str = "body{font:1.0625rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;\
     background:#fff;color:#1c1b1f}a{color:#b3261e;display:inline-flex;align-items:center;min-height:2.75rem;\
     margin-right:1.25rem}@media(prefers-color-scheme:dark){body{background:#121212;color:#e8e6ea}a{color:#ff8a80}}";

const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// Dresses a bare answer. Also says `nosniff` on everything: no answer of ours is to be guessed at.
pub async fn dressed(request: Request, next: Next) -> Response {
    let (is_head, for_machines) = (request.method() == Method::HEAD, request.uri().path().starts_with("/v1/"));
    let is_hub = request.uri().path() == "/hub";
    let mut response = next.run(request).await;
    // the Recommendation wants the hub's reasons as plain text (WebSub §5.1), as it gives them; where there is no hub, it gives none
    let is_hubs = is_hub && response.status() != StatusCode::NOT_FOUND;
    if !is_hubs && is_bare(&response) {
        let status = response.status();
        let words = if for_machines { problem(status) } else { page(status) };
        let mut dressed = words.into_response();
        *dressed.status_mut() = status;
        if is_head {
            *dressed.body_mut() = axum::body::Body::empty();
        }
        keep(response.headers(), dressed.headers_mut());
        response = dressed;
    }
    response.headers_mut().entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}

/// An error with no content type, or with the text of the framework's own refusals.
fn is_bare(response: &Response) -> bool {
    let unread = matches!(
        response.status(),
        StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::INTERNAL_SERVER_ERROR
    );
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    unread && content_type.is_none_or(|found| found.starts_with("text/plain"))
}

/// What the bare answer said beside its body.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [header::ALLOW, header::CONNECTION, header::CACHE_CONTROL] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

fn problem(status: StatusCode) -> Response {
    let detail = match status {
        StatusCode::NOT_FOUND => "there is nothing at this address",
        StatusCode::METHOD_NOT_ALLOWED => "this address does not know this method; `Allow` names those it does",
        StatusCode::REQUEST_TIMEOUT => "the request did not arrive in time; send it again",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than this address takes",
        StatusCode::INTERNAL_SERVER_ERROR => "a fault of ours; the operators have been told in the log",
        _ => "the address cannot be read: it must be percent-encoded UTF-8",
    };
    let problem = Problem::new(status.as_u16(), status.canonical_reason().unwrap_or("Problem"), detail);
    ([(header::CONTENT_TYPE, Problem::MEDIA_TYPE)], problem.to_json()).into_response()
}

fn page(status: StatusCode) -> Response {
    let (title, advice) = match status {
        StatusCode::NOT_FOUND => ("Không tìm thấy trang", "Địa chỉ này không có, hoặc đã được chuyển đi nơi khác."),
        StatusCode::METHOD_NOT_ALLOWED => ("Không làm được việc này", "Địa chỉ này chỉ để xem."),
        StatusCode::REQUEST_TIMEOUT => ("Hết thời gian chờ", "Yêu cầu đến quá chậm. Xin thử lại."),
        StatusCode::PAYLOAD_TOO_LARGE => ("Nội dung quá lớn", "Nội dung gửi lên vượt quá mức cho phép."),
        StatusCode::INTERNAL_SERVER_ERROR => ("Có lỗi ở máy chủ", "Lỗi đã được ghi lại. Xin thử lại sau ít phút."),
        _ => ("Không đọc được yêu cầu", "Địa chỉ hoặc nội dung gửi lên không đúng."),
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{advice}</p>\n\
         <p><a href=\"/\">Trang đầu</a><a href=\"/feeds\">Nguồn tin</a><a href=\"/subscribe\">Nhận tin qua email</a></p>\n\
         </main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (headers, html).into_response()
}
