//! The long-running commands: `loa up`, and each service as a process of its own.
//!
//! Each binds its listener, starts the service's loops, and serves its routes until a signal stops
//! it. [`everything`] does this for all services, also for the demo, tests and benchmarks.

use super::Context;
use crate::{
    config::StoreKind,
    lifecycle::{Lifecycle, Signals, bind},
    ops,
    output::sentence,
    places, telemetry,
    wire::App,
};
use axum::Router;
use loa_bus::Queue;
use loa_domain::{Dependency, LedgerName, Outlet};
use loa_worker::{DependencyState, HEARTBEAT_AGE, Inspection, WatchOptions, completeness::queue_of, trouble_of};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Between two times that a console that runs alone asks the ledgers.
const ASK_LEDGERS_EVERY: Duration = Duration::from_secs(5);
/// Between two times that heard heartbeats are noted.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// Between two times that intake asks the broker for what somebody may have changed.
const INSPECT_EVERY: Duration = Duration::from_secs(60);

/// `loa up`: migrates, then runs everything behind one listener. Broker and database need not be there yet; topology and
/// schemas are made when they are.
pub async fn up(context: Context) -> anyhow::Result<()> {
    let app = context.app;
    let listener = bind(app.config.up.listen, "up.listen").await?;
    app.serves_at(listener.local_addr()?)?;
    let (lifecycle, signals) = Lifecycle::start()?;
    let metrics = telemetry::start_metrics()?;
    let (ledgers, stop) = (app.clone(), lifecycle.stop.clone());
    if app.config.store.kind == StoreKind::Sqlite {
        app.migrate_ledgers().await?;
    } else {
        lifecycle.spawn("ledgers", async move {
            match ledgers.migrate_ledgers_in_time(&stop).await {
                Ok(()) => stop.cancelled().await,
                Err(error) => tracing::error!(error = %sentence(&error), "the ledgers cannot be used"),
            }
        });
    }
    let (topology, stop) = (app.clone(), lifecycle.stop.clone());
    lifecycle.spawn("topology", async move {
        match topology.declare_in_time(&stop).await {
            Ok(()) => stop.cancelled().await,
            Err(error) => tracing::error!(error = %sentence(&error), "the bus cannot be opened"),
        }
    });
    let router = everything(&app, &lifecycle).await?;
    note_heartbeats(&app, &lifecycle);
    look_after_places(&app, &lifecycle, &LedgerName::ALL);
    let ops = ops::router(app.status.clone(), Some(app.bus().await?), metrics, app.world.clock.clone());
    tracing::info!(address = %listener.local_addr()?, data = %app.config.data_dir.display(), "loa is up");
    serve_health(&app, &lifecycle, listener.local_addr()?, ops.clone()).await;
    lifecycle.serve(listener, router.merge(ops), &app.config)?;
    end(&app, &lifecycle, signals).await
}

/// Reads the list of portals until the stop: what another process added counts here within seconds.
async fn keep_reading_portals(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<()> {
    let (portals, stop) = (app.portals().await?, lifecycle.stop.clone());
    lifecycle.spawn("portals", async move { portals.keep_reading(&stop).await });
    Ok(())
}

/// All services in this process; their routers, merged.
pub async fn everything(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    keep_reading_portals(app, lifecycle).await?;
    let router = Router::new()
        .merge(start_intake(app, lifecycle).await?)
        .merge(start_feed(app, lifecycle).await?)
        .merge(start_digest(app, lifecycle).await?)
        .merge(start_push(app, lifecycle).await?)
        .merge(start_watch(app, lifecycle).await?)
        .merge(start_console(app, lifecycle).await?);
    Ok(router)
}

/// `loa intake`.
pub async fn intake(context: &Context) -> anyhow::Result<()> {
    let listen = context.app.config.intake.listen;
    alone(
        context,
        listen,
        "intake.listen",
        &[LedgerName::Of(Outlet::Intake), LedgerName::Access],
        async |app, lifecycle| start_intake(app, lifecycle).await,
    )
    .await
}

/// `loa feed`.
pub async fn feed(context: &Context) -> anyhow::Result<()> {
    let listen = context.app.config.feed.listen;
    alone(context, listen, "feed.listen", &[LedgerName::Of(Outlet::Feed)], async |app, lifecycle| {
        start_feed(app, lifecycle).await
    })
    .await
}

/// `loa digest`.
pub async fn digest(context: &Context) -> anyhow::Result<()> {
    let listen = context.app.config.digest.listen;
    alone(
        context,
        listen,
        "digest.listen",
        &[LedgerName::Of(Outlet::Digest), LedgerName::Receipts, LedgerName::Access],
        async |app, lifecycle| start_digest(app, lifecycle).await,
    )
    .await
}

/// `loa push`.
pub async fn push(context: &Context) -> anyhow::Result<()> {
    let listen = context.app.config.push.listen;
    alone(
        context,
        listen,
        "push.listen",
        &[LedgerName::Of(Outlet::Push), LedgerName::Receipts, LedgerName::Access],
        async |app, lifecycle| start_push(app, lifecycle).await,
    )
    .await
}

/// `loa watch`.
pub async fn watch_portals(context: &Context) -> anyhow::Result<()> {
    let listen = context.app.config.watch.listen;
    let own = &[LedgerName::Watch, LedgerName::Of(Outlet::Intake)];
    alone(context, listen, "watch.listen", own, async |app, lifecycle| start_watch(app, lifecycle).await).await
}

/// `loa console`.
pub async fn console(context: &Context) -> anyhow::Result<()> {
    let listen = context.app.config.console.listen;
    alone(context, listen, "console.listen", &[LedgerName::Access], async |app, lifecycle| {
        app.status.expect(Dependency::LedgersRead);
        let (reader, stop) = (app.clone(), lifecycle.stop.clone());
        lifecycle.spawn("ledgers", async move { read_ledgers(&reader, &stop).await });
        start_console(app, lifecycle).await
    })
    .await
}

/// A console reads when somebody looks at it. So that readiness tells before, it asks the ledgers by itself.
async fn read_ledgers(app: &App, stop: &CancellationToken) {
    let asking = async {
        loop {
            match app.read_ledgers().await {
                Ok(()) => drop(app.status.report(Dependency::LedgersRead, DependencyState::Up)),
                Err(error) => {
                    let down = DependencyState::Down(trouble_of(error.as_ref()));
                    if app.status.report(Dependency::LedgersRead, down) {
                        tracing::warn!(error = %sentence(&error), "the ledgers cannot be read; trying again until they can");
                    }
                }
            }
            tokio::time::sleep(ASK_LEDGERS_EVERY).await;
        }
    };
    // asking changes nothing: it may be cut anywhere
    let _: Option<()> = stop.run_until_cancelled(asking).await;
}

/// One service behind a listener of its own. The broker need not be there yet; readiness tells.
async fn alone(
    context: &Context,
    listen: SocketAddr,
    setting: &str,
    own: &'static [LedgerName],
    start: impl AsyncFnOnce(&Arc<App>, &Lifecycle) -> anyhow::Result<Router>,
) -> anyhow::Result<()> {
    let app = &context.app;
    let listener = bind(listen, setting).await?;
    let (lifecycle, signals) = Lifecycle::start()?;
    let metrics = telemetry::start_metrics()?;
    keep_reading_portals(app, &lifecycle).await?;
    let router = start(app, &lifecycle).await?;
    note_heartbeats(app, &lifecycle);
    look_after_places(app, &lifecycle, own);
    let ops = ops::router(app.status.clone(), Some(app.bus().await?), metrics, app.world.clock.clone());
    tracing::info!(address = %listener.local_addr()?, "listening");
    serve_health(app, &lifecycle, listener.local_addr()?, ops.clone()).await;
    lifecycle.serve(listener, router.merge(ops), &app.config)?;
    end(app, &lifecycle, signals).await
}

/// A listener of its own for health and metrics, beside the main one, where they are answered too. Without it everything else
/// works, so an address that is taken is told and no reason to end.
async fn serve_health(app: &App, lifecycle: &Lifecycle, main: SocketAddr, ops: Router) {
    let settings = &app.config.health;
    if settings.port_offset == 0 {
        return;
    }
    let bound = match main.port().checked_add(settings.port_offset) {
        Some(port) => {
            TcpListener::bind((settings.address, port)).await.map_err(|error| format!("port {port}: {error}"))
        }
        None => Err(format!("{} and health.port_offset together are no port", main.port())),
    };
    match bound {
        Ok(listener) => {
            tracing::info!(address = ?listener.local_addr().ok(), "health and metrics have a listener of their own");
            lifecycle.serve_health(listener, ops);
        }
        Err(error) => tracing::warn!(
            %error,
            "health and metrics have no listener of their own, and are answered at the main one alone; see `health.port_offset`"
        ),
    }
}

async fn end(app: &App, lifecycle: &Lifecycle, signals: Signals) -> anyhow::Result<()> {
    let outcome = lifecycle.run(signals, Duration::from_secs(app.config.stop.grace_seconds)).await;
    app.close().await;
    outcome
}

async fn start_intake(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = app.intake_service().await?;
    let (worker, bus, status, stop) = (service.clone(), app.bus().await?, app.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("intake", async move { worker.run(bus, status, stop).await });
    let (audit, bus, status, stop) = (app.audit().await?, app.bus().await?, app.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("audit", async move {
        audit.run(bus, status, stop.clone()).await;
        stop.cancelled().await; // it may be switched off
    });
    watch(app, lifecycle, Outlet::Intake).await?;
    Ok(service.router(app.tokens().await?))
}

async fn start_feed(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = app.feed_service().await?;
    let (worker, bus, status, stop) = (service.clone(), app.bus().await?, app.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("feed", async move { worker.run(bus, status, stop).await });
    watch(app, lifecycle, Outlet::Feed).await?;
    Ok(service.router())
}

async fn start_digest(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = app.digest_service().await?;
    let (worker, bus, status, stop) = (service.clone(), app.bus().await?, app.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("digest", async move { worker.run(bus, status, stop).await });
    watch(app, lifecycle, Outlet::Digest).await?;
    Ok(service.router(app.tokens().await?))
}

/// The push outlet, and the hub beside it.
async fn start_push(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let (push, hub, tokens) = (app.push_service().await?, app.hub_service().await?, app.tokens().await?);
    let (worker, bus, status, stop) = (push.clone(), app.bus().await?, app.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("push", async move { worker.run(bus, status, stop).await });
    if app.config.hub.enabled {
        let (worker, status, stop) = (hub.clone(), app.status.clone(), lifecycle.stop.clone());
        lifecycle.spawn("hub", async move { worker.run(status, stop).await });
    }
    watch(app, lifecycle, Outlet::Push).await?;
    Ok(push.router(tokens.clone()).merge(hub.router(tokens)))
}

/// Looks at portals. It serves nothing but health and metrics.
async fn start_watch(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let (service, status, stop) = (app.watch_service().await?, app.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("watch portals", async move { service.run(status, stop).await });
    Ok(Router::new())
}

/// Watches the queue of a service. The age of its newest heartbeat is counted from now on, so that a path that never worked
/// shows, too.
async fn watch(app: &Arc<App>, lifecycle: &Lifecycle, outlet: Outlet) -> anyhow::Result<()> {
    let queue = queue_of(outlet);
    let options = WatchOptions {
        queues: vec![queue],
        unrouted: queue == Queue::Archive,
        every: Duration::from_secs(app.config.bus.probe_interval_seconds),
        inspect_every: (queue == Queue::Archive).then_some(INSPECT_EVERY),
        inspection: if app.config.bus.is_managed() { Inspection::Everything } else { Inspection::Leftovers },
    };
    // before anybody can ask: a task that has not begun yet has reported nothing
    app.status.expect(Dependency::Topology);
    app.status.expect(Dependency::Queue(outlet));
    app.status.note(HEARTBEAT_AGE, queue.name(), app.world.now());
    let (bus, status, stop) = (app.bus().await?, app.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("watch", loa_worker::watch(options, bus, status, stop));
    Ok(())
}

/// Notes what this process heard in intake's ledger, where what all processes heard is judged. A ledger that is away holds
/// nothing up: the newest heartbeats are noted when it is back.
fn note_heartbeats(app: &Arc<App>, lifecycle: &Lifecycle) {
    let (app, stop) = (app.clone(), lifecycle.stop.clone());
    lifecycle.spawn("heartbeats", async move {
        while stop.run_until_cancelled(tokio::time::sleep(NOTE_EVERY)).await.is_some() {
            let heard = app.status.take_heard();
            if heard.is_empty() {
                continue;
            }
            let noted = async { anyhow::Ok(app.intake_ledger().await?.heartbeats_heard(&heard).await?) };
            if let Err(error) = noted.await {
                tracing::debug!(error = %sentence(&error), "heartbeats cannot be noted now");
                heard.into_iter().for_each(|one| app.status.heard(one));
            }
        }
    });
}

/// Looks after the places of the ledgers that this process has opened; `own`: those without which it does not do its work.
fn look_after_places(app: &Arc<App>, lifecycle: &Lifecycle, own: &'static [LedgerName]) {
    lifecycle.spawn("places", places::look_after(app.clone(), own, lifecycle.stop.clone()));
}

async fn start_console(app: &Arc<App>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = app.console_service(lifecycle.tasks()).await?;
    Ok(service.router())
}
