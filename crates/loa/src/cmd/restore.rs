//! `loa restore`: brings a ledger back from a copy, and completes it from the archive and the
//! receipts.
//!
//! On SQLite all work is done beside the ledger's place. Only a complete ledger takes that place,
//! and what was there is set aside; a crash leaves the old one or the new one, never a half. On
//! PostgreSQL its own tools bring the copy back; the ledger gives nothing out until it is complete.

use super::Context;
use crate::{
    cli::{Ledger, RestoreArguments},
    embedded,
    wire::App,
};
use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use loa_domain::Event;
use loa_store::{Accepted, Arrivals, Book, Receipt, ReceiptLedger, Restorable, StoreError};
use loa_store_sql::{
    AccessStore, DigestStore, FeedStore, IntakeStore, PushStore, ReceiptStore, WatchStore, copy_in, files_of,
};
use loa_svc_feed as feed;
use loa_svc_intake::{CopyAge, RestoreError, Restored, Restoring};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Runs the command.
pub async fn run(context: &Context, arguments: RestoreArguments) -> anyhow::Result<()> {
    let ledger = arguments.ledger;
    if context.app.is_embedded() {
        return embedded(context, &arguments).await;
    }
    let name = ledger.name();
    ensure!(
        arguments.from.is_none(),
        "on PostgreSQL a copy is brought back with pg_restore, then `loa restore {name} --since …` follows"
    );
    let app = &context.app;
    let outlet: Arc<dyn Restorable> = match ledger {
        Ledger::Feed => Arc::new(Feed(app.feed_service().await?)),
        Ledger::Digest => app.digest_ledger().await?,
        Ledger::Push => app.push_ledger().await?,
        Ledger::Intake | Ledger::Access | Ledger::Receipts | Ledger::Watch | Ledger::Bus => {
            bail!("on PostgreSQL there is nothing to do for {name} after pg_restore")
        }
    };
    let copy = match (arguments.since, ledger) {
        (Some(at), _) => CopyAge::MadeAt(at),
        (None, Ledger::Feed) => CopyAge::Nothing,
        (None, _) => bail!(
            "when was the copy made? `--since 2026-11-25T03:00:00+07:00`; rather a little too early than too late"
        ),
    };
    let restored = whole(context, &*outlet, copy, &arguments).await?;
    tell(context, name, &restored, &[])
}

/// On SQLite: beside its place, then into it.
async fn embedded(context: &Context, arguments: &RestoreArguments) -> anyhow::Result<()> {
    let (app, name) = (&context.app, arguments.ledger.name());
    // nobody else may have it open: not a service, not the console, not another command
    let _alone = embedded::alone(&app.config, name)?;
    let place = app.embedded_file(name)?;
    let side = place.with_extension("db.restoring");
    let copied_at = match &arguments.from {
        Some(copy) => bring_back(copy, &side, name).await?,
        None if arguments.ledger == Ledger::Feed => {
            remove(&side)?;
            None
        }
        None => bail!("which copy? `--from FOLDER/{name}.db`, of a folder made by `loa backup`"),
    };
    let outcome = make_whole(context, arguments, &side, copied_at).await;
    let restored = match outcome {
        Ok(restored) => restored,
        Err(error) => {
            remove(&side)?;
            return Err(error.context(format!("{} is as it was; nothing was changed", place.display())));
        }
    };
    let aside = set_aside(app, &place)?;
    fs::rename(&side, &place).with_context(|| {
        format!("the restored ledger is whole, but could not be put in place: rename {} yourself", side.display())
    })?;
    fs::File::open(&app.config.data_dir).and_then(|folder| folder.sync_all()).context("cannot sync the data folder")?;
    tell(context, name, &restored, &aside)
}

async fn bring_back(copy: &Path, side: &Path, name: &str) -> anyhow::Result<Option<Timestamp>> {
    let mark = copy_in(copy, side).await?;
    if let Some(mark) = &mark
        && mark.ledger != name
    {
        remove(side)?;
        bail!("{} is a copy of {}, not of {name}", copy.display(), mark.ledger);
    }
    Ok(mark.map(|mark| mark.copied_at))
}

/// Makes the copy at `side` whole and closes it. Its schema is brought up to date on the way.
async fn make_whole(
    context: &Context,
    arguments: &RestoreArguments,
    side: &Path,
    copied_at: Option<Timestamp>,
) -> anyhow::Result<Restored> {
    // a copy that says when it was made cannot be younger than that: what was noted in between would go out again
    let made_at = match (arguments.since, copied_at) {
        (Some(said), Some(marked)) => Some(said.min(marked)),
        (said, marked) => said.or(marked),
    };
    let age = match (made_at, &arguments.from) {
        (Some(at), _) => CopyAge::MadeAt(at),
        (None, None) => CopyAge::Nothing,
        (None, Some(copy)) => {
            let needed = matches!(arguments.ledger, Ledger::Feed | Ledger::Digest | Ledger::Push);
            ensure!(!needed, "{} does not say when it was made; `--since` says it", copy.display());
            CopyAge::Nothing
        }
    };
    match arguments.ledger {
        Ledger::Feed => {
            let store = FeedStore::open(side).await?;
            let outlet = Feed(context.app.feed_service_on(Arc::new(store.clone()), context.app.portals().await?)?);
            let restored = whole(context, &outlet, age, arguments).await?;
            store.close().await;
            Ok(restored)
        }
        Ledger::Digest => {
            let store = DigestStore::open(side).await?;
            let restored = whole(context, &store, age, arguments).await?;
            store.close().await;
            Ok(restored)
        }
        Ledger::Push => {
            let store = PushStore::open(side).await?;
            let restored = whole(context, &store, age, arguments).await?;
            store.close().await;
            Ok(restored)
        }
        // these are opened only to see that they are what they should be
        Ledger::Intake => close(IntakeStore::open(side).await?.close()).await,
        Ledger::Access => close(AccessStore::open(side).await?.close()).await,
        Ledger::Receipts => {
            let store = ReceiptStore::open(side).await?;
            // what went out between the copy and now is in no receipt: later restores must know that
            store.incomplete_before(context.app.world.now()).await?;
            close(store.close()).await
        }
        // what was published since the copy is handed to intake again, which has it
        Ledger::Watch => close(WatchStore::open(side).await?.close()).await,
        Ledger::Bus => Ok(Restored::default()),
    }
}

async fn close(closing: impl Future<Output = ()>) -> anyhow::Result<Restored> {
    closing.await;
    Ok(Restored::default())
}

/// Events from the archive, receipts from theirs.
async fn whole(
    context: &Context,
    outlet: &dyn Restorable,
    copy: CopyAge,
    arguments: &RestoreArguments,
) -> anyhow::Result<Restored> {
    let app = &context.app;
    let (intake, receipts) = (app.intake_service().await?, app.receipt_ledger().await?);
    let bar = if context.output.progress() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("{spinner} {pos} events read")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let how = Restoring { copy, even_if_incomplete: arguments.incomplete };
    let restored = intake.restore(outlet, &*receipts, how, |read| bar.set_position(read)).await;
    bar.finish_and_clear();
    let restored = match restored {
        Ok(restored) => restored,
        Err(error @ (RestoreError::CopyTooOld { .. } | RestoreError::NoReceipts)) => {
            let what = "take a younger copy; or, if people may be told some things twice, add --incomplete";
            return Err(anyhow::Error::new(error).context(what));
        }
        Err(error) => return Err(error.into()),
    };
    ensure!(
        restored.deferred == 0 || arguments.incomplete,
        "{} receipts are about articles that the archive does not have (yet). Start `loa intake`, wait until `loa.archive` is \
         empty, stop it, and repeat this; if the archive lost them for good, add --incomplete",
        restored.deferred
    );
    if !arguments.incomplete {
        let what = "an article that was withdrawn may stand again; mend the archive, or add --incomplete";
        crate::places::archive_could_be_read(app).await.context(what)?;
    }
    Ok(restored)
}

/// Moves what stands at the ledger's place aside. Returns where to.
fn set_aside(app: &App, place: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let stamp = app.world.now().to_zoned_datetime(app.zone.clone()).strftime("%Y%m%d-%H%M%S").to_string();
    let aside = place.with_extension(format!("db.before-restore-{stamp}"));
    let mut moved = Vec::new();
    for (from, to) in files_of(place).into_iter().zip(files_of(&aside)) {
        if from.exists() {
            fs::rename(&from, &to).with_context(|| format!("cannot set {} aside", from.display()))?;
            moved.push(to);
        }
    }
    Ok(moved)
}

fn remove(path: &Path) -> anyhow::Result<()> {
    for file in files_of(path) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot delete {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn tell(context: &Context, name: &str, restored: &Restored, aside: &[PathBuf]) -> anyhow::Result<()> {
    let value = json!({
        "ledger": name, "events": restored.events, "receipts": restored.receipts, "refused": restored.refused,
        "deferred": restored.deferred, "set_aside": aside,
    });
    context.output.result(&value, |_| {
        let mut lines = vec![match name {
            "feed" => format!("feed is restored: {} events that it did not have", restored.events),
            "digest" | "push" => format!(
                "{name} is restored: {} events that it did not have, {} receipts read",
                restored.events, restored.receipts
            ),
            _ => format!("{name} is as its copy"),
        }];
        if restored.refused > 0 {
            lines
                .push(format!("{} archived events were refused and passed over; the log names them", restored.refused));
        }
        if restored.deferred > 0 {
            lines.push(format!(
                "{} receipts could not be learned: do not replay what is older than now",
                restored.deferred
            ));
        }
        lines.extend(aside.first().map(|old| format!("what was there before is now {}", old.display())));
        lines.join("\n")
    })
}

/// The feed outlet is a function of the events alone; its service knows which feeds an event belongs to.
struct Feed(feed::Service);

#[async_trait]
impl Arrivals for Feed {
    async fn accept(&self, events: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        self.0.accept_at(events, at).await
    }
}

#[async_trait]
impl Restorable for Feed {
    fn book(&self) -> Option<Book> {
        None
    }

    async fn learn(&self, _: &[Receipt]) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn set_restoring(&self, _: bool) -> Result<(), StoreError> {
        Ok(())
    }
}
