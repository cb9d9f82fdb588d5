//! Tests of the layers: which one wins, what is refused, and in which words.

use super::*;
use crate::config::{BusKind, Config, StoreKind};
use std::os::unix::ffi::OsStringExt;

/// All settings, or the whole error on one line.
fn read(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let written = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(written.path(), file).unwrap();
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
    load::<Config>(Some(written.path()), environment)
        .map_err(|error| crate::output::sentence(&error).replace(&written.path().display().to_string(), "FILE"))
}

fn refused(file: &str, environment: &[(&str, &str)]) -> String {
    read(file, environment).expect_err("it was taken")
}

#[test]
fn the_defaults_are_a_whole_and_good_configuration() {
    let config: Config = load(None, []).unwrap();
    config.check().unwrap();
}

/// Whose installation it is, in full.
const IDENTITY: [(&str, &str); 7] = [
    ("portal.name", "Xã Na Son"),
    ("portal.url", "https://nason.example/"),
    ("portal.source", "https://nason.example/"),
    ("site.tag_authority", "nason.example"),
    ("site.tag_date", "2026-07-01"),
    ("areas.within", "Tỉnh Điện Biên"),
    ("digest.from_address", "ban-tin@nason.example"),
];

/// The settings with this identity, but for one of it.
fn identified(without: &str) -> Config {
    let set = IDENTITY.iter().filter(|(key, _)| *key != without);
    let variables: Vec<(String, &str)> =
        set.map(|(key, value)| (format!("LOA__{}", key.to_ascii_uppercase().replace('.', "__")), *value)).collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    read("", &variables).unwrap()
}

#[test]
fn no_default_is_anybodys_identity() {
    let config: Config = load(None, []).unwrap();
    assert_eq!(config.unset_identity(), IDENTITY.map(|(key, _)| key));
    assert!(config.areas.load().unwrap().is_empty());
    for name in ["dienbiendong", "Điện Biên Đông", "gov.vn"] {
        let set = |line: &&str| !line.starts_with('#') && line.contains(name);
        assert_eq!(DEFAULTS.lines().find(set), None, "a default names somebody");
    }
}

#[test]
fn an_identity_is_whole_or_none_and_what_is_missing_is_named() {
    let home = identified("").home_portal().unwrap();
    home.check().unwrap();
    assert_eq!((home.name.as_str(), home.source.as_str()), ("Xã Na Son", "https://nason.example/"));
    for (missing, _) in IDENTITY {
        let config = identified(missing);
        config.check().unwrap();
        let said = config.home_portal().unwrap_err().to_string();
        assert!(said.starts_with("This installation has no identity yet") && said.contains("`loa init`"), "{said}");
        assert!(said.ends_with(&format!("not set: {missing}.")), "{said}");
    }
    let config = read("", &[("LOA__SITE__TAG_DATE", "hôm qua")]).unwrap();
    assert!(crate::output::sentence(&config.check().unwrap_err()).starts_with("`site.tag_date` must be a day"));
}

#[test]
fn areas_are_parts_of_the_country_or_a_folder() {
    let areas = |file: &str| read(file, &[]).unwrap().areas.load().map_err(|error| crate::output::sentence(&error));
    assert!(areas("[areas]\nwithin = ['none']").unwrap().is_empty());
    assert!(areas("[areas]\nwithin = ['none', 'Tỉnh Điện Biên']").unwrap_err().contains("\"none\""));
    assert_eq!(areas("[areas]\nwithin = ['Huyện Điện Biên Đông']").unwrap().len(), 20);
    assert!(areas("[areas]\nwithin = ['Điện Biên']").unwrap_err().contains("\"Tỉnh Điện Biên\""));
    assert!(areas("[areas]\nwithin = ['Tỉnh Điện Biên']\nfolder = '/nowhere'").unwrap_err().contains("are both set"));
    assert!(areas("[areas]\nfolder = '/nowhere'").unwrap_err().contains("/nowhere"));
}

#[test]
fn the_settings_of_a_cluster_are_good_as_they_are() {
    let config = read(include_str!("../../../../config/cluster.toml"), &[]).unwrap();
    config.check().unwrap();
    assert_eq!((config.bus.kind, config.store.kind), (BusKind::Rabbitmq, StoreKind::Postgres));
}

#[test]
fn the_manual_and_each_service_agree_on_the_defaults() {
    let config: Config = load(None, []).unwrap();
    assert_eq!(config.intake, loa_svc_intake::Config::default());
    assert_eq!(config.feed, loa_svc_feed::Config::default());
    assert_eq!(config.digest, loa_svc_digest::Config::default());
    assert_eq!(config.push, loa_svc_push::Config::default());
    assert_eq!(config.console, loa_svc_console::Config::default());
}

#[test]
fn the_file_wins_over_the_defaults_and_the_environment_over_the_file() {
    let file = "data_dir = \"from-file\"\n[feed]\nentries_max = 7\n[push.retry]\ndelays_seconds = [9]";
    let config = read(file, &[]).unwrap();
    assert_eq!((config.data_dir.to_str(), config.feed.entries_max), (Some("from-file"), 7));
    assert_eq!(config.feed.ttl_minutes, loa_svc_feed::Config::default().ttl_minutes, "its neighbours stay");
    let config = read(file, &[("LOA__DATA_DIR", "from-environment"), ("LOA__FEED__ENTRIES_MAX", "8")]).unwrap();
    assert_eq!((config.data_dir.to_str(), config.feed.entries_max), (Some("from-environment"), 8));
    assert_eq!(config.push.retry.delays_seconds, [9]);
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    assert_eq!(
        refused("[push]\nconect_timeout_ms = 5", &[]),
        "in FILE: unknown setting `push.conect_timeout_ms`; did you mean `push.connect_timeout_ms`?"
    );
    assert_eq!(refused("datadir = 'x'", &[]), "in FILE: unknown setting `datadir`; did you mean `data_dir`?");
    assert_eq!(
        refused("[smtp]\nhost = 'x'", &[]),
        "in FILE: unknown setting `smtp.host`; did you mean `digest.smtp.host`?"
    );
    assert_eq!(
        refused("", &[("LOA__FEED__ENTRIES", "5")]),
        "in the environment variable LOA__FEED__ENTRIES: unknown setting `feed.entries`; did you mean `feed.entries_max`?"
    );
}

#[test]
fn a_name_of_before_is_told_with_the_name_of_now() {
    assert_eq!(
        refused("[intake]\naudit_settle_seconds = 5", &[]),
        "in FILE: `intake.audit_settle_seconds` is called `intake.audit_delay_seconds` now; what it means has not changed"
    );
    assert_eq!(
        refused("", &[("LOA__HUB__REQUESTS_PER_ASKER_BURST", "5")]),
        "in the environment variable LOA__HUB__REQUESTS_PER_ASKER_BURST: `hub.requests_per_asker_burst` is called \
         `hub.requests_per_client_burst` now; what it means has not changed"
    );
    let moved = refused("[push.hub]\nin_flight_max = 5", &[]);
    assert!(moved.contains("`push.hub.in_flight_max` is called `hub.in_flight_max` now"), "{moved}");
}

#[test]
fn every_name_of_now_is_a_setting_and_none_of_before() {
    let known = leaves(&parse(DEFAULTS).unwrap());
    for (before, now) in RENAMED.iter().filter(|(before, _)| !before.ends_with('.')) {
        assert!(known.contains_key(*now), "{now} is no setting");
        assert!(!known.contains_key(*before), "{before} is a setting");
    }
}

#[test]
fn a_section_in_the_place_of_a_setting_is_refused() {
    let sentence =
        "`push.retry` is a section, not a setting; in it are delays_seconds, jitter_percent, retry_after_seconds_max";
    assert_eq!(refused("[push]\nretry = 5", &[]), format!("in FILE: {sentence}"));
    assert_eq!(
        refused("", &[("LOA__PUSH__RETRY", "5")]),
        format!("in the environment variable LOA__PUSH__RETRY: {sentence}")
    );
    assert!(refused("[data_dir]\nx = 1", &[]).contains("unknown setting `data_dir.x`; did you mean `data_dir`?"));
    assert!(refused("[smtp]", &[]).contains("unknown setting `smtp`"), "an empty section is read as well");
}

#[test]
fn an_error_of_syntax_shows_its_line() {
    let error = refused("data_dir = 'x'\n[feed\nentries_max = 7", &[]);
    assert!(error.starts_with("FILE is not valid TOML: TOML parse error at line 2"), "{error}");
    assert!(error.contains("2 | [feed"), "{error}");
}

#[test]
fn a_value_of_the_wrong_kind_names_its_key() {
    for (file, key) in [
        ("[digest.smtp]\nport = 'abc'", "digest.smtp.port"),
        ("[digest.smtp]\nport = 99999", "digest.smtp.port"),
        ("[feed]\nentries_max = -1", "feed.entries_max"),
        ("[digest]\nimmediate_window_seconds = '5 minutes'", "digest.immediate_window_seconds"),
        ("[push.retry]\ndelays_seconds = 5", "push.retry.delays_seconds"),
        ("[up]\nlisten = 'localhost'", "up.listen"),
        ("[site]\npublic_url = 'portal.example'", "site.public_url"),
        ("[portal]\nurl = 'portal.example'", "portal.url"),
        ("[feed]\ncategories = [{ slug = 'kinh-te', lable = 'x' }]", "feed.categories"),
    ] {
        let error = refused(file, &[]);
        assert!(error.contains(key), "{file}: {error}");
    }
}

#[test]
fn an_alternative_that_does_not_exist_names_those_that_do() {
    assert_eq!(
        refused("[bus]\nkind = 'kafka'", &[]),
        "configuration: `bus.kind` is \"kafka\"; it can be \"sqlite\" or \"rabbitmq\""
    );
    assert_eq!(
        refused("", &[("LOA__DIGEST__SMTP__TLS", "ssl")]),
        "configuration: `digest.smtp.tls` is \"ssl\"; it can be \"none\" or \"starttls\" or \"tls\""
    );
    // each one named is one that can be read
    for (key, choices) in CHOICES {
        for choice in choices {
            let name = format!("LOA__{}", key.to_ascii_uppercase().replace('.', "__"));
            read("", &[(name.as_str(), choice)]).unwrap_or_else(|error| panic!("{key} = {choice}: {error}"));
        }
    }
}

#[test]
fn secrets_in_the_file_are_refused() {
    for key in ["bus.rabbitmq", "digest.smtp", "store.postgres"] {
        assert_eq!(
            refused(&format!("[{key}]\npassword = 'hunter2'"), &[]),
            format!(
                "in FILE: `{key}.password` is a secret: put it into a file and name that in `{key}.password_file`, or set the environment variable"
            )
        );
    }
    let error = refused("[bus.rabbitmq]\nmanagement_password = 'hunter2'", &[]);
    assert!(error.contains("`bus.rabbitmq.management_password_file`") && !error.contains("hunter2"), "{error}");
    let error = refused("[bus.rabbitmq]\nurl = 'amqp://loa:hunter2@mq/loa'", &[]);
    assert!(error.contains("`bus.rabbitmq.url` has a password in it"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    read("[bus.rabbitmq]\nurl = 'amqp://loa@mq/loa'\npassword_file = '/run/secrets/mq'", &[]).unwrap();
    read("", &[("LOA__BUS__RABBITMQ__URL", "amqp://loa:hunter2@mq/loa")]).unwrap();
}

#[test]
fn secrets_are_not_printed_with_the_settings() {
    let environment = [
        ("LOA__BUS__RABBITMQ__PASSWORD", "hunter2"),
        ("LOA__DIGEST__SMTP__PASSWORD", "hunter2"),
        ("LOA__BUS__RABBITMQ__URL", "amqp://loa:hunter2@mq/loa"),
    ];
    let printed = format!("{:?}", read("", &environment).unwrap());
    assert!(!printed.contains("hunter2") && printed.contains("***"), "{printed}");
}

#[test]
fn a_variable_keeps_its_text_to_the_letter() {
    for password in ["0123", "1e5", "true", " spaces ", "a,b", "[x"] {
        let config = read("", &[("LOA__DIGEST__SMTP__PASSWORD", password)]).unwrap();
        assert_eq!(config.digest.smtp.password, password);
    }
    assert_eq!(read("", &[("LOA__PORTAL__NAME", "007")]).unwrap().portal.name, "007");
}

#[test]
fn lists_are_written_with_commas_or_as_in_toml() {
    let delays =
        |text: &str| read("", &[("LOA__PUSH__RETRY__DELAYS_SECONDS", text)]).map(|c| c.push.retry.delays_seconds);
    assert_eq!(delays("1,2, 3").unwrap(), [1, 2, 3]);
    assert_eq!(delays("7").unwrap(), [7], "a list of one");
    assert_eq!(delays("[7, 8]").unwrap(), [7, 8]);
    assert!(delays("a").unwrap_err().contains("push.retry.delays_seconds"));
    assert!(delays("[7").unwrap_err().contains("it begins like a list of TOML, and is none"));
    let hosts =
        |text: &str| read("[push]\nallow_hosts = ['x']", &[("LOA__PUSH__ALLOW_HOSTS", text)]).unwrap().push.allow_hosts;
    assert_eq!(hosts("127.0.0.1").len(), 1);
    assert_eq!(hosts("a.example,b.example").len(), 2);
    assert_eq!(hosts("[]").len(), 0, "the way to an empty list");
    let categories = read("", &[("LOA__FEED__CATEGORIES", "[{ slug = 'kinh-te', label = 'Kinh tế' }]")]).unwrap();
    assert_eq!(categories.feed.categories.len(), 1);
}

#[test]
fn an_empty_variable_is_as_good_as_none_but_for_its_name() {
    let config = read("[feed]\nentries_max = 7", &[("LOA__FEED__ENTRIES_MAX", ""), ("LOA__BUS__KIND", "")]).unwrap();
    assert_eq!((config.feed.entries_max, config.bus.kind), (7, BusKind::Sqlite));
    assert!(refused("", &[("LOA__FEED__ENTRIES", "")]).contains("did you mean `feed.entries_max`?"));
}

#[test]
fn names_of_others_are_none_of_our_business() {
    // what Kubernetes sets for a service named `loa`
    read("", &[("LOA_PORT", "tcp://10.0.0.1:80"), ("LOA_SERVICE_HOST", "10.0.0.1"), ("PATH", "")]).unwrap();
}

#[test]
fn a_variable_that_is_not_utf8_is_refused_by_name() {
    let environment = [(OsString::from("LOA__DATA_DIR"), OsString::from_vec(vec![0xff]))];
    let error = load::<Config>(None, environment).unwrap_err();
    assert_eq!(crate::output::sentence(&error), "in the environment variable LOA__DATA_DIR: it is not UTF-8");
}

#[test]
fn a_file_that_is_missing_is_an_error_that_names_it() {
    let error = load::<Config>(Some(Path::new("/nowhere/loa.toml")), []).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the configuration file /nowhere/loa.toml (`loa init` writes one)");
}

#[test]
fn settings_out_of_bounds_are_refused_with_the_bounds() {
    let fault = |file: &str| crate::output::sentence(&read(file, &[]).unwrap().check().expect_err("it was taken"));
    assert_eq!(fault("[intake]\nrelay_batch_max = 0"), "intake.relay_batch_max is 0; it must be from 1 to 1000");
    assert_eq!(
        fault("[console]\nfront_entries_max = 101"),
        "console.front_entries_max is 101; it must be from 1 to 100"
    );
    assert!(fault("data_dir = ''").starts_with("`data_dir` is empty"));
    assert!(fault("[intake]\nimport_category_slug = 'Tin tức'").starts_with("`intake.import_category_slug`: "));
    assert!(fault("[site]\nzone = 'Asia/Hanoi'").starts_with("`site.zone` \"Asia/Hanoi\" is not a time zone"));
    assert!(fault("[site]\npublic_url = 'ftp://x.vn/'").starts_with("`site.public_url` begins with https://"));
    assert!(fault("[portal]\nsource = 'x y'").starts_with("`portal.source` must be an absolute URI"));
    assert!(fault("[bus]\nkind = 'rabbitmq'\n[bus.rabbitmq]\npassword_file = '/nowhere/mq'").contains("/nowhere/mq"));
    let postgres = |line: &str| fault(&format!("[store]\nkind = 'postgres'\n[store.postgres]\n{line}"));
    assert!(postgres("url = 'mysql://loa@db/loa'").contains("begins with none of postgres://"));
    assert!(postgres("url = 'postgres://loa@db'").contains("names no database"));
    assert!(postgres("password_file = '/nowhere/pg'").contains("/nowhere/pg"));
    assert_eq!(postgres("connections_max = 0"), "store.postgres.connections_max is 0; it must be from 1 to 100");
    assert_eq!(
        fault("[bus]\nkind = 'rabbitmq'\n[intake]\nrelay_lease_seconds = 10"),
        "`intake.relay_lease_seconds` must be longer than `bus.rabbitmq.confirm_timeout_seconds`"
    );
}

/// The defaults with one setting written otherwise, or with a line that is none.
fn damaged() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::{prelude::*, sample::select};
    let lines: Vec<&str> = DEFAULTS.lines().filter(|line| line.contains(" = ") || line.starts_with('[')).collect();
    let values = [
        "-1",
        "0",
        "1e400",
        "18446744073709551615",
        "\"\"",
        "\"\\u0000\"",
        "[]",
        "[[1]]",
        "{}",
        "true",
        "\"x://a:b@c\"",
        "1979-05-27",
        "",
    ];
    let whole = lines.clone();
    (0..lines.len(), select(values.to_vec()), "\\PC{0,12}").prop_map(move |(at, value, noise)| {
        let mut lines: Vec<String> = whole.iter().map(|line| (*line).to_owned()).collect();
        lines[at] = match lines[at].split_once(" = ") {
            Some((key, _)) if noise.len() % 2 == 0 => format!("{key} = {value}"),
            Some((key, _)) => format!("{key} = {noise}"),
            None => format!("[{noise}]"),
        };
        lines.join("\n")
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
    #[test]
    fn a_settings_file_is_taken_whole_or_refused_by_name(text in damaged()) {
        match layered::<Config>(Some((Path::new("loa.toml"), &text)), []) {
            Ok(config) => drop(config.check()),
            Err(error) => {
                let said = format!("{error:#}");
                proptest::prop_assert!(said.contains("loa.toml") || said.contains("configuration"), "{said}");
            }
        }
    }
}
