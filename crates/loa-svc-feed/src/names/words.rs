//! The catalogue of what people read in feed titles and lists, apart from the templates. Vietnamese.
//!
//! Names, dates and numbers come in, phrases go out. Nothing else in this crate holds a sentence for
//! people, but for the templates.

use loa_area::Area;
use loa_feed::ArchiveName;

pub(crate) const ALL: &str = "Tất cả tin bài";
pub(crate) const DOCUMENTS: &str = "Văn bản";
pub(crate) const CATEGORIES: &str = "Theo chuyên mục";
pub(crate) const AREAS: &str = "Theo địa bàn";
pub(crate) const PORTALS: &str = "Theo cổng thông tin";
pub(crate) const READER_ON_THIS_DEVICE: &str = "Ứng dụng trên máy này";

pub(crate) fn portal_description(portal: &str) -> String {
    format!("Tin bài và văn bản của {portal}.")
}

pub(crate) fn all_description(portal: &str) -> String {
    format!("Mọi tin bài và văn bản của {portal}.")
}

pub(crate) fn documents_description(portal: &str) -> String {
    format!("Văn bản mới được công bố trên {portal}.")
}

pub(crate) fn category_title(label: &str) -> String {
    format!("Chuyên mục {label}")
}

pub(crate) fn category_description(label: &str, portal: &str) -> String {
    format!("Tin bài thuộc chuyên mục {label} của {portal}.")
}

pub(crate) fn area_title(name: &str) -> String {
    format!("Tin về {name}")
}

pub(crate) fn area_description(name: &str, portal: &str) -> String {
    format!("Tin bài và văn bản của {portal} nói về {name}, kể cả tin về các đơn vị hành chính cũ đã sắp xếp vào đây.")
}

pub(crate) fn former_area_description(name: &str, portal: &str) -> String {
    format!("Tin bài và văn bản của {portal} nói về {name} (đơn vị hành chính cũ, nay đã sắp xếp lại).")
}

/// `xã Na Son`: the kind in lower case, as inside a sentence; with its period, when the area is no more.
pub(crate) fn area_in_sentence(area: &Area) -> String {
    let name = format!("{} {}", area.kind.vietnamese().to_lowercase(), area.name);
    match area.valid_until {
        None => name,
        // the last day in force is the day before
        Some(until) => match until.yesterday() {
            Ok(last) => format!("{name} (đến {:02}/{:02}/{})", last.day(), last.month(), last.year()),
            Err(_) => name,
        },
    }
}

/// `Xã Na Son (đến 30/06/2025), Huyện Điện Biên Đông, Tỉnh Điện Biên`: as in a list of found places.
pub(crate) fn area_with_place(area: &Area) -> String {
    let home = [area.district.as_str(), area.province.as_str()];
    let called = capitalised(&area_in_sentence(area));
    home.into_iter().filter(|part| !part.is_empty()).fold(called, |called, part| format!("{called}, {part}"))
}

/// `tháng 10/2026`, as inside a sentence; `tháng 10/2026, phần 2`, where a month is in parts.
pub(crate) fn month(archive: ArchiveName) -> String {
    let (year, number) = archive.month.year_and_number();
    match archive.part {
        1 => format!("tháng {number}/{year}"),
        part => format!("tháng {number}/{year}, phần {part}"),
    }
}

pub(crate) fn news_of(archive: ArchiveName) -> String {
    format!("Tin {}", month(archive))
}

/// With a capital letter, as at the beginning of a line.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `xã Na Son, xã Pu Nhi và xã Tìa Dình`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} và {last}", first.join(", ")),
    }
}

pub(crate) fn combined_title(areas: &[String], sections: &[String]) -> String {
    match (areas, sections) {
        ([], sections) => listed(sections),
        (areas, []) => area_title(&listed(areas)),
        (areas, sections) => format!("{}: {}", area_title(&listed(areas)), listed(sections)),
    }
}

pub(crate) fn combined_description(areas: &[String], sections: &[String], portal: &str) -> String {
    let what =
        if sections.is_empty() { String::new() } else { format!(" thuộc mục {}", sections.join(" hoặc ")) };
    let whose = if areas.is_empty() { String::new() } else { format!(" nói về {}", areas.join(" hoặc ")) };
    let joint = if areas.is_empty() || sections.is_empty() { "" } else { "," };
    format!("Tin của {portal}{what}{joint}{whose}. Nguồn tin do người đọc tự chọn.")
}

pub(crate) fn farewell_title(area: &str) -> String {
    format!("{} đã được sắp xếp lại: xin theo dõi nguồn tin mới", capitalised(area))
}

pub(crate) fn farewell_summary(area: &str, successors: &[String]) -> String {
    format!(
        "{} nay thuộc {}. Tin mới không còn đăng ở nguồn này; xin theo dõi một trong các nguồn sau, hoặc nguồn gộp tất cả.",
        capitalised(area),
        listed(successors)
    )
}
