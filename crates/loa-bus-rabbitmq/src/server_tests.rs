//! A table of good and bad settings of a broker.

use super::*;

fn server(url: &str) -> Result<Server, String> {
    RabbitConfig::new(url).server().map_err(|error| {
        assert_eq!(error.kind, BusErrorKind::Refused);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        error.to_string()
    })
}

fn hosts(server: &Server) -> Vec<String> {
    server.hosts.iter().map(Host::to_string).collect()
}

#[test]
fn an_address_says_hosts_vhost_and_login() {
    for (url, expected, vhost) in [
        ("amqp://loa:x@mq", vec!["mq:5672"], "/"),
        ("amqp://loa:x@mq/%2f", vec!["mq:5672"], "/"),
        ("amqp://loa:x@mq:5673/news", vec!["mq:5673"], "news"),
        ("amqp://loa:x@[2001:db8::5]/news", vec!["[2001:db8::5]:5672"], "news"),
        ("amqp://loa:x@[::1]:1,mq-2,192.0.2.5:2/news", vec!["[::1]:1", "mq-2:5672", "192.0.2.5:2"], "news"),
        ("amqps://loa:x@mq/news", vec!["mq:5671"], "news"),
    ] {
        let server = server(url).unwrap();
        assert_eq!(
            (hosts(&server), server.vhost.as_str()),
            (expected.iter().map(|h| (*h).to_owned()).collect(), vhost)
        );
        assert_eq!(server.tls.is_some(), url.starts_with("amqps"), "{url}");
        assert_eq!(server.uri().unwrap().authority.userinfo.username, "loa");
    }
}

#[test]
fn a_password_in_the_address_is_decoded_and_one_beside_it_is_not() {
    let password = |config: &RabbitConfig| config.server().unwrap().uri().unwrap().authority.userinfo.password;
    let mut config = RabbitConfig::new("amqp://loa:a%40b@mq");
    assert_eq!(password(&config), "a@b");
    config.password = Some("a%40b / c".into());
    assert_eq!(password(&config), "a%40b / c");
}

#[test]
fn parameters_are_honoured_or_refused_with_what_there_is_instead() {
    let server_with = |query: &str| server(&format!("amqp://loa:x@mq/news?{query}"));
    let good = server_with("heartbeat=5&connection_timeout=1500&channel_max=7").unwrap();
    let uri = good.uri().unwrap();
    assert_eq!((uri.query.heartbeat, uri.query.channel_max), (Some(5), Some(7)));
    assert_eq!(good.connect_timeout, Duration::from_millis(1500));
    assert_eq!(server_with("").unwrap().uri().unwrap().query.heartbeat, Some(15));
    for (query, words) in [
        ("cacertfile=/etc/ca.pem", "`bus.rabbitmq.ca_file`"),
        ("certfile=/x", "`bus.rabbitmq.client_certificate_file`"),
        ("keyfile=/x", "`bus.rabbitmq.client_key_file`"),
        ("verify=verify_none", "always verified"),
        ("auth_mechanism=external", "`bus.rabbitmq.mechanism`"),
        ("frame_max=4096", "the broker's own limit"),
        ("password=hunter2", "`bus.rabbitmq.password_file`"),
        ("hartbeat=5", "`hartbeat`; known are heartbeat"),
        ("heartbeat=0", "no number from 1 to 65535"),
        ("heartbeat=hunter2", "no number from 1 to 65535"),
    ] {
        let error = server_with(query).unwrap_err();
        assert!(error.contains(words), "{query}: {error}");
    }
}

#[test]
fn what_is_no_broker_is_refused_in_words() {
    for (url, words) in [
        ("", "begins with none of amqp://, amqps://"),
        ("http://loa:hunter2@mq", "begins with none of"),
        ("amqp://loa:hunter2@mq/", "the default one is %2f"),
        ("amqp://loa:hunter2@/news", "names 0 hosts"),
        ("amqp://loa:hunter2@2001:db8::5/news", "brackets"),
        ("amqp://loa:hunter2@%2Frun%2Frabbit/news", "is a folder"),
        ("amqp://mq/news", "names no user"),
    ] {
        let error = server(url).unwrap_err();
        assert!(error.contains(words), "{url}: {error}");
    }
    assert!(server("amqp://loa@mq/news").unwrap().uri().unwrap_err().contains("no password for the user loa"));
    let many = vec!["mq"; RabbitConfig::HOSTS_MAX + 1].join(",");
    assert!(server(&format!("amqp://loa:x@{many}")).unwrap_err().contains("17 hosts"));
}

#[test]
fn fields_stand_instead_of_parts_of_the_address() {
    let config = RabbitConfig {
        hosts: vec!["mq-1".parse().unwrap(), "[::1]:5673".parse().unwrap()],
        vhost: Some("a/b".into()),
        user: Some("feed".into()),
        password: Some("x".into()),
        ..RabbitConfig::new("amqp://guest:guest@127.0.0.1:5672/%2f")
    };
    let server = config.server().unwrap();
    assert_eq!((hosts(&server), server.vhost.as_str()), (vec!["mq-1:5672".to_owned(), "[::1]:5673".to_owned()], "a/b"));
    assert_eq!(server.who(), "as feed");
    // guest's password is not feed's
    let config = RabbitConfig { password: None, ..config };
    assert!(config.server().unwrap().uri().unwrap_err().contains("no password for the user feed"));
}

#[test]
fn files_for_tls_want_an_encrypted_connection_and_a_certificate_its_key() {
    let with = |url: &str, tls: TlsFiles, mechanism| RabbitConfig { tls, mechanism, ..RabbitConfig::new(url) }.server();
    let ca = TlsFiles { ca_file: Some("ca.pem".into()), ..TlsFiles::default() };
    let required = TlsFiles { is_required: true, ..ca.clone() };
    let half = TlsFiles { client_certificate_file: Some("me.pem".into()), ..required.clone() };
    let whole = TlsFiles { client_key_file: Some("me.key".into()), ..half.clone() };
    for (url, tls, mechanism, words) in [
        ("amqp://loa:x@mq", ca, Mechanism::Plain, "would not be encrypted"),
        ("amqp://loa:x@mq", half, Mechanism::Plain, "belong together"),
        ("amqps://loa@mq", whole.clone(), Mechanism::Plain, "logs in by the certificate"),
        ("amqps://mq", required.clone(), Mechanism::External, "wants a `client_certificate_file`"),
    ] {
        let error = with(url, tls, mechanism).unwrap_err().to_string();
        assert!(error.contains(words), "{url}: {error}");
    }
    let server = with("amqp://loa:x@mq", required, Mechanism::Plain).unwrap();
    assert_eq!(hosts(&server), ["mq:5671"]);
    let server = with("amqps://mq", whole, Mechanism::External).unwrap();
    assert_eq!(server.uri().unwrap().query.auth_mechanism, Some(SASLMechanism::External));
}
