//! `loa dead list|show|redrive|discard`: messages that could not be processed.

use super::Context;
use crate::{cli::Dead, output::table};
use anyhow::Context as _;
use loa_bus::{DeadLetter, Queue};
use serde_json::{Value, json};

/// Most dead letters of one queue that a listing looks at.
const LISTED_MAX: usize = 1_000;

/// Runs the command.
pub async fn run(context: &Context, command: Dead) -> anyhow::Result<()> {
    let bus = context.house.bus().await?;
    context.house.wait_for_bus(&bus).await?;
    match command {
        Dead::List { queue } => {
            let mut letters = Vec::new();
            for queue in queues(queue)? {
                letters.extend(
                    bus.dead_letters(queue, LISTED_MAX)
                        .await
                        .with_context(|| format!("cannot read {}", queue.dead_name()))?,
                );
            }
            let values: Vec<Value> = letters.iter().map(summary).collect();
            context.output.result(&values, |_| {
                if letters.is_empty() {
                    return "no dead letters".to_owned();
                }
                let rows: Vec<Vec<String>> = letters
                    .iter()
                    .map(|letter| {
                        vec![
                            letter.queue.name().to_owned(),
                            letter.message.id.clone(),
                            letter.dead_at.map_or_else(String::new, |at| context.local(at)),
                            letter.reason.position.clone(),
                            letter.reason.reason.clone(),
                        ]
                    })
                    .collect();
                table(&["QUEUE", "MESSAGE", "SINCE", "WHERE", "WHY"], &rows)
            })
        }
        Dead::Show { id } => {
            for queue in Queue::ALL {
                let letters = bus
                    .dead_letters(queue, LISTED_MAX)
                    .await
                    .with_context(|| format!("cannot read {}", queue.dead_name()))?;
                if let Some(letter) = letters.into_iter().find(|letter| letter.message.id == id) {
                    let mut value = summary(&letter);
                    value["headers"] = json!(letter.message.headers);
                    value["content_type"] = json!(letter.message.content_type);
                    value["body"] = json!(String::from_utf8_lossy(&letter.message.body));
                    return context
                        .output
                        .result(&value, |value| serde_json::to_string_pretty(value).unwrap_or_default());
                }
            }
            anyhow::bail!(
                "there is no dead letter {id} among the first {LISTED_MAX} of each queue; `loa dead list` names them"
            )
        }
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
