//! `loa publish FILE.json`, `loa withdraw ID`, `loa renumber ID`: publishes, withdraws and renumbers from
//! the command line.
//!
//! All use the intake service, as the HTTP API does, and wait a while until the event is on the
//! bus.

use super::Context;
use crate::wire::App;
use anyhow::Context as _;
use loa_domain::{ArticleKey, JourneyLine, JourneyStep, PortalSlug};
use loa_svc_intake::{RawContent, Renumbered, Service, SubmissionAnswer};
use loa_worker::Progress;
use std::{io::Read, path::Path, time::Duration};

/// The largest file that can be an event.
const FILE_BYTES_MAX: u64 = 1_048_576;
/// How long a command waits for the broker to take more of what it stored.
const RELAY_WAIT: Duration = Duration::from_secs(15);

/// `loa publish FILE.json`: an article, `{"article": …}` or `{"document": …}`, read as strictly as the HTTP API reads it.
pub async fn publish(context: &Context, file: &Path, portal: Option<&PortalSlug>) -> anyhow::Result<()> {
    let text = read(file)?;
    let not_taken = || format!("{} was not taken (docs/schemas/article.v1.json says what is expected)", file.display());
    let (content, within) = RawContent::from_json(text.as_bytes()).with_context(not_taken)?;
    let service = context.app.intake_service().await?;
    let answered =
        service.publish_for(portal, content).await.map_err(|error| error.in_text(within)).with_context(not_taken)?;
    let relayed = relay_one(&context.app, &service, &answered).await?;
    tell(context, &answered, "published", relayed)
}

/// `loa withdraw ID --reason TEXT`.
pub async fn withdraw(context: &Context, key: &ArticleKey, reason: &str) -> anyhow::Result<()> {
    let service = context.app.intake_service().await?;
    let answered = service.withdraw(key.as_str(), reason).await.with_context(|| format!("{key} was not withdrawn"))?;
    let relayed = relay_one(&context.app, &service, &answered).await?;
    tell(context, &answered, "withdrawn", relayed)
}

/// `loa renumber ID`.
pub async fn renumber(context: &Context, key: &ArticleKey) -> anyhow::Result<()> {
    let service = context.app.intake_service().await?;
    let answered = service.renumber(key.as_str()).await.with_context(|| format!("{key} was not renumbered"))?;
    context.output.result(&answered, |Renumbered { id, counted_from }| {
        format!("{id}: revision {counted_from} stands; its producer's next revision 1 is newer")
    })
}

/// Sends the outbox on. A running `loa up` or `loa intake` does the same; each event goes once to each queue, or twice
/// under one id, which is once. `false`: the broker did not take it in time; whoever runs next sends it.
pub async fn relay(app: &App, service: &Service) -> anyhow::Result<bool> {
    let bus = app.bus().await?;
    let mut deadline = tokio::time::Instant::now() + RELAY_WAIT;
    let mut fewest = u64::MAX;
    loop {
        service.look_at_queues(&*bus).await;
        let progress = service.step(&*bus).await.context("cannot read the outbox")?;
        let waiting = service.outbox().await.context("cannot read the outbox")?.waiting;
        if waiting == 0 {
            return Ok(true);
        }
        if waiting < fewest {
            // as long as it goes on: an import of years takes its time
            (fewest, deadline) = (waiting, tokio::time::Instant::now() + RELAY_WAIT);
        }
        if tokio::time::Instant::now() >= deadline {
            return Ok(false);
        }
        if progress == Progress::Idle {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// As [`relay`], until one event is on the bus: what waits of others, a back-file of years for instance, keeps nobody.
async fn relay_one(app: &App, service: &Service, answered: &SubmissionAnswer) -> anyhow::Result<bool> {
    let bus = app.bus().await?;
    let (key, deadline) = (answered.key(), tokio::time::Instant::now() + RELAY_WAIT);
    loop {
        service.look_at_queues(&*bus).await;
        let progress = service.step(&*bus).await.context("cannot read the outbox")?;
        let steps = service.journey(&key).await.context("cannot read the outbox")?;
        let is_out = |line: &JourneyLine| line.step == JourneyStep::Relayed && line.revision == answered.revision;
        if steps.iter().any(is_out) || service.outbox().await.context("cannot read the outbox")?.waiting == 0 {
            return Ok(true);
        }
        if tokio::time::Instant::now() >= deadline {
            return Ok(false);
        }
        if progress == Progress::Idle {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn tell(context: &Context, answered: &SubmissionAnswer, what: &str, relayed: bool) -> anyhow::Result<()> {
    context.output.result(answered, |answered| {
        let mut text = if answered.unchanged {
            format!("{}: no change; it is at revision {}", answered.key(), answered.revision)
        } else {
            format!("{}: {what} as revision {}, event {}", answered.key(), answered.revision, answered.event_id)
        };
        for note in &answered.notes {
            text.push_str(&format!("\n  note: {note}"));
        }
        if !relayed {
            text.push_str("\n  it is stored; the broker does not have it yet, and gets it in its turn, as soon as `loa up` or `loa intake` reaches it");
        }
        text
    })
}

#[allow(clippy::disallowed_methods, reason = "`-` is standard input")]
fn read(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(FILE_BYTES_MAX + 1)
            .read_to_string(&mut text)
            .context("cannot read standard input as UTF-8")?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
        opened
            .take(FILE_BYTES_MAX + 1)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read {} as UTF-8", file.display()))?;
    }
    anyhow::ensure!(text.len() as u64 <= FILE_BYTES_MAX, "{} is larger than an event may be (1 MiB)", file.display());
    Ok(text)
}
