//! `loa check`: prints one line for each setting and server, and exits with 1 when one is not ok.
//!
//! It asks each service, ledger, bus and mail server whether it answers, and tells what the audit last found. It changes
//! nothing.

use super::Context;
use crate::{output::sentence, places};
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use loa_bus::Queue;
use loa_domain::Outlet;
use loa_worker::completeness::{self, Verdict};
use serde::Serialize;
use std::time::Duration;

/// The longest that looking at each page of one ledger's file may take.
const EXAMINED_IN: Duration = Duration::from_secs(20);
/// How long a damaged page of the database is news.
const DAMAGE_IS_NEW: SignedDuration = SignedDuration::from_hours(24);
/// How long events may wait in an outlet's queue before that is a fault, beyond the audit's settling time, in seconds.
const LATE_MAX: i64 = 60;

#[derive(Serialize)]
struct Line {
    what: &'static str,
    ok: bool,
    detail: String,
}

/// Runs the command.
pub async fn run(context: &Context, since: Option<Timestamp>) -> anyhow::Result<()> {
    let app = &context.app;
    let mut lines = vec![
        Line { what: "configuration", ok: true, detail: format!("read; data in {}", app.config.data_dir.display()) },
        Line { what: "areas", ok: true, detail: format!("{} areas", app.directory.len()) },
    ];
    let mut note = |what: &'static str, outcome: anyhow::Result<String>| {
        let (ok, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(error) => (false, sentence(&error)),
        };
        lines.push(Line { what, ok, detail });
    };
    match app.database_reached().await {
        Ok(None) => {}
        reached => note("database", reached.map(|at| format!("reached at {}", at.unwrap_or_default()))),
    }
    match app.database_damage().await {
        Ok(None) => {}
        Ok(Some((pages, at))) => note("database pages", damaged_pages(app.world.now(), pages, at)),
        Err(error) => note("database pages", Err(error)),
    }
    for (what, ledger, reached) in [
        ("ledger intake", "intake", async { Ok(app.intake_ledger().await?.ping().await?) }.await),
        ("ledger feed", "feed", async { Ok(app.feed_ledger().await?.ping().await?) }.await),
        ("ledger digest", "digest", async { Ok(app.digest_ledger().await?.ping().await?) }.await),
        ("ledger push", "push", async { Ok(app.push_ledger().await?.ping().await?) }.await),
        ("ledger access", "access", async { Ok(app.access_ledger().await?.ping().await?) }.await),
        ("ledger receipts", "receipts", async { Ok(app.receipt_ledger().await?.ping().await?) }.await),
    ] {
        note(what, async { examined(context, ledger, reached).await }.await);
    }
    note(
        "bus",
        async {
            let bus = app.bus().await?;
            app.wait_for_bus(&bus).await?;
            let not_known = bus.check().await.context("`loa migrate` makes what is missing")?;
            let at = bus.reached().map_or_else(String::new, |at| format!(" at {at}"));
            Ok(if not_known.is_empty() {
                format!("reached{at}; the topology is there")
            } else {
                format!(
                    "reached{at}; whether the topology is there is not known: this broker lets only those look who have the \
                     right `configure`"
                )
            })
        }
        .await,
    );
    note("topology", super::topology::summary(context).await);
    note("unrouted", unrouted(context).await);
    note("outbox", outbox(context).await);
    for (what, outlet) in
        [("complete feed", Outlet::Feed), ("complete digest", Outlet::Digest), ("complete push", Outlet::Push)]
    {
        note(what, completeness(context, outlet).await);
        if let Some(since) = since {
            note(what, completeness_since(context, outlet, since).await);
        }
    }
    note("heartbeats", heartbeats(context).await);
    // each service reads its own section, and the files that are named in it
    for (what, made) in [
        ("service intake", app.intake_service().await.map(drop)),
        ("service feed", app.feed_service().await.map(drop)),
        ("service digest", app.digest_service().await.map(drop)),
        ("service push", app.push_service().await.map(drop)),
        ("service hub", app.hub_service().await.map(drop)),
    ] {
        note(what, made.map(|()| "its settings are good".to_owned()));
    }
    note("mail server", super::digest::reach(context).await);
    let good = lines.iter().all(|line| line.ok);
    context.output.result(&lines, |lines| {
        let rows: Vec<String> = lines
            .iter()
            .map(|line| format!("{:4}  {:15}  {}", if line.ok { "ok" } else { "FAIL" }, line.what, line.detail))
            .collect();
        rows.join("\n")
    })?;
    anyhow::ensure!(good, "not everything is in order");
    Ok(())
}

/// Whether messages lie where no queue took them.
async fn unrouted(context: &Context) -> anyhow::Result<String> {
    match loa_worker::unrouted_words(context.app.bus().await?.unrouted().await?) {
        None => Ok("no message is without a queue".to_owned()),
        Some(said) => anyhow::bail!(said),
    }
}

/// Whether events are set aside that the bus does not take as they are.
async fn outbox(context: &Context) -> anyhow::Result<String> {
    let state = context.app.intake_ledger().await?.outbox_state().await?;
    match state.set_aside {
        None => Ok(format!("{} events wait for the bus", state.waiting)),
        Some(set_aside) => anyhow::bail!(loa_svc_intake::set_aside_words(&set_aside)),
    }
}

/// That a ledger was reached, and is whole: each page of a file is looked at, within a bound of time.
async fn examined(context: &Context, ledger: &str, reached: anyhow::Result<()>) -> anyhow::Result<String> {
    let app = &context.app;
    let Some(place) = app.places().into_iter().find(|place| place.ledger() == ledger) else {
        return reached.map(|()| "reached".to_owned());
    };
    let examined = tokio::time::timeout(EXAMINED_IN, place.examine()).await;
    // damage says more than what came of it
    let whole = examined.map_or(Ok(false), |examined| examined.map(|()| true))?;
    reached?;
    if !app.is_embedded() {
        return Ok("reached".to_owned());
    }
    if let Some(long) =
        places::log_bytes(&app.config, ledger).and_then(|bytes| places::long_log(&app.config, ledger, bytes))
    {
        anyhow::bail!(long);
    }
    let looked = if whole { "every page is whole" } else { "it is too large to look at each page now" };
    Ok(format!("reached; {looked}"))
}

/// What PostgreSQL has counted of damaged pages. It counts for ever, so only what is new is a fault.
fn damaged_pages(now: Timestamp, pages: u64, last_at: Option<Timestamp>) -> anyhow::Result<String> {
    let said = last_at.map_or_else(String::new, |at| format!(", the last at {at}"));
    let is_new = last_at.is_none_or(|at| now.duration_since(at) < DAMAGE_IS_NEW);
    anyhow::ensure!(
        !is_new,
        "{pages} times a page of the database was found damaged{said}: stop every `loa`, save the database's files, and bring \
         it back from its backup (docs/operating/backup-and-restore.md). If that was done since, `SELECT pg_stat_reset()` \
         takes this line away"
    );
    Ok(format!("{pages} were once found damaged{said}; none since"))
}

/// What the audit last found of an outlet; it is not asked anew.
async fn completeness(context: &Context, outlet: Outlet) -> anyhow::Result<String> {
    let (app, now) = (&context.app, context.app.world.now());
    anyhow::ensure!(
        app.config.intake.audit_seconds > 0,
        "not known: the audit is switched off (`intake.audit_seconds`)"
    );
    let settle = app.config.intake.audit_settle();
    let until = now.saturating_sub(jiff::SignedDuration::try_from(settle)?)?;
    let states = app.intake_ledger().await?.completeness(until).await?;
    let state = states.iter().find(|state| state.outlet == outlet).context("the ledger does not know this outlet")?;
    let verdict = completeness::judge(state, now, settle);
    let dead = app.bus().await?.depth(completeness::queue_of(outlet)).await.ok().map(|(_, dead)| dead);
    match (completeness::sentence(outlet, &verdict, dead), &verdict) {
        (None, _) => Ok(match state.asked_at {
            Some(at) => format!("has seen what was archived; asked {at}"),
            None => "nothing was archived since the audit began".to_owned(),
        }),
        (Some(said), Verdict::Late(gaps)) if now.duration_since(gaps.since).as_secs() <= LATE_MAX => Ok(said),
        (Some(said), _) => anyhow::bail!(said),
    }
}

/// What an outlet has not seen of all that was archived since then.
async fn completeness_since(context: &Context, outlet: Outlet, since: Timestamp) -> anyhow::Result<String> {
    let (looked, gaps) = context.app.audit().await?.missing_since(outlet, since).await?;
    // what cannot be read was not asked for
    let unread = places::archive_could_be_read(&context.app).await;
    match gaps {
        None => unread.map(|()| format!("looked through {looked} events archived since {since}: it has seen all")),
        Some(gaps) => anyhow::bail!(
            "looked through {looked} events archived since {since}: {} never reached it (for instance {}, event {}). `{}` \
             brings them{}",
            gaps.count,
            gaps.article,
            gaps.event.id,
            completeness::replay(outlet, &gaps),
            unread.err().map_or_else(String::new, |error| format!("; {}", sentence(&error)))
        ),
    }
}

/// What heartbeats give away: a silent binding, another installation.
async fn heartbeats(context: &Context) -> anyhow::Result<String> {
    let app = &context.app;
    let (ledger, bus) = (app.intake_ledger().await?, app.bus().await?);
    let mut empty = Vec::new();
    for queue in Queue::ALL {
        if matches!(bus.depth(queue).await, Ok((0, _))) {
            empty.push(queue);
        }
    }
    let (own, heard) = (ledger.installation().await?, ledger.heartbeats().await?);
    let every = app.config.intake.heartbeat_every();
    let faults = completeness::judge_heartbeats(&heard, &own, app.world.now(), every, &empty);
    let said: Vec<String> = faults.iter().map(completeness::HeartbeatFault::sentence).collect();
    anyhow::ensure!(said.is_empty(), said.join("; "));
    Ok(match heard.iter().filter(|one| one.installation == own).map(|one| one.sent_at).max() {
        Some(at) => format!("the newest that came through was sent {at}"),
        None => "none came through yet".to_owned(),
    })
}
