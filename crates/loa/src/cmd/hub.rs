//! `loa hub …`: lists and ends the subscriptions at the WebSub hub.
//!
//! The hub service does it; this file reads the arguments and prints the result.

use super::Context;
use crate::{cli::HubCommand, output::table};
use loa_domain::HubSubscriptionId;
use loa_store::{HubQuery, HubSubscriptionView};
use serde_json::{Value, json};

/// Runs the command.
pub async fn run(context: &Context, command: HubCommand) -> anyhow::Result<()> {
    let service = context.app.hub_service().await?;
    match command {
        HubCommand::List { topic, host, limit, after } => {
            let after = after.map(HubSubscriptionId::new).transpose()?;
            let found = service.subscriptions(&HubQuery { topic, host, after, limit }).await?;
            let values: Vec<Value> = found.iter().map(summary).collect();
            context.output.result(&values, |_| {
                let Some(last) = found.last() else { return "no subscriptions".to_owned() };
                let rows: Vec<Vec<String>> = found.iter().map(|one| row(context, one)).collect();
                let mut text = table(&["SUBSCRIPTION", "TOPIC", "CALLBACK", "STATE", "UNTIL", "LAST CALL"], &rows);
                if found.len() == limit as usize {
                    text.push_str(&format!("\n\nThere may be more: --after {}", last.id));
                }
                text
            })
        }
        HubCommand::Remove { id } => {
            let id = HubSubscriptionId::new(id)?;
            service.remove(&id).await?;
            context.output.result(&json!({ "id": id, "removed": true }), |_| {
                format!("{id} has ended; the running hub tells its subscriber")
            })
        }
    }
}

fn row(context: &Context, one: &HubSubscriptionView) -> Vec<String> {
    let until = one.ends_at.map(|at| context.local(at)).unwrap_or_default();
    let words = context.output.language.words();
    let state = words.hub_state(one.state, one.owed).to_owned();
    let last_call = one.last_call.as_ref().map(|call| words.hub_call(call)).unwrap_or_default();
    vec![one.id.to_string(), one.topic.clone(), one.callback.clone(), state, until, last_call]
}

fn summary(one: &HubSubscriptionView) -> Value {
    json!({
        "id": one.id,
        "topic": one.topic,
        "callback": one.callback,
        "state": one.state.as_str(),
        "ends_at": one.ends_at.map(|at| at.to_string()),
        "signed": one.signed,
        "owed": one.owed,
        "tries": one.tries,
        "created_at": one.created_at.to_string(),
        "delivered_at": one.delivered_at.map(|at| at.to_string()),
        "last_call": one.last_call,
    })
}
