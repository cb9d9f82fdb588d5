//! What people read in feed titles and lists: the catalogue of the parts that are not in a template. Vietnamese.

use loa_area::Area;

pub(crate) const ALL: &str = "Tất cả tin bài";
pub(crate) const DOCUMENTS: &str = "Văn bản";
pub(crate) const CATEGORIES: &str = "Theo chuyên mục";
pub(crate) const AREAS: &str = "Theo địa bàn";

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
