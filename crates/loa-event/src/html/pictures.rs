//! Pictures that nobody sees: of one pixel or none, or hidden by their style. They are there to tell somebody else who
//! reads, so they go. So do pictures of which the sanitiser left no address: they show nothing.
//!
//! It reads what the sanitiser wrote, where each value stands in double quotes; `style` and `hidden` of pictures have been
//! left in by it for this pass, and end here.

use super::{
    tags::{split_tag, tag_name},
    tally::Tally,
    work::Work,
};
use loa_domain::Altered;

/// The attributes of a picture that the sanitiser leaves for this pass.
pub(super) const LEFT_FOR_US: [&str; 2] = ["style", "hidden"];

/// Drops pictures that nobody sees and those without an address, and the attributes left for this pass from the others.
pub(super) fn seen_pictures(html: &str, tally: &mut Tally, work: &Work) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find("<img") {
        work.scanned(start + 4);
        let (tag, after) = split_tag(&rest[start..], work);
        kept.push_str(&rest[..start]);
        rest = after;
        if tag_name(tag, work) != "img" {
            kept.push_str(tag);
            continue;
        }
        let attributes: Vec<(&str, &str)> = attributes(tag).collect();
        if is_unseen(attributes.iter().copied()) {
            tally.add(Altered::UnseenPictures);
            continue;
        }
        if !attributes.iter().any(|(name, _)| *name == "src") {
            tally.add(Altered::PicturesWithoutAddress);
            continue;
        }
        kept.push_str("<img");
        for (name, value) in attributes.iter().filter(|(name, _)| !LEFT_FOR_US.contains(name)) {
            kept.push_str(&format!(" {name}=\"{value}\""));
        }
        kept.push('>');
    }
    work.scanned(rest.len());
    kept.push_str(rest);
    kept
}

/// Name and value, as the serialiser writes them.
fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let inner = tag.strip_prefix("<img").unwrap_or_default();
    let mut parts = inner.split('"');
    std::iter::from_fn(move || {
        let name = parts.next()?.trim().strip_suffix('=')?;
        Some((name, parts.next()?))
    })
}

/// What is told of a picture's size: whether a side is of one pixel or none, as an attribute or a style says.
#[derive(Default)]
struct Sides {
    width: Option<bool>,
    height: Option<bool>,
    /// Grows to fill a box, whatever else is said (as lazy loading writes it).
    fills: bool,
    hidden: bool,
}

/// Whether nobody sees a picture or a frame: it is hidden, or each side that is told is of one pixel or none.
pub(super) fn is_unseen<'t>(attributes: impl Iterator<Item = (&'t str, &'t str)>) -> bool {
    let mut sides = Sides::default();
    for (name, value) in attributes {
        match name {
            "width" => sides.width = Some(is_small(value)),
            "height" => sides.height = Some(is_small(value)),
            "hidden" => sides.hidden = true,
            "style" => sides.read(value),
            _ => {}
        }
    }
    let told = [sides.width, sides.height];
    let is_a_point = told.contains(&Some(true)) && !told.contains(&Some(false));
    sides.hidden || (is_a_point && !sides.fills)
}

impl Sides {
    fn read(&mut self, style: &str) {
        for declaration in style.to_ascii_lowercase().split(';') {
            let (property, value) = declaration.split_once(':').unwrap_or_default();
            match (property.trim(), value.split('!').next().unwrap_or_default().trim()) {
                ("display", "none") | ("visibility", "hidden" | "collapse") => self.hidden = true,
                ("width", length) => self.width = Some(is_small(length)),
                ("height", length) => self.height = Some(is_small(length)),
                ("max-width", length) if is_small(length) => self.width = Some(true),
                ("max-height", length) if is_small(length) => self.height = Some(true),
                ("min-width" | "min-height", length) if !is_small(length) => self.fills = true,
                _ => {}
            }
        }
    }
}

/// A length of one pixel or none; what is no length, or in other units, is seen.
fn is_small(length: &str) -> bool {
    let number = length.trim().trim_end_matches("px").trim_end();
    let is_zero = || number.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%').parse::<f32>() == Ok(0.0);
    number.parse::<f32>().is_ok_and(|pixels| (0.0..=1.0).contains(&pixels)) || is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(html: &str) -> (String, Vec<(Altered, usize)>) {
        let mut tally = Tally::default();
        let kept = seen_pictures(html, &mut tally, &Work::default());
        (kept, tally.told())
    }

    #[test]
    fn a_picture_that_is_left_without_an_address_is_dropped() {
        let dropped = ("ab".to_owned(), vec![(Altered::PicturesWithoutAddress, 1)]);
        assert_eq!(seen("a<img alt=\"src=x\">b"), dropped);
    }

    #[test]
    fn a_picture_of_one_pixel_or_hidden_is_dropped_and_others_stay() {
        for unseen in [
            "width=\"1\" height=\"1\"",
            "height=\"0\"",
            "width=\" 1px \"",
            "width=\"0%\"",
            "hidden=\"\"",
            "style=\"color:red; DISPLAY : none !important\"",
            "style=\"visibility:hidden\"",
            "style=\"width:1px;height:1px\"",
        ] {
            let html = format!("<p>a<img src=\"https://a.vn/1\" {unseen}>b</p>");
            assert_eq!(seen(&html), ("<p>ab</p>".to_owned(), vec![(Altered::UnseenPictures, 1)]), "{unseen}");
        }
        for (seen_as, left) in [
            ("src=\"x\" width=\"100\" alt=\"a &quot; > b\"", "src=\"x\" width=\"100\" alt=\"a &quot; > b\""),
            ("src=\"x\" width=\"1%\"", "src=\"x\" width=\"1%\""),
            ("src=\"x\" width=\"\"", "src=\"x\" width=\"\""),
            ("src=\"x\" width=\"2\"", "src=\"x\" width=\"2\""),
            ("src=\"x\" style=\"width:100%;height:auto;opacity:1\"", "src=\"x\""),
            ("style=\"max-width:10em\" src=\"x\"", "src=\"x\""),
            ("src=\"x\" width=\"300\" height=\"1\"", "src=\"x\" width=\"300\" height=\"1\""),
            ("src=\"x\" width=\"-1\"", "src=\"x\" width=\"-1\""),
            // shown by a script once it is near
            ("src=\"x\" style=\"opacity:0\"", "src=\"x\""),
            // fills its box
            ("src=\"x\" style=\"width:0;min-width:100%;max-width:100%;height:0;min-height:100%\"", "src=\"x\""),
        ] {
            let html = format!("<img {seen_as}><imgx width=\"1\">");
            let expected = format!("<img {left}><imgx width=\"1\">");
            assert_eq!(seen(&html), (expected, vec![]));
        }
    }
}
