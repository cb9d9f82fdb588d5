//! The program `loa`: reads the command line, runs the command, and ends the process with 0 or 1.
//!
//! On failure it prints one sentence. Everything else stands in the library beside it.

use clap::Parser;
use loa::{cli::Cli, dispatch, install_tls_provider, output};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // false cannot happen: nothing else in this process installs one
    install_tls_provider();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    let outcome = runtime.block_on(dispatch::run(cli));
    // All durable work has ended by now, so whatever does not end must not hold the process. The runtime is not ended
    // either: a thread of the AMQP library may still wait by its clock, and would panic.
    std::mem::forget(runtime);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&output::sentence(&error));
            ExitCode::from(1)
        }
    }
}
