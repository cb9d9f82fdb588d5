//! Layers: the embedded defaults, then a file, then `LOA__SECTION__KEY`. Unknown keys are errors that name the nearest
//! known one; the defaults name every key there is, so they are the reference.

use anyhow::{Context, bail};
use config::{Environment, File, FileFormat, Value, ValueKind};
use std::{collections::BTreeSet, path::Path};

/// The defaults, which are the reference manual as well.
pub const DEFAULTS: &str = include_str!("../../../../config/default.toml");

/// Reads all layers. `environment`: the process's variables, or a test's.
pub fn load<T: serde::de::DeserializeOwned>(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<T> {
    let known =
        keys_of(&config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build()?.cache);
    let mut builder = config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
        let layer = config::Config::builder()
            .add_source(File::from_str(&text, FileFormat::Toml))
            .build()
            .with_context(|| format!("{} is not valid TOML", path.display()))?;
        for key in keys_of(&layer.cache) {
            check_key(&known, &key).with_context(|| format!("in {}", path.display()))?;
        }
        refuse_secrets(&layer.cache, "").with_context(|| format!("in {}", path.display()))?;
        builder = builder.add_source(layer);
    }
    let variables: Vec<(String, String)> =
        environment.into_iter().filter(|(name, _)| name.starts_with("LOA__")).collect();
    for (name, _) in &variables {
        let key = name["LOA__".len()..].to_ascii_lowercase().replace("__", ".");
        check_key(&known, &key).with_context(|| format!("in the environment variable {name}"))?;
    }
    let environment = Environment::with_prefix("LOA")
        .prefix_separator("__")
        .separator("__")
        .ignore_empty(true)
        .list_separator(",")
        .source(Some(variables.into_iter().collect()));
    let environment =
        known_lists().into_iter().fold(environment.try_parsing(true), |source, key| source.with_list_parse_key(&key));
    let merged = builder.add_source(environment).build().context("the configuration cannot be put together")?;
    merged.try_deserialize().map_err(|error| anyhow::anyhow!("configuration: {error}"))
}

/// Every leaf, as `section.key`.
fn keys_of(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
        match &value.kind {
            ValueKind::Table(table) => {
                for (name, inner) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(inner, &path, keys);
                }
            }
            _ => {
                keys.insert(path.to_owned());
            }
        }
    }
    let mut keys = BTreeSet::new();
    walk(value, "", &mut keys);
    keys
}

/// The settings that are lists: in the environment they are written with commas.
fn known_lists() -> Vec<String> {
    fn walk(value: &Value, path: &str, lists: &mut Vec<String>) {
        match &value.kind {
            ValueKind::Table(table) => {
                for (name, inner) in table {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(inner, &path, lists);
                }
            }
            ValueKind::Array(_) => lists.push(path.to_owned()),
            _ => {}
        }
    }
    let mut lists = Vec::new();
    if let Ok(defaults) = config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build() {
        walk(&defaults.cache, "", &mut lists);
    }
    lists
}

fn check_key(known: &BTreeSet<String>, key: &str) -> anyhow::Result<()> {
    if known.contains(key) {
        return Ok(());
    }
    let nearest = known.iter().max_by(|a, b| {
        let score = |other: &str| strsim::jaro_winkler(key, other);
        score(a).total_cmp(&score(b))
    });
    match nearest {
        Some(nearest) => bail!("unknown setting `{key}`; did you mean `{nearest}`?"),
        None => bail!("unknown setting `{key}`"),
    }
}

/// Secrets stand in the environment or in files of their own, never in the configuration file, which gets copied and
/// pasted.
fn refuse_secrets(value: &Value, path: &str) -> anyhow::Result<()> {
    if let ValueKind::Table(table) = &value.kind {
        for (name, inner) in table {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let written = matches!(&inner.kind, ValueKind::String(text) if !text.is_empty());
            if name == "password" && written {
                bail!(
                    "`{path}` is a secret: put it into a file and name that in `{path}_file`, or set the environment variable"
                );
            }
            refuse_secrets(inner, &path)?;
        }
    }
    Ok(())
}
