//! Choosing a content coding (RFC 9110 §12.5.3).

/// A content coding that documents are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip (RFC 1952): what feed readers ask for.
    Gzip,
}

impl Encoding {
    /// The `Content-Encoding`; `None` for identity, which has no name on the wire.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
        }
    }
}

/// The coding to answer with. Several header lines are given joined by a comma.
///
/// gzip where it is acceptable and not less wanted than identity. `q=0` forbids, `*` stands for what is not named, `x-gzip`
/// is gzip, what cannot be read counts as not said. A request that forbids everything gets identity: a reader is better
/// served with bytes it did not ask for than with 406.
pub fn negotiate(accept_encoding: Option<&str>) -> Encoding {
    let Some(header) = accept_encoding else { return Encoding::Identity };
    let (mut gzip, mut identity, mut rest) = (None, None, None);
    for part in header.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let coding = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let Some(weight) = weight(pieces) else { continue };
        match coding.as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => rest = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(rest).unwrap_or(0);
    // identity that is not named is acceptable, but nobody asked for it
    let identity = identity.unwrap_or(0);
    if gzip > 0 && gzip >= identity { Encoding::Gzip } else { Encoding::Identity }
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
    use Encoding::{Gzip, Identity};

    #[test]
    fn gzip_goes_to_those_who_take_it_and_to_no_one_else() {
        for (header, expected) in [
            (None, Identity),
            (Some(""), Identity),
            (Some("gzip"), Gzip),
            (Some("GZIP"), Gzip),
            (Some("x-gzip"), Gzip),
            (Some("gzip, deflate, br, zstd"), Gzip),
            (Some("br"), Identity),
            (Some("gzip;q=0"), Identity),
            (Some("gzip; q=0.000"), Identity),
            (Some("gzip;q=0.001"), Gzip),
            (Some("*"), Gzip),
            (Some("*;q=0"), Identity),
            (Some("*;q=0, gzip"), Gzip),
            (Some("gzip;q=0, *"), Identity),
            (Some("identity, gzip;q=0.5"), Identity),
            (Some("identity;q=0.5, gzip"), Gzip),
            (Some("identity;q=0"), Identity),
            (Some("identity;q=0, gzip;q=0"), Identity),
            (Some("gzip;q=nonsense"), Identity),
            (Some("gzip;q=7"), Identity),
            (Some("gzip;foo=bar;q=0"), Identity),
            (Some(";;,,=,gzip"), Gzip),
        ] {
            assert_eq!(negotiate(header), expected, "Accept-Encoding: {header:?}");
        }
    }
}
