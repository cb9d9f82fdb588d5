//! `loa backup`: copies the files of the embedded ledgers and queues into a folder, while services
//! run.
//!
//! The order of copying matters when all of them are restored. Queues come first: what is taken out
//! of them later arrives twice and is recognised. Outlets come next. Receipts and the archive come
//! last, so that they know at least what the outlets' copies know.

use super::Context;
use crate::{embedded::EMBEDDED, wire::App};
use anyhow::Context as _;
use loa_store_sql::{CopyMark, copy_out};
use serde::Serialize;
use std::{fs, os::unix::fs::DirBuilderExt, path::Path};

/// A file that was copied.
#[derive(Serialize)]
struct Copied {
    ledger: &'static str,
    file: String,
    bytes: u64,
    copied_at: jiff::Timestamp,
}

/// Runs the command.
pub async fn run(context: &Context, folder: &Path) -> anyhow::Result<()> {
    let app = &context.app;
    anyhow::ensure!(
        app.is_embedded(),
        "the ledgers are in PostgreSQL, and PostgreSQL's own tools copy them; docs/operating/backup-and-restore.md says how"
    );
    anyhow::ensure!(
        !folder.exists(),
        "there is something at {} already; name a folder that is not there, for instance with today's date",
        folder.display()
    );
    // receipts must have begun before the first copy, or no restore could know what went out after it
    app.receipt_ledger().await?;
    // the folder gets its name when it is complete: what is there under its name is whole
    let unfinished = folder.with_added_extension("unfinished");
    let copied = copy_all(app, &unfinished).await;
    let copied = match copied {
        Ok(copied) => copied,
        Err(error) => {
            let left = fs::remove_dir_all(&unfinished);
            let also =
                left.err().map_or(String::new(), |why| format!("; {} is left over: {why}", unfinished.display()));
            return Err(error.context(format!("no backup was made{also}")));
        }
    };
    fs::rename(&unfinished, folder)
        .with_context(|| format!("the backup is complete, and stays at {}", unfinished.display()))?;
    let at_home = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(at_home).and_then(|parent| parent.sync_all()).context("the backup may not be on disk yet")?;
    context.output.result(&copied, |copied| {
        let lines: Vec<String> = copied
            .iter()
            .map(|one| format!("{:12} {:>12} bytes, of {}", one.file, one.bytes, context.local(one.copied_at)))
            .collect();
        format!("{}\n{} is complete and was checked", lines.join("\n"), folder.display())
    })
}

async fn copy_all(app: &App, folder: &Path) -> anyhow::Result<Vec<Copied>> {
    let made = fs::DirBuilder::new().recursive(false).mode(0o700).create(folder);
    made.with_context(|| {
        format!("cannot make {} (delete it when it is left over from a backup that was cut off)", folder.display())
    })?;
    let mut copied = Vec::new();
    for ledger in EMBEDDED {
        let (from, file) = (app.embedded_file(ledger)?, format!("{ledger}.db"));
        if !from.exists() {
            continue;
        }
        let copied_at = app.world.now();
        let bytes = copy_out(&from, &folder.join(&file), &CopyMark { ledger: ledger.into(), copied_at }).await?;
        copied.push(Copied { ledger, file, bytes, copied_at });
    }
    Ok(copied)
}
