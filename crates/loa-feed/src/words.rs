//! The Vietnamese words that citizens read inside entries; no other file of this crate has any.

pub(crate) const ATTACHMENTS: &str = "Tệp đính kèm";
pub(crate) const SOURCE: &str = "Nguồn tin";
pub(crate) const NUMBER: &str = "Số/Ký hiệu";
pub(crate) const KIND: &str = "Loại văn bản";
pub(crate) const ISSUER: &str = "Cơ quan ban hành";
pub(crate) const ISSUED_ON: &str = "Ngày ban hành";
pub(crate) const ABSTRACT: &str = "Trích yếu";
pub(crate) const DOCUMENT: &str = "Văn bản";
pub(crate) const WHOLE_TEXT: &str = "Bài dài, xin đọc toàn văn tại cổng thông tin";

/// A size as people read it: `850 B`, `12 KB`, `1,4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => {
            let tenths = bytes.div_ceil(100_000);
            format!("{},{} MB", tenths / 10, tenths % 10)
        }
    }
}
