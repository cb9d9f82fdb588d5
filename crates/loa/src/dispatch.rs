//! From the command line to the command: reads the settings, starts the log, opens the app, calls the command's file.
//!
//! It stands above `cmd/`, `demo/` and everything they use; no command knows it.

use crate::{
    cli::{Cli, Command, ListenPlace},
    cmd::{
        Context, backup, check, dead_letters, digest, endpoints, hub, import, init, journey, openapi, portals, publish,
        replay, restore, serve, subscribers, token, topology, watch,
    },
    config::{self, Config},
    demo,
    output::{Output, complain, sentence},
    telemetry,
    wire::App,
    world,
};
use anyhow::Context as _;
use clap::CommandFactory;
use loa_domain::{ArticleId, ArticleKey, PortalSlug};
use std::{ffi::OsString, path::PathBuf, sync::Arc};

/// Runs what was asked.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let output = Output { json: cli.json, language: world::language() };
    if let Command::Completions { shell } = cli.command {
        return output.script(|buffer| clap_complete::generate(shell, &mut Cli::command(), "loa", buffer));
    }
    if let Command::Openapi = cli.command {
        return openapi::run(output);
    }
    if let Command::Init(arguments) = cli.command {
        let place = init::Place { file: named(cli.config), environment: environment(), world: world::real() };
        return init::run(output, place, *arguments);
    }
    let name = world::process_name(cli.command.word());
    if let Command::Demo(place) = cli.command {
        // a loa.toml that lies about is somebody's installation
        return demo::run(place, settings(named(cli.config))?).await;
    }
    let mut settings = settings(named(cli.config).or_else(lying_here))?;
    if let Err(error) = settings.home_portal() {
        if !is_harmless(&cli.command) {
            return Err(error);
        }
        if !matches!(cli.command, Command::Check { .. }) {
            complain(&sentence(&error));
        }
    }
    if let Command::Up(place) = cli.command {
        take_place(&mut settings, place);
        telemetry::start_logs(&settings.log)?;
        return serve::up(open(settings, output, name)?).await;
    }
    if !is_service(&cli.command) {
        settings.log.filter = settings.log.command_filter.clone();
    }
    telemetry::start_logs(&settings.log)?;
    let context = open(settings, output, name)?;
    let outcome = dispatch(&context, cli.command).await;
    context.app.close().await;
    outcome
}

/// Whether a command may run in an installation without an identity: it takes nothing in, sends nothing and makes no ledger.
/// The check says so itself.
fn is_harmless(command: &Command) -> bool {
    match command {
        Command::Check { .. } | Command::Topology(_) | Command::Backup { .. } => true,
        Command::Import { dry_run, .. } => *dry_run,
        _ => false,
    }
}

/// Whether a command runs until it is told to stop; the others answer and end, and their answer is what people look for.
fn is_service(command: &Command) -> bool {
    matches!(
        command,
        Command::Intake
            | Command::Feed
            | Command::Digest { command: None }
            | Command::Push
            | Command::Watch { command: None }
            | Command::Console
            | Command::Up(_)
            | Command::Demo(_)
    )
}

async fn dispatch(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        // answered above
        Command::Demo(_) | Command::Init(_) | Command::Up(_) | Command::Openapi | Command::Completions { .. } => Ok(()),
        Command::Intake => serve::intake(context).await,
        Command::Feed => serve::feed(context).await,
        Command::Digest { command: None } => serve::digest(context).await,
        Command::Push => serve::push(context).await,
        Command::Watch { command: None } => serve::watch_portals(context).await,
        Command::Watch { command: Some(command) } => watch::run(context, command).await,
        Command::Console => serve::console(context).await,
        Command::Migrate => {
            let lines = context.app.migrate().await?;
            context.output.result(&lines, |lines| lines.join("\n"))
        }
        Command::Topology(command) => topology::run(context, command).await,
        Command::Check { since } => check::run(context, since).await,
        Command::Import { paths, address, same, dry_run, portal } => {
            import::run(context, &paths, import::Asked { address, same, dry_run, portal: slug(portal)? }).await
        }
        Command::Publish { file, portal } => publish::publish(context, &file, slug(portal)?.as_ref()).await,
        Command::Withdraw { id, reason, portal } => {
            publish::withdraw(context, &key(context, &id, portal).await?, &reason).await
        }
        Command::Renumber { id, portal } => publish::renumber(context, &key(context, &id, portal).await?).await,
        Command::Replay { outlet, since, article, portal } => {
            anyhow::ensure!(
                article.is_some() || portal.is_none(),
                "`--portal` says whose `--article` is meant; name one"
            );
            let article = match article {
                Some(id) => Some(key(context, &id, portal).await?),
                None => None,
            };
            replay::run(context, outlet, since, article).await
        }
        Command::Backup { folder } => backup::run(context, &folder).await,
        Command::Restore(arguments) => restore::run(context, arguments).await,
        Command::Journey { id, portal } => journey::run(context, key(context, &id, portal).await?).await,
        Command::Subscribers(command) => subscribers::run(context, command).await,
        Command::Endpoints(command) => endpoints::run(context, command).await,
        Command::Hub(command) => hub::run(context, command).await,
        Command::Digest { command: Some(command) } => digest::run(context, command).await,
        Command::DeadLetters(command) => dead_letters::run(context, command).await,
        Command::Portals(command) => portals::run(context, command).await,
        Command::Token(command) => token::run(context, command).await,
    }
}

/// A portal's slug from the command line.
fn slug(portal: Option<String>) -> anyhow::Result<Option<PortalSlug>> {
    Ok(portal.map(PortalSlug::new).transpose()?)
}

/// Which article is meant. The id of a key (slug, a space, id), as other commands print it, is taken as it is.
async fn key(context: &Context, id: &str, portal: Option<String>) -> anyhow::Result<ArticleKey> {
    let Some(portal) = slug(portal)? else { return Ok(id.parse()?) };
    let portal = context.app.intake_service().await?.portal(Some(&portal)).await?;
    Ok(ArticleKey::new(portal.key_slug(), &ArticleId::new(id)?))
}

/// The file of settings that is named on the command line, else by `LOA_CONFIG`.
#[allow(
    clippy::disallowed_methods,
    reason = "the environment is read here, and the language of the terminal in world.rs"
)]
fn named(file: Option<PathBuf>) -> Option<PathBuf> {
    file.or_else(|| std::env::var_os("LOA_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from))
}

/// The file of settings in this folder, as `loa init` writes it there.
fn lying_here() -> Option<PathBuf> {
    Some(PathBuf::from(init::FILE)).filter(|file| file.exists())
}

#[allow(clippy::disallowed_methods, reason = "as above")]
fn environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// All settings: of the file, if any, and of the environment over the defaults.
fn settings(file: Option<PathBuf>) -> anyhow::Result<Config> {
    let settings: Config = config::load(file.as_deref(), environment())?;
    settings.check()?;
    Ok(settings)
}

/// What the command line says about the place wins over the settings.
fn take_place(settings: &mut Config, place: ListenPlace) {
    if let Some(listen) = place.listen {
        settings.up.listen = listen;
    }
    if let Some(data) = place.data {
        settings.data_dir = data;
    }
}

fn open(settings: Config, output: Output, name: String) -> anyhow::Result<Context> {
    let app = App::new(settings, world::real()).context("cannot start")?.named(name);
    Ok(Context { app: Arc::new(app), output })
}
