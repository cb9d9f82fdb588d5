//! Ids for articles and documents of a page that gives none, so that a page imported twice is one
//! article.
//!
//! An id is made of what readers see and editors do not change (title, time of posting, number), so
//! people can read it.

use jiff::civil::{Date, DateTime};
use loa_domain::ArticleId;

/// The longest readable part, in bytes; an id may have 200.
const SLUG_BYTES_MAX: usize = 90;

/// `{title}-{yyyymmdd}-{hhmmss}`, local time; without the time when the page says none.
pub(crate) fn of_article(title: &str, posted: Option<(Date, Option<DateTime>)>) -> ArticleId {
    let when = match posted {
        Some((_, Some(time))) => time.strftime("%Y%m%d-%H%M%S").to_string(),
        Some((day, None)) => day.strftime("%Y%m%d").to_string(),
        None => "undated".to_owned(),
    };
    id(format!("{}-{when}", slug_of(title)))
}

/// `van-ban-{number}-{year}`. A number begins anew each year, so where the year is unsaid the title tells two apart.
pub(crate) fn of_document(number: &str, title: &str, issued_on: Option<Date>) -> ArticleId {
    let which = issued_on.map_or_else(|| format!("{:08x}", digest(title)), |day| day.year().to_string());
    id(format!("van-ban-{}-{which}", slug_of(number)))
}

/// Letters, digits and dashes; cut at a dash, with a digest of the whole where it was cut or nothing was left.
fn slug_of(text: &str) -> String {
    let whole = slug::slugify(text.replace('Đ', "D").replace('đ', "d"));
    if whole.is_empty() {
        return format!("tin-{:08x}", digest(text));
    }
    if whole.len() <= SLUG_BYTES_MAX {
        return whole;
    }
    let cut = &whole[..SLUG_BYTES_MAX];
    let cut = cut.rsplit_once('-').map_or(cut, |(head, _)| head);
    format!("{cut}-{:08x}", digest(text))
}

/// FNV-1a, 32 bits: stable for ever, unlike the standard library's hashers. Tells namesakes apart, proves nothing.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn id(text: String) -> ArticleId {
    ArticleId::new(text).expect("a slug and a date are printable and short")
}
