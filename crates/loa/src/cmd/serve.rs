//! The long-running commands: `loa up`, and each service as a process of its own.

use super::Context;
use crate::{
    config::StoreKind,
    lifecycle::{Lifecycle, Signals, bind},
    ops,
    output::sentence,
    telemetry,
    wire::House,
};
use axum::Router;
use loa_bus::Queue;
use loa_worker::{HEARTBEAT_AGE, TOPOLOGY, WatchOptions};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// `loa up`: migrates, then runs everything behind one listener. Broker and database need not be there yet; topology and
/// schemas are made when they are.
pub async fn up(context: Context) -> anyhow::Result<()> {
    let house = context.house;
    let listener = bind(house.config.up.listen, "up.listen").await?;
    house.serves_at(listener.local_addr()?)?;
    let (lifecycle, signals) = Lifecycle::start()?;
    let metrics = telemetry::start_metrics()?;
    let (ledgers, stop) = (house.clone(), lifecycle.stop.clone());
    if house.config.store.kind == StoreKind::Sqlite {
        house.migrate_ledgers().await?;
    } else {
        lifecycle.spawn("ledgers", async move {
            match ledgers.migrate_ledgers_in_time(&stop).await {
                Ok(()) => stop.cancelled().await,
                Err(error) => tracing::error!(error = %sentence(&error), "the ledgers cannot be used"),
            }
        });
    }
    let (topology, stop) = (house.clone(), lifecycle.stop.clone());
    lifecycle.spawn("topology", async move {
        match topology.declare_in_time(&stop).await {
            Ok(()) => stop.cancelled().await,
            Err(error) => tracing::error!(error = %sentence(&error), "the bus cannot be opened"),
        }
    });
    let router = everything(&house, &lifecycle).await?;
    let ops = ops::router(house.status.clone(), Some(house.bus().await?), metrics, house.world.clock.clone());
    tracing::info!(address = %listener.local_addr()?, data = %house.config.data_dir.display(), "loa is up");
    lifecycle.serve(listener, router.merge(ops), house.config.site.proxies()?);
    end(&house, &lifecycle, signals).await
}

/// All services in this process; their routers, merged.
pub async fn everything(house: &Arc<House>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let router = Router::new()
        .merge(start_intake(house, lifecycle).await?)
        .merge(start_feed(house, lifecycle).await?)
        .merge(start_digest(house, lifecycle).await?)
        .merge(start_push(house, lifecycle).await?)
        .merge(start_console(house).await?);
    Ok(router)
}

/// `loa intake`.
pub async fn intake(context: &Context) -> anyhow::Result<()> {
    let listen = context.house.config.intake.listen;
    alone(context, listen, "intake.listen", async |house, lifecycle| start_intake(house, lifecycle).await).await
}

/// `loa feed`.
pub async fn feed(context: &Context) -> anyhow::Result<()> {
    let listen = context.house.config.feed.listen;
    alone(context, listen, "feed.listen", async |house, lifecycle| start_feed(house, lifecycle).await).await
}

/// `loa digest`.
pub async fn digest(context: &Context) -> anyhow::Result<()> {
    let listen = context.house.config.digest.listen;
    alone(context, listen, "digest.listen", async |house, lifecycle| start_digest(house, lifecycle).await).await
}

/// `loa push`.
pub async fn push(context: &Context) -> anyhow::Result<()> {
    let listen = context.house.config.push.listen;
    alone(context, listen, "push.listen", async |house, lifecycle| start_push(house, lifecycle).await).await
}

/// `loa console`.
pub async fn console(context: &Context) -> anyhow::Result<()> {
    let listen = context.house.config.console.listen;
    alone(context, listen, "console.listen", async |house, _| start_console(house).await).await
}

/// One service behind a listener of its own. The broker need not be there yet; readiness tells.
async fn alone(
    context: &Context,
    listen: SocketAddr,
    setting: &str,
    start: impl AsyncFnOnce(&Arc<House>, &Lifecycle) -> anyhow::Result<Router>,
) -> anyhow::Result<()> {
    let house = &context.house;
    let listener = bind(listen, setting).await?;
    let (lifecycle, signals) = Lifecycle::start()?;
    let metrics = telemetry::start_metrics()?;
    let router = start(house, &lifecycle).await?;
    let ops = ops::router(house.status.clone(), Some(house.bus().await?), metrics, house.world.clock.clone());
    tracing::info!(address = %listener.local_addr()?, "listening");
    lifecycle.serve(listener, router.merge(ops), house.config.site.proxies()?);
    end(house, &lifecycle, signals).await
}

async fn end(house: &House, lifecycle: &Lifecycle, signals: Signals) -> anyhow::Result<()> {
    let outcome = lifecycle.run(signals, Duration::from_secs(house.config.stop.grace_seconds)).await;
    house.close().await;
    outcome
}

async fn start_intake(house: &Arc<House>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = house.intake_service().await?;
    let (worker, bus, status, stop) =
        (service.clone(), house.bus().await?, house.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("intake", async move { worker.run(bus, status, stop).await });
    watch(house, lifecycle, Queue::Archive).await?;
    Ok(service.router(house.tokens().await?))
}

async fn start_feed(house: &Arc<House>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = house.feed_service().await?;
    let (worker, bus, status, stop) =
        (service.clone(), house.bus().await?, house.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("feed", async move { worker.run(bus, status, stop).await });
    watch(house, lifecycle, Queue::Feed).await?;
    Ok(service.router())
}

async fn start_digest(house: &Arc<House>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = house.digest_service().await?;
    let (worker, bus, status, stop) =
        (service.clone(), house.bus().await?, house.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("digest", async move { worker.run(bus, status, stop).await });
    watch(house, lifecycle, Queue::Digest).await?;
    Ok(service.router(house.tokens().await?))
}

async fn start_push(house: &Arc<House>, lifecycle: &Lifecycle) -> anyhow::Result<Router> {
    let service = house.push_service().await?;
    let (worker, bus, status, stop) =
        (service.clone(), house.bus().await?, house.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("push", async move { worker.run(bus, status, stop).await });
    watch(house, lifecycle, Queue::Push).await?;
    Ok(service.router(house.tokens().await?))
}

/// Watches the queue of a service. The age of its newest heartbeat is counted from now on, so that a path that never worked
/// shows, too.
async fn watch(house: &Arc<House>, lifecycle: &Lifecycle, queue: Queue) -> anyhow::Result<()> {
    let options = WatchOptions {
        queues: vec![queue],
        unrouted: queue == Queue::Archive,
        every: Duration::from_secs(house.config.bus.look_seconds),
    };
    // before anybody can ask: a task that has not begun yet has reported nothing
    house.status.expect(TOPOLOGY);
    house.status.expect(&format!("bus {queue}"));
    house.status.note(HEARTBEAT_AGE, queue.name(), house.world.now());
    let (bus, status, stop) = (house.bus().await?, house.status.clone(), lifecycle.stop.clone());
    lifecycle.spawn("watch", loa_worker::watch(options, bus, status, stop));
    Ok(())
}

async fn start_console(house: &Arc<House>) -> anyhow::Result<Router> {
    let service = house.console_service().await?;
    Ok(service.router())
}
