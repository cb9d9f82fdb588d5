//! One dead letter for people: what it is, why it is here, what to do, and its body as far as it goes.

use crate::cmd::Context;
use loa_bus::DeadLetter;
use loa_domain::plain;
use loa_svc_console::dead_letters::explain;

/// Bytes of a body shown to people: a few screens.
const SHOWN_BYTES_MAX: usize = 4_000;

/// A letter for people, one thing a line.
pub(super) fn letter(context: &Context, letter: &DeadLetter, others: &[String]) -> String {
    let (message, language) = (&letter.message, context.output.language);
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
    let cause = letter.reason.cause.as_ref().map(|cause| language.words().dead_cause(cause));
    say("What", plain(cause.as_deref().unwrap_or(&letter.reason.reason)));
    say(
        "Where",
        if letter.reason.position.is_empty() { "the whole message".to_owned() } else { plain(&letter.reason.position) },
    );
    say("", explain::excerpt(letter));
    say("Do", explain::advised(letter, others, language).join("\n"));
    let content_type = if message.content_type.is_empty() { "no content type" } else { &message.content_type };
    say("Came as", plain(&format!("{}, routing key {:?}, {} bytes", content_type, letter.routing_key, letter.bytes)));
    for (name, value) in &message.headers {
        say("  header", plain(&format!("{name}: {value}")));
    }
    for (name, found) in &letter.odd_headers {
        say("  header", plain(&format!("{name}: {}", language.words().header_type(*found))));
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
