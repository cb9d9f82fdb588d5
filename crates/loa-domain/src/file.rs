//! Files behind addresses: what people call them, and of what kind they are as far as the address tells.

use crate::{Attachment, clean_line};
use percent_encoding::percent_decode_str;
use url::Url;

/// Endings of files that portals link to, with their media types (IANA's registry).
const KINDS: [(&str, &str); 22] = [
    ("pdf", "application/pdf"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("rtf", "application/rtf"),
    ("zip", "application/zip"),
    ("rar", "application/vnd.rar"),
    ("csv", "text/csv"),
    ("txt", "text/plain"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
];

/// The name of the file that an address leads to: the last part of its path, with percent code (RFC 3986 §2.1) read where it
/// is UTF-8. Empty when the address ends with `/`.
pub fn file_name(url: &Url) -> String {
    readable(url.path().rsplit('/').next().unwrap_or_default())
}

/// A name with its percent code read. What is no UTF-8, or would break a line, stays as it was written.
fn readable(name: &str) -> String {
    match percent_decode_str(name).decode_utf8() {
        Ok(read) if !read.contains(char::is_control) => clean_line(&read),
        _ => clean_line(name),
    }
}

/// The media type that the ending of an address stands for; `None` for an ending that is not known.
pub fn media_type_of(url: &Url) -> Option<&'static str> {
    let name = file_name(url);
    let (_, ending) = name.rsplit_once('.')?;
    KINDS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, media_type)| *media_type)
}

impl Attachment {
    /// What people call the file: its title, or its name in the address. Titles that are such names are read, too: portals
    /// that have no title give the address' own. Empty when there is neither.
    pub fn name(&self) -> String {
        let title = clean_line(&self.title);
        match title.is_empty() {
            true => file_name(&self.url),
            // a title that people wrote has spaces, and a per cent sign means per cent
            false if title.contains(' ') => title,
            false => readable(&title),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str, title: &str) -> Attachment {
        Attachment { url: url.parse().unwrap(), media_type: String::new(), bytes: 0, title: title.to_owned() }
    }

    #[test]
    fn a_files_name_is_told_in_letters() {
        for (url, title, expected) in [
            ("https://a.vn/tep/B%C3%A1o%20c%C3%A1o%20qu%C3%BD%20I.pdf?v=1", "", "Báo cáo quý I.pdf"),
            ("https://a.vn/tep/báo cáo.pdf", "", "báo cáo.pdf"),
            ("https://a.vn/tep/x.pdf", "B%C3%A1o_c%C3%A1o.pdf", "Báo_cáo.pdf"),
            ("https://a.vn/tep/x.pdf", "Giảm 50%20 năm", "Giảm 50%20 năm"),
            ("https://a.vn/tep/%FF.pdf", "", "%FF.pdf"),
            ("https://a.vn/tep/a%0Ab.pdf", "", "a%0Ab.pdf"),
            ("https://a.vn/tep/", "", ""),
        ] {
            assert_eq!(file(url, title).name(), expected, "{url} {title}");
        }
    }

    #[test]
    fn a_known_ending_tells_the_kind() {
        let kind = |url: &str| media_type_of(&url.parse().unwrap());
        assert_eq!(kind("https://a.vn/1184_KL.PDF?x=1.doc"), Some("application/pdf"));
        assert_eq!(
            kind("https://a.vn/quy%E1%BA%BFt%20%C4%91%E1%BB%8Bnh.docx")
                .map(|kind| kind.ends_with("wordprocessingml.document")),
            Some(true)
        );
        assert_eq!(kind("https://a.vn/tai-ve"), None);
        assert_eq!(kind("https://a.vn/pdf"), None);
    }
}
