//! `loa digest preview|run`: shows the digest of a wish, or sends what is owed now.
//!
//! The digest service does both; this file reads the arguments and prints the result.

use super::{Context, subscribers::wish};
use crate::cli::Digests;
use anyhow::Context as _;
use loa_domain::{Frequency, Wish};
use loa_store::Run;
use loa_svc_digest::Service;
use loa_words::Words;
use serde_json::json;

/// Runs the command.
pub async fn run(context: &Context, command: Digests) -> anyhow::Result<()> {
    let service = context.app.digest_service().await?;
    match command {
        Digests::Preview { areas, categories } => {
            preview(context, &service, &wish(context, &areas, &categories)?).await
        }
        Digests::Run { frequency } => {
            let frequencies = frequency.map_or_else(|| Frequency::ALL.to_vec(), |one| vec![one.into()]);
            run_now(context, &service, frequencies).await
        }
    }
}

async fn preview(context: &Context, service: &Service, wish: &Wish) -> anyhow::Result<()> {
    let preview = service.preview(wish).await.context("cannot make the preview")?;
    let value = match &preview {
        Some(preview) => {
            json!({ "subject": preview.subject, "text": preview.text, "html": preview.html, "items": preview.items })
        }
        None => json!({ "items": 0 }),
    };
    context.output.result(&value, |_| match &preview {
        Some(preview) => format!("{}\n\n{}", preview.subject, preview.text),
        None => "nothing to send".to_owned(),
    })
}

async fn run_now(context: &Context, service: &Service, frequencies: Vec<Frequency>) -> anyhow::Result<()> {
    let words = context.output.language.words();
    let mut reports = Vec::new();
    for frequency in frequencies {
        let run = service.run_now(frequency).await;
        reports.extend(run.with_context(|| format!("the {} run did not end well", frequency.as_str()))?);
    }
    let values: Vec<_> = reports
        .iter()
        .map(|run| {
            let detail = run.paused.as_ref().map(|why| words.pause(why));
            json!({ "run": run.key.to_string(), "account": run.account, "paused": run.paused, "detail": detail })
        })
        .collect();
    context.output.result(&values, |_| {
        if reports.is_empty() {
            return "nothing is owed to anyone".to_owned();
        }
        reports.iter().map(|run| account(words, run)).collect::<Vec<_>>().join("\n")
    })
}

/// A run's account in one line.
fn account(words: &dyn Words, run: &Run) -> String {
    let account = run.account;
    let paused = run
        .paused
        .as_ref()
        .map_or_else(String::new, |why| format!("; {}: {}", words.run_state(run.state()), words.pause(why)));
    format!(
        "{}: {} planned, {} sent, {} failed, {} suppressed, {} uncertain, {} waiting{paused}",
        run.key, account.planned, account.sent, account.failed, account.suppressed, account.uncertain, account.waiting
    )
}

/// For `loa check`: a greeting from the mail server.
pub async fn reach(context: &Context) -> anyhow::Result<String> {
    let service = context.app.digest_service().await?;
    service.reach_mail_server().await.context("the mail server cannot be reached (`digest.smtp`)")?;
    Ok("reached; it lets us in".to_owned())
}
