//! `loa journey ID`: prints what each outlet did with an article.
//!
//! Nothing joins across ledgers: each is asked by itself, and the steps are sorted by time.

use super::Context;
use crate::{output::table, wire::App};
use anyhow::Context as _;
use loa_domain::{ArticleKey, JourneyLine};
use serde::Serialize;

/// A line with its sentence.
#[derive(Serialize)]
struct Step {
    #[serde(flatten)]
    line: JourneyLine,
    detail: String,
}

/// Runs the command.
pub async fn run(context: &Context, id: ArticleKey) -> anyhow::Result<()> {
    let words = context.output.language.words();
    let lines = collect(&context.app, &id).await?;
    anyhow::ensure!(!lines.is_empty(), "no outlet has heard of {id}");
    let steps: Vec<Step> = lines.into_iter().map(|line| Step { detail: words.told(&line.step), line }).collect();
    context.output.result(&steps, |steps| {
        let rows: Vec<Vec<String>> = steps
            .iter()
            .map(|Step { line, detail }| {
                let revision = if line.revision == 0 { String::new() } else { line.revision.to_string() };
                let (outlet, step) = (words.outlet(line.outlet).to_owned(), words.step(&line.step).to_owned());
                vec![context.local(line.at), outlet, step, revision, detail.clone()]
            })
            .collect();
        table(&["WHEN", "OUTLET", "STEP", "REV", "WHAT"], &rows)
    })
}

/// All ledgers' accounts of one article, oldest first.
pub async fn collect(app: &App, id: &ArticleKey) -> anyhow::Result<Vec<JourneyLine>> {
    let mut steps = app.intake_ledger().await?.journey(id).await.context("cannot read intake's ledger")?;
    steps.extend(app.feed_ledger().await?.journey(id).await.context("cannot read the feed ledger")?);
    steps.extend(app.digest_ledger().await?.journey(id).await.context("cannot read the digest ledger")?);
    steps.extend(app.push_ledger().await?.journey(id).await.context("cannot read the push ledger")?);
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}
