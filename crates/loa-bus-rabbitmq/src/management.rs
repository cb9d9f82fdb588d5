//! Asks RabbitMQ's management API what AMQP does not tell: kinds, arguments, bindings, and the
//! policies that are in force. Reads only.
//!
//! The address is the administrator's own setting, so no guard stands before it. A question that gets
//! no answer ends in a fact of why: whoever asks goes on without it.

use crate::{
    config::{ManagementAt, TlsFiles},
    rights::quoted,
    tls,
};
use loa_address::Password;
use loa_bus::{BusError, BusErrorKind};
use loa_domain::{ManagementFailure, ServerWords, with_causes};
use reqwest::{Client, StatusCode, Url, redirect::Policy};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// What marks a policy of the operators.
pub(crate) const OPERATORS: &str = "operator";
/// The longest answer; one about a single queue or exchange has some kB.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The management API of the broker, for one vhost.
pub(crate) struct Management {
    url: Url,
    vhost: String,
    user: String,
    password: Password,
    /// Read at each use: certificates are renewed.
    tls: TlsFiles,
    answer_timeout: Duration,
}

impl Management {
    /// # Errors
    /// `Refused`: what is wrong with the settings.
    pub(crate) fn at(
        at: &ManagementAt,
        vhost: &str,
        brokers_login: Option<(&str, &Password)>,
        tls: &TlsFiles,
        answer_timeout: Duration,
    ) -> Result<Self, BusError> {
        let refused = |what: String| BusError::new(BusErrorKind::Refused, what);
        let wrong =
            "`bus.rabbitmq.management_url` is the address of RabbitMQ's management, for instance https://mq-1:15671/";
        let url = Url::parse(&at.url).map_err(|error| refused(format!("{wrong} ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || url.cannot_be_a_base() {
            return Err(refused(wrong.to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(
                "`bus.rabbitmq.management_url` has a login in it; `management_user` and `management_password_file` are its \
                 places"
                    .to_owned(),
            ));
        }
        let user = at.user.clone().or_else(|| brokers_login.map(|(user, _)| user.to_owned()));
        // somebody else's password is not ours
        let brokers =
            brokers_login.filter(|(broker, _)| user.as_deref() == Some(*broker)).map(|(_, password)| password);
        let password = at.password.clone().or_else(|| brokers.cloned());
        let (Some(user), Some(password)) = (user, password) else {
            return Err(refused(
                "nobody is named who may ask the management API: set `bus.rabbitmq.management_user` and \
                 `management_password_file`"
                    .to_owned(),
            ));
        };
        Ok(Self { url, vhost: vhost.to_owned(), user, password, tls: tls.clone(), answer_timeout })
    }

    /// The bindings of a queue as pairs of exchange and routing key, without the default exchange's; `None`: no such queue.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) async fn bindings(&self, queue: &str) -> Result<Option<BTreeSet<(String, String)>>, ManagementFailure> {
        let Some(answer) = self.ask(&["queues", &self.vhost, queue, "bindings"]).await? else { return Ok(None) };
        let text = |binding: &Value, name: &str| binding[name].as_str().unwrap_or_default().to_owned();
        let pair = |binding: &Value| (text(binding, "source"), text(binding, "routing_key"));
        let pairs = answer.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(pair);
        Ok(Some(pairs.filter(|(source, _)| !source.is_empty()).collect()))
    }

    /// What is known of an exchange; `None`: there is none.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) async fn exchange(&self, name: &str) -> Result<Option<Value>, ManagementFailure> {
        self.ask(&["exchanges", &self.vhost, name]).await
    }

    /// What is known of a queue; `None`: there is none.
    ///
    /// # Errors
    /// Why it is not known.
    pub(crate) async fn queue(&self, name: &str) -> Result<Option<Value>, ManagementFailure> {
        self.ask(&["queues", &self.vhost, name]).await
    }

    /// The policies of the vhost, and those of operators, each of which is marked by `"operator": true`.
    ///
    /// # Errors
    /// Why they are not known.
    pub(crate) async fn policies(&self) -> Result<Vec<Value>, ManagementFailure> {
        let mut all = Vec::new();
        for (list, is_operators) in [("policies", false), ("operator-policies", true)] {
            if let Some(Value::Array(policies)) = self.ask(&[list, &self.vhost]).await? {
                for policy in policies {
                    let Value::Object(mut policy) = policy else { continue };
                    policy.insert(OPERATORS.to_owned(), is_operators.into());
                    all.push(Value::Object(policy));
                }
            }
        }
        Ok(all)
    }

    /// One question; `None`: there is no such thing.
    async fn ask(&self, path: &[&str]) -> Result<Option<Value>, ManagementFailure> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // a vhost `/` is one segment, `%2F`
            segments.pop_if_empty().push("api").extend(path);
        }
        let at = || self.url.to_string();
        let unreached = |error: reqwest::Error| ManagementFailure::Silent {
            url: at(),
            said: with_causes(&error.without_url()).into(),
        };
        let own_files = |said: String| ManagementFailure::OwnFiles { said: said.into() };
        let client = self.client().map_err(own_files)?;
        let password = self.password.now().map_err(own_files)?;
        let mut answer = client.get(url).basic_auth(&self.user, Some(password)).send().await.map_err(unreached)?;
        let status = answer.status();
        match status {
            StatusCode::OK | StatusCode::NOT_FOUND => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.refused()),
            status => return Err(ManagementFailure::Status { url: at(), status: status.as_u16() }),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreached)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(ManagementFailure::TooLong { url: at(), bytes_max: ANSWER_BYTES_MAX });
            }
        }
        read(status, &body).ok_or_else(|| ManagementFailure::Stranger { url: at() })
    }

    fn refused(&self) -> ManagementFailure {
        let (user, vhost) = (quoted(&self.user), quoted(&self.vhost));
        ManagementFailure::Refused {
            url: self.url.to_string(),
            user: self.user.clone(),
            commands: [
                format!("rabbitmqctl set_user_tags {user} management"),
                format!("rabbitmqctl set_permissions -p {vhost} {user} '^$' '^$' '^$'"),
            ],
        }
    }

    fn client(&self) -> Result<Client, String> {
        let tls = if self.url.scheme() == "https" { tls::client_config(&self.tls)? } else { tls::trusting_nobody()? };
        Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(self.answer_timeout)
            .timeout(self.answer_timeout)
            .pool_max_idle_per_host(0)
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| with_causes(&error))
    }
}

/// The answer; `None` within: there is no such thing. `None`: it is not this API that answers, as where a proxy does not know the
/// path. RabbitMQ says "not found" in JSON, with an `error`.
fn read(status: StatusCode, body: &[u8]) -> Option<Option<Value>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    match status {
        StatusCode::NOT_FOUND => value["error"].is_string().then_some(None),
        _ => Some(Some(value)),
    }
}

/// A value that the broker told, without the marks of JSON where it is a text.
pub(crate) fn shown(value: &Value) -> ServerWords {
    text(value).into()
}

/// The same of a value of ours.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_api_itself_says_that_a_thing_is_missing() {
        let missing = br#"{"error":"Object Not Found","reason":"Not Found"}"#;
        assert_eq!(read(StatusCode::NOT_FOUND, missing), Some(None));
        for strange in [&b"<html>404 Not Found</html>"[..], b"", br#"{"detail":"no route"}"#, b"404"] {
            assert_eq!(read(StatusCode::NOT_FOUND, strange), None);
        }
        assert_eq!(read(StatusCode::OK, b"[]"), Some(Some(Value::Array(Vec::new()))));
    }

    fn made(url: &str, user: Option<&str>, login: Option<&str>) -> Result<Management, BusError> {
        let at = ManagementAt { url: url.to_owned(), user: user.map(str::to_owned), password: None };
        let password: Password = "secret".into();
        let login = login.map(|user| (user, &password));
        Management::at(&at, "/", login, &TlsFiles::default(), Duration::from_secs(1))
    }

    #[test]
    fn the_brokers_login_is_taken_and_never_for_somebody_else() {
        assert_eq!(made("http://mq:15672", None, Some("loa")).ok().unwrap().user, "loa");
        assert!(made("http://mq:15672", Some("loa"), Some("loa")).is_ok());
        for (user, login) in [(Some("looker"), Some("loa")), (None, None)] {
            let error = made("http://mq:15672", user, login).err().unwrap();
            assert!(error.what.contains("management_password_file"), "{}", error.what);
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_its_setting() {
        for url in ["mq:15672", "amqp://mq", "http://", "http://loa:secret@mq:15672"] {
            let error = made(url, None, Some("loa")).err().unwrap();
            assert!(error.what.contains("`bus.rabbitmq.management_url`"), "{}", error.what);
            assert!(!error.what.contains("secret"), "{}", error.what);
        }
    }
}
