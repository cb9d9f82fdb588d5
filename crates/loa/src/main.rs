//! `loa`: carries a government portal's articles to everyone who asked for them.
//!
//! The only crate that knows everyone, and the only one that touches the clock, chance, the environment and the
//! process. Read `cli.rs` for what can be asked, `wire.rs` for where a door meets its adapter, `lifecycle.rs` for how
//! it starts and ends.

mod access;
mod bare;
mod cli;
mod cmd;
mod config;
mod demo;
mod embedded;
mod http;
mod lifecycle;
mod ops;
mod output;
mod packed;
mod proxies;
mod telemetry;
mod wire;
mod world;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        // nothing else in this process installs one; if that ever changes, the other one serves as well
        output::complain("a TLS provider was installed already");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    let outcome = runtime.block_on(cmd::run(cli));
    // All durable work was settled by now, so whatever does not end must not hold the process. The runtime is not ended either: a
    // thread of the AMQP library may still wait by its clock, and would panic.
    std::mem::forget(runtime);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&output::sentence(&error));
            ExitCode::from(1)
        }
    }
}
