//! What stands embedded in a body (players, sounds, films, papers, maps): what it is, and where a reader finds it.
//!
//! A frame's address is often that of a player or viewer that shows another one; then that other one is taken:
//! `youtube.com/embed/X` → `youtube.com/watch?v=X`, `viewer.html?file=/a.pdf` → `/a.pdf`. Names of hosts are the field's
//! common ones; what is not known is a page. Pure: elements in, addresses out.

use ego_tree::NodeRef;
use loa_domain::{Embedded, clean_line, is_blank};
use loa_html::is_placeholder;
use scraper::{Node, node::Element};
use url::Url;

/// Something that became a link.
#[derive(Debug)]
pub(super) struct Embed {
    pub kind: Embedded,
    pub address: Url,
    /// What it is called; the link's text.
    pub name: String,
}

/// Characters of a link's text.
const NAME_CHARS_MAX: usize = 120;
/// Where a frame keeps its address; the first that is one counts.
const ADDRESSES: [&str; 9] =
    ["src", "data-src", "data-lazy-src", "data-original", "data", "url", "data-oembed-url", "data-href", "href"];
/// Parameters in which viewers and players are told what to show.
const SHOWN: [&str; 4] = ["file", "url", "src", "href"];
/// Parameters of an `object` that name what it shows.
const PARAMETERS: [&str; 6] = ["movie", "src", "url", "filename", "file", "data"];

const FILMS: &str = " mp4 m4v webm ogv mov avi wmv flv mkv mpg mpeg 3gp m3u8 ts swf ";
const SOUNDS: &str = " mp3 m4a aac ogg oga opus wav wma flac amr mid midi ";
const FILES: &str = " pdf doc docx xls xlsx ppt pptx odt ods odp rtf txt csv zip rar 7z epub xml ";
const FILM_HOSTS: [&str; 14] = [
    "youtube.com",
    "youtube-nocookie.com",
    "youtu.be",
    "vimeo.com",
    "dailymotion.com",
    "tiktok.com",
    "vtv.vn",
    "vtvgo.vn",
    "vtc.vn",
    "vtcnow.vn",
    "htv.com.vn",
    "thvl.vn",
    "antv.gov.vn",
    "twitch.tv",
];
const SOUND_HOSTS: [&str; 5] = ["soundcloud.com", "spotify.com", "vov.vn", "zingmp3.vn", "podcasts.apple.com"];

/// What an element of one address shows: `iframe`, `embed`, `object`, `oembed` and their like. `None`: it has no address
/// that a reader can open.
pub(super) fn of(element: &Element, base: &Url) -> Option<Embed> {
    Some(embed(address_of(element, base)?, element, by_type(element)))
}

/// The address of an element; one that only holds the place of another comes last.
fn address_of(element: &Element, base: &Url) -> Option<Url> {
    let identified = identified(element);
    let given = || ADDRESSES.iter().filter_map(|attribute| element.attr(attribute));
    let first = identified.as_deref().into_iter().chain(given().filter(|text| !is_placeholder(text)));
    first.chain(given()).find_map(|text| address(text, base))
}

/// A film or a sound, with its address on itself or on a `source` in it. What its address is told beside is its own matter.
pub(super) fn media(node: NodeRef<'_, Node>, element: &Element, kind: Embedded, base: &Url) -> Option<Embed> {
    let own = [Some(element)].into_iter().flatten();
    let sources = node.children().filter_map(|child| child.value().as_element().filter(|e| e.name() == "source"));
    let address = own.chain(sources).find_map(|e| address_of(e, base))?;
    let address = known_player(&address).map_or(address, |(_, address)| address);
    Some(named(address, element, kind))
}

/// An `object`, with its address on itself, in a parameter, or on an `embed` in it.
pub(super) fn object(node: NodeRef<'_, Node>, element: &Element, base: &Url) -> Option<Embed> {
    if let Some(embed) = of(element, base) {
        return Some(embed);
    }
    let children = || node.children().filter_map(|child| child.value().as_element());
    let parameter = |param: &&Element| {
        let name = param.attr("name").unwrap_or_default().to_ascii_lowercase();
        param.name() == "param" && PARAMETERS.contains(&name.as_str())
    };
    let named = children().filter(parameter).find_map(|param| address(param.attr("value")?, base));
    match named {
        Some(address) => Some(embed(address, element, by_type(element))),
        None => children().filter(|child| child.name() == "embed").find_map(|child| of(child, base)),
    }
}

/// Players of one service that are given an identifier only.
fn identified(element: &Element) -> Option<String> {
    let id = |attribute: &str| element.attr(attribute).map(str::trim).filter(|id| !id.is_empty());
    match element.name() {
        "amp-youtube" | "lite-youtube" => {
            let id = id("data-videoid").or_else(|| id("videoid"))?;
            Some(format!("https://www.youtube.com/watch?v={id}"))
        }
        "amp-vimeo" | "lite-vimeo" => {
            let id = id("data-videoid").or_else(|| id("videoid"))?;
            Some(format!("https://vimeo.com/{id}"))
        }
        "amp-dailymotion" => Some(format!("https://www.dailymotion.com/video/{}", id("data-videoid")?)),
        _ => None,
    }
}

/// An address that a reader can open: of the web, without a user name, and not the article's own.
pub(super) fn address(text: &str, base: &Url) -> Option<Url> {
    let text = text.trim();
    let mut url = base.join(text).ok().filter(|url| !text.is_empty() && matches!(url.scheme(), "http" | "https"))?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let own = base.as_str().split('#').next();
    if !is_plain || url.as_str().split('#').next() == own {
        return None;
    }
    // what a frame may do is no part of where it is
    if url.fragment() == Some("") {
        url.set_fragment(None);
    }
    Some(url)
}

fn embed(address: Url, element: &Element, kind: Option<Embedded>) -> Embed {
    let (found, address) = shown(address);
    named(address, element, kind.unwrap_or(found))
}

fn named(address: Url, element: &Element, kind: Embedded) -> Embed {
    let titles = ["title", "aria-label"].into_iter().filter_map(|name| element.attr(name));
    let title = titles.map(clean_line).find(|title| !is_blank(title) && title != "YouTube video player");
    let name = title.unwrap_or_else(|| called(&address));
    Embed { kind, name: shortened(&name), address }
}

/// A name as long as a link's text may be.
pub(super) fn shortened(name: &str) -> String {
    let mut short: String = name.chars().take(NAME_CHARS_MAX).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

/// A file by its name, anything else by its address.
pub(super) fn called(address: &Url) -> String {
    let last = address.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    if kind_of_file(address).is_some() {
        // of a query, `+` and `&` mean something else
        let query = format!("name={}", last.replace('+', "%2B").replace('&', "%26"));
        let name = url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, name)| clean_line(&name));
        return name.filter(|name| !is_blank(name)).unwrap_or_else(|| last.to_owned());
    }
    let text = address.as_str();
    text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/').to_owned()
}

fn by_type(element: &Element) -> Option<Embedded> {
    let media_type = element.attr("type")?.trim().to_ascii_lowercase();
    match media_type.split('/').next()? {
        "video" => Some(Embedded::Film),
        "audio" => Some(Embedded::Sound),
        _ if media_type == "application/pdf" || media_type.contains("officedocument") => Some(Embedded::File),
        _ => None,
    }
}

/// What a file is, by the end of its name.
fn kind_of_file(address: &Url) -> Option<Embedded> {
    let last = address.path_segments()?.next_back()?;
    let ending = format!(" {} ", last.rsplit_once('.')?.1.to_ascii_lowercase());
    match () {
        () if FILMS.contains(&ending) => Some(Embedded::Film),
        () if SOUNDS.contains(&ending) => Some(Embedded::Sound),
        () if FILES.contains(&ending) => Some(Embedded::File),
        () => None,
    }
}

fn host_of(address: &Url) -> &str {
    let host = address.host_str().unwrap_or_default();
    host.strip_prefix("www.").or_else(|| host.strip_prefix("m.")).unwrap_or(host)
}

/// Where a film is found without its player, for players that everybody uses.
fn known_player(address: &Url) -> Option<(Embedded, Url)> {
    let path = address.path();
    let part = |prefix: &str| path.strip_prefix(prefix).map(|rest| rest.trim_matches('/')).filter(|p| !p.is_empty());
    let told = |wanted: &str| {
        let is_identifier =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let value = address.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        value.filter(|value| is_identifier(value))
    };
    let page = match host_of(address) {
        "youtube.com" | "youtube-nocookie.com" => match part("/embed/") {
            Some("videoseries") => format!("https://www.youtube.com/playlist?list={}", told("list")?),
            Some("live_stream") => format!("https://www.youtube.com/channel/{}/live", told("channel")?),
            id => {
                // old players have their settings behind the identifier
                let id = id.or_else(|| part("/v/"))?.split(['&', '/']).next()?;
                format!("https://www.youtube.com/watch?v={id}")
            }
        },
        "youtu.be" => format!("https://www.youtube.com/watch?v={}", part("/")?),
        // a film that is not listed is found with its key only
        "player.vimeo.com" => match (part("/video/")?, told("h")) {
            (id, Some(key)) => format!("https://vimeo.com/{id}/{key}"),
            (id, None) => format!("https://vimeo.com/{id}"),
        },
        "dailymotion.com" => format!("https://www.dailymotion.com/video/{}", part("/embed/video/")?),
        _ => return None,
    };
    Some((Embedded::Film, Url::parse(&page).ok()?))
}

/// What an address shows, and where that is found without the player or viewer around it.
fn shown(address: Url) -> (Embedded, Url) {
    if let Some(known) = known_player(&address) {
        return known;
    }
    let (host, path) = (host_of(&address).to_owned(), address.path().to_owned());
    if let Some(inner) = inner(&address) {
        let is_film = host == "facebook.com" && path.contains("video");
        let kind = if is_film { Some(Embedded::Film) } else { kind_of_file(&inner) };
        let viewer =
            host.starts_with("docs.") || host.starts_with("drive.") || host.contains("officeapps") || is_reader(&path);
        let kind = kind.unwrap_or(if viewer { Embedded::File } else { Embedded::Page });
        return (kind, inner);
    }
    let is_of = |hosts: &[&str]| hosts.iter().any(|known| host == *known || host.ends_with(&format!(".{known}")));
    let kind = match () {
        () if kind_of_file(&address).is_some() => kind_of_file(&address).unwrap_or(Embedded::Page),
        () if host.contains("google.") && (path.starts_with("/maps") || host.starts_with("maps.")) => Embedded::Map,
        () if is_of(&["openstreetmap.org", "map4d.vn", "goong.io"]) => Embedded::Map,
        () if is_of(&["drive.google.com"]) => Embedded::File,
        () if is_of(&SOUND_HOSTS) => Embedded::Sound,
        () if is_of(&FILM_HOSTS) || host.starts_with("player.") || host.starts_with("video.") => Embedded::Film,
        () if path.contains("/embed/") || path.contains("/player") || path.contains("/video") => Embedded::Film,
        () => Embedded::Page,
    };
    (kind, address)
}

/// What a viewer is told to show. Of a page that is no known viewer, only a whole address with a known ending counts:
/// `download.php?file=a.pdf` is itself what it says.
fn inner(address: &Url) -> Option<Url> {
    let host = address.host_str().unwrap_or_default();
    let is_viewer = ["docs.google.com", "drive.google.com", "view.officeapps.live.com", "www.facebook.com"]
        .contains(&host)
        || is_reader(address.path());
    address.query_pairs().filter(|(name, _)| SHOWN.contains(&&**name)).find_map(|(_, value)| {
        let is_whole = value.starts_with("http://") || value.starts_with("https://");
        let inner = self::address(&value, address)?;
        (is_viewer || is_whole && kind_of_file(&inner).is_some()).then_some(inner)
    })
}

/// A reader of papers that stands beside them, as PDF.js does.
fn is_reader(path: &str) -> bool {
    path.ends_with("/viewer.html")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: (Embedded, &str, &str)) {
        let base = "https://xa.gov.vn/tin/1".parse().unwrap();
        let (kind, address) = shown(address(text, &base).unwrap());
        assert_eq!((kind, address.as_str(), called(&address).as_str()), expected, "{text}");
    }

    #[test]
    fn a_player_leads_to_what_it_plays_and_a_viewer_to_what_it_shows() {
        let youtube = "https://www.youtube.com/watch?v=aBc";
        let film = (Embedded::Film, youtube, "www.youtube.com/watch?v=aBc");
        check("https://www.youtube.com/embed/aBc?rel=0", film);
        check("//www.youtube-nocookie.com/embed/aBc", film);
        check("https://youtu.be/aBc", film);
        check("http://www.youtube.com/v/aBc&hl=vi&fs=1", film);
        check(
            "https://www.youtube.com/embed/videoseries?list=PLx",
            (Embedded::Film, "https://www.youtube.com/playlist?list=PLx", "www.youtube.com/playlist?list=PLx"),
        );
        check("https://player.vimeo.com/video/7?h=1", (Embedded::Film, "https://vimeo.com/7/1", "vimeo.com/7/1"));
        check("https://player.vimeo.com/video/7?h=&a=b", (Embedded::Film, "https://vimeo.com/7", "vimeo.com/7"));
        check(
            "https://www.youtube.com/embed/live_stream?channel=UCx-1",
            (Embedded::Film, "https://www.youtube.com/channel/UCx-1/live", "www.youtube.com/channel/UCx-1/live"),
        );
        let unknown = "https://www.youtube.com/embed/live_stream";
        check(unknown, (Embedded::Film, unknown, "www.youtube.com/embed/live_stream"));
        let download = "https://xa.gov.vn/download.php?file=quyet-dinh.pdf";
        check(download, (Embedded::Page, download, "xa.gov.vn/download.php?file=quyet-dinh.pdf"));
        check("/xem.aspx?url=https://b.vn/1.pdf", (Embedded::File, "https://b.vn/1.pdf", "1.pdf"));
        check("https://vtv.vn/embed/x.htm", (Embedded::Film, "https://vtv.vn/embed/x.htm", "vtv.vn/embed/x.htm"));
        check(
            "https://www.facebook.com/plugins/video.php?href=https%3A%2F%2Fwww.facebook.com%2Fxa%2Fvideos%2F1&w=5",
            (Embedded::Film, "https://www.facebook.com/xa/videos/1", "www.facebook.com/xa/videos/1"),
        );
        let paper = (Embedded::File, "https://xa.gov.vn/vb/Quy%E1%BA%BFt%20%C4%91%E1%BB%8Bnh.pdf", "Quyết định.pdf");
        check("/vb/Quyết định.pdf", paper);
        check("https://docs.google.com/gview?url=https://xa.gov.vn/vb/Quyết định.pdf&embedded=true", paper);
        check(
            "https://view.officeapps.live.com/op/embed.aspx?src=https://xa.gov.vn/vb/Quy%E1%BA%BFt%20%C4%91%E1%BB%8Bnh.pdf",
            paper,
        );
        check("/pdfjs/web/viewer.html?file=/vb/Quyết định.pdf", paper);
        check(
            "https://www.google.com/maps/embed?pb=1",
            (Embedded::Map, "https://www.google.com/maps/embed?pb=1", "www.google.com/maps/embed?pb=1"),
        );
        check("/a/b.MP3", (Embedded::Sound, "https://xa.gov.vn/a/b.MP3", "b.MP3"));
        check(
            "https://baocao.gov.vn/x?file=1",
            (Embedded::Page, "https://baocao.gov.vn/x?file=1", "baocao.gov.vn/x?file=1"),
        );
    }

    #[test]
    fn what_no_reader_can_open_is_no_address() {
        let base = "https://xa.gov.vn/tin/1".parse().unwrap();
        for text in [
            "",
            " ",
            "about:blank",
            "javascript:x()",
            "data:text/html,x",
            "#a",
            "https://a@b.vn/",
            "file:///C:/a.mp4",
            "1",
        ] {
            assert!(address(text, &base).is_none(), "{text}");
        }
    }
}
