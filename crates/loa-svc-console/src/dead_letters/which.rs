//! Which letters an operation means.
//!
//! A letter is named by place and key, and means itself alone. A message id may mean many, in several queues: unless `all` is
//! said, it must mean one.

use super::look::{DeadLetterError, LISTED, letters};
use loa_bus::{Bus, Chosen, Place};
use std::collections::{BTreeMap, BTreeSet};

type Meant = Result<Vec<(Place, Chosen)>, DeadLetterError>;

/// Which letters are meant, as somebody says it.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Letters by name.
    pub letters: Vec<String>,
    /// The letter of each of these messages.
    pub ids: Vec<String>,
    /// All: of these messages, or of the queue.
    pub all: bool,
    /// Only of this queue.
    pub queue: Option<String>,
}

/// The places of a queue's name; none: all.
pub fn places(queue: Option<&str>) -> Result<Vec<Place>, DeadLetterError> {
    match queue {
        None => Ok(Place::ALL.to_vec()),
        Some(name) => Place::parse(name).map(|place| vec![place]).ok_or_else(|| {
            let what = format!("there is no queue {name:?}; there are archive, feed, digest, push and unrouted");
            DeadLetterError::Meant(what)
        }),
    }
}

/// Reads `feed/3f9a2c1b4d5e`.
pub(super) fn letter(name: &str) -> Option<(Place, &str)> {
    let (place, key) = name.split_once('/')?;
    Some((Place::parse(place)?, key)).filter(|(_, key)| !key.is_empty())
}

/// What is to be redriven, place by place. `key`: a corrected routing key, which is for what no queue took.
pub(super) async fn to_redrive(bus: &dyn Bus, which: Which, key: Option<&str>) -> Meant {
    if which.all && which.ids.is_empty() {
        let places = match (&which.queue, key) {
            (None, Some(_)) => vec![Place::Unrouted],
            // what no queue took would only come back
            (None, None) => Place::ALL.into_iter().filter(|place| *place != Place::Unrouted).collect(),
            (queue, _) => places(queue.as_deref())?,
        };
        return Ok(places.into_iter().map(|place| (place, Chosen::All)).collect());
    }
    let queue = which.queue.or_else(|| key.map(|_| Place::Unrouted.word().to_owned()));
    let chosen = named(bus, Which { queue, ..which }).await?;
    match chosen.iter().find(|(place, _)| *place != Place::Unrouted) {
        Some((place, _)) if key.is_some() => Err(DeadLetterError::Meant(format!(
            "a letter of {} goes back to its own queue; a routing key (--key) is for what no queue took (unrouted/…)",
            place.word()
        ))),
        _ => Ok(chosen),
    }
}

/// What is to be deleted, place by place.
pub(super) async fn to_discard(bus: &dyn Bus, which: Which) -> Meant {
    if which.all && which.ids.is_empty() {
        if which.queue.is_none() {
            return Err(DeadLetterError::Meant("say of which queue all are to be deleted: --queue".to_owned()));
        }
        return Ok(places(which.queue.as_deref())?.into_iter().map(|place| (place, Chosen::All)).collect());
    }
    named(bus, which).await
}

/// Letters that are named, or those of messages that are.
async fn named(bus: &dyn Bus, which: Which) -> Meant {
    if which.ids.is_empty() {
        return by_letter(bus, &which.letters).await;
    }
    let places = places(which.queue.as_deref())?;
    if which.all {
        let ids: BTreeSet<String> = which.ids.into_iter().collect();
        return Ok(places.into_iter().map(|place| (place, Chosen::Ids(ids.clone()))).collect());
    }
    one_each(bus, &places, &which.ids).await
}

/// The letters with these names; each must be there.
async fn by_letter(bus: &dyn Bus, names: &[String]) -> Meant {
    let mut keys: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
    for name in names {
        let (place, key) = letter(name).ok_or_else(|| {
            DeadLetterError::Meant(format!(
                "{name:?} is no letter: the list names them like feed/3f9a2c1b4d5e; `--id` takes the id of a message"
            ))
        })?;
        keys.entry(place).or_default().insert(key.to_owned());
    }
    let chosen: Vec<_> = keys.into_iter().map(|(place, keys)| (place, Chosen::Keys(keys))).collect();
    for (place, chosen) in &chosen {
        let there = letters(bus, *place, chosen).await?;
        let Chosen::Keys(keys) = chosen else { continue };
        if let Some(key) = keys.iter().find(|key| !there.iter().any(|letter| letter.key == **key)) {
            return Err(DeadLetterError::NotThere(format!("there is no letter {}/{key}; {LISTED}", place.word())));
        }
    }
    Ok(chosen)
}

/// The names of letters that were named by key and not met.
pub(super) fn missed(place: Place, chosen: &Chosen, is_met: impl Fn(&str) -> bool) -> Vec<String> {
    let Chosen::Keys(keys) = chosen else { return Vec::new() };
    keys.iter().filter(|key| !is_met(key)).map(|key| format!("{}/{key}", place.word())).collect()
}

/// The letters of these messages, of which there must be one each.
async fn one_each(bus: &dyn Bus, places: &[Place], ids: &[String]) -> Meant {
    let wanted = Chosen::Ids(ids.iter().cloned().collect());
    let mut found: BTreeMap<&str, Vec<(Place, String)>> = ids.iter().map(|id| (id.as_str(), Vec::new())).collect();
    for place in places {
        for letter in letters(bus, *place, &wanted).await? {
            if let Some(found) = found.get_mut(letter.message.id.as_str()) {
                found.push((*place, letter.key));
            }
        }
    }
    let mut keys: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
    for (id, found) in found {
        match &found[..] {
            [] => return Err(DeadLetterError::NotThere(format!("no letter is of the message {id:?}; {LISTED}"))),
            [(place, key)] => drop(keys.entry(*place).or_default().insert(key.clone())),
            several => {
                return Err(DeadLetterError::Several(format!(
                    "{} letters are of the message {id:?}: {}. Name one of them (for instance {}/{}), or say --all",
                    several.len(),
                    counted(several),
                    several[0].0.word(),
                    several[0].1
                )));
            }
        }
    }
    Ok(keys.into_iter().map(|(place, keys)| (place, Chosen::Keys(keys))).collect())
}

/// How many are where: `archive 1, feed 2`.
fn counted(letters: &[(Place, String)]) -> String {
    let mut counts: BTreeMap<Place, usize> = BTreeMap::new();
    for (place, _) in letters {
        *counts.entry(*place).or_default() += 1;
    }
    counts.into_iter().map(|(place, count)| format!("{} {count}", place.word())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_bus::Queue;

    #[test]
    fn of_letters_that_are_named_those_that_were_not_met_are_named_again() {
        let named = Chosen::Keys(["1", "2", "3"].map(str::to_owned).into());
        assert_eq!(missed(Place::Dead(Queue::Feed), &named, |key| key == "2"), ["feed/1", "feed/3"]);
        assert!(missed(Place::Unrouted, &Chosen::All, |_| false).is_empty());
    }

    #[test]
    fn a_letter_is_a_place_and_a_key_and_a_message_id_is_none() {
        assert_eq!(letter("feed/17"), Some((Place::Dead(Queue::Feed), "17")));
        assert_eq!(letter("loa.unrouted/3f9a"), Some((Place::Unrouted, "3f9a")));
        for other in ["feed", "feed/", "https://a.vn/1", "bad-not-json"] {
            assert_eq!(letter(other), None, "{other}");
        }
    }
}
