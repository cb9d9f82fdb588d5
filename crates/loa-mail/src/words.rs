//! What mails say in Vietnamese: dates, sizes, lists of places, subjects. With the templates this is the catalogue of mails,
//! which have one language. Whole sentences stand in the templates; here are the words that depend on figures and names.

use crate::MailItem;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use loa_area::Directory;
use loa_domain::{AreaId, Attachment, Frequency, ItemKind, RunKey, clean_line, media_type_of};

/// Places named in one line of a digest before the rest is only counted.
const PLACES_MAX: usize = 6;
/// The longest part of a title in a subject, in characters: what telephones show of it, and a margin.
const SUBJECT_TITLE_MAX: usize = 90;

/// The subject of a mail that answers the form: please confirm, or the subscription is active already.
pub(crate) fn confirmation_subject(list: &str, confirms: bool) -> String {
    if confirms {
        format!("Xác nhận đăng ký nhận {list}")
    } else {
        format!("Địa chỉ thư này đã đăng ký nhận {list}")
    }
}

/// The heading above the items of one kind.
pub(crate) fn section(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::News => "Tin mới",
        ItemKind::Update => "Tin được cập nhật",
        ItemKind::Correction => "Đính chính: tin đã được gỡ",
    }
}

/// What a document is called whose kind is not known.
pub(crate) const DOCUMENT: &str = "Văn bản";

/// When a document was issued.
pub(crate) fn issued(on: Date) -> String {
    format!("Ban hành {}", day(on))
}

/// The head of a mail: `Bản tin ngày 16/11/2023`.
pub(crate) fn heading(run: &RunKey) -> String {
    match run.frequency {
        Frequency::Immediate => format!("Tin mới ngày {}", day(run.on)),
        Frequency::Daily => format!("Bản tin ngày {}", day(run.on)),
        Frequency::Weekly => format!("Bản tin tuần, ngày {}", day(run.on)),
    }
}

/// The subject: what is in it, first of all. `Bản tin 16/11/2023: … và 2 tin khác`.
pub(crate) fn subject(run: &RunKey, items: &[MailItem]) -> String {
    let Some(first) = items.first() else { return heading(run) };
    let title = cut(&clean_line(&first.content.title()), SUBJECT_TITLE_MAX);
    let title = match first.kind {
        ItemKind::News => title,
        ItemKind::Update => format!("Cập nhật: {title}"),
        ItemKind::Correction => format!("Tin đã được gỡ: {title}"),
    };
    let head = match run.frequency {
        Frequency::Immediate => String::new(),
        Frequency::Daily => format!("Bản tin {}: ", day(run.on)),
        Frequency::Weekly => format!("Bản tin tuần {}: ", day(run.on)),
    };
    match items.len() - 1 {
        0 => format!("{head}{title}"),
        others => format!("{head}{title} và {others} tin khác"),
    }
}

/// The days that news come from, when there are several: `từ 14/11/2023 đến 16/11/2023`. Empty when one or none.
pub(crate) fn days_covered(items: &[MailItem], zone: &TimeZone) -> String {
    let days = items.iter().filter(|i| i.kind == ItemKind::News).map(|i| local_day(i.content.published_at(), zone));
    match (days.clone().min(), days.max()) {
        (Some(first), Some(last)) if first != last => format!("từ {} đến {}", day(first), day(last)),
        _ => String::new(),
    }
}

/// `Xã Na Son, Xã Phì Nhừ`; from the seventh on they are counted.
pub(crate) fn places(areas: &[AreaId], directory: &Directory) -> String {
    let mut names: Vec<String> = Vec::new();
    for area in areas.iter().filter_map(|id| directory.get(id)) {
        let name = area.full_name();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(PLACES_MAX);
    names.truncate(PLACES_MAX);
    let line = names.join(", ");
    if more > 0 { format!("{line} và {more} nơi khác") } else { line }
}

/// `16/11/2023`.
pub(crate) fn day(date: Date) -> String {
    format!("{:02}/{:02}/{}", date.day(), date.month(), date.year())
}

pub(crate) fn local_day(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned_datetime(zone.clone()).date()
}

/// The name of a file: its title, or the last part of its address.
pub(crate) fn file_name(file: &Attachment) -> String {
    let name = file.name();
    if name.is_empty() { "Tệp đính kèm".into() } else { name }
}

/// `PDF, 1,2 MB`; empty when neither kind nor size is known.
pub(crate) fn file_detail(file: &Attachment) -> String {
    let is_said = !matches!(file.media_type.as_str(), "" | "application/octet-stream");
    let kind = match if is_said { &file.media_type } else { media_type_of(&file.url).unwrap_or_default() } {
        "application/pdf" => "PDF",
        "application/msword" | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "Word",
        "application/vnd.ms-excel" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "Excel",
        "application/zip" => "ZIP",
        kind if kind.starts_with("image/") => "ảnh",
        _ => "",
    };
    let size = match file.bytes {
        0 => String::new(),
        small if small < 1_000_000 => format!("{} KB", small.div_ceil(1_000)),
        large => format!("{},{} MB", large / 1_000_000, large % 1_000_000 / 100_000),
    };
    [kind, &size].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// At most `max` characters, cut between words where there is one, with an ellipsis.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let head: String = text.chars().take(max.saturating_sub(1)).collect();
    let whole = head.rfind(' ').filter(|&at| at > head.len() / 2).map_or(head.as_str(), |at| &head[..at]);
    format!("{}…", whole.trim_end_matches([' ', ',', ';', ':', '.', '-', '–']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_words() {
        assert_eq!(cut("một hai ba", 10), "một hai ba");
        assert_eq!(cut("một hai, ba bốn", 11), "một hai…");
        assert_eq!(cut(&"x".repeat(20), 5), "xxxx…");
    }

    #[test]
    fn sizes_have_a_decimal_comma() {
        let file = |bytes, media_type: &str| Attachment {
            url: "https://example.gov.vn/tep/ke-hoach.pdf".parse().unwrap(),
            media_type: media_type.into(),
            bytes,
            title: String::new(),
        };
        assert_eq!(file_detail(&file(1_250_000, "application/pdf")), "PDF, 1,2 MB");
        assert_eq!(file_detail(&file(2_001, "x/y")), "3 KB");
        assert_eq!(file_detail(&file(0, "")), "PDF", "the address tells");
        assert_eq!(file_detail(&file(0, "x/y")), "");
        assert_eq!(file_name(&file(0, "")), "ke-hoach.pdf");
    }
}
