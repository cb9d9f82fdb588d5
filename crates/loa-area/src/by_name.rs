//! Finds the one area that a typed name means: `Na Son`, `xã Na Son`, `na son`, `Tân Lập, huyện X`,
//! or an id.
//!
//! For commands and forms, where a name that fits several areas is an error that lists them.
//! `search.rs` finds areas by a part of a name instead.

use crate::{Area, AreaKind, Directory, reading::without_kind, spelling};
use jiff::civil::Date;
use loa_domain::{AreaId, clean_line, without_lookalikes};

/// How many areas a sentence names at most.
const NAMED_MAX: usize = 8;

/// Why a typed name is not one area. The sentence names what was meant, perhaps, and what to type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing has this name.
    #[error("no area is named {text:?} on {on}; {hint}")]
    Unknown {
        /// As typed.
        text: String,
        /// The day asked for.
        on: Date,
        /// What is near, or what to do.
        hint: String,
    },
    /// The name was given up before that day, or came later.
    #[error("{text:?} was not in force on {on}: {found}; {hint}")]
    OtherPeriod {
        /// As typed.
        text: String,
        /// The day asked for.
        on: Date,
        /// The areas of other periods, with their ids.
        found: String,
        /// What took their place.
        hint: String,
    },
    /// Several areas have this name.
    #[error("{text:?} is the name of {count} areas on {on}: {found}; type the id, or add the district or province")]
    Ambiguous {
        /// As typed.
        text: String,
        /// The day asked for.
        on: Date,
        /// How many.
        count: usize,
        /// The areas, with their ids.
        found: String,
    },
}

impl Directory {
    /// The area of that day that a person typing `text` means: an id (of any period), a code, or a name with or without kind, with
    /// or without district and province behind commas; capitals, tones and marks matter only where they decide.
    ///
    /// # Errors
    /// When none or several fit; the sentence names candidates and what to type.
    pub fn by_name(&self, text: &str, on: Date) -> Result<&Area, NameError> {
        let text = without_lookalikes(&clean_line(text));
        if let Some(area) = AreaId::new(text.as_str()).ok().and_then(|id| self.get(&id)) {
            return Ok(area);
        }
        if let Some(area) = self.resolve(&text, on) {
            return Ok(area);
        }
        let mut parts = text.split(',').map(str::trim);
        let (kind, name) = split_kind(parts.next().unwrap_or_default());
        let places: Vec<String> =
            parts.filter(|part| !part.is_empty()).map(|part| spelling::folded(without_kind(part))).collect();
        let is_there = |area: &&Area| {
            let home = [&area.district, &area.province].map(|name| spelling::folded(without_kind(name)));
            places.iter().all(|place| home.contains(place))
        };
        let fitting: Vec<&Area> = self
            .named(&spelling::folded(name))
            .filter(|area| kind.is_none_or(|kind| area.kind == kind))
            .filter(is_there)
            .collect();
        let exact: Vec<&Area> = fitting.iter().copied().filter(|area| is_spelled(area, name)).collect();
        // Who types a tone or mark means it: `Na Sơn` is not `Na Son`.
        let fitting = if exact.is_empty() && !spelling::has_marks(name) { fitting } else { exact };
        let in_force: Vec<&Area> = fitting.iter().copied().filter(|area| area.is_in_force(on)).collect();
        match in_force[..] {
            [area] => Ok(area),
            [] if fitting.is_empty() => Err(NameError::Unknown { hint: self.near(name), text, on }),
            [] => Err(NameError::OtherPeriod { found: labels(&fitting), hint: self.since(&fitting, on), text, on }),
            _ => Err(NameError::Ambiguous { count: in_force.len(), found: labels(&in_force), text, on }),
        }
    }

    /// Names that begin alike or hold the same word.
    fn near(&self, name: &str) -> String {
        let folded = spelling::folded(name);
        let shares =
            |known: &&str| folded.split(' ').any(|word| word.len() > 1 && known.split(' ').any(|other| other == word));
        let mut near: Vec<String> = self
            .folded_names()
            .filter(shares)
            .flat_map(|known| self.named(known))
            .map(|area| area.full_name())
            .collect();
        near.sort();
        near.dedup();
        near.truncate(NAMED_MAX);
        if near.is_empty() {
            "check the spelling, or look at the list of areas".to_owned()
        } else {
            format!("near are {}", near.join(", "))
        }
    }

    fn since(&self, areas: &[&Area], on: Date) -> String {
        let mut successors: Vec<&Area> = areas.iter().flat_map(|area| self.successors(&area.id, on)).collect();
        successors.sort_by(|a, b| a.id.cmp(&b.id));
        successors.dedup();
        if successors.is_empty() {
            "type the id of the one meant".to_owned()
        } else {
            format!("its place was taken by {}", labels(&successors))
        }
    }
}

fn split_kind(text: &str) -> (Option<AreaKind>, &str) {
    let lower = text.to_lowercase();
    for kind in AreaKind::ALL {
        for written in [kind.vietnamese().to_lowercase(), spelling::folded(kind.vietnamese())] {
            let rest = lower.strip_prefix(&written).and_then(|_| text.get(written.len()..));
            if let Some(rest) = rest.filter(|rest| rest.starts_with(' ')) {
                return (Some(kind), rest.trim());
            }
        }
    }
    (None, text)
}

fn is_spelled(area: &Area, name: &str) -> bool {
    let wanted = spelling::keyed(name, spelling::key);
    area.names().any(|known| spelling::keyed(known, spelling::key) == wanted)
}

/// `na-son-03203-2025 (Xã Na Son, Tỉnh Điện Biên)`, joined, with a word on how many are not shown.
fn labels(areas: &[&Area]) -> String {
    let mut text: Vec<String> =
        areas.iter().take(NAMED_MAX).map(|area| format!("{} ({})", area.id, area.label())).collect();
    if areas.len() > NAMED_MAX {
        text.push(format!("and {} more", areas.len() - NAMED_MAX));
    }
    text.join(", ")
}
