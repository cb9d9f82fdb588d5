//! `loa dead-letters list|show|redrive|discard`: messages that could not be processed, and those that no queue took.
//!
//! The messages come from the bus, which keeps them whole with a reason and a name. `which.rs` reads what is meant, `show.rs`
//! shows one, `explain.rs` says what to do about it.

mod explain;
mod show;
mod which;

use super::Context;
use crate::{
    cli::{DeadLetters, Letters},
    output::table,
};
use anyhow::Context as _;
use loa_bus::{Bus, Chosen, DeadLetter, DiscardedLetter, Place};
use serde_json::{Value, json};
use std::{cmp::Reverse, collections::BTreeMap};

/// Most letters of one place that are looked at.
const LISTED_MAX: usize = 1_000;
/// From how many rows a listing ends with a count of each reason.
const SUMMARISED_FROM: usize = 10;
/// Characters of a position in a listing.
const POSITION_CHARS_MAX: usize = 60;

/// Runs the command.
pub async fn run(context: &Context, command: DeadLetters) -> anyhow::Result<()> {
    let bus = context.app.bus().await?;
    context.app.wait_for_bus(&bus).await?;
    match command {
        DeadLetters::List { queue } => list(context, &*bus, &which::places(queue)?).await,
        DeadLetters::Show { letter } => show::run(context, &*bus, &letter).await,
        DeadLetters::Redrive { which, key } => redrive(context, &*bus, which, key.as_deref()).await,
        DeadLetters::Discard { which } => discard(context, &*bus, which).await,
    }
}

async fn redrive(context: &Context, bus: &dyn Bus, which: Letters, key: Option<&str>) -> anyhow::Result<()> {
    let (mut moved, mut stayed, mut reasons) = (0, 0, Vec::new());
    for (place, chosen) in which::to_redrive(bus, which, key).await? {
        let redriven = bus
            .redrive(place, &chosen, key)
            .await
            .with_context(|| format!("cannot redrive from {place}; {moved} were redriven before"))?;
        moved += redriven.moved;
        stayed += redriven.stayed;
        let named = |(key, why): (String, String)| (format!("{}/{key}", place.word()), why);
        reasons.extend(redriven.reasons.into_iter().map(named));
    }
    let value = json!({
        "redriven": moved,
        "stayed": stayed,
        "reasons": reasons.iter().map(|(letter, why)| json!({ "letter": letter, "why": why })).collect::<Vec<_>>(),
    });
    context.output.result(&value, |_| format!("{moved} on their way again"))?;
    if let Some((letter, why)) = reasons.first() {
        anyhow::bail!("{stayed} stay: for instance {letter}: {why}");
    }
    Ok(())
}

async fn discard(context: &Context, bus: &dyn Bus, which: Letters) -> anyhow::Result<()> {
    let (mut gone, mut unfinished) = (Vec::new(), None);
    for (place, chosen) in which::to_discard(bus, which).await? {
        let error = match bus.discard(place, &chosen).await {
            Ok(discarded) => {
                let told =
                    |letter: DiscardedLetter| json!({ "letter": letter.name(), "message_id": letter.message_id });
                gone.extend(discarded.letters.into_iter().map(told));
                discarded.unfinished
            }
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            unfinished = Some((place, error));
            break;
        }
    }
    if gone.is_empty() && unfinished.is_none() {
        anyhow::bail!("there was nothing to delete; {}", which::LISTED);
    }
    // what is gone is told, whatever became of the others
    context.output.result(&json!({ "discarded": gone }), |_| format!("{} deleted for good", gone.len()))?;
    match unfinished {
        Some((place, error)) => Err(error).with_context(|| format!("cannot discard all from {place}: run it again")),
        None => Ok(()),
    }
}

/// Lists them, oldest first, and how many there are for each reason.
async fn list(context: &Context, bus: &dyn Bus, places: &[Place]) -> anyhow::Result<()> {
    let (mut values, mut rows, mut full) = (Vec::new(), Vec::new(), Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for place in places {
        // of each place's letters only these lines are kept: bodies may be large
        let letters = letters(bus, *place, &Chosen::All).await?;
        if letters.len() >= LISTED_MAX {
            full.push(place.name());
        }
        for letter in letters {
            values.push(summary(&letter));
            *reasons.entry(kind_of_reason(&letter.reason.reason)).or_default() += 1;
            rows.push(vec![
                letter.name(),
                letter.message.id.clone(),
                letter.dead_at.map_or_else(String::new, |at| context.local(at)),
                cut(&letter.reason.position),
                letter.reason.reason,
            ]);
        }
    }
    context.output.result(&values, |_| {
        if rows.is_empty() {
            return "no dead letters".to_owned();
        }
        let mut text = table(&["LETTER", "MESSAGE", "SINCE", "WHERE", "WHY"], &rows);
        if rows.len() > SUMMARISED_FROM {
            let mut reasons: Vec<_> =
                reasons.into_iter().map(|(reason, count)| vec![count.to_string(), reason]).collect();
            reasons.sort_by_key(|row| Reverse(row[0].parse::<usize>().unwrap_or_default()));
            text += &format!("\n\n{}", table(&["LETTERS", "WHY"], &reasons));
        }
        if !full.is_empty() {
            text +=
                &format!("\n\nthere may be more: of {} only the oldest {LISTED_MAX} are listed", full.join(" and "));
        }
        text + "\n\n`loa dead-letters show LETTER` says what to do about one"
    })
}

/// A position as a column can hold it.
fn cut(position: &str) -> String {
    match position.char_indices().nth(POSITION_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &position[..end]),
        None => position.to_owned(),
    }
}

/// A reason without what it quotes, so that equal faults are counted together.
fn kind_of_reason(reason: &str) -> String {
    let mut kind = String::new();
    for (place, part) in reason.split('"').enumerate() {
        kind.push_str(if place % 2 == 0 { part } else { "…" });
    }
    kind
}

async fn letters(bus: &dyn Bus, place: Place, chosen: &Chosen) -> anyhow::Result<Vec<DeadLetter>> {
    bus.dead_letters(place, chosen, LISTED_MAX).await.with_context(|| format!("cannot read {place}"))
}

fn summary(letter: &DeadLetter) -> Value {
    json!({
        "letter": letter.name(),
        "queue": letter.place.word(),
        "message_id": letter.message.id,
        "routing_key": letter.routing_key,
        "reason": letter.reason.reason,
        "position": letter.reason.position,
        "dead_at": letter.dead_at.map(|at| at.to_string()),
        "first_dead_at": letter.past.first_dead_at.map(|at| at.to_string()),
        "deaths": letter.past.deaths,
        "buried_by": letter.buried_by,
        "headers_left_out": letter.past.headers_left_out,
        "bytes": letter.message.body.len(),
    })
}
