//! How things are written for people: dates of Vietnam, ages, and what a ledger's words mean.

use jiff::{Timestamp, tz::TimeZone};

/// `16/11/2023 08:02`, in Vietnam.
pub(crate) fn date_time(at: Timestamp) -> String {
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap_or(TimeZone::UTC);
    at.to_zoned_datetime(zone).strftime("%d/%m/%Y %H:%M").to_string()
}

/// `16/11/2023 08:02:22`, in Vietnam.
pub(crate) fn date_time_seconds(at: Timestamp) -> String {
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap_or(TimeZone::UTC);
    at.to_zoned_datetime(zone).strftime("%d/%m/%Y %H:%M:%S").to_string()
}

/// How long ago, in the largest unit that fits: `3 phút`, `2 giờ`, `5 ngày`.
pub(crate) fn age(from: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(from).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} giây"),
        60..3_600 => format!("{} phút", seconds / 60),
        3_600..86_400 => format!("{} giờ", seconds / 3_600),
        _ => format!("{} ngày", seconds / 86_400),
    }
}

/// An outlet's name.
pub(crate) fn outlet(word: &str) -> &str {
    match word {
        "intake" => "Tiếp nhận",
        "feed" => "Nguồn tin",
        "digest" => "Bản tin thư",
        "push" => "Chuyển tiếp",
        other => other,
    }
}

/// A step's word; an unknown one as it is.
pub(crate) fn step(word: &str) -> &str {
    match word {
        "accepted" => "đã nhận",
        "archived" => "đã lưu trữ",
        "relayed" | "sent" | "confirmed" => "đã phát",
        "published" => "đã đăng",
        "updated" => "đã cập nhật",
        "withdrawn" => "đã gỡ",
        "matched" => "khớp đăng ký",
        "planned" => "đã lên lịch",
        "mailed" => "đã gửi thư",
        "corrected" => "đã đính chính",
        "delivered" => "đã chuyển",
        "failed" => "không chuyển được",
        "attempted" => "đã thử",
        "pending" => "đang chờ chuyển",
        "suppressed" => "không còn gì để báo",
        "superseded" => "đã có bản mới hơn",
        "stale" => "đã có bản mới hơn",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_vietnam_and_ages_have_one_unit() {
        let at: Timestamp = "2023-11-15T18:02:22Z".parse().unwrap();
        assert_eq!(date_time(at), "16/11/2023 01:02");
        let later = |seconds: i64| Timestamp::from_second(at.as_second() + seconds).unwrap();
        assert_eq!([age(at, later(59)), age(at, later(61)), age(at, later(7_200))], ["59 giây", "1 phút", "2 giờ"]);
        assert_eq!([age(at, later(200_000)), age(later(5), at)], ["2 ngày", "0 giây"]);
    }
}
