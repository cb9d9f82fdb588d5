//! `loa journey ID`: what each outlet did with an article. Nothing joins across ledgers; each is asked.

use super::Context;
use crate::{output::table, wire::House};
use anyhow::Context as _;
use loa_domain::{ArticleId, JourneyStep};

/// Runs the command.
pub async fn run(context: &Context, id: &str) -> anyhow::Result<()> {
    let steps = collect(&context.house, &ArticleId::new(id)?).await?;
    anyhow::ensure!(!steps.is_empty(), "no outlet has heard of {id}");
    context.output.result(&steps, |steps| {
        let rows: Vec<Vec<String>> = steps
            .iter()
            .map(|step| {
                let revision = if step.revision == 0 { String::new() } else { step.revision.to_string() };
                vec![context.local(step.at), step.outlet.clone(), step.step.clone(), revision, step.detail.clone()]
            })
            .collect();
        table(&["WHEN", "OUTLET", "STEP", "REV", "WHAT"], &rows)
    })
}

/// All ledgers' accounts of one article, oldest first.
pub async fn collect(house: &House, id: &ArticleId) -> anyhow::Result<Vec<JourneyStep>> {
    let mut steps = house.intake_ledger().await?.journey(id).await.context("cannot read intake's ledger")?;
    steps.extend(house.feed_ledger().await?.journey(id).await.context("cannot read the feed ledger")?);
    steps.extend(house.digest_ledger().await?.journey(id).await.context("cannot read the digest ledger")?);
    steps.extend(house.push_ledger().await?.journey(id).await.context("cannot read the push ledger")?);
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}
