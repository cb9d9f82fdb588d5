//! `loa replay`: sends archived events to the queue of one outlet again.
//!
//! An outlet that has accepted an event before changes nothing, so no mail and no webhook goes out
//! twice.

use super::Context;
use crate::{cli::Outlet, places};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use loa_bus::Queue;
use loa_domain::ArticleKey;
use loa_store::ArchiveQuery;
use serde_json::json;

/// Runs the command.
pub async fn run(
    context: &Context,
    outlet: Outlet,
    since: Option<jiff::Timestamp>,
    article: Option<ArticleKey>,
) -> anyhow::Result<()> {
    let queue = match outlet {
        Outlet::Feed => Queue::Feed,
        Outlet::Digest => Queue::Digest,
        Outlet::Push => Queue::Push,
    };
    let service = context.app.intake_service().await?;
    let bus = context.app.bus().await?;
    context.app.wait_for_bus(&bus).await?;
    let bar = if context.output.progress() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("{spinner} {pos} events sent")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let query = ArchiveQuery { since, article, ..ArchiveQuery::default() };
    let replayed = service
        .replay(&*bus, queue, query, |sent| bar.set_position(sent))
        .await
        .context("the replay stopped half-way; repeating it is harmless")?;
    bar.finish_and_clear();
    let value = json!({ "queue": queue.name(), "sent": replayed.sent, "rejected": replayed.rejected });
    context.output.result(&value, |_| format!("{} events sent to {queue} again", replayed.sent))?;
    if let Some(example) = replayed.example {
        anyhow::bail!("{} events could not be sent, for instance {example}", replayed.rejected);
    }
    places::archive_could_be_read(&context.app).await
}
