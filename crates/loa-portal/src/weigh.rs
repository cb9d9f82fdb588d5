//! Decides between the candidates for one value, or says who disagrees.
//!
//! It knows weights and no page. One pass finds the heaviest, a second the heaviest that says
//! something else.

use crate::evidence::Candidate;

/// What the weights say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict<T> {
    /// This one.
    One(Candidate<T>),
    /// Two say different things, and nothing decides.
    Divided(Candidate<T>, Candidate<T>),
    /// None weighs enough; the heaviest of them.
    Unsure(Candidate<T>),
    /// There is none.
    None,
}

/// The bounds of a decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// A candidate of less is none.
    pub(crate) at_least: i32,
    /// How much heavier the heaviest must be than another one that says something else.
    pub(crate) ahead: i32,
}

/// Weighs candidates in the order of the page; of equals that agree the first is taken.
pub(crate) fn weigh<T: Clone>(
    candidates: &[Candidate<T>],
    bounds: Bounds,
    agree: impl Fn(&T, &T) -> bool,
) -> Verdict<T> {
    let heavier = |best: Option<&'_ Candidate<T>>, next: &Candidate<T>| best.is_none_or(|b| next.weight > b.weight);
    let mut best: Option<&Candidate<T>> = None;
    for candidate in candidates {
        if heavier(best, candidate) {
            best = Some(candidate);
        }
    }
    let Some(best) = best else { return Verdict::None };
    if best.weight < bounds.at_least {
        return Verdict::Unsure(best.clone());
    }
    let mut other: Option<&Candidate<T>> = None;
    for candidate in candidates.iter().filter(|candidate| !agree(&candidate.value, &best.value)) {
        if heavier(other, candidate) {
            other = Some(candidate);
        }
    }
    match other {
        Some(other) if other.weight >= bounds.at_least && best.weight - other.weight < bounds.ahead => {
            Verdict::Divided(best.clone(), other.clone())
        }
        _ => Verdict::One(best.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Verdict, weigh};
    use crate::evidence::Candidate;

    fn candidate(value: &str, weight: i32) -> Candidate<String> {
        let value = value.to_owned();
        Candidate { text: value.clone(), value, line: 0, blocks: None, clues: Vec::new(), weight }
    }

    #[test]
    fn the_heaviest_is_taken_unless_another_that_differs_is_near() {
        let bounds = Bounds { at_least: 30, ahead: 15 };
        let verdict = |given: &[(&str, i32)]| {
            let candidates: Vec<_> = given.iter().map(|(value, weight)| candidate(value, *weight)).collect();
            match weigh(&candidates, bounds, |a, b| a == b) {
                Verdict::One(one) => one.value,
                Verdict::Divided(one, other) => format!("{}|{}", one.value, other.value),
                Verdict::Unsure(best) => format!("{}?", best.value),
                Verdict::None => String::new(),
            }
        };
        assert_eq!(verdict(&[]), "");
        assert_eq!(verdict(&[("a", 29), ("b", 10)]), "a?");
        assert_eq!(verdict(&[("a", 60), ("b", 80)]), "b");
        assert_eq!(verdict(&[("a", 70), ("b", 80)]), "b|a");
        assert_eq!(verdict(&[("b", 79), ("a", 20), ("b", 80)]), "b");
    }
}
