//! Content codings (RFC 9110 §8.4.1): which there are, and which one to answer with (§12.5.3).
//!
//! Pure. Whoever answers hands in `Accept-Encoding`; `representation.rs` makes the bytes.

/// A content coding that documents are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip (RFC 1952): what feed readers ask for.
    Gzip,
    /// Brotli (RFC 7932): what browsers and caches in front ask for.
    Brotli,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];

    /// The `Content-Encoding`; `None` for identity, which has no name on the wire.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// The coding to answer with. Several header lines are given joined by a comma.
///
/// The most wanted of those that are acceptable, unless identity is wanted more; of equals the smallest (br, zstd, gzip), and
/// one that is named before one that only `*` stands for, of which gzip is the one that everybody reads. `q=0` forbids,
/// `x-gzip` is gzip, what cannot be read counts as not said. Who forbids identity and names nothing else gets gzip; who
/// forbids that too gets identity: a reader is better served with bytes it did not ask for than with 406.
pub fn negotiate(accept_encoding: Option<&str>) -> Encoding {
    let Some(header) = accept_encoding else { return Encoding::Identity };
    let (mut gzip, mut brotli, mut zstd, mut identity, mut rest) = (None, None, None, None, None);
    for part in header.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let coding = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let Some(weight) = weight(pieces) else { continue };
        match coding.as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "br" => brotli = Some(weight),
            "zstd" => zstd = Some(weight),
            "identity" => identity = Some(weight),
            "*" => rest = Some(weight),
            _ => {}
        }
    }
    // the place among equals: as one that is named, as one of `*`
    let coded = [(Encoding::Gzip, gzip, 4, 3), (Encoding::Brotli, brotli, 6, 2), (Encoding::Zstd, zstd, 5, 1)];
    let wanted = coded
        .into_iter()
        .filter_map(|(encoding, named, place, place_of_rest)| match (named, rest) {
            (Some(weight), _) => Some((weight, place, encoding)),
            (None, Some(weight)) => Some((weight, place_of_rest, encoding)),
            (None, None) => None,
        })
        .filter(|(weight, ..)| *weight > 0)
        .max();
    // identity that is not named is acceptable, but nobody asked for it
    match wanted {
        Some((weight, _, encoding)) if weight >= identity.unwrap_or(0) => encoding,
        None if identity == Some(0) && gzip.is_none() && rest.is_none() => Encoding::Gzip,
        _ => Encoding::Identity,
    }
}

/// The quality in thousandths; 1,000 when unsaid; `None` when it cannot be read.
fn weight<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    for parameter in parameters {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("q")
        {
            let value: f32 = value.trim().parse().ok()?;
            if !(0.0..=1.0).contains(&value) {
                return None;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 1,000 by the check above"
            )]
            return Some((value * 1_000.0).round() as u16);
        }
    }
    Some(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Brotli, Gzip, Identity, Zstd};

    #[test]
    fn each_coding_goes_to_those_who_take_it_and_to_no_one_else() {
        for (header, expected) in [
            (None, Identity),
            (Some(""), Identity),
            (Some("gzip"), Gzip),
            (Some("GZIP"), Gzip),
            (Some("x-gzip"), Gzip),
            (Some("gzip, deflate"), Gzip),
            (Some("gzip, deflate, br, zstd"), Brotli),
            (Some("gzip, zstd"), Zstd),
            (Some("br"), Brotli),
            (Some("zstd"), Zstd),
            (Some("deflate"), Identity),
            (Some("compress, bzip2"), Identity),
            (Some("br;q=0.5, gzip"), Gzip),
            (Some("gzip;q=0"), Identity),
            (Some("gzip; q=0.000"), Identity),
            (Some("gzip;q=0.001"), Gzip),
            (Some("br;q=0, gzip;q=0.1"), Gzip),
            (Some("*"), Gzip),
            (Some("br, *"), Brotli),
            (Some("br;q=0.5, *"), Gzip),
            (Some("*;q=0"), Identity),
            (Some("*;q=0, gzip"), Gzip),
            (Some("*;q=0, br;q=0.3"), Brotli),
            (Some("gzip;q=0, *"), Brotli),
            (Some("gzip;q=0, br;q=0, *"), Zstd),
            (Some("identity, gzip;q=0.5"), Identity),
            (Some("identity;q=0.5, gzip"), Gzip),
            (Some("identity;q=0"), Gzip),
            (Some("identity;q=0, br"), Brotli),
            (Some("identity;q=0, deflate"), Gzip),
            (Some("identity;q=0, gzip;q=0"), Identity),
            (Some("identity;q=0, *;q=0"), Identity),
            (Some("gzip;q=nonsense"), Identity),
            (Some("gzip;q=7"), Identity),
            (Some("gzip;q=NaN"), Identity),
            (Some("gzip;foo=bar;q=0"), Identity),
            (Some(";;,,=,gzip"), Gzip),
        ] {
            assert_eq!(negotiate(header), expected, "Accept-Encoding: {header:?}");
        }
    }
}
