//! `loa replay`: archived events again, to one named outlet. What the outlet has accepted before changes nothing there.

use super::Context;
use crate::cli::Outlet;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use loa_bus::Queue;
use loa_domain::ArticleId;
use loa_store::ArchiveQuery;
use serde_json::json;

/// Runs the command.
pub async fn run(
    context: &Context,
    outlet: Outlet,
    since: Option<jiff::Timestamp>,
    article: Option<String>,
) -> anyhow::Result<()> {
    let queue = match outlet {
        Outlet::Feed => Queue::Feed,
        Outlet::Digest => Queue::Digest,
        Outlet::Push => Queue::Push,
    };
    let article = article.map(ArticleId::new).transpose()?;
    let service = context.house.intake_service().await?;
    let bus = context.house.bus().await?;
    context.house.wait_for_bus(&bus).await?;
    let bar = if context.output.progress() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("{spinner} {pos} events sent")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let query = ArchiveQuery { since, article, ..ArchiveQuery::default() };
    let sent = service
        .replay(&*bus, queue, query, |sent| bar.set_position(sent))
        .await
        .context("the replay stopped half-way; repeating it is harmless")?;
    bar.finish_and_clear();
    context
        .output
        .result(&json!({ "queue": queue.name(), "sent": sent }), |_| format!("{sent} events sent to {queue} again"))
}
