//! Chooses the server that the pool connects to, and hands the pool the password as it is now.
//!
//! The pool knows one server at a time. Where the settings name several, or a name has several
//! addresses, each is tried by a connection of its own, in a random order and within its own deadline;
//! the first that takes writes is the pool's. When the pool cannot connect, the choice is made anew,
//! and in the end each failure is told. Whoever comes within a moment of a failure is told the same
//! and tries nothing: wrong logins are not repeated by everybody who waits.

use super::{config::Random, no_answer, server::Server, within};
use crate::fault::{Fault, Result, came_of};
use loa_address::{Host, shuffle};
use sqlx::{Connection, PgConnection, PgPool, Row, postgres::PgConnectOptions};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::lookup_host,
    sync::Mutex,
    time::{Instant, timeout},
};

/// How long a try to connect to one address may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// After a failure nobody tries again for this long.
const PAUSE: Duration = Duration::from_secs(1);
/// The same after a refused login, as long as the password is the same.
const LOGIN_PAUSE: Duration = Duration::from_secs(5);
/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// See the module's words. Clones share their choice.
#[derive(Clone)]
pub(super) struct Dialler {
    server: Arc<Server>,
    random: Option<Random>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    chosen: Option<Target>,
    /// What the pool was handed.
    password: Option<String>,
    failed: Option<Failed>,
    /// Grows with each choice and each failure.
    number: u64,
}

struct Failed {
    words: String,
    until: Instant,
    /// Whether the login was refused.
    is_login: bool,
}

/// One address, as the driver takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
    shown: String,
}

impl Dialler {
    pub(super) fn new(server: Server, random: Option<Random>) -> Self {
        Self { server: Arc::new(server), random, state: Arc::default() }
    }

    /// The options with which the pool is made; [`Self::prepare`] puts the right ones in their place.
    pub(super) fn first_options(&self) -> PgConnectOptions {
        self.server.options.clone()
    }

    /// Where the pool connects to.
    pub(super) async fn chosen(&self) -> Option<String> {
        self.state.lock().await.chosen.as_ref().map(|target| target.shown.clone())
    }

    /// To be called where the pool may open a connection: hands it the server, and the password as it is now. Returns the
    /// number of the choice, for [`Self::choose_again`].
    pub(super) async fn prepare(&self, pool: &PgPool) -> Result<u64> {
        let mut state = self.state.lock().await;
        // one that comes back may be waited for, though no other can be opened
        let has_some = pool.size() > 0;
        let password = self.password().map_err(|words| Fault::Away(format!("the database's password: {words}")))?;
        if let Some(failed) = &state.failed
            && failed.until > Instant::now()
            && !(failed.is_login && state.password != password)
        {
            return if has_some { Ok(state.number) } else { Err(Fault::Away(failed.words.clone())) };
        }
        let is_new = state.password != password;
        state.password = password;
        if state.chosen.is_none() {
            let must_answer = state.failed.is_some();
            match self.choose(&mut state, pool, must_answer).await {
                Err(_) if has_some => {}
                outcome => outcome?,
            }
        } else if is_new {
            self.hand(&state, pool);
        }
        Ok(state.number)
    }

    /// The pool could not connect to choice `number`: chooses anew, unless somebody has meanwhile.
    pub(super) async fn choose_again(&self, pool: &PgPool, number: u64) -> Result<()> {
        let mut state = self.state.lock().await;
        if state.number != number {
            return match &state.failed {
                Some(failed) => Err(Fault::Away(failed.words.clone())),
                None => Ok(()),
            };
        }
        state.chosen = None;
        self.choose(&mut state, pool, true).await
    }

    async fn choose(&self, state: &mut State, pool: &PgPool, must_answer: bool) -> Result<()> {
        let outcome = self.first_that_answers(state.password.as_deref(), must_answer).await;
        state.number += 1;
        match outcome {
            Ok(target) => {
                if state.failed.take().is_some() || self.server.hosts.len() > 1 {
                    tracing::info!(at = %target.shown, "the database's server is chosen");
                }
                state.chosen = Some(target);
                self.hand(state, pool);
                Ok(())
            }
            Err((words, is_login)) => {
                let pause = if is_login { LOGIN_PAUSE } else { PAUSE };
                state.failed = Some(Failed { words: words.clone(), until: Instant::now() + pause, is_login });
                Err(Fault::Away(words))
            }
        }
    }

    fn hand(&self, state: &State, pool: &PgPool) {
        if let Some(target) = &state.chosen {
            pool.set_connect_options(self.options(target, state.password.as_deref()));
        }
    }

    fn password(&self) -> std::result::Result<Option<String>, String> {
        self.server.password.as_ref().map(loa_address::Password::now).transpose()
    }

    fn options(&self, target: &Target, password: Option<&str>) -> PgConnectOptions {
        let options = self.server.options.clone().port(target.port);
        let options =
            if target.host.starts_with('/') { options.socket(&target.host) } else { options.host(&target.host) };
        match password {
            Some(password) => options.password(password),
            None => options,
        }
    }

    /// A server; where it is the only address, it need not answer, for the pool will see. Else all failures, and whether a
    /// login was refused.
    async fn first_that_answers(
        &self,
        password: Option<&str>,
        must_answer: bool,
    ) -> std::result::Result<Target, (String, bool)> {
        let mut hosts = self.server.hosts.clone();
        if let Some(random) = &self.random {
            shuffle(&mut hosts, &**random);
        }
        let mut failures = Vec::new();
        for host in &hosts {
            let targets = match self.targets(host).await {
                Ok(targets) => targets,
                Err(why) => {
                    failures.push(format!("{host}: {why}"));
                    continue;
                }
            };
            let is_only = hosts.len() == 1 && targets.len() == 1;
            for target in targets {
                if is_only && !must_answer {
                    return Ok(target);
                }
                match within(CONNECT_TIMEOUT, self.try_out(&target, password)).await {
                    Ok(true) => return Ok(target),
                    Ok(false) => failures.push(format!("{}: it is a standby and takes no writes", target.shown)),
                    Err(error) => {
                        let failure = format!("{}: {} ({error})", target.shown, came_of(&error));
                        if is_refused_login(&error) {
                            // the others know the same users
                            return Err((failure, true));
                        }
                        failures.push(failure);
                    }
                }
            }
        }
        // the same for every order, so that it is told once
        failures.sort();
        Err((failures.join("; "), false))
    }

    /// Whether the server lets us in and takes writes. That there is one name is no proof that there is one server.
    async fn try_out(&self, target: &Target, password: Option<&str>) -> sqlx::Result<bool> {
        let mut connection = PgConnection::connect_with(&self.options(target, password)).await?;
        let takes_writes = takes_writes(&mut connection).await?;
        // what comes of the farewell changes nothing
        let _ = timeout(CONNECT_TIMEOUT, connection.close()).await;
        Ok(takes_writes)
    }

    /// The addresses of a host. Where the server's certificate must be for its name, the driver must be given the name, and
    /// looks it up itself.
    async fn targets(&self, host: &Host) -> std::result::Result<Vec<Target>, String> {
        let (name, port) = host.with_port(0);
        let as_it_is = Target { host: name.clone(), port, shown: host.to_string() };
        if host.is_socket() || self.server.name_is_verified || name.parse::<std::net::IpAddr>().is_ok() {
            return Ok(vec![as_it_is]);
        }
        let found = timeout(CONNECT_TIMEOUT, lookup_host((name, port))).await;
        let found = found
            .map_err(|_| no_answer(CONNECT_TIMEOUT).to_string())?
            .map_err(|error| format!("its name cannot be looked up: {error}"))?;
        let mut addresses: Vec<std::net::IpAddr> = Vec::new();
        for address in found.take(ADDRESSES_MAX).map(|address| address.ip()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(match addresses.as_slice() {
            [] => return Err("its name has no address".to_owned()),
            [_] => vec![as_it_is],
            several => several
                .iter()
                .map(|ip| Target { host: ip.to_string(), port, shown: format!("{host} ({ip})") })
                .collect(),
        })
    }
}

impl std::fmt::Debug for Dialler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialler").field("hosts", &self.server.hosts).finish_non_exhaustive()
    }
}

/// Whether a server is no standby.
pub(super) async fn takes_writes(connection: &mut PgConnection) -> sqlx::Result<bool> {
    // by the simple protocol: outside a transaction a pooler may hand a statement's two halves to two servers
    let row = sqlx::raw_sql("SELECT pg_is_in_recovery()").fetch_one(connection).await?;
    Ok(!row.try_get::<bool, _>(0)?)
}

/// Whether the password is wrong: to try again, elsewhere too, is to try a wrong password again. That one server's `pg_hba.conf`
/// lacks our line (28000) says nothing of the others.
fn is_refused_login(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "28P01")
}

/// Whether another try may end otherwise: the connection could not be made, rather than the work on it.
pub(super) fn is_no_connection(error: &sqlx::Error, pool: &PgPool) -> bool {
    match error {
        // all connections that may be are in use: to be waited for. Else none could be opened
        sqlx::Error::PoolTimedOut => pool.size() < pool.options().get_max_connections(),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            ["08", "28", "3D", "57P", "53300", "42501"].iter().any(|class| code.starts_with(class))
        }
        _ => false,
    }
}
