//! Ids for articles and documents of a page that gives none, so that a page imported twice is one
//! article.
//!
//! An id is made of what readers see and editors seldom change (title, time of posting, number), so
//! people can read it; or of the page's address, which stays when the editor mends them.

use jiff::civil::{Date, Time};
use loa_domain::ArticleId;
use url::Url;

/// The longest readable part, in bytes; an id may have 200.
const SLUG_BYTES_MAX: usize = 90;

/// `{title}-{yyyymmdd}-{hhmmss}`, local time; without the time when the page says none.
pub(crate) fn of_article(title: &str, posted: Option<(Date, Option<Time>)>) -> ArticleId {
    let when = match posted {
        Some((day, Some(time))) => day.to_datetime(time).strftime("%Y%m%d-%H%M%S").to_string(),
        Some((day, None)) => day.strftime("%Y%m%d").to_string(),
        None => "undated".to_owned(),
    };
    id(format!("{}-{when}", slug_of(title)))
}

/// `{last part of the path}-{digest}`. The parts of an address that do not tell one page from another are left out: how it
/// was asked for, the place within it, and who visits it.
pub(crate) fn of_address(address: &Url) -> ArticleId {
    let queries: Vec<String> = address
        .query_pairs()
        .filter(|(name, _)| !is_visitor(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let host = address.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let path = address.path().split(';').next().unwrap_or_default().trim_end_matches('/');
    let whole = format!("{host}{path}?{}", queries.join("&"));
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let readable = if name.is_empty() { "trang".to_owned() } else { slug_of(name) };
    id(format!("{readable}-{:016x}", digest_long(&whole)))
}

/// An address without what says who visits it, and without a place within the page: the same for all visits to one page.
pub fn without_visitor(address: &Url) -> Url {
    let mut plain = address.clone();
    plain.set_fragment(None);
    if let Some((path, _)) = address.path().split_once(';') {
        plain.set_path(path);
    }
    if address.query_pairs().any(|(name, _)| is_visitor(&name)) {
        let kept: Vec<(String, String)> =
            address.query_pairs().into_owned().filter(|(name, _)| !is_visitor(name)).collect();
        plain.set_query(None);
        if !kept.is_empty() {
            plain.query_pairs_mut().extend_pairs(kept);
        }
    }
    plain
}

/// Whether a parameter of an address says who visits and where from, not what is read.
fn is_visitor(name: &str) -> bool {
    const NAMES: [&str; 8] = ["userkey", "phpsessid", "jsessionid", "sid", "sessionid", "fbclid", "gclid", "zarsrc"];
    let lower = name.to_ascii_lowercase();
    NAMES.contains(&lower.as_str()) || lower.starts_with("utm_") || lower.starts_with("aspsessionid")
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

/// The same with 64 bits: addresses alone keep articles apart.
fn digest_long(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn id(text: String) -> ArticleId {
    ArticleId::new(text).expect("a slug and a date are printable and short")
}

#[cfg(test)]
mod tests {
    use super::of_address;

    #[test]
    fn an_address_is_the_same_page_whoever_visits_it_and_however() {
        let id = |address: &str| of_address(&address.parse().expect("an address")).to_string();
        let one = id("https://xa.example/chitiet.aspx?nid=5");
        assert!(one.starts_with("chitiet-"), "{one}");
        for same in [
            "http://xa.example/chitiet.aspx?nid=5#top",
            "https://www.xa.example/chitiet.aspx?UserKey=1&nid=5",
            "https://xa.example/chitiet.aspx;jsessionid=A1?nid=5&utm_source=zalo",
        ] {
            assert_eq!(id(same), one, "{same}");
        }
        for other in ["https://xa.example/chitiet.aspx?nid=6", "https://xb.example/chitiet.aspx?nid=5"] {
            assert_ne!(id(other), one, "{other}");
        }
        assert!(id("https://xa.example/").starts_with("trang-"));
    }
}
