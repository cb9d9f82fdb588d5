//! `loa publish FILE.json` and `loa withdraw ID`: the same way in as the HTTP API, from the command line.

use super::Context;
use crate::wire::House;
use anyhow::Context as _;
use loa_svc_intake::{Item, Receipt, Service};
use loa_worker::Progress;
use std::{io::Read, path::Path, time::Duration};

/// The largest file that can be an event.
const FILE_BYTES_MAX: u64 = 1_048_576;
/// How long a command waits for the broker to take more of what it stored.
const RELAY_WAIT: Duration = Duration::from_secs(15);

/// `loa publish FILE.json`: an article, `{"article": …}` or `{"document": …}`, read as strictly as the HTTP API reads it.
pub async fn publish(context: &Context, file: &Path) -> anyhow::Result<()> {
    let text = read(file)?;
    let not_taken = || format!("{} was not taken (docs/schemas/article.v1.json says what is expected)", file.display());
    let (item, within) = Item::from_json(text.as_bytes()).with_context(not_taken)?;
    let service = context.house.intake_service().await?;
    let receipt = service.publish(item).await.map_err(|error| error.in_text(within)).with_context(not_taken)?;
    let relayed = relay(&context.house, &service).await?;
    tell(context, &receipt, "published", relayed)
}

/// `loa withdraw ID --reason TEXT`.
pub async fn withdraw(context: &Context, id: &str, reason: &str) -> anyhow::Result<()> {
    let service = context.house.intake_service().await?;
    let receipt = service.withdraw(id, reason).await.with_context(|| format!("{id} was not withdrawn"))?;
    let relayed = relay(&context.house, &service).await?;
    tell(context, &receipt, "withdrawn", relayed)
}

/// Sends the outbox on. A running `loa up` or `loa intake` does the same; each event goes once to each queue, or twice
/// under one id, which is once. `false`: the broker did not take it in time; whoever runs next sends it.
pub async fn relay(house: &House, service: &Service) -> anyhow::Result<bool> {
    let bus = house.bus().await?;
    let mut deadline = tokio::time::Instant::now() + RELAY_WAIT;
    let mut fewest = u64::MAX;
    loop {
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

fn tell(context: &Context, receipt: &Receipt, what: &str, relayed: bool) -> anyhow::Result<()> {
    context.output.result(receipt, |receipt| {
        let mut text = if receipt.unchanged {
            format!("{}: no change; it is at revision {}", receipt.id, receipt.revision)
        } else {
            format!("{}: {what} as revision {}, event {}", receipt.id, receipt.revision, receipt.event_id)
        };
        for note in &receipt.notes {
            text.push_str(&format!("\n  note: {note}"));
        }
        if !relayed {
            text.push_str("\n  it is stored; the broker does not take it yet, and gets it as soon as `loa up` or `loa intake` reaches it");
        }
        text
    })
}

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
