//! `loa demo`: everything in one process on a throw-away folder, with two stand-ins as receivers.
//!
//! The services are those of `loa up`, wired by `wire.rs`. The stand-ins are a mail catcher and a
//! provincial portal. The story (`story.rs`) does what an editor does: it publishes, corrects,
//! withdraws, and waits for each outlet.

mod pages;
mod portal;
mod story;

use crate::{
    cli::ListenPlace,
    cmd::serve,
    config::{self, BusKind, Config, StoreKind},
    lifecycle::Lifecycle,
    ops, telemetry,
    wire::App,
    world,
};
use anyhow::Context;
use loa_domain::Scope;
use loa_svc_digest::Tls;
use loa_svc_push::NewEndpoint;
use loa_testkit::smtp::Catcher;
use loa_worker::World;
use portal::ProvincialPortal;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Ports tried after the usual one, when that is taken.
const PORTS_TRIED: u16 = 20;

/// Runs the demo until it is told to stop.
pub async fn run(place: ListenPlace, mut settings: Config) -> anyhow::Result<()> {
    let (lifecycle, signals) = Lifecycle::start()?;
    let folder = throw_away_folder(&place)?;
    if let Some(data) = place.data.clone().or_else(|| folder.as_ref().map(|folder| folder.path().to_owned())) {
        settings.data_dir = data;
    }
    let listener = listen(&place, settings.up.listen).await?;
    let address = listener.local_addr()?;
    let world = world::real();
    let stand_ins = StandIns::start(&world).await?;
    take_demo_settings(&mut settings, address, stand_ins.mailbox.address())?;
    telemetry::start_logs(&settings.log)?;
    let app = Arc::new(App::new(settings, world)?);
    app.serves_at(address)?;
    app.migrate().await?;

    let editor = app.create_token("demo-editor", Scope::Publish).await?;
    let operator = app.create_token("demo-operator", Scope::Operate).await?;
    let router = serve::everything(&app, &lifecycle).await?;
    add_portal(&app, &stand_ins.portal).await?;
    let ops =
        ops::router(app.status.clone(), Some(app.bus().await?), telemetry::start_metrics()?, app.world.clock.clone());
    lifecycle.serve(listener, router.merge(ops).merge(pages::router(stand_ins.caught(&app))), &app.config)?;

    let StandIns { mailbox, portal, .. } = &stand_ins;
    let (mailbox, portal) = (mailbox.clone(), portal.clone());
    let story = story::Story { app: app.clone(), mailbox, portal, base: format!("http://{address}"), editor, operator };
    let grace = Duration::from_secs(app.config.stop.grace_seconds);
    let outcome = tokio::select! {
        outcome = lifecycle.run(signals, grace) => outcome,
        () = tell(&story, &lifecycle) => Ok(()),
    };
    app.close().await;
    stand_ins.stop.cancel();
    outcome.context("the demo did not run to its end")?;
    crate::output::told("\nLoa is silent again.");
    Ok(())
}

/// Those who receive what the demo sends. They outlive the services: what is sent while stopping still arrives.
struct StandIns {
    mailbox: Arc<Catcher>,
    portal: Arc<ProvincialPortal>,
    stop: CancellationToken,
}

impl StandIns {
    async fn start(world: &World) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let portal = Arc::new(ProvincialPortal::start(world.clone(), stop.clone()).await?);
        let catcher = Catcher::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), stop.clone())
            .await
            .context("cannot start the mail catcher")?;
        Ok(Self { mailbox: Arc::new(catcher), portal, stop })
    }

    /// What the demo's pages show of them.
    fn caught(&self, app: &App) -> pages::Caught {
        pages::Caught {
            mailbox: self.mailbox.clone(),
            portal: self.portal.clone(),
            zone: app.zone.clone(),
            journey: format!("/console/articles/{}", story::SEED_ID),
        }
    }
}

/// The demo's own folder, gone with its end; `None` when another was named.
fn throw_away_folder(place: &ListenPlace) -> anyhow::Result<Option<tempfile::TempDir>> {
    if place.data.is_some() {
        return Ok(None);
    }
    tempfile::Builder::new().prefix("loa-demo-").tempdir().context("cannot make a throw-away folder").map(Some)
}

/// Adds the stand-in as an endpoint, and hands it the secret.
async fn add_portal(app: &App, portal: &ProvincialPortal) -> anyhow::Result<()> {
    let endpoint = NewEndpoint {
        url: portal.url(),
        description: "Cổng thông tin điện tử tỉnh (đóng thế)".into(),
        ..NewEndpoint::default()
    };
    let added = app.push_service().await?.add_endpoint(endpoint).await?;
    portal.learn_secret(added.secret);
    Ok(())
}

/// Tells the story, and waits for ever behind it; a story that cannot go on stops everything.
async fn tell(story: &story::Story, lifecycle: &Lifecycle) {
    if let Err(error) = story.tell().await {
        crate::output::complain(&format!("the demo cannot go on: {}", crate::output::sentence(&error)));
        lifecycle.stop.cancel();
    }
    std::future::pending::<()>().await
}

/// The address asked for; or the usual one; or, when that is taken, one of the next.
async fn listen(place: &ListenPlace, usual: SocketAddr) -> anyhow::Result<TcpListener> {
    if let Some(wanted) = place.listen {
        return crate::lifecycle::bind(wanted, "--listen").await;
    }
    for step in 0..PORTS_TRIED {
        let Some(port) = usual.port().checked_add(step) else { break };
        if let Ok(listener) = TcpListener::bind((usual.ip(), port)).await {
            return Ok(listener);
        }
    }
    crate::lifecycle::bind(SocketAddr::new(usual.ip(), 0), "--listen").await
}

/// The demo's own identity, whatever the configuration says: it shows a page of Điện Biên Đông, in nobody else's name.
fn take_sample_identity(settings: &mut Config) -> anyhow::Result<()> {
    let sample: Config = config::layered(Some((Path::new("the demo's settings"), include_str!("sample.toml"))), [])?;
    (settings.portal, settings.areas) = (sample.portal, sample.areas);
    (settings.site.tag_authority, settings.site.tag_date) = (sample.site.tag_authority, sample.site.tag_date);
    settings.digest.from_address = sample.digest.from_address;
    Ok(())
}

/// Nothing but this machine, nothing but the throw-away folder, and the sample identity; the rest as configured.
fn take_demo_settings(settings: &mut Config, address: SocketAddr, smtp: SocketAddr) -> anyhow::Result<()> {
    take_sample_identity(settings)?;
    settings.bus.kind = BusKind::Sqlite;
    settings.store.kind = StoreKind::Sqlite;
    settings.up.listen = address;
    settings.site.public_url = Url::parse(&format!("http://{address}/")).context("the demo's own address")?;
    settings.push.allow_networks = vec!["127.0.0.0/8".into(), "::1/128".into()];
    let mail = &mut settings.digest.smtp;
    (mail.host, mail.port, mail.tls) = (smtp.ip().to_string(), smtp.port(), Tls::None);
    (mail.username, mail.password, mail.password_file) = Default::default();
    settings.digest.immediate_window_seconds = 1;
    // plain http on this machine is what a demo is; the digest service would warn of it
    settings.log.filter = "warn,lapin=off,loa_svc_digest::service=error".into();
    Ok(())
}
