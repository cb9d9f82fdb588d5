//! `loa dead-letters list|show|redrive|discard`: messages that could not be processed, and those that no queue took.
//!
//! The operations, and what machines read, are the console's (`loa_svc_console::dead_letters`), which answers the same over
//! HTTP. Here is what people read; `told.rs` tells one letter.

mod told;

use super::Context;
use crate::{
    cli::{DeadLetters, Letters},
    output::table,
};
use loa_bus::{Bus, Place};
use loa_svc_console::dead_letters::{self as operations, LISTED_MAX, LetterLine, Which, WholeLetter};
use std::{cmp::Reverse, collections::BTreeMap};

/// From how many rows a listing ends with a count of each reason.
const SUMMARISED_FROM: usize = 10;
/// Characters of a position in a listing.
const POSITION_CHARS_MAX: usize = 60;

/// Runs the command.
pub async fn run(context: &Context, command: DeadLetters) -> anyhow::Result<()> {
    let bus = context.app.bus().await?;
    context.app.wait_for_bus(&bus).await?;
    match command {
        DeadLetters::List { queue } => list(context, &*bus, &operations::places(queue.as_deref())?).await,
        DeadLetters::Show { letter: Some(letter), .. } => show(context, &*bus, &letter).await,
        DeadLetters::Show { letter: None, queue, .. } => {
            show_all(context, &*bus, &operations::places(queue.as_deref())?).await
        }
        DeadLetters::Redrive { which, key } => redrive(context, &*bus, which.into(), key.as_deref()).await,
        DeadLetters::Discard { which } => discard(context, &*bus, which.into()).await,
    }
}

impl From<Letters> for Which {
    fn from(which: Letters) -> Self {
        let Letters { letters, ids, all, queue } = which;
        Self { letters, ids, all, queue }
    }
}

/// Shows a letter, or the first one of a message.
async fn show(context: &Context, bus: &dyn Bus, wanted: &str) -> anyhow::Result<()> {
    let (letter, others) = operations::show(bus, wanted).await?;
    context.output.result(&WholeLetter::of(&letter, others.clone()), |_| told::letter(context, &letter, &others))
}

/// Shows all letters of some places, one after the other.
async fn show_all(context: &Context, bus: &dyn Bus, places: &[Place]) -> anyhow::Result<()> {
    let whole = operations::show_all(bus, places).await?;
    let values: Vec<_> = whole.letters.iter().map(|(letter, others)| WholeLetter::of(letter, others.clone())).collect();
    context.output.result(&values, |_| {
        let mut told: Vec<_> =
            whole.letters.iter().map(|(letter, others)| told::letter(context, letter, others)).collect();
        if told.is_empty() {
            told.push("no dead letters".to_owned());
        }
        told.extend(there_may_be_more(&whole.cut, "shown"));
        told.join("\n\n")
    })
}

async fn redrive(context: &Context, bus: &dyn Bus, which: Which, key: Option<&str>) -> anyhow::Result<()> {
    let mut redriven = operations::redrive(bus, which, key).await?;
    context.output.result(&redriven, |redriven| format!("{} on their way again", redriven.redriven))?;
    if let Some(why) = redriven.unfinished.take() {
        anyhow::bail!(why);
    }
    all_met(&redriven.missed)?;
    if let Some(first) = redriven.reasons.first() {
        anyhow::bail!("{} stay: for instance {}: {}", redriven.stayed, first.letter, first.why);
    }
    Ok(())
}

async fn discard(context: &Context, bus: &dyn Bus, which: Which) -> anyhow::Result<()> {
    let mut discarded = operations::discard(bus, which).await?;
    let unfinished = discarded.unfinished.take();
    context.output.result(&discarded, |gone| format!("{} deleted for good", gone.discarded.len()))?;
    unfinished.map_or(Ok(()), |why| Err(anyhow::anyhow!(why)))?;
    all_met(&discarded.missed)
}

/// That all letters that were named were come to.
fn all_met(missed: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(
        missed.is_empty(),
        "not come to, as somebody else has them in hand, or they went meanwhile: {}; run it again",
        missed.join(" ")
    );
    Ok(())
}

/// Lists them, oldest first, and how many there are for each reason.
async fn list(context: &Context, bus: &dyn Bus, places: &[Place]) -> anyhow::Result<()> {
    let list = operations::list(bus, places).await?;
    context.output.result(&list.letters, |letters| {
        if letters.is_empty() {
            return "no dead letters".to_owned();
        }
        let rows: Vec<_> = letters.iter().map(|letter| row(context, letter)).collect();
        let mut text = table(&["LETTER", "MESSAGE", "SINCE", "WHERE", "WHY"], &rows);
        if rows.len() > SUMMARISED_FROM {
            text += &format!("\n\n{}", table(&["LETTERS", "WHY"], &counted(letters)));
        }
        if let Some(more) = there_may_be_more(&list.cut, "listed") {
            text += &format!("\n\n{more}");
        }
        text + "\n\n`loa dead-letters show LETTER` says what to do about one"
    })
}

fn row(context: &Context, letter: &LetterLine) -> Vec<String> {
    let dead_at = letter.dead_at.as_ref().and_then(|at| at.parse().ok());
    vec![
        letter.letter.clone(),
        letter.message_id.clone(),
        dead_at.map_or_else(String::new, |at| context.local(at)),
        cut(&letter.position),
        letter.reason.clone(),
    ]
}

/// How many there are for each reason, most first.
fn counted(letters: &[LetterLine]) -> Vec<Vec<String>> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for letter in letters {
        *reasons.entry(kind_of_reason(&letter.reason)).or_default() += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| Reverse(*count));
    reasons.into_iter().map(|(reason, count)| vec![count.to_string(), reason]).collect()
}

fn there_may_be_more(cut: &[Place], done: &str) -> Option<String> {
    let names: Vec<_> = cut.iter().map(|place| place.name()).collect();
    (!names.is_empty())
        .then(|| format!("there may be more: of {} only the oldest {LISTED_MAX} are {done}", names.join(" and ")))
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
