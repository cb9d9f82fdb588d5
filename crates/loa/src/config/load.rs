//! Loads the settings in layers: the embedded defaults, then a file, then `LOA__SECTION__KEY`.
//!
//! A key that the defaults do not name is an error, which names the nearest known one. The defaults
//! also say which settings are lists. The environment is handed in; this file reads files only.

use anyhow::{Context, bail, ensure};
use config::{File, FileFormat, Value, ValueKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::Path,
};

/// The defaults, which are the reference manual as well.
pub const DEFAULTS: &str = include_str!("../../../../config/default.toml");

/// What begins the name of a variable that is a setting.
const PREFIX: &str = "LOA__";

/// Settings that name one of a few things: said in full when something else is written.
const CHOICES: [(&str, &[&str]); 7] = [
    ("bus.kind", &["sqlite", "rabbitmq"]),
    ("bus.rabbitmq.mechanism", &["plain", "external"]),
    ("store.kind", &["sqlite", "postgres"]),
    ("store.postgres.sslmode", &["", "disable", "prefer", "require", "verify-ca", "verify-full"]),
    ("digest.smtp.tls", &["none", "starttls", "tls"]),
    ("digest.weekly_on", &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
    ("log.format", &["text", "json"]),
];

/// Reads all layers. `environment`: the process's variables, or a test's. A variable that is set to nothing is as good
/// as not set.
pub fn load<T: serde::de::DeserializeOwned>(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<T> {
    let Some(path) = file else { return layered(None, environment) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file {} (`loa init` writes one)", path.display()))?;
    layered(Some((path, &text)), environment)
}

/// As [`load`], with a file that was read already.
pub fn layered<T: serde::de::DeserializeOwned>(
    file: Option<(&Path, &str)>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<T> {
    let defaults = parse(DEFAULTS)?;
    let known = leaves(&defaults);
    let mut builder = config::Config::builder().add_source(defaults);
    if let Some((path, text)) = file {
        let layer = parse(text).with_context(|| format!("{} is not valid TOML", path.display()))?;
        let written = leaves(&layer);
        for key in written.keys() {
            check_key(&known, key).with_context(|| format!("in {}", path.display()))?;
        }
        refuse_secrets(&written).with_context(|| format!("in {}", path.display()))?;
        builder = builder.add_source(layer);
    }
    for (name, value) in environment {
        let Some((name, key)) = name.to_str().and_then(|name| Some((name, name.strip_prefix(PREFIX)?))) else {
            continue;
        };
        let key = key.to_ascii_lowercase().replace("__", ".");
        let here = || format!("in the environment variable {name}");
        check_key(&known, &key).with_context(here)?;
        let value = value.into_string().map_err(|_| anyhow::anyhow!("it is not UTF-8")).with_context(here)?;
        if !value.is_empty() {
            let value = from_environment(&known[&key], &value).with_context(here)?;
            builder = builder.set_override(&key, value).with_context(here)?;
        }
    }
    let merged = builder.build().context("the configuration cannot be put together")?;
    for (key, choices) in CHOICES {
        let written: String = merged.get(key).with_context(|| format!("configuration: `{key}`"))?;
        let quoted: Vec<String> = choices.iter().map(|choice| format!("{choice:?}")).collect();
        ensure!(
            choices.contains(&written.as_str()),
            "configuration: `{key}` is {written:?}; it can be {}",
            quoted.join(" or ")
        );
    }
    merged.try_deserialize().map_err(|error| anyhow::anyhow!("configuration: {error}"))
}

fn parse(text: &str) -> Result<config::Config, config::ConfigError> {
    config::Config::builder().add_source(File::from_str(text, FileFormat::Toml)).build()
}

/// Every setting, as `section.key`, with what it is set to. A section without settings counts as one.
fn leaves(layer: &config::Config) -> BTreeMap<String, Value> {
    fn walk(value: &Value, path: &str, leaves: &mut BTreeMap<String, Value>) {
        match &value.kind {
            ValueKind::Table(table) if path.is_empty() || !table.is_empty() => {
                for (name, inner) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(inner, &path, leaves);
                }
            }
            _ => {
                leaves.insert(path.to_owned(), value.clone());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&layer.cache, "", &mut found);
    found
}

/// A variable's text as a value. It stays the text it is (a password `0123` keeps its zero): whoever wants a number
/// reads one from it. Lists are written with commas, or as in TOML, which is the way to an empty one: `[]`.
fn from_environment(default: &Value, text: &str) -> anyhow::Result<Value> {
    if !matches!(default.kind, ValueKind::Array(_)) {
        return Ok(text.into());
    }
    if text.trim_start().starts_with('[') {
        let list = parse(&format!("list = {text}")).context("it begins like a list of TOML, and is none")?;
        return Ok(list.get::<Value>("list")?);
    }
    let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
    Ok(elements.map(Value::from).collect::<Vec<_>>().into())
}

/// Settings, and sections, that had another name: before, now. The names that a setting had are told for good: whoever updates
/// after years is not left to guess.
const RENAMED: &[(&str, &str)] = &[
    ("bus.look_seconds", "bus.probe_interval_seconds"),
    ("digest.confirmations_per_asker_hour_max", "digest.confirmations_per_client_hour_max"),
    ("digest.office_from", "digest.send_window_from"),
    ("digest.office_until", "digest.send_window_until"),
    ("feed.snapshot_bytes_max", "feed.last_good_bytes_max"),
    ("feed.snapshot_dir", "feed.last_good_dir"),
    ("feed.snapshots_max", "feed.last_good_feeds_max"),
    ("feed.whole_answers_max", "feed.full_responses_max"),
    ("hub.requests_per_asker_burst", "hub.requests_per_client_burst"),
    ("hub.requests_per_asker_seconds", "hub.requests_per_client_seconds"),
    ("intake.audit_settle_seconds", "intake.audit_delay_seconds"),
    ("push.breaker_rest_seconds", "push.breaker_open_seconds"),
    ("push.breaker_rest_seconds_max", "push.breaker_open_seconds_max"),
    ("push.hub.host_failures", "hub.breaker_failures"),
    ("push.hub.host_rest_seconds", "hub.breaker_open_seconds"),
    ("push.hub.host_rest_seconds_max", "hub.breaker_open_seconds_max"),
    ("push.hub.sweep_seconds", "hub.poll_interval_seconds"),
    ("push.hub.", "hub."),
];

/// What a key is called now that had, or whose section had, the first name of a pair.
fn renamed_as((before, now): (&str, &str), key: &str) -> Option<String> {
    match before.ends_with('.') {
        true => key.strip_prefix(before).map(|name| format!("{now}{name}")),
        false => (key == before).then(|| now.to_owned()),
    }
}

fn check_key(known: &BTreeMap<String, Value>, key: &str) -> anyhow::Result<()> {
    if known.contains_key(key) {
        return Ok(());
    }
    let section = format!("{key}.");
    let inside: BTreeSet<&str> = known.keys().filter_map(|other| other.strip_prefix(&section)).collect();
    if !inside.is_empty() {
        let inside: Vec<&str> = inside.into_iter().collect();
        bail!("`{key}` is a section, not a setting; in it are {}", inside.join(", "));
    }
    if let Some(now) = RENAMED.iter().find_map(|names| renamed_as(*names, key)).filter(|now| known.contains_key(now)) {
        bail!("`{key}` is called `{now}` now; what it means has not changed");
    }
    let nearest = known.keys().max_by(|a, b| {
        let score = |other: &str| strsim::jaro_winkler(key, other);
        score(a).total_cmp(&score(b))
    });
    match nearest {
        Some(nearest) => bail!("unknown setting `{key}`; did you mean `{nearest}`?"),
        None => bail!("unknown setting `{key}`"),
    }
}

/// Secrets stand in the environment or in files of their own, never in the configuration file, which gets copied and
/// pasted. A password in an address counts, but for the one that every RabbitMQ is delivered with.
fn refuse_secrets(written: &BTreeMap<String, Value>) -> anyhow::Result<()> {
    for (key, value) in written {
        let ValueKind::String(text) = &value.kind else { continue };
        if key.ends_with("password") && !text.is_empty() {
            bail!(
                "`{key}` is a secret: put it into a file and name that in `{key}_file`, or set the environment variable"
            );
        }
        if has_password(text) {
            let section = key.rsplit_once('.').map_or("", |(section, _)| section);
            bail!(
                "`{key}` has a password in it, which is a secret: leave it out, put it into a file and name that in `{section}.password_file`"
            );
        }
    }
    Ok(())
}

/// Whether a text is an address with a password in it, or so much like one that it must not be copied and pasted.
fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let Some((login, _)) = rest.rsplit_once('@') else { return false };
    login.split_once(':').is_some_and(|(_, password)| password != "guest" && !password.is_empty())
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
