//! Which letters a command means.
//!
//! A letter is named by place and key, and means itself alone. A message id may mean many, in several queues: unless `--all` is
//! said, it must mean one.

use super::letters;
use crate::cli::Letters;
use anyhow::Context as _;
use loa_bus::{Bus, Chosen, Place};
use std::collections::{BTreeMap, BTreeSet};

/// Where names come from.
pub(super) const LISTED: &str = "`loa dead-letters list` names what is there";

/// The places of `--queue`; none: all.
pub(super) fn places(queue: Option<String>) -> anyhow::Result<Vec<Place>> {
    match queue {
        None => Ok(Place::ALL.to_vec()),
        Some(name) => Place::parse(&name)
            .map(|place| vec![place])
            .with_context(|| format!("there is no queue {name:?}; there are archive, feed, digest, push and unrouted")),
    }
}

/// Reads `feed/3f9a2c1b4d5e`.
pub(super) fn letter(name: &str) -> Option<(Place, &str)> {
    let (place, key) = name.split_once('/')?;
    Some((Place::parse(place)?, key)).filter(|(_, key)| !key.is_empty())
}

/// What is to be redriven, place by place. `key`: a corrected routing key, which is for what no queue took.
pub(super) async fn to_redrive(
    bus: &dyn Bus,
    which: Letters,
    key: Option<&str>,
) -> anyhow::Result<Vec<(Place, Chosen)>> {
    if which.all && which.ids.is_empty() {
        let places = match (which.queue, key) {
            (None, Some(_)) => vec![Place::Unrouted],
            // what no queue took would only come back
            (None, None) => Place::ALL.into_iter().filter(|place| *place != Place::Unrouted).collect(),
            (queue, _) => places(queue)?,
        };
        return Ok(places.into_iter().map(|place| (place, Chosen::All)).collect());
    }
    let queue = which.queue.or_else(|| key.map(|_| Place::Unrouted.word().to_owned()));
    let chosen = named(bus, Letters { queue, ..which }).await?;
    if key.is_some()
        && let Some((place, _)) = chosen.iter().find(|(place, _)| *place != Place::Unrouted)
    {
        anyhow::bail!(
            "a letter of {} goes back to its own queue; --key is for what no queue took (unrouted/…)",
            place.word()
        );
    }
    Ok(chosen)
}

/// What is to be deleted, place by place.
pub(super) async fn to_discard(bus: &dyn Bus, which: Letters) -> anyhow::Result<Vec<(Place, Chosen)>> {
    if which.all && which.ids.is_empty() {
        anyhow::ensure!(which.queue.is_some(), "say of which queue all are to be deleted: --queue");
        return Ok(places(which.queue)?.into_iter().map(|place| (place, Chosen::All)).collect());
    }
    named(bus, which).await
}

/// Letters that are named, or those of messages that are.
async fn named(bus: &dyn Bus, which: Letters) -> anyhow::Result<Vec<(Place, Chosen)>> {
    if which.ids.is_empty() {
        return by_letter(bus, &which.letters).await;
    }
    let places = places(which.queue)?;
    if which.all {
        let ids: BTreeSet<String> = which.ids.into_iter().collect();
        return Ok(places.into_iter().map(|place| (place, Chosen::Ids(ids.clone()))).collect());
    }
    one_each(bus, &places, &which.ids).await
}

/// The letters with these names; each must be there.
async fn by_letter(bus: &dyn Bus, names: &[String]) -> anyhow::Result<Vec<(Place, Chosen)>> {
    let mut keys: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
    for name in names {
        let (place, key) = letter(name).with_context(|| {
            format!(
                "{name:?} is no letter: the list names them like feed/3f9a2c1b4d5e; `--id` takes the id of a message"
            )
        })?;
        keys.entry(place).or_default().insert(key.to_owned());
    }
    let chosen: Vec<_> = keys.into_iter().map(|(place, keys)| (place, Chosen::Keys(keys))).collect();
    for (place, chosen) in &chosen {
        let there = letters(bus, *place, chosen).await?;
        let Chosen::Keys(keys) = chosen else { continue };
        if let Some(key) = keys.iter().find(|key| !there.iter().any(|letter| letter.key == **key)) {
            anyhow::bail!("there is no letter {}/{key}; {LISTED}", place.word());
        }
    }
    Ok(chosen)
}

/// The letters of these messages, of which there must be one each.
async fn one_each(bus: &dyn Bus, places: &[Place], ids: &[String]) -> anyhow::Result<Vec<(Place, Chosen)>> {
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
            [] => anyhow::bail!("no letter is of the message {id:?}; {LISTED}"),
            [(place, key)] => drop(keys.entry(*place).or_default().insert(key.clone())),
            several => anyhow::bail!(
                "{} letters are of the message {id:?}: {}. Name one of them (for instance {}/{}), or say --all",
                several.len(),
                counted(several),
                several[0].0.word(),
                several[0].1
            ),
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
    fn a_letter_is_a_place_and_a_key_and_a_message_id_is_none() {
        assert_eq!(letter("feed/17"), Some((Place::Dead(Queue::Feed), "17")));
        assert_eq!(letter("loa.unrouted/3f9a"), Some((Place::Unrouted, "3f9a")));
        for other in ["feed", "feed/", "https://a.vn/1", "bad-not-json"] {
            assert_eq!(letter(other), None, "{other}");
        }
    }
}
