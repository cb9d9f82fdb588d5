//! Start and stop of a process: tracked tasks, one listener, a soft stop and a hard one.
//!
//! The first Ctrl-C or SIGTERM asks every task to finish what is in flight. A second one, or the
//! deadline, ends the process: leases and redelivery bring back what was cut off. A task that ends
//! by itself stops the process, so that a supervisor starts it again.

use crate::{config::Config, http};
use anyhow::Context;
use axum::Router;
use loa_http::TrustedProxies;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The tasks of one process, and the word that ends them.
#[derive(Clone)]
pub struct Lifecycle {
    /// Cancelled once: finish and end.
    pub stop: CancellationToken,
    tasks: TaskTracker,
}

/// Ctrl-C and SIGTERM, heard from the moment this exists.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Lifecycle {
    /// The first thing a long-running command does: from here on a signal waits for [`Self::run`] instead of ending the
    /// process where it stands, half set up.
    pub fn start() -> anyhow::Result<(Self, Signals)> {
        let hear = |kind| signal(kind).context("cannot listen for signals");
        let signals = Signals { terminate: hear(SignalKind::terminate())?, interrupt: hear(SignalKind::interrupt())? };
        Ok((Self::unattended(), signals))
    }

    /// Without signals, for tasks within a process of somebody else: a test, a benchmark. [`Self::end`] ends it.
    pub fn unattended() -> Self {
        Self { stop: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// For tasks that begin later and end by themselves: they are waited for, too.
    pub fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }

    /// Asks every task to finish and waits until all have.
    pub async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Runs a task until it ends by itself, which it does soon after `stop`.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            task.await;
            if !stop.is_cancelled() {
                tracing::error!(task = name, "a task ended by itself: stopping, so that a supervisor starts us afresh");
                stop.cancel();
            }
        });
    }

    /// Serves a router on an address already bound, until `stop`; requests in flight are answered.
    ///
    /// # Errors
    /// What is wrong with the settings of the listener, or of proxies.
    pub fn serve(&self, listener: TcpListener, router: Router, config: &Config) -> anyhow::Result<()> {
        let (proxies, limits) = (config.site.proxies()?, http::Limits::of(&config.http)?);
        self.spawn("http", http::serve(listener, router, proxies, limits, self.stop.clone()));
        Ok(())
    }

    /// Serves health and metrics on an address of their own, where no reader of ours is in their way.
    pub fn serve_health(&self, listener: TcpListener, router: Router) {
        let limits = http::Limits::of_health();
        self.spawn("health", http::serve(listener, router, TrustedProxies::default(), limits, self.stop.clone()));
    }

    /// Waits for a signal (or a task that ended by itself), then stops softly. Returns when everything has ended, or
    /// when it was told twice, or after `grace`.
    pub async fn run(&self, mut signals: Signals, grace: Duration) -> anyhow::Result<()> {
        let asked = tokio::select! {
            () = signals.next() => true,
            () = self.stop.cancelled() => false,
        };
        tracing::info!("stopping: finishing what is in flight; a second signal ends at once");
        self.stop.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => tracing::info!("stopped"),
            () = signals.next() => tracing::warn!("told twice: ending at once"),
            () = tokio::time::sleep(grace) => tracing::warn!(seconds = grace.as_secs(), "not everything ended in time: ending now"),
        }
        anyhow::ensure!(asked, "a part of the process failed; see the log above");
        Ok(())
    }
}

/// Binds an address, or says what to do about it.
pub async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: is another loa running? `{setting}` names another address")
    })
}
