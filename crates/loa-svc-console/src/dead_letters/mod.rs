//! Operations on dead letters, and on what no queue took: list, show, redrive, discard.
//!
//! The command line and the HTTP API do the same by them. The bus keeps the letters, whole, with a reason and a name; nothing
//! is kept here. A broker goes round all letters of a queue to show one, so whoever wants many asks once.
//!
//! `which.rs` reads what is meant, `look.rs` looks, `explain.rs` says what to do about a letter, `shown.rs` is what machines
//! read.

pub mod explain;
mod look;
mod shown;
mod which;

pub use look::{DeadLetterError, LISTED_MAX};
pub use shown::{LetterLine, WholeLetter};
pub use which::{Which, places};

use loa_bus::{Bus, Chosen, DeadLetter, DiscardedLetter, Place};
use loa_domain::{StayReason, with_causes};
use loa_words::Language;
use look::{LISTED, letters};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use utoipa::ToSchema;

/// Bytes of bodies that one showing of all letters holds, at most.
const WHOLE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Letters in order, those of a place oldest first.
#[derive(Debug, Default)]
pub struct List {
    /// What is there.
    pub letters: Vec<LetterLine>,
    /// The places of which only the oldest [`LISTED_MAX`] were looked at.
    pub cut: Vec<Place>,
}

/// Lists the letters of these places. Of each only a line is kept: bodies may be large.
///
/// # Errors
/// When the bus cannot be read.
pub async fn list(bus: &dyn Bus, places: &[Place]) -> Result<List, DeadLetterError> {
    let mut list = List::default();
    for place in places {
        let letters = letters(bus, *place, &Chosen::All).await?;
        if letters.len() >= LISTED_MAX {
            list.cut.push(*place);
        }
        list.letters.extend(letters.iter().map(LetterLine::from));
    }
    Ok(list)
}

/// A letter by its name, or the first one of a message; and the names of the others of the same message among the oldest of
/// each queue.
///
/// # Errors
/// `NotThere`, and when the bus cannot be read.
pub async fn show(bus: &dyn Bus, wanted: &str) -> Result<(DeadLetter, Vec<String>), DeadLetterError> {
    if let Some((place, key)) = which::letter(wanted)
        && let Some(letter) = letters(bus, place, &Chosen::key(key)).await?.pop()
    {
        return with_others(bus, letter).await;
    }
    let mut all = of_message(bus, wanted).await?;
    if all.is_empty() {
        for place in Place::ALL {
            all.extend(letters(bus, place, &Chosen::id(wanted)).await?);
        }
    }
    let Some(mut letter) = all.first().cloned() else {
        return Err(not_there(wanted));
    };
    if letter.lacks_its_body() {
        let alone = letters(bus, letter.place, &Chosen::key(letter.key.as_str())).await?.pop();
        letter = alone.ok_or_else(|| not_there(wanted))?;
    }
    Ok((letter.clone(), others_of(&letter, &all)))
}

/// A letter by its name alone: one that is not there costs a look at one queue, and no search for a message.
///
/// # Errors
/// `NotThere`, and when the bus cannot be read.
pub async fn show_named(bus: &dyn Bus, place: Place, key: &str) -> Result<(DeadLetter, Vec<String>), DeadLetterError> {
    match letters(bus, place, &Chosen::key(key)).await?.pop() {
        Some(letter) => with_others(bus, letter).await,
        None => Err(not_there(&format!("{}/{key}", place.word()))),
    }
}

fn not_there(wanted: &str) -> DeadLetterError {
    DeadLetterError::NotThere(format!("there is no letter {wanted:?}; {LISTED}"))
}

async fn with_others(bus: &dyn Bus, letter: DeadLetter) -> Result<(DeadLetter, Vec<String>), DeadLetterError> {
    let others = others_of(&letter, &of_message(bus, &letter.message.id).await?);
    Ok((letter, others))
}

fn others_of(letter: &DeadLetter, all: &[DeadLetter]) -> Vec<String> {
    all.iter().map(DeadLetter::name).filter(|name| *name != letter.name()).collect()
}

/// The letters of a message among the oldest of each queue: to go through long queues takes a while.
async fn of_message(bus: &dyn Bus, id: &str) -> Result<Vec<DeadLetter>, DeadLetterError> {
    let mut all = Vec::new();
    for place in Place::ALL {
        all.extend(letters(bus, place, &Chosen::All).await?.into_iter().filter(|letter| letter.message.id == id));
    }
    Ok(all)
}

/// Letters, whole.
#[derive(Debug, Default)]
pub struct Whole {
    /// Each with the names of the other letters of its message.
    pub letters: Vec<(DeadLetter, Vec<String>)>,
    /// The places of which not all letters are here.
    pub cut: Vec<Place>,
}

/// All letters of these places, whole, by one look at each queue.
///
/// # Errors
/// When the bus cannot be read.
pub async fn show_all(bus: &dyn Bus, places: &[Place]) -> Result<Whole, DeadLetterError> {
    let (mut whole, mut kept, mut bytes) = (Whole::default(), Vec::new(), 0);
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for place in Place::ALL {
        let letters = letters(bus, place, &Chosen::All).await?;
        let mut is_cut = letters.len() >= LISTED_MAX;
        for letter in letters {
            names.entry(letter.message.id.clone()).or_default().push(letter.name());
            if !places.contains(&place) {
                continue;
            }
            bytes += letter.message.body.len();
            if letter.lacks_its_body() || bytes > WHOLE_BYTES_MAX {
                is_cut = true;
            } else {
                kept.push(letter);
            }
        }
        if is_cut && places.contains(&place) {
            whole.cut.push(place);
        }
    }
    for letter in kept {
        let name = letter.name();
        let of_message = names.get(&letter.message.id).map_or(&[][..], Vec::as_slice);
        let others = of_message.iter().filter(|other| **other != name).cloned().collect();
        whole.letters.push((letter, others));
    }
    Ok(whole)
}

/// What a redrive came to.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = DeadLettersRedriven)]
pub struct Redriven {
    /// How many are on their way again.
    pub redriven: u64,
    /// How many were meant and stay, because they cannot go as they are.
    pub stayed: u64,
    /// Some of these, each with why.
    pub reasons: Vec<Stayed>,
    /// Those that were named and not come to: somebody else has them in hand, or they went meanwhile. Absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<String>,
    /// Why not all that is meant was come to; absent: it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<String>,
}

/// A letter that stays.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterStayed)]
pub struct Stayed {
    /// Its name.
    pub letter: String,
    /// Why, as a word of a closed list, to match on: `not-routed`, `not-carried`.
    pub kind: &'static str,
    /// The same in English. Its wording may change.
    pub why: String,
}

/// Redrives letters: a dead one to its own queue, what no queue took to the exchange, under `key` if one is given. What is
/// moved is told, whatever becomes of the others.
///
/// # Errors
/// When no letter was come to.
pub async fn redrive(bus: &dyn Bus, which: Which, key: Option<&str>) -> Result<Redriven, DeadLetterError> {
    let mut total = Redriven::default();
    for (place, chosen) in which::to_redrive(bus, which, key).await? {
        if total.unfinished.is_some() {
            total.missed.extend(which::missed(place, &chosen, |_| false));
            continue;
        }
        let what = format!("cannot redrive all from {place}: run it again");
        let redriven = match bus.redrive(place, &chosen, key).await {
            Ok(redriven) => redriven,
            Err(error) if total.redriven + total.stayed == 0 => return Err(DeadLetterError::Bus { what, error }),
            Err(error) => loa_bus::Redriven { unfinished: Some(error), ..loa_bus::Redriven::default() },
        };
        total.redriven += redriven.moved;
        total.stayed += redriven.stayed;
        let words = Language::English.words();
        let named = |(key, why): (String, StayReason)| Stayed {
            letter: format!("{}/{key}", place.word()),
            kind: why.kind(),
            why: words.stay_reason(&why),
        };
        total.reasons.extend(redriven.reasons.into_iter().map(named));
        total.missed.extend(which::missed(place, &chosen, |key| redriven.met.contains(key)));
        total.unfinished = redriven.unfinished.map(|error| format!("{what}: {}", with_causes(&error)));
    }
    Ok(total)
}

/// What a discard came to.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = DeadLettersDiscarded)]
pub struct Discarded {
    /// What is deleted for good.
    pub discarded: Vec<Gone>,
    /// Those that were named and not come to: somebody else has them in hand, or they went meanwhile. Absent: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<String>,
    /// Why not all that is meant was come to; absent: it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<String>,
}

/// A letter that is deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterGone)]
pub struct Gone {
    /// Its name.
    pub letter: String,
    /// The id of its message.
    pub message_id: String,
}

impl From<DiscardedLetter> for Gone {
    fn from(letter: DiscardedLetter) -> Self {
        Self { letter: letter.name(), message_id: letter.message_id }
    }
}

/// Deletes letters for good. What is gone is told, whatever becomes of the others.
///
/// # Errors
/// When nothing was deleted; also because there was nothing.
pub async fn discard(bus: &dyn Bus, which: Which) -> Result<Discarded, DeadLetterError> {
    let mut total = Discarded::default();
    for (place, chosen) in which::to_discard(bus, which).await? {
        if total.unfinished.is_some() {
            total.missed.extend(which::missed(place, &chosen, |_| false));
            continue;
        }
        let what = format!("cannot discard all from {place}: run it again");
        let discarded = match bus.discard(place, &chosen).await {
            Ok(discarded) => discarded,
            Err(error) if total.discarded.is_empty() => return Err(DeadLetterError::Bus { what, error }),
            Err(error) => loa_bus::Discarded { unfinished: Some(error), ..loa_bus::Discarded::default() },
        };
        let gone: HashSet<&str> = discarded.letters.iter().map(|letter| letter.key.as_str()).collect();
        total.missed.extend(which::missed(place, &chosen, |key| gone.contains(key)));
        total.discarded.extend(discarded.letters.into_iter().map(Gone::from));
        total.unfinished = discarded.unfinished.map(|error| format!("{what}: {}", with_causes(&error)));
    }
    if total.discarded.is_empty() {
        return Err(DeadLetterError::NotThere(format!("there was nothing to delete; {LISTED}")));
    }
    Ok(total)
}
