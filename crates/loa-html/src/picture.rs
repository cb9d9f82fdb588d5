//! Where a picture's real address stands when a script would load it late: in `data-src` and its like, in a set of several
//! sizes, beside an address that only keeps the place.
//!
//! Attributes in, one of their values out, as it is written. Whether an address is one that can be fetched is asked of the
//! caller, who knows where the page stands; so is a `picture` around it. It reads no tree.

use std::borrow::Cow;

/// Where scripts keep an address for later, the commonest first.
const LATER: [&str; 12] = [
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-original-src",
    "data-orig-src",
    "data-echo",
    "data-url",
    "data-img-src",
    "data-image-src",
    "data-hi-res-src",
    "data-full-src",
];
const SETS_LATER: [&str; 3] = ["data-srcset", "data-lazy-srcset", "data-original-set"];
/// Lazy names that every loader knows; only these win over a good `src`, and only with the address of a picture.
const USUAL: [&str; 6] =
    ["data-src", "data-original", "data-lazy-src", "data-lazy", "data-original-src", "data-orig-src"];
/// Parts of names that say that a picture is a small one, for the time until another is there.
const SMALL: [&str; 8] = ["thumb", "small", "mini", "tiny", "low", "blur", "placeholder", "loading"];
const PICTURES: &str = " jpg jpeg jpe jfif png gif webp avif svg bmp heic tif tiff ";
/// What placeholders are called, without their ending.
const PLACEHOLDERS: &str = " blank spacer placeholder loading loader lazy lazyload lazy-load pixel transparent 1x1 grey gray empty dot clear \
    trans load ajax-loader preload preloader default-image noimage no-image white ";
/// Of the pictures in a set, the smallest that is as wide as this, in pixels: what fills a mail's column.
const WIDE_ENOUGH: u32 = 800;
/// How many entries of a set are looked at.
const ENTRIES_MAX: usize = 60;

/// Which of a picture's attributes is its own address.
#[derive(Debug, Clone, Copy)]
pub struct PictureAttributes<'t, 'a> {
    /// Names and values.
    pub attributes: &'a [(&'t str, &'t str)],
}

/// Whoever asks: says which addresses can be fetched, and is told how many bytes were looked at.
pub trait PictureJudge {
    /// Whether a text is an address that can be fetched.
    fn is_good(&self, text: &str) -> bool;
    /// So many bytes were looked at.
    fn looked_at(&self, bytes: usize);
}

impl<'t> PictureAttributes<'t, '_> {
    /// The address of a picture; `None`: it has none of its own that can be fetched. `around` is what the `picture` around it
    /// offers, asked for only where it matters.
    pub fn address(
        self,
        judge: &impl PictureJudge,
        around: impl FnOnce() -> Option<Cow<'t, str>>,
    ) -> Option<Cow<'t, str>> {
        let own = self.value("src").filter(|text| judge.is_good(text));
        let later = self.later(judge);
        if let Some(own) = own.filter(|own| !is_placeholder(own)) {
            let wins = |(name, text): &(&str, &str)| {
                is_called_as_a_picture(text) && (USUAL.contains(name) || SETS_LATER.contains(name))
            };
            return Some(Cow::Borrowed(later.filter(wins).map_or(own, |(_, text)| text)));
        }
        let later = later.map(|(_, text)| text).or_else(|| self.unheard_of(judge));
        let set = || self.value("srcset").and_then(|set| best_of_set(set, judge));
        let kept = later.or_else(set).map(Cow::Borrowed);
        kept.or_else(around).or_else(|| own.filter(|_| !self.is_lazy()).map(Cow::Borrowed))
    }

    fn value(self, name: &str) -> Option<&'t str> {
        self.attributes.iter().find(|(written, _)| *written == name).map(|(_, value)| value.trim())
    }

    /// The address that is kept for a script under a usual name, and in which attribute.
    fn later(self, judge: &impl PictureJudge) -> Option<(&'static str, &'t str)> {
        let single = LATER.iter().find_map(|name| {
            let text = self.value(name)?;
            (looks_like_one(text) && judge.is_good(text)).then_some((*name, text))
        });
        single.or_else(|| SETS_LATER.iter().find_map(|name| Some((*name, best_of_set(self.value(name)?, judge)?))))
    }

    /// The address that is kept for a script under a name of its own (`data-actualsrc`, `nitro-lazy-src`): it must end as
    /// pictures do. Of several the first that is not called small.
    fn unheard_of(self, judge: &impl PictureJudge) -> Option<&'t str> {
        let found = |is_small: bool| {
            self.attributes.iter().find_map(|(name, value)| {
                let is_kept = !LATER.contains(name) && (name.starts_with("data-") || name.contains("lazy"));
                let is_called_small = SMALL.iter().any(|part| name.contains(part));
                if !is_kept || is_called_small != is_small {
                    return None;
                }
                judge.looked_at(value.len());
                let text = if name.ends_with("srcset") { best_of_set(value, judge)? } else { value.trim() };
                (looks_like_one(text) && is_called_as_a_picture(text) && judge.is_good(text)).then_some(text)
            })
        };
        found(false).or_else(|| found(true)).filter(|text| !is_placeholder(text))
    }

    /// Whether a picture says that a script loads it.
    fn is_lazy(self) -> bool {
        let is_kept = |name: &str| LATER.contains(&name) || SETS_LATER.contains(&name);
        self.value("class").unwrap_or_default().contains("lazy")
            || self.attributes.iter().any(|(name, _)| is_kept(name))
    }
}

/// The address of a set (HTML §4.8.4.2.1) that fits best: `a.jpg 800w, b.jpg 1600w`. Of a set that is longer than any page has,
/// the first entries count.
pub fn best_of_set<'t>(set: &'t str, judge: &impl PictureJudge) -> Option<&'t str> {
    let mut best: Option<(&str, u32)> = None;
    let mut rest = set.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
    for _ in 0..ENTRIES_MAX {
        if rest.is_empty() {
            break;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (written, behind) = rest.split_at(end);
        let bare = written.trim_end_matches(',');
        // a comma right behind the address ends its entry
        let (descriptor, behind) =
            if bare.len() < written.len() { ("", behind) } else { behind.split_once(',').unwrap_or((behind, "")) };
        judge.looked_at(rest.len() - behind.len());
        let width = width(descriptor.trim());
        let is_better =
            best.is_none_or(
                |(_, known)| {
                    if known < WIDE_ENOUGH { width > known } else { (WIDE_ENOUGH..known).contains(&width) }
                },
            );
        if is_better && judge.is_good(bare) {
            best = Some((bare, width));
        }
        rest = behind.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
    }
    best.map(|(address, _)| address)
}

/// Whether an address is that of something that stands there until a script has run: `blank.gif`, `loading.html`.
pub fn is_placeholder(text: &str) -> bool {
    let name = last_part(text);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_ascii_lowercase();
    PLACEHOLDERS.contains(&format!(" {stem} "))
}

fn looks_like_one(text: &str) -> bool {
    let is_page = matches!(ending(text).as_str(), "html" | "htm");
    text.contains(['/', '.']) && !text.starts_with(['{', '[']) && !is_page
}

fn is_called_as_a_picture(text: &str) -> bool {
    PICTURES.contains(&format!(" {} ", ending(text)))
}

/// The ending of a file's name, in small letters; empty: there is none.
fn ending(text: &str) -> String {
    last_part(text).rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase()
}

/// The last part of an address' path.
fn last_part(text: &str) -> &str {
    text.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

/// Pixels across, by a descriptor; what is not told in pixels is what a page shows by default.
fn width(descriptor: &str) -> u32 {
    match descriptor.split_ascii_whitespace().next().and_then(|first| first.strip_suffix('w')) {
        Some(pixels) => pixels.parse().unwrap_or(0),
        None if descriptor.is_empty() || descriptor == "1x" => WIDE_ENOUGH,
        None => WIDE_ENOUGH + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Anybody;

    impl PictureJudge for Anybody {
        fn is_good(&self, text: &str) -> bool {
            !text.is_empty() && !text.contains(':')
        }
        fn looked_at(&self, _: usize) {}
    }

    #[test]
    fn of_a_set_the_picture_that_fills_a_column_is_taken() {
        for (set, expected) in [
            ("/a.jpg 800w, /b.jpg 1600w", Some("/a.jpg")),
            ("/a.jpg 300w, /b.jpg 768w", Some("/b.jpg")),
            ("/a.jpg 300w, /b.jpg 1600w, /c.jpg 1024w", Some("/c.jpg")),
            ("/a.jpg, /b.jpg 2x", Some("/a.jpg")),
            ("/b.jpg 2x, /a.jpg 1x", Some("/a.jpg")),
            ("/c,w_300/a.jpg 1x", Some("/c,w_300/a.jpg")),
            ("data:image/gif;base64,R0 1w, /a.jpg 5w", Some("/a.jpg")),
            (" , ,", None),
            ("", None),
            // no page has so many, and nobody looks at more
            (&format!("{}/late.jpg 5w", "x: 1w, ".repeat(ENTRIES_MAX)), None),
        ] {
            assert_eq!(best_of_set(set, &Anybody), expected, "{set}");
        }
    }

    #[test]
    fn a_picture_kept_under_a_name_nobody_heard_of_is_found_and_a_page_is_no_picture() {
        const BLANK: (&str, &str) = ("src", "data:image/gif;base64,R0");
        type Case<'t> = (&'t [(&'t str, &'t str)], Option<&'t str>);
        let cases: [Case<'_>; 16] = [
            (&[("data-actualsrc", "/a.jpg")], Some("/a.jpg")),
            (&[BLANK, ("nitro-lazy-src", "/a.jpg")], Some("/a.jpg")),
            (&[BLANK, ("data-flickity-lazyload", "/a.jpg")], Some("/a.jpg")),
            (&[BLANK, ("data-brsrcset", "/a.jpg 300w, /b.jpg 900w")], Some("/b.jpg")),
            (&[("data-src-small", "/s.jpg"), ("data-src-large", "/l.jpg")], Some("/l.jpg")),
            (&[("data-src-small", "/s.jpg")], Some("/s.jpg")),
            (&[("src", "/themes/loading.svg"), ("data-image", "/a.jpg")], Some("/a.jpg")),
            (&[BLANK, ("srcset", "data:x 1w"), ("data-srcset", "/a.jpg 300w")], Some("/a.jpg")),
            (&[("src", "/a.jpg"), ("data-url", "https://xa.gov.vn/tin/1.html")], Some("/a.jpg")),
            (&[("src", "/a.jpg"), ("data-original", "{\"w\":1}")], Some("/a.jpg")),
            (&[("src", "/a.jpg"), ("data-src", "")], Some("/a.jpg")),
            (&[("src", "/a.jpg"), ("data-caption-image", "/other.jpg")], Some("/a.jpg")),
            (&[("src", "/thumb.jpg"), ("data-src", "/whole.jpg")], Some("/whole.jpg")),
            (&[("srcset", "/c,w_300/a.jpg 300w, /c,w_1024/a.jpg 1024w")], Some("/c,w_1024/a.jpg")),
            (&[BLANK, ("data-id", "12"), ("data-caption", "Lễ ra quân.")], None),
            (&[("src", "/blank.gif"), ("class", "lazy")], None),
        ];
        for (attributes, expected) in cases {
            let found = PictureAttributes { attributes }.address(&Anybody, || None);
            assert_eq!(found.as_deref(), expected, "{attributes:?}");
        }
    }
}
