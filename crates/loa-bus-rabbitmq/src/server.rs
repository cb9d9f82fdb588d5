//! Reads a [`RabbitConfig`]: which hosts, which vhost, which login. Opens nothing.
//!
//! The address is read by our own reader. lapin's takes `[2001:db8::5]` for no host at all, and passes
//! over parameters that it does not know.

use crate::{
    config::{Mechanism, RabbitConfig, TlsFiles},
    management::Management,
    rights::Whose,
};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo, SASLMechanism};
use loa_address::{Address, Host, Password};
use loa_bus::{BusError, BusErrorKind};
use std::time::Duration;

/// Plain, and with TLS.
const SCHEMES: [&str; 2] = ["amqp", "amqps"];
/// Where brokers listen, with TLS and without.
const PORTS: (u16, u16) = (5671, 5672);
/// What an address may not say, and what says it instead.
const ELSEWHERE: [(&str, &str); 11] = [
    ("cacertfile", "the setting `bus.rabbitmq.ca_file`"),
    ("certfile", "the setting `bus.rabbitmq.client_certificate_file`"),
    ("keyfile", "the setting `bus.rabbitmq.client_key_file`"),
    ("verify", "nothing: the broker's certificate is always verified; `bus.rabbitmq.ca_file` names a CA of your own"),
    ("fail_if_no_peer_cert", "nothing: the broker's certificate is always verified"),
    ("server_name_indication", "nothing: the name in `bus.rabbitmq.hosts` is the one that is verified"),
    ("depth", "nothing: chains of any length are verified"),
    ("password", "the setting `bus.rabbitmq.password_file`"),
    ("auth_mechanism", "the setting `bus.rabbitmq.mechanism`"),
    ("frame_max", "nothing: the broker's own limit is taken"),
    ("name", "nothing: connections are named by program, machine and role"),
];

/// A broker, or a cluster of them, as it is dialled.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// At least one, each with its port.
    pub(crate) hosts: Vec<Host>,
    pub(crate) vhost: String,
    pub(crate) login: Login,
    /// `None`: not encrypted.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) connect_timeout: Duration,
    heartbeat_seconds: u16,
    channel_max: Option<u16>,
}

/// Who we are to the broker.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    Plain { user: String, password: Password },
    External,
}

impl RabbitConfig {
    /// Checks what can be checked without a connection.
    ///
    /// # Errors
    /// `Refused`: what is wrong with the settings, without the password.
    pub fn check(&self) -> Result<(), BusError> {
        self.management(&self.server()?).map(drop)
    }

    /// The vhost that everything of ours stands in.
    ///
    /// # Errors
    /// `Refused`: what is wrong with the settings.
    pub fn vhost_name(&self) -> Result<String, BusError> {
        self.server().map(|server| server.vhost)
    }

    /// The management API, where there is an address for it.
    pub(crate) fn management(&self, server: &Server) -> Result<Option<Management>, BusError> {
        let Some(at) = &self.management else { return Ok(None) };
        let login = match &server.login {
            Login::Plain { user, password } => Some((user.as_str(), password)),
            Login::External => None,
        };
        Management::at(at, &server.vhost, login, &self.tls, self.confirm_timeout).map(Some)
    }

    /// The servers and the vhost as they may be shown; `None`: the settings cannot be used.
    pub fn shown(&self) -> Option<String> {
        let address = Address::parse(&self.url, &SCHEMES).ok()?;
        let tls = self.tls(address.scheme == SCHEMES[1]).ok()?;
        let hosts: Vec<String> = self.hosts(&address, tls.is_some()).ok()?.iter().map(Host::to_string).collect();
        Some(format!("{} (vhost {:?})", hosts.join(", "), self.vhost(&address).ok()?))
    }

    pub(crate) fn server(&self) -> Result<Server, BusError> {
        let address =
            Address::parse(&self.url, &SCHEMES).map_err(|error| refused(format!("the broker's address: {error}")))?;
        let tls = self.tls(address.scheme == SCHEMES[1])?;
        let mut server = Server {
            hosts: self.hosts(&address, tls.is_some())?,
            vhost: self.vhost(&address)?,
            login: self.login(&address)?,
            tls,
            connect_timeout: self.connect_timeout,
            heartbeat_seconds: u16::try_from(self.heartbeat.as_secs().max(1)).unwrap_or(u16::MAX),
            channel_max: None,
        };
        for (name, value) in &address.parameters {
            server.take_parameter(name, value)?;
        }
        Ok(server)
    }

    fn hosts(&self, address: &Address, is_encrypted: bool) -> Result<Vec<Host>, BusError> {
        let hosts = if self.hosts.is_empty() { &address.hosts } else { &self.hosts };
        if hosts.is_empty() || hosts.len() > Self::HOSTS_MAX {
            let most = Self::HOSTS_MAX;
            return Err(refused(format!("the broker's address names {} hosts; 1 to {most} are possible", hosts.len())));
        }
        if let Some(host) = hosts.iter().find(|host| host.is_socket()) {
            return Err(refused(format!("{host} is a folder; a broker is reached at a host and port")));
        }
        let port = if is_encrypted { PORTS.0 } else { PORTS.1 };
        Ok(hosts.iter().cloned().map(|host| host.or_port(port)).collect())
    }

    fn vhost(&self, address: &Address) -> Result<String, BusError> {
        if let Some(vhost) = &self.vhost {
            return Ok(vhost.clone());
        }
        match address.path.as_deref() {
            None => Ok("/".to_owned()),
            Some("") => Err(refused(
                "the broker's address ends with a slash and names no vhost; the default one is %2f behind the slash",
            )),
            Some(vhost) => Ok(vhost.to_owned()),
        }
    }

    fn login(&self, address: &Address) -> Result<Login, BusError> {
        let has_certificate = self.tls.client_certificate_file.is_some();
        let is_somebody_else = self.user.is_some() && self.user != address.user;
        let password = self.password.clone().or_else(|| address.password.clone().filter(|_| !is_somebody_else));
        match self.mechanism {
            Mechanism::External if !has_certificate => {
                Err(refused("`bus.rabbitmq.mechanism` is \"external\", which wants a `client_certificate_file`"))
            }
            Mechanism::External => Ok(Login::External),
            Mechanism::Plain => {
                let Some(user) = self.user.clone().or_else(|| address.user.clone()) else {
                    return Err(refused("the broker's address names no user; `bus.rabbitmq.user` is the place, too"));
                };
                match password {
                    Some(password) => Ok(Login::Plain { user, password }),
                    None if has_certificate => Err(refused(
                        "there is a client certificate and no password for the broker: `bus.rabbitmq.mechanism = \
                         \"external\"` logs in by the certificate; else give the password in `password_file`",
                    )),
                    // settings are looked at without the secret, too: it is missed when somebody logs in
                    None => {
                        let missing = format!(
                            "there is no password for the user {user}: name a file with it in \
                             `bus.rabbitmq.password_file`"
                        );
                        Ok(Login::Plain { user, password: Password::asked(move || Err(missing.clone())) })
                    }
                }
            }
        }
    }

    fn tls(&self, is_in_address: bool) -> Result<Option<TlsFiles>, BusError> {
        let files = &self.tls;
        if files.client_certificate_file.is_some() != files.client_key_file.is_some() {
            return Err(refused(
                "`bus.rabbitmq.client_certificate_file` and `client_key_file` belong together; one is missing",
            ));
        }
        let is_encrypted = is_in_address || files.is_required;
        if !is_encrypted && (files.ca_file.is_some() || files.client_certificate_file.is_some()) {
            return Err(refused(
                "there are files for TLS and the connection would not be encrypted: begin `bus.rabbitmq.url` with \
                 amqps://, or set `bus.rabbitmq.tls = true`",
            ));
        }
        Ok(is_encrypted.then(|| files.clone()))
    }
}

impl Server {
    fn take_parameter(&mut self, name: &str, value: &str) -> Result<(), BusError> {
        let number = || {
            let number = value.parse::<u16>().ok().filter(|number| *number > 0);
            let what = format!("`{name}` in the broker's address is no number from 1 to 65535");
            number.ok_or_else(|| refused(what))
        };
        match name {
            "heartbeat" => self.heartbeat_seconds = number()?,
            "connection_timeout" => self.connect_timeout = Duration::from_millis(number()?.into()),
            "channel_max" => self.channel_max = Some(number()?),
            other => {
                let instead = ELSEWHERE.iter().find(|(name, _)| *name == other).map_or_else(
                    || "known are heartbeat, connection_timeout and channel_max".to_owned(),
                    |(_, instead)| format!("instead of it there is {instead}"),
                );
                return Err(refused(format!("the broker's address has the parameter `{other}`; {instead}")));
            }
        }
        Ok(())
    }

    /// What lapin is told. It does not dial, so the host in it is only a word.
    ///
    /// # Errors
    /// The sentence of who was asked for the password.
    pub(crate) fn uri(&self) -> Result<AMQPUri, String> {
        let (userinfo, mechanism) = match &self.login {
            Login::Plain { user, password } => {
                (AMQPUserInfo { username: user.clone(), password: password.now()? }, SASLMechanism::Plain)
            }
            Login::External => {
                (AMQPUserInfo { username: String::new(), password: String::new() }, SASLMechanism::External)
            }
        };
        Ok(AMQPUri {
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority { userinfo, host: "broker".to_owned(), port: PORTS.1 },
            vhost: self.vhost.clone(),
            query: AMQPQueryString {
                heartbeat: Some(self.heartbeat_seconds),
                channel_max: self.channel_max,
                auth_mechanism: Some(mechanism),
                ..AMQPQueryString::default()
            },
        })
    }

    /// Who we are, for the lines that the broker's administrator runs.
    pub(crate) fn whose(&self) -> Whose {
        let user = match &self.login {
            Login::Plain { user, .. } => Some(user.clone()),
            Login::External => None,
        };
        Whose { vhost: self.vhost.clone(), user }
    }

    /// Who we are, for people.
    pub(crate) fn who(&self) -> String {
        match &self.login {
            Login::Plain { user, .. } => format!("as {user}"),
            Login::External => "by the client certificate".to_owned(),
        }
    }
}

fn refused(what: impl Into<String>) -> BusError {
    BusError::new(BusErrorKind::Refused, what)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
