//! Where a list goes on: the link to its next page, told by `rel="next"`, or by a number in its address.

use url::Url;

/// The next page of the list at `address` among the links of the page. Links of another site are none.
pub(super) fn next(links: &[Url], address: &Url) -> Option<Url> {
    let own = NumberedAddress::of(address);
    let mut best: Option<(u64, &Url)> = None;
    for link in links.iter().filter(|link| link.host_str() == address.host_str()) {
        let Some(number) = NumberedAddress::of(link).number_behind(&own) else { continue };
        if number == own.number + 1 && best.is_none_or(|(known, _)| number < known) {
            best = Some((number, link));
        }
    }
    best.map(|(_, link)| link.clone())
}

/// An address, and the number of the page in it.
struct NumberedAddress {
    /// The address without that number.
    rest: String,
    /// 1 where none is written.
    number: u64,
    is_numbered: bool,
}

impl NumberedAddress {
    fn of(address: &Url) -> Self {
        let mut number = None;
        let segments: Vec<&str> = address.path().trim_matches('/').split('/').collect();
        let mut path = Vec::with_capacity(segments.len());
        let mut at = 0;
        while let Some(segment) = segments.get(at).copied() {
            let lower = segment.to_ascii_lowercase();
            let following = segments.get(at + 1).and_then(|next| next.parse::<u64>().ok());
            if let (true, Some(page), None) = (matches!(lower.as_str(), "page" | "trang"), following, number) {
                number = Some(page);
                at += 2;
                continue;
            }
            let glued = lower.strip_prefix("page-").or_else(|| lower.strip_prefix("trang-"));
            if let (Some(page), None) = (glued.and_then(|page| page.parse::<u64>().ok()), number) {
                number = Some(page);
                at += 1;
                continue;
            }
            path.push(segment);
            at += 1;
        }
        let mut queries = Vec::new();
        for (name, value) in address.query_pairs() {
            match value.parse::<u64>() {
                Ok(page) if number.is_none() && is_page(&name) => number = Some(page),
                _ => queries.push(format!("{name}={value}")),
            }
        }
        queries.sort();
        let rest = format!("{}?{}", path.join("/"), queries.join("&"));
        Self { rest, number: number.unwrap_or(1), is_numbered: number.is_some() }
    }

    /// Its number, where it is a page of the same list.
    fn number_behind(&self, first: &Self) -> Option<u64> {
        (self.is_numbered && self.rest == first.rest).then_some(self.number)
    }
}

/// Whether a parameter of an address is the number of a page: `PageIndex`, `page`, Liferay's `…_cur`.
fn is_page(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(lower.as_str(), "p" | "pg" | "trang" | "cur" | "paged")
        || lower.ends_with("_cur")
        || (lower.contains("page") && !lower.contains("size"))
}

#[cfg(test)]
mod tests {
    use super::next;
    use url::Url;

    #[test]
    fn a_list_goes_on_at_the_address_with_the_next_number() {
        let check = |address: &str, links: &[&str], expected: Option<&str>| {
            let url = |text: &&str| text.parse::<Url>().expect("an address");
            let links: Vec<Url> = links.iter().map(url).collect();
            assert_eq!(next(&links, &url(&address)).as_ref().map(Url::as_str), expected, "{address}");
        };
        let list = "https://huyen.example/TINTUC-SUKIEN/All/";
        let page = |n: u32| format!("{list}?PageIndex={n}");
        check(list, &[&page(5), &page(2), &page(3)], Some(&page(2)));
        check(&page(2), &[&page(1), &page(2), &page(3)], Some(&page(3)));
        check(&page(9), &[&page(1), &page(8)], None);
        check("https://xa.example/tin/", &["https://xa.example/tin/page-2/"], Some("https://xa.example/tin/page-2/"));
        check("https://xa.example/", &["https://xa.example/page/2/"], Some("https://xa.example/page/2/"));
        let liferay = "https://so.example/web/tin?p_p_id=101&_101_delta=10";
        check(liferay, &[&format!("{liferay}&_101_cur=2")], Some(&format!("{liferay}&_101_cur=2")));
        check(
            list,
            &["https://other.example/TINTUC-SUKIEN/All/?PageIndex=2", "https://huyen.example/x?PageIndex=2"],
            None,
        );
    }
}
