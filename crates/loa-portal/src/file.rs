//! Addresses of files that people save: papers, tables, archives.

use url::Url;

pub(crate) use loa_domain::file_name as name_of;

const ENDINGS: [&str; 15] =
    ["pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "zip", "rar", "7z", "csv"];

/// Whether an address names a file by its ending.
pub(crate) fn is_file(url: &Url) -> bool {
    let name = url.path().rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
