//! `loa dead-letters show`: one letter, whole, and what to do about it.

use super::{explain, letters, summary, which};
use crate::{cmd::Context, output::plain};
use loa_bus::{Bus, Chosen, DeadLetter, Place};
use serde_json::json;

/// Bytes of a body shown to people: a few screens.
const SHOWN_BYTES_MAX: usize = 4_000;

/// Shows a letter, or the first one of a message, and names the others of the same message among the oldest of each queue.
pub(super) async fn run(context: &Context, bus: &dyn Bus, wanted: &str) -> anyhow::Result<()> {
    let shown = match which::letter(wanted) {
        Some((place, key)) => letters(bus, place, &Chosen::key(key)).await?.pop(),
        None => None,
    };
    // to go through long queues takes a while, so other letters of the message are looked for among the oldest
    let id = shown.as_ref().map_or_else(|| wanted.to_owned(), |letter| letter.message.id.clone());
    let mut all = Vec::new();
    for place in Place::ALL {
        all.extend(letters(bus, place, &Chosen::All).await?.into_iter().filter(|letter| letter.message.id == id));
    }
    if shown.is_none() && all.is_empty() {
        for place in Place::ALL {
            all.extend(letters(bus, place, &Chosen::id(id.as_str())).await?);
        }
    }
    let letter = shown.or_else(|| all.first().cloned());
    let Some(letter) = letter else { anyhow::bail!("there is no letter {wanted:?}; {}", which::LISTED) };
    let others: Vec<String> = all.iter().map(DeadLetter::name).filter(|name| *name != letter.name()).collect();
    let mut value = summary(&letter);
    value["others"] = json!(others);
    value["about"] = explain::about(&letter).into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect();
    value["excerpt"] = json!(explain::excerpt(&letter));
    value["advice"] = json!(explain::advice(&letter, &others));
    value["headers"] = json!(letter.message.headers);
    value["odd_headers"] = json!(letter.odd_headers);
    value["content_type"] = json!(letter.message.content_type);
    value["body"] = json!(String::from_utf8_lossy(&letter.message.body));
    context.output.result(&value, |_| told(context, &letter, &others))
}

/// A letter for people, one thing a line.
fn told(context: &Context, letter: &DeadLetter, others: &[String]) -> String {
    let message = &letter.message;
    let mut lines = Vec::new();
    let mut say = |label: &str, text: String| {
        for (place, line) in text.lines().enumerate() {
            lines.push(format!("{:<9} {line}", if place == 0 { label } else { "" }).trim_end().to_owned());
        }
    };
    let since = letter.dead_at.map_or_else(String::new, |at| format!(", since {}", context.local(at)));
    say("Letter", format!("{}{since}", letter.name()));
    say("Message", plain(&message.id));
    if !others.is_empty() {
        say("Also", format!("{} of the same message", others.join(", ")));
    }
    for (name, value) in explain::about(letter) {
        say(&format!("  {name}"), plain(&value));
    }
    say("What", plain(&letter.reason.reason));
    say(
        "Where",
        if letter.reason.position.is_empty() { "the whole message".to_owned() } else { plain(&letter.reason.position) },
    );
    say("", explain::excerpt(letter));
    say("Do", explain::advice(letter, others).join("\n"));
    let content_type = if message.content_type.is_empty() { "no content type" } else { &message.content_type };
    say(
        "Came as",
        plain(&format!("{}, routing key {:?}, {} bytes", content_type, letter.routing_key, message.body.len())),
    );
    for (name, value) in &message.headers {
        say("  header", plain(&format!("{name}: {value}")));
    }
    for (name, kind) in &letter.odd_headers {
        say("  header", plain(&format!("{name}: {kind}")));
    }
    if !letter.past.headers_left_out.is_empty() {
        say("  without", plain(&format!("{} (there was no room in a frame)", letter.past.headers_left_out)));
    }
    let body = String::from_utf8_lossy(&message.body[..message.body.len().min(SHOWN_BYTES_MAX)]);
    let body: Vec<String> = body.lines().map(plain).collect();
    let cut = if message.body.len() > SHOWN_BYTES_MAX {
        format!("\n… the first {SHOWN_BYTES_MAX} bytes; `loa --json dead-letters show` has all")
    } else {
        String::new()
    };
    format!("{}\n\n{}{cut}", lines.join("\n"), body.join("\n"))
}
