//! `loa check`: prints one line for each setting and server, and exits with 1 when one is not ok.
//!
//! What is wrong has a word for machines beside its sentence: the kinds of `/readyz`. The command asks each service, ledger,
//! bus and mail server whether it answers, and tells what the audit last found. It changes nothing.

use super::Context;
use crate::{fault_error::kind_of, output::sentence, places, wire::App};
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use loa_bus::{Bus, Queue};
use loa_domain::{Fault, LedgerName, Outlet, Portal};
use loa_words::replay;
use loa_worker::completeness::{self, Verdict};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// The longest that looking at each page of one ledger's file may take.
const EXAMINED_IN: Duration = Duration::from_secs(20);
/// The longest that reading the rows of one ledger may take.
const SURVEYED_IN: Duration = Duration::from_secs(5);
/// How long a damaged page of the database is news.
const DAMAGE_IS_NEW: SignedDuration = SignedDuration::from_hours(24);
/// How long events may wait in an outlet's queue before that is a fault, beyond the audit's delay, in seconds.
const LATE_MAX: i64 = 60;

#[derive(Serialize)]
struct Line {
    what: &'static str,
    ok: bool,
    /// What kind of fault or trouble it is, as on `/readyz`; absent where all is well, or where it is none of them (a setting).
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    detail: String,
}

impl Line {
    fn good(what: &'static str, detail: String) -> Self {
        Self { what, ok: true, kind: None, detail }
    }

    fn shown(&self) -> String {
        let kind = self.kind.map_or_else(String::new, |kind| format!(" [{kind}]"));
        format!("{:4}  {:15}  {}{kind}", if self.ok { "ok" } else { "FAIL" }, self.what, self.detail)
    }
}

/// Runs the command.
pub async fn run(context: &Context, since: Option<Timestamp>) -> anyhow::Result<()> {
    let app = &context.app;
    let mut lines = Lines(vec![
        Line::good("configuration", format!("read; data in {}", app.config.data_dir.display())),
        Line::good("areas", format!("{} areas", app.directory.len())),
    ]);
    let identity = app.config.home_portal().map(|home| identity(app, &home));
    let has_identity = identity.is_ok();
    lines.note("identity", identity);
    if has_identity {
        installation(context, since, &mut lines).await;
    }
    let Lines(lines) = lines;
    let good = lines.iter().all(|line| line.ok);
    context.output.result(&lines, |lines| lines.iter().map(Line::shown).collect::<Vec<_>>().join("\n"))?;
    anyhow::ensure!(good, "not everything is in order");
    Ok(())
}

/// Whose installation it is, and how far it can be reached.
fn identity(app: &App, home: &Portal) -> String {
    let public_url = &app.config.site.public_url;
    let alone =
        if app.config.site.is_only_here() { ", which only this machine can open (`site.public_url`)" } else { "" };
    let Portal { name, tag_authority, tag_date, .. } = home;
    format!("{name}; ids begin with tag:{tag_authority},{tag_date}:; readers come to {public_url}{alone}")
}

/// What an installation with an identity consists of: ledgers, queues, services, the mail server.
async fn installation(context: &Context, since: Option<Timestamp>, lines: &mut Lines) {
    database(context, lines).await;
    ledgers(context, lines).await;
    bus(context, lines).await;
    lines.note("outbox", outbox(context).await);
    for outcome in watched(context).await {
        lines.note("watched sources", outcome);
    }
    for (what, outlet) in
        [("complete feed", Outlet::Feed), ("complete digest", Outlet::Digest), ("complete push", Outlet::Push)]
    {
        lines.note(what, completeness(context, outlet).await);
        if let Some(since) = since {
            lines.note(what, completeness_since(context, outlet, since).await);
        }
    }
    lines.note("heartbeats", heartbeats(context).await);
    services(context, lines).await;
    lines.note("mail server", super::digest::reach(context).await);
}

/// What was found so far.
struct Lines(Vec<Line>);

impl Lines {
    fn note(&mut self, what: &'static str, outcome: anyhow::Result<String>) {
        self.0.push(match outcome {
            Ok(detail) => Line::good(what, detail),
            Err(error) => Line { what, ok: false, kind: kind_of(&error), detail: sentence(&error) },
        });
    }
}

async fn database(context: &Context, lines: &mut Lines) {
    let app = &context.app;
    match app.database_reached().await {
        Ok(None) => {}
        reached => lines.note("database", reached.map(|at| format!("reached at {}", at.unwrap_or_default()))),
    }
    match app.database_damage().await {
        Ok(None) => {}
        Ok(Some((pages, at))) => lines.note("database pages", damaged_pages(app.world.now(), pages, at)),
        Err(error) => lines.note("database pages", Err(error)),
    }
}

async fn ledgers(context: &Context, lines: &mut Lines) {
    let app = &context.app;
    for (what, ledger, reached) in [
        ("ledger intake", LedgerName::Of(Outlet::Intake), async { Ok(app.intake_ledger().await?.ping().await?) }.await),
        ("ledger feed", LedgerName::Of(Outlet::Feed), async { Ok(app.feed_ledger().await?.ping().await?) }.await),
        ("ledger digest", LedgerName::Of(Outlet::Digest), async { Ok(app.digest_ledger().await?.ping().await?) }.await),
        ("ledger push", LedgerName::Of(Outlet::Push), async { Ok(app.push_ledger().await?.ping().await?) }.await),
        ("ledger access", LedgerName::Access, async { Ok(app.access_ledger().await?.ping().await?) }.await),
        ("ledger watch", LedgerName::Watch, async { Ok(app.watch_ledger().await?.ping().await?) }.await),
        ("ledger receipts", LedgerName::Receipts, async { Ok(app.receipt_ledger().await?.ping().await?) }.await),
    ] {
        lines.note(what, async { examined(context, ledger, reached).await }.await);
    }
}

async fn bus(context: &Context, lines: &mut Lines) {
    match reached_bus(context).await {
        Ok(bus) => {
            lines.note("bus", is_there(&*bus).await);
            lines.note("topology", super::topology::summary(context).await);
            lines.note("unrouted", unrouted(context, &*bus).await);
        }
        Err(error) => {
            lines.note("bus", Err(error));
            for what in ["topology", "unrouted"] {
                lines.note(what, Err(anyhow::anyhow!("not looked at: the bus is not reached")));
            }
        }
    }
}

/// Makes each service: it reads its own section, and the files that are named in it.
async fn services(context: &Context, lines: &mut Lines) {
    let app = &context.app;
    for (what, made) in [
        ("service intake", app.intake_service().await.map(drop)),
        ("service feed", app.feed_service().await.map(drop)),
        ("service digest", app.digest_service().await.map(drop)),
        ("service push", app.push_service().await.map(drop)),
        ("service watch", app.watch_visitor().map(drop)),
        ("service hub", app.hub_service().await.map(drop)),
    ] {
        lines.note(what, made.map(|()| "its settings are good".to_owned()));
    }
}

/// Whether the sources that are watched are looked at, and are as they should be; each that is not, so far as they are few.
async fn watched(context: &Context) -> Vec<anyhow::Result<String>> {
    const TOLD_MAX: usize = 10;
    let looked = async { Ok::<_, anyhow::Error>(context.app.watch_ledger().await?.watches(false).await?) };
    let views = match looked.await {
        Ok(views) => views,
        Err(error) => return vec![Err(error)],
    };
    let now = context.app.world.now();
    let faults: Vec<Fault> = views.iter().filter_map(|view| view.fault(now)).collect();
    let others = faults.len().saturating_sub(TOLD_MAX);
    let mut told: Vec<anyhow::Result<String>> =
        faults.into_iter().take(TOLD_MAX).map(|fault| Err(context.fault(fault))).collect();
    if others > 0 {
        told.push(Err(anyhow::anyhow!("{others} more sources are not as they should be; see `loa watch list`")));
    }
    if told.is_empty() {
        told.push(Ok(match views.len() {
            0 => "no portal is watched".to_owned(),
            count => format!("{count} are looked at, and as they should be"),
        }));
    }
    told
}

async fn reached_bus(context: &Context) -> anyhow::Result<Arc<dyn Bus>> {
    let bus = context.app.bus().await?;
    context.app.look_at_bus(&bus).await?;
    Ok(bus)
}

/// Where the bus was reached, and whether its topology is there.
async fn is_there(bus: &dyn Bus) -> anyhow::Result<String> {
    let not_known = bus.check().await.context("`loa migrate` makes what is missing")?;
    let at = bus.reached().map_or_else(String::new, |at| format!(" at {at}"));
    Ok(if not_known.is_empty() {
        format!("reached{at}; the topology is there")
    } else {
        format!(
            "reached{at}; whether the topology is there is not known: this broker lets only those look who have the right `configure`"
        )
    })
}

/// Whether messages lie where no queue took them.
async fn unrouted(context: &Context, bus: &dyn Bus) -> anyhow::Result<String> {
    match loa_worker::unrouted(bus.unrouted().await?) {
        None => Ok("no message is without a queue".to_owned()),
        Some(fault) => Err(context.fault(fault)),
    }
}

/// Whether events are set aside that the bus does not take as they are.
async fn outbox(context: &Context) -> anyhow::Result<String> {
    let state = context.app.intake_ledger().await?.outbox_state().await?;
    match state.set_aside {
        None => Ok(match state.back_files {
            Some(back_files) => {
                format!("{} events wait for the bus, {} of them of back-files", state.waiting, back_files.count)
            }
            None => format!("{} events wait for the bus", state.waiting),
        }),
        Some(set_aside) => Err(context.fault(set_aside.fault())),
    }
}

/// That a ledger was reached, and is whole: each page of a file is looked at, within a bound of time.
async fn examined(context: &Context, ledger: LedgerName, reached: anyhow::Result<()>) -> anyhow::Result<String> {
    let app = &context.app;
    let Some(place) = app.places().into_iter().find(|place| place.ledger() == ledger.as_str()) else {
        return reached.map(|()| "reached".to_owned());
    };
    let examined = tokio::time::timeout(EXAMINED_IN, place.examine()).await;
    // damage says more than what came of it
    let whole = examined.map_or(Ok(false), |examined| examined.map(|()| true))?;
    reached?;
    // a service knows the rows that it has met, and this process none: so it reads them itself
    let read_all = place.survey(SURVEYED_IN).await?;
    if let Some(fault) = places::unreadable(ledger, &place.condition().await) {
        return Err(context.fault(fault));
    }
    let rows =
        if read_all { "every row that is worked with can be read" } else { "its rows are too many to read each now" };
    if !app.is_embedded() {
        return Ok(format!("reached; {rows}"));
    }
    let bytes = places::log_bytes(&app.config, ledger.as_str());
    if let Some(fault) = bytes.and_then(|bytes| places::long_log(&app.config, ledger, bytes)) {
        return Err(context.fault(fault));
    }
    let looked = if whole { "every page is whole" } else { "it is too large to look at each page now" };
    Ok(format!("reached; {looked}, {rows}"))
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
    let delay = app.config.intake.audit_delay();
    let until = now.saturating_sub(jiff::SignedDuration::try_from(delay)?)?;
    let states = app.intake_ledger().await?.completeness(until).await?;
    let state = states.iter().find(|state| state.outlet == outlet).context("the ledger does not know this outlet")?;
    let verdict = completeness::judge(state, now, delay);
    let dead = app.bus().await?.depth(completeness::queue_of(outlet)).await.ok().map(|(_, dead)| dead);
    match (completeness::fault(outlet, &verdict, dead), &verdict) {
        (None, _) => Ok(match state.asked_at {
            Some(at) => format!("has seen what was archived; asked {at}"),
            None => "nothing was archived since the audit began".to_owned(),
        }),
        (Some(fault), Verdict::Late(gaps)) if now.duration_since(gaps.since).as_secs() <= LATE_MAX => {
            Ok(context.output.language.words().fault(&fault, now))
        }
        (Some(fault), _) => Err(context.fault(fault)),
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
            replay(outlet, gaps.since),
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
    let now = app.world.now();
    context.no_faults(completeness::judge_heartbeats(&heard, &own, now, every, &empty))?;
    Ok(match heard.iter().filter(|one| one.installation == own).map(|one| one.sent_at).max() {
        Some(at) => format!("the newest that came through was sent {at}"),
        None => "none came through yet".to_owned(),
    })
}
