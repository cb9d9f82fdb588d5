//! `loa dead list|show|redrive|discard`: messages that could not be processed.

mod explain;

use super::Context;
use crate::{
    cli::Dead,
    output::{plain, table},
};
use anyhow::Context as _;
use loa_bus::{Bus, DeadLetter, Queue};
use serde_json::{Value, json};
use std::{cmp::Reverse, collections::BTreeMap};

/// Most dead letters of one queue that a listing looks at.
const LISTED_MAX: usize = 1_000;
/// From how many rows a listing ends with a count of each reason.
const SUMMARISED_FROM: usize = 10;
/// Characters of a position in a listing.
const POSITION_CHARS_MAX: usize = 60;
/// Bytes of a body shown to people: a few screens.
const SHOWN_BYTES_MAX: usize = 4_000;

/// Runs the command.
pub async fn run(context: &Context, command: Dead) -> anyhow::Result<()> {
    let bus = context.house.bus().await?;
    context.house.wait_for_bus(&bus).await?;
    match command {
        Dead::List { queue } => list(context, &*bus, &queues(queue)?).await,
        Dead::Show { id } => show(context, &*bus, &id).await,
        Dead::Redrive { ids, all: _, queue } => {
            let mut moved = 0;
            for queue in queues(queue)? {
                moved += bus
                    .redrive(queue, &ids)
                    .await
                    .with_context(|| format!("cannot redrive from {}", queue.dead_name()))?;
            }
            anyhow::ensure!(
                moved > 0 || ids.is_empty(),
                "none of these is in the dead letters; `loa dead list` names them"
            );
            context.output.result(&json!({ "redriven": moved }), |_| format!("{moved} back in their queues"))
        }
        Dead::Discard { ids } => {
            let mut gone = Vec::new();
            for queue in Queue::ALL {
                let messages = bus
                    .discard(queue, &ids)
                    .await
                    .with_context(|| format!("cannot discard from {}", queue.dead_name()))?;
                gone.extend(messages.into_iter().map(|message| message.id));
            }
            anyhow::ensure!(!gone.is_empty(), "none of these is in the dead letters; `loa dead list` names them");
            context.output.result(&json!({ "discarded": gone }), |_| format!("{} deleted for good", gone.len()))
        }
    }
}

/// Lists them, oldest first, and how many there are for each reason.
async fn list(context: &Context, bus: &dyn Bus, queues: &[Queue]) -> anyhow::Result<()> {
    let (mut values, mut rows, mut full) = (Vec::new(), Vec::new(), Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for queue in queues {
        // of each queue's letters only these lines are kept: bodies may be large
        let letters = letters(bus, *queue).await?;
        if letters.len() >= LISTED_MAX {
            full.push(queue.name());
        }
        for letter in letters {
            values.push(summary(&letter));
            *reasons.entry(kind_of_reason(&letter.reason.reason)).or_default() += 1;
            rows.push(vec![
                letter.queue.name().to_owned(),
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
        let mut text = table(&["QUEUE", "MESSAGE", "SINCE", "WHERE", "WHY"], &rows);
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
        text + "\n\n`loa dead show MESSAGE` says what to do about one"
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

/// Shows one, from the first queue that has it, and names the others.
async fn show(context: &Context, bus: &dyn Bus, id: &str) -> anyhow::Result<()> {
    let mut found: Option<DeadLetter> = None;
    let mut queues = Vec::new();
    for queue in Queue::ALL {
        if let Some(letter) = letters(bus, queue).await?.into_iter().find(|letter| letter.message.id == id) {
            queues.push(queue.name());
            found.get_or_insert(letter);
        }
    }
    let Some(letter) = found else {
        anyhow::bail!(
            "there is no dead letter {id:?} among the first {LISTED_MAX} of each queue; `loa dead list` names them"
        )
    };
    let mut value = summary(&letter);
    value["queues"] = json!(queues);
    value["about"] = explain::about(&letter).into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect();
    value["excerpt"] = json!(explain::excerpt(&letter));
    value["advice"] = json!(explain::advice(&letter));
    value["headers"] = json!(letter.message.headers);
    value["content_type"] = json!(letter.message.content_type);
    value["body"] = json!(String::from_utf8_lossy(&letter.message.body));
    context.output.result(&value, |_| told(context, &letter, &queues))
}

/// A dead letter for people, one thing a line.
fn told(context: &Context, letter: &DeadLetter, queues: &[&str]) -> String {
    let message = &letter.message;
    let mut lines = Vec::new();
    let mut say = |label: &str, text: String| {
        for (place, line) in text.lines().enumerate() {
            lines.push(format!("{:<9} {line}", if place == 0 { label } else { "" }).trim_end().to_owned());
        }
    };
    let since = letter.dead_at.map_or_else(String::new, |at| format!(", since {}", context.local(at)));
    say("Message", plain(&message.id));
    say("Dead in", format!("{}{since}", queues.join(", ")));
    for (name, value) in explain::about(letter) {
        say(&format!("  {name}"), plain(&value));
    }
    say("What", plain(&letter.reason.reason));
    say(
        "Where",
        if letter.reason.position.is_empty() { "the whole message".to_owned() } else { plain(&letter.reason.position) },
    );
    say("", explain::excerpt(letter));
    say("Do", explain::advice(letter).join("\n"));
    let content_type = if message.content_type.is_empty() { "no content type" } else { &message.content_type };
    say(
        "Came as",
        plain(&format!("{}, routing key {:?}, {} bytes", content_type, letter.routing_key, message.body.len())),
    );
    for (name, value) in &message.headers {
        say("  header", plain(&format!("{name}: {value}")));
    }
    let body = String::from_utf8_lossy(&message.body[..message.body.len().min(SHOWN_BYTES_MAX)]);
    let body: Vec<String> = body.lines().map(plain).collect();
    let cut = if message.body.len() > SHOWN_BYTES_MAX {
        format!("\n… the first {SHOWN_BYTES_MAX} bytes; `loa --json dead show` has all")
    } else {
        String::new()
    };
    format!("{}\n\n{}{cut}", lines.join("\n"), body.join("\n"))
}

async fn letters(bus: &dyn Bus, queue: Queue) -> anyhow::Result<Vec<DeadLetter>> {
    bus.dead_letters(queue, LISTED_MAX).await.with_context(|| format!("cannot read {}", queue.dead_name()))
}

fn queues(named: Option<String>) -> anyhow::Result<Vec<Queue>> {
    match named {
        None => Ok(Queue::ALL.to_vec()),
        Some(name) => Queue::parse(&name)
            .map(|queue| vec![queue])
            .with_context(|| format!("there is no queue {name:?}; the queues are archive, feed, digest and push")),
    }
}

fn summary(letter: &DeadLetter) -> Value {
    json!({
        "queue": letter.queue.name(),
        "message_id": letter.message.id,
        "routing_key": letter.routing_key,
        "reason": letter.reason.reason,
        "position": letter.reason.position,
        "dead_at": letter.dead_at.map(|at| at.to_string()),
        "first_dead_at": letter.past.first_dead_at.map(|at| at.to_string()),
        "deaths": letter.past.deaths,
        "buried_by": letter.buried_by,
        "bytes": letter.message.body.len(),
    })
}
