//! What is wrong with a source that is watched, in Vietnamese.

use super::flaw::{detail, quoted};
use crate::{Words, catalogue::seconds_since};
use jiff::Timestamp;
use loa_domain::{AttemptError, EgressSettings, WatchFailure, WatchKind, WatchWarning};

/// All that is wrong with one source.
pub(super) fn source(name: &str, address: &str, failed: Option<&(u32, WatchFailure)>, odd: Vec<String>) -> String {
    let mut sentences = vec![format!("Nguồn tin «{name}» ({address}) cần xem lại.")];
    if let Some((looks, error)) = failed {
        sentences.push(format!("{looks} lần xem liên tiếp không thành. Lần cuối: {}", failure(error)));
    }
    sentences.extend(odd);
    sentences.join(" ")
}

/// What is odd, and what to do.
pub(super) fn warning(words: &dyn Words, warning: &WatchWarning, now: Timestamp) -> String {
    let span = |since: Timestamp| words.span(seconds_since(since, now));
    match warning {
        WatchWarning::Empty { since } => {
            format!("Không còn bài nào trong nguồn, đã {}: hãy xem bằng `loa watch test`.", span(*since))
        }
        WatchWarning::FormChanged { since, why } => {
            format!("Nguồn đã đổi dạng, thấy đã {}. {}", span(*since), failure(why))
        }
        WatchWarning::NoneKnown { items, pages } => format!(
            "Không nhận ra bài nào trong {items} bài ở {pages} trang: có thể đã sót các bài ở giữa, hoặc mọi địa chỉ đã đổi."
        ),
        WatchWarning::Overdue { since } => format!(
            "Đã {} quá hạn mà chưa tiến trình nào xem: hãy kiểm tra `loa watch` hoặc `loa up` có đang chạy không.",
            span(*since)
        ),
        WatchWarning::TooLong { items } => format!(
            "Nguồn dài hơn phần được đọc ({items} bài): bài ở ngoài phần đó không được thấy. Hãy chọn nguồn hẹp hơn."
        ),
        WatchWarning::Late { newest_at, usual_seconds } => format!(
            "Bài mới nhất đăng cách đây {}; thường chậm nhất {} ngày lại có bài khác.",
            span(*newest_at),
            usual_seconds.div_ceil(86_400)
        ),
        WatchWarning::Moved { to } => {
            format!("Nguồn đã chuyển hẳn sang {to}: hãy bỏ nguồn này và thêm địa chỉ đó.")
        }
        WatchWarning::PagesRefused { refused, looked_at, why } => {
            format!("Không đọc được {refused} trong {looked_at} trang đã xem. Trang cuối: {}", failure(why))
        }
        WatchWarning::ManyMissing { missing, looked_at } => format!(
            "{missing} trong {looked_at} trang cùng biến mất, có vẻ trang web gặp sự cố; hệ thống không gỡ tin nào vì việc này."
        ),
    }
}

/// Why a source, or a page of it, could not be read.
pub(super) fn failure(failure: &WatchFailure) -> String {
    match failure {
        WatchFailure::NoAddress { text } => format!("{} không phải địa chỉ.", quoted(text)),
        WatchFailure::Robots { address } => {
            format!("Tệp `robots.txt` của trang web không cho phép đọc {}.", quoted(address))
        }
        WatchFailure::NotAllowed { address, refusal: None } => format!(
            "Theo cấu hình của hệ thống này, không được gọi tới {}; nếu cần, hãy cho phép bằng `watch.allow_hosts` hoặc \
             `watch.allow_networks`.",
            quoted(address)
        ),
        WatchFailure::NotAllowed { address, refusal: Some(why) } => format!(
            "Theo cấu hình của hệ thống này, không được gọi tới {}: {}.",
            quoted(address),
            super::address::refusal(why, EgressSettings::Watch.as_str())
        ),
        WatchFailure::NoLocation { address } => {
            format!("Trang {} chuyển hướng mà không cho biết đi đâu.", quoted(address))
        }
        WatchFailure::Redirects { address, max } => format!("Trang {} chuyển hướng quá {max} lần.", quoted(address)),
        WatchFailure::Missing { address, status } => {
            format!("Trang {} không còn: máy chủ trả lời HTTP {status}.", quoted(address))
        }
        WatchFailure::Status { address, status } => {
            format!("Khi đọc {}, máy chủ trả lời HTTP {status}.", quoted(address))
        }
        WatchFailure::Rest { until } => format!("Máy chủ yêu cầu không truy cập cho đến {until}."),
        WatchFailure::TooLong { address, max } => {
            format!("Trang {} dài hơn mức {max} byte được đọc.", quoted(address))
        }
        WatchFailure::NotInTime { address } => {
            format!("Trang {} không tải xong trong thời gian cho phép.", quoted(address))
        }
        WatchFailure::BrokeOff { address } => format!("Trang {} bị ngắt giữa chừng khi đang tải.", quoted(address)),
        WatchFailure::NoAnswer { address, error, said } => {
            format!("Không đọc được {}: {}.{}", quoted(address), no_answer(*error), detail(said))
        }
        WatchFailure::NotAsked { address } => {
            format!("Máy chủ của {} trả lời một điều không được hỏi.", quoted(address))
        }
        WatchFailure::OtherKind { was, is } => format!("Trước đây nguồn là {}, nay là {}.", kind(*was), kind(*is)),
        WatchFailure::Page { error } => super::page::error(error),
        WatchFailure::LookTooLong { seconds } => format!("Lần xem không xong trong {seconds} giây."),
        WatchFailure::Ours { trouble, said } => {
            let why = trouble.map_or_else(String::new, |kind| format!(" {}", super::trouble::kind(kind, "")));
            format!("Không ghi lại được kết quả xem.{why}{}", detail(said))
        }
        WatchFailure::Refused { flaws } => flaws.iter().map(super::flaw::flaw).collect::<Vec<_>>().join(" "),
        WatchFailure::NotedBefore { said } => format!("Ghi chú của phiên bản trước: «{said}»."),
    }
}

fn no_answer(error: AttemptError) -> &'static str {
    match error {
        AttemptError::Http => "câu trả lời không dùng được",
        AttemptError::Dns => "không tra được tên miền",
        AttemptError::Blocked => "địa chỉ không được phép gọi tới",
        AttemptError::Connect => "không kết nối được",
        AttemptError::Tls => "chứng thư số hoặc kết nối bảo mật (TLS) có lỗi",
        AttemptError::Timeout => "không có trả lời trong thời gian cho phép",
        AttemptError::Protocol => "kết nối bị ngắt, hoặc câu trả lời không phải HTTP",
        AttemptError::Ours => "lỗi của Loa, xem nhật ký hệ thống",
    }
}

fn kind(kind: WatchKind) -> &'static str {
    match kind {
        WatchKind::Feed => "nguồn tin RSS",
        WatchKind::Sitemap => "sơ đồ trang (sitemap)",
        WatchKind::Listing => "trang danh sách",
    }
}
