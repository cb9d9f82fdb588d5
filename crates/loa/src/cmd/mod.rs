//! The commands, one file each, and what all of them are handed: the app, and where results are
//! printed.
//!
//! [`run`] reads the settings, starts the log, and calls the command's file.

mod backup;
mod check;
mod dead_letters;
mod digest;
mod endpoints;
mod hub;
pub mod import;
pub mod journey;
mod openapi;
mod publish;
mod replay;
mod restore;
pub mod serve;
mod subscribers;
mod token;
mod topology;

use crate::{
    cli::{Cli, Command, ListenPlace},
    config::{self, Config},
    output::Output,
    telemetry,
    wire::App,
    world,
};
use anyhow::Context as _;
use clap::CommandFactory;
use std::{path::PathBuf, sync::Arc};

/// What every command is handed.
pub struct Context {
    /// Doors, settings, clock.
    pub app: Arc<App>,
    /// Where results go.
    pub output: Output,
}

impl Context {
    /// An instant as an administrator reads it: local time of the portal.
    pub fn local(&self, at: jiff::Timestamp) -> String {
        at.to_zoned_datetime(self.app.zone.clone()).strftime("%d/%m/%Y %H:%M:%S").to_string()
    }
}

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
        Command::Demo(place) => return crate::demo::run(place, settings).await,
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
        Command::Console => serve::console(context).await,
        Command::Migrate => {
            let lines = context.app.migrate().await?;
            context.output.result(&lines, |lines| lines.join("\n"))
        }
        Command::Topology(command) => topology::run(context, command).await,
        Command::Check { since } => check::run(context, since).await,
        Command::Import { paths, dry_run } => import::run(context, &paths, dry_run).await,
        Command::Publish { file } => publish::publish(context, &file).await,
        Command::Withdraw { id, reason } => publish::withdraw(context, &id, &reason).await,
        Command::Replay { outlet, since, article } => replay::run(context, outlet, since, article).await,
        Command::Backup { folder } => backup::run(context, &folder).await,
        Command::Restore(arguments) => restore::run(context, arguments).await,
        Command::Journey { id } => journey::run(context, &id).await,
        Command::Subscribers(command) => subscribers::run(context, command).await,
        Command::Endpoints(command) => endpoints::run(context, command).await,
        Command::Hub(command) => hub::run(context, command).await,
        Command::Digest { command: Some(command) } => digest::run(context, command).await,
        Command::DeadLetters(command) => dead_letters::run(context, command).await,
        Command::Token(command) => token::run(context, command).await,
    }
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
pub fn take_place(settings: &mut Config, place: ListenPlace) {
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
