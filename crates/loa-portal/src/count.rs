//! Counts as portals write them: readers, visits, and the position in a list.

use crate::Pager;

/// A count, with or without points between thousands: `486`, `1.234.567`.
pub(crate) fn number(text: &str) -> Option<u64> {
    let text = text.trim().trim_end_matches("lượt").trim();
    let is_count = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' '))
        && text.starts_with(|c: char| c.is_ascii_digit());
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|_| is_count)
}

/// `391-400 of 1863`, then the numbers of pages.
pub(crate) fn pager(text: &str) -> Option<Pager> {
    let (range, rest) =
        text.split_once(" of ").or_else(|| text.split_once(" của ")).or_else(|| text.split_once('/'))?;
    let (first, last) = range.split_once(['-', '–'])?;
    let digits = rest.trim_start().find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.trim_start().len());
    let (total, pages) = rest.trim_start().split_at(digits);
    let is_pages = pages.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "<>«».…|".contains(c));
    let pager = Pager { first: number(first)?, last: number(last)?, total: total.parse().ok()? };
    (is_pages && pager.first <= pager.last && pager.last <= pager.total).then_some(pager)
}
