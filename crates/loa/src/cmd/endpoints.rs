//! `loa endpoints …`: adds, lists and changes the endpoints that receive webhooks.
//!
//! The push service does it; this file reads the arguments and prints the result.

use super::Context;
use crate::{cli::Endpoints, output::table};
use anyhow::Context as _;
use loa_domain::{Endpoint, EndpointId, EventType};
use loa_svc_push::{NewEndpoint, Service};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Runs the command.
pub async fn run(context: &Context, command: Endpoints) -> anyhow::Result<()> {
    let service = context.app.push_service().await?;
    match command {
        Endpoints::Add { url, description, event_types } => {
            let event_types =
                event_types.iter().map(|text| event_type(text)).collect::<anyhow::Result<BTreeSet<_>>>()?;
            add(context, &service, NewEndpoint { url, description, event_types, secret: None }).await
        }
        Endpoints::List => list(context, &service).await,
        Endpoints::Test { id } => test(context, &service, &EndpointId::new(id)?).await,
        Endpoints::RotateSecret { id, at_once } => {
            let secret = service.rotate_secret(&EndpointId::new(id.as_str())?, !at_once).await?.reveal();
            context.output.result(&json!({ "id": id, "secret": secret }), |_| {
                let end = if at_once {
                    "The secrets so far have ended.".to_owned()
                } else {
                    format!("The secrets so far sign as well; when the receiver knows this one: `loa endpoints retire-secrets {id}`.")
                };
                format!("secret   {secret}\n\nShown this once. {end}")
            })
        }
        Endpoints::RetireSecrets { id } => {
            let endpoint = service.retire_secrets(&EndpointId::new(id)?).await?;
            context.output.result(&summary(&endpoint), |_| format!("{} signs with its newest secret only", endpoint.id))
        }
        Endpoints::Enable { id } => {
            let endpoint =
                service.enable_endpoint(&EndpointId::new(id)?).await.context("cannot enable the endpoint")?;
            context
                .output
                .result(&summary(&endpoint), |_| format!("{} is enabled; what waited is sent now", endpoint.id))
        }
        Endpoints::Disable { id, reason } => {
            let endpoint = service
                .disable_endpoint(&EndpointId::new(id)?, &reason)
                .await
                .context("cannot disable the endpoint")?;
            context.output.result(&summary(&endpoint), |_| format!("{} is disabled; its deliveries wait", endpoint.id))
        }
    }
}

async fn add(context: &Context, service: &Service, endpoint: NewEndpoint) -> anyhow::Result<()> {
    let added = service.add_endpoint(endpoint).await?;
    let secret = added.secret.reveal();
    let mut value = summary(&added.endpoint);
    value["secret"] = json!(secret);
    context.output.result(&value, |_| {
        format!(
            "endpoint {}\nsecret   {secret}\n\nThe secret is shown this once: hand it to the receiver. `loa endpoints test {}` tries it.",
            added.endpoint.id, added.endpoint.id
        )
    })
}

async fn list(context: &Context, service: &Service) -> anyhow::Result<()> {
    let words = context.output.language.words();
    let endpoints = service.endpoints().await?;
    let values: Vec<Value> = endpoints.iter().map(summary).collect();
    context.output.result(&values, |_| {
        if endpoints.is_empty() {
            return "no endpoints yet; `loa endpoints add URL` adds one".to_owned();
        }
        let rows: Vec<Vec<String>> = endpoints
            .iter()
            .map(|endpoint| {
                let state = words.endpoint(&endpoint.state);
                vec![endpoint.id.to_string(), endpoint.url.to_string(), state, endpoint.description.clone()]
            })
            .collect();
        table(&["ENDPOINT", "ADDRESS", "STATE", "DESCRIPTION"], &rows)
    })
}

async fn test(context: &Context, service: &Service, id: &EndpointId) -> anyhow::Result<()> {
    let report = service.test_endpoint(id).await?;
    let verdict = report.told(context.output.language);
    let value = json!({
        "endpoint": report.endpoint, "status": report.status, "duration_ms": report.duration_ms,
        "delivered": report.delivered, "error_class": report.error, "words": report.words, "verdict": verdict,
    });
    context.output.result(&value, |_| {
        let status = report.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        format!("{}  {status}  {} ms  {verdict}", report.endpoint, report.duration_ms)
    })?;
    anyhow::ensure!(report.delivered, "the test webhook was not taken");
    Ok(())
}

fn event_type(text: &str) -> anyhow::Result<EventType> {
    text.parse().map_err(|()| {
        let known: Vec<&str> = EventType::ALL.iter().map(|known| known.as_str()).collect();
        anyhow::anyhow!("there is no event type {text:?}; the types are {}", known.join(", "))
    })
}

fn summary(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "url": endpoint.url.as_str(),
        "description": endpoint.description,
        "state": endpoint.state,
        "event_types": endpoint.filter.event_types,
        "created_at": endpoint.created_at.to_string(),
    })
}
