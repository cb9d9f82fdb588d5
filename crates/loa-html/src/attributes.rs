//! The most attributes that any reading of a text may find in one tag.
//!
//! Where a tag begins depends on comments, scripts and foreign content, which only the parser knows. So this walks from
//! every `<` before a letter at once: walks in the same state are one walk, which keeps the highest count. Never too low.

/// The state of a walk through a tag (HTML §13.2.5.8 and the states after it).
#[derive(Clone, Copy)]
enum State {
    Name,
    BeforeAttribute,
    Attribute,
    AfterAttribute,
    BeforeValue,
    Value,
    Double,
    Single,
}

const STATES: [State; 8] = [
    State::Name,
    State::BeforeAttribute,
    State::Attribute,
    State::AfterAttribute,
    State::BeforeValue,
    State::Value,
    State::Double,
    State::Single,
];

/// One pass, eight steps a byte.
pub(crate) fn most_in_one_tag(html: &str) -> usize {
    let bytes = html.as_bytes();
    let mut walks: [Option<usize>; 8] = [None; 8];
    let (mut most, mut walking) = (0, false);
    for (index, &byte) in bytes.iter().enumerate() {
        if walking {
            let mut moved = [None; 8];
            walking = false;
            for (state, count) in STATES.into_iter().zip(walks) {
                let Some(count) = count else { continue };
                let Some((next, begun)) = step(state, byte) else { continue };
                let count = count + usize::from(begun);
                most = most.max(count);
                let place: &mut Option<usize> = &mut moved[next as usize];
                *place = Some(place.map_or(count, |other| other.max(count)));
                walking = true;
            }
            walks = moved;
        }
        let is_tag = |next: &u8| next.is_ascii_alphabetic() || *next == b'/';
        if byte == b'<' && bytes.get(index + 1).is_some_and(is_tag) {
            walks[State::Name as usize].get_or_insert(0);
            walking = true;
        }
    }
    most
}

/// The state behind a byte, and whether an attribute began; `None` when the tag ends.
fn step(state: State, byte: u8) -> Option<(State, bool)> {
    let space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c');
    Some(match (state, byte) {
        (State::Double, b'"') | (State::Single, b'\'') => (State::BeforeAttribute, false),
        (State::Double | State::Single, _) => (state, false),
        (_, b'>') => return None,
        (State::BeforeValue, b'"') => (State::Double, false),
        (State::BeforeValue, b'\'') => (State::Single, false),
        (State::BeforeValue, _) if space => (state, false),
        (State::BeforeValue, _) => (State::Value, false),
        (State::Value, _) if space => (State::BeforeAttribute, false),
        (State::Value, _) => (state, false),
        (State::Name | State::BeforeAttribute, _) if space => (State::BeforeAttribute, false),
        (State::Attribute | State::AfterAttribute, _) if space => (State::AfterAttribute, false),
        (_, b'/') => (State::BeforeAttribute, false),
        (State::Attribute | State::AfterAttribute, b'=') => (State::BeforeValue, false),
        (State::BeforeAttribute | State::AfterAttribute, _) => (State::Attribute, true),
        (State::Name | State::Attribute, _) => (state, false),
    })
}

#[cfg(test)]
mod tests {
    use super::most_in_one_tag;

    #[test]
    fn attributes_are_counted_as_the_tokeniser_sees_them() {
        for (html, most) in [
            ("", 0),
            ("a < b = c", 0),
            ("<p>", 0),
            ("<p a b=1 c = '2 x' d=\"> e\" f>", 5),
            ("<p/a/b/c>", 3),
            ("<p =a>", 1),
            ("</p a b>", 3), // rather too many: an end tag's name counts
            ("<p a>b c d<i e f>", 2),
            ("<p a=x/y z>", 2),
        ] {
            assert_eq!(most_in_one_tag(html), most, "{html}");
        }
    }

    #[test]
    fn no_quote_or_comment_before_a_tag_hides_its_attributes() {
        for before in ["<!-- <a x=' -->", "<a x=\"", "<style><b y='</style>", "<![CDATA[<i '=']]>", "<a <b c='"] {
            let html = format!("{before}<p {}>", "a ".repeat(700));
            assert!(most_in_one_tag(&html) >= 700, "{before}");
        }
    }
}
