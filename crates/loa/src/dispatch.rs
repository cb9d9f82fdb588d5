//! From the command line to the command: reads the settings, starts the log, opens the app, calls the command's file.
//!
//! It stands above `cmd/`, `demo/` and everything they use; no command knows it.

use crate::{
    cli::{Cli, Command, ListenPlace},
    cmd::{
        Context, backup, check, dead_letters, digest, endpoints, hub, import, journey, openapi, portals, publish,
        replay, restore, serve, subscribers, token, topology, watch,
    },
    config::{self, Config},
    demo,
    output::Output,
    telemetry,
    wire::App,
    world,
};
use anyhow::Context as _;
use clap::CommandFactory;
use loa_domain::{ArticleId, ArticleKey, PortalSlug};
use std::{path::PathBuf, sync::Arc};

/// Runs what was asked.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let output = Output { json: cli.json, language: world::language() };
    if let Command::Completions { shell } = cli.command {
        return output.script(|buffer| clap_complete::generate(shell, &mut Cli::command(), "loa", buffer));
    }
    if let Command::Openapi = cli.command {
        return openapi::run(output);
    }
    let mut settings = settings(cli.config)?;
    let name = world::process_name(cli.command.word());
    match cli.command {
        Command::Demo(place) => return demo::run(place, settings).await,
        Command::Up(place) => {
            take_place(&mut settings, place);
            telemetry::start_logs(&settings.log)?;
            return serve::up(open(settings, output, name)?).await;
        }
        _ => {}
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
        Command::Demo(_) | Command::Up(_) | Command::Openapi | Command::Completions { .. } => Ok(()),
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

/// All settings: the file named on the command line, else by `LOA_CONFIG`, else the defaults alone.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn settings(file: Option<PathBuf>) -> anyhow::Result<Config> {
    let file = file.or_else(|| std::env::var_os("LOA_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from));
    let settings: Config = config::load(file.as_deref(), std::env::vars_os())?;
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
