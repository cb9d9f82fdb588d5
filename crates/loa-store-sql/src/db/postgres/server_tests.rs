//! A table of good and bad settings of a database.

use super::*;

fn server(url: &str) -> std::result::Result<Server, String> {
    PostgresConfig::new(url).server().map_err(|error| {
        assert_eq!(error.kind, StoreErrorKind::Rejected);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        error.to_string()
    })
}

fn hosts(server: &Server) -> Vec<String> {
    server.hosts.iter().map(Host::to_string).collect()
}

#[test]
fn an_address_says_hosts_and_database() {
    for (url, expected, database) in [
        ("postgres://loa@db/loa", vec!["db:5432"], "loa"),
        ("postgresql://loa:x@db:5433/l%C3%B4a", vec!["db:5433"], "lôa"),
        (
            "postgres://loa@[2001:db8::5],db-2:1,192.0.2.5/loa",
            vec!["[2001:db8::5]:5432", "db-2:1", "192.0.2.5:5432"],
            "loa",
        ),
        ("postgres://loa@%2Frun%2Fpostgresql/loa", vec!["/run/postgresql:5432"], "loa"),
        ("postgres:///loa?host=/run/postgresql&port=5433", vec!["/run/postgresql:5433"], "loa"),
        ("postgres://?host=a,b:1&dbname=x&user=y", vec!["a:5432", "b:1"], "x"),
    ] {
        let server = server(url).unwrap();
        assert_eq!(
            (hosts(&server), server.database.as_str()),
            (expected.iter().map(|h| (*h).to_owned()).collect(), database)
        );
    }
}

#[test]
fn what_is_no_database_is_refused_in_words() {
    for (url, words) in [
        ("mysql://loa:hunter2@db/loa", "begins with none of postgres://"),
        ("postgres://loa:hunter2@db", "names no database"),
        ("postgres://loa:hunter2@db/", "names no database"),
        ("postgres:///loa", "names 0 hosts"),
        ("postgres://loa:hunter2@::1/loa", "brackets"),
        ("postgres://loa:hunter2@db:0/loa", "port"),
        ("postgres://loa@db/loa?password=hunter2", "`store.postgres.password_file`"),
        ("postgres://loa@db/loa?application_name=x", "named by program and machine"),
        ("postgres://loa@db/loa?statement-cache-capacity=9", "`store.postgres.statement_cache_max`"),
        ("postgres://loa@db/loa?target_session_attrs=any", "can only be read-write"),
        ("postgres://loa@db/loa?sslmod=require", "`sslmod`; known are sslmode"),
        ("postgres://loa@db/loa?sslmode=allow", "it can be disable, prefer, require"),
        ("postgres://loa@db/loa?port=x", "`port`"),
        ("postgres://loa@db/loa?options=fast", "-c NAME=VALUE"),
        ("postgres://loa@db/loa?sslmode=require&sslrootcert=/ca.pem", "would not be verified"),
        ("postgres://loa@db/loa?sslcert=/me.pem", "belong together"),
        ("postgres://loa@db/loa?sslmode=disable&sslcert=/me.pem&sslkey=/me.key", "`sslmode` is \"disable\""),
    ] {
        let error = server(url).unwrap_err();
        assert!(error.contains(words), "{url}: {error}");
    }
    server("postgres://loa@db/loa?target_session_attrs=read-write&options=-c%20jit%3Doff").unwrap();
}

#[test]
fn fields_stand_instead_of_parts_of_the_address() {
    let config = PostgresConfig {
        hosts: vec!["[::1]:5433".parse().unwrap()],
        database: Some("news".into()),
        user: Some("feed".into()),
        ..PostgresConfig::new("postgres://loa:hunter2@127.0.0.1:5432/loa?sslmode=require")
    };
    let server = config.server().unwrap();
    assert_eq!((hosts(&server), server.database.as_str()), (vec!["[::1]:5433".to_owned()], "news"));
    assert!(server.password.is_none(), "loa's password is not feed's");
    assert_eq!(config.shown().unwrap(), "[::1]:5433 (database \"news\")");
    let full = PostgresConfig { sslmode: Some("verify-full".into()), ca_file: Some("/ca.pem".into()), ..config };
    assert!(full.server().unwrap().name_is_verified);
}
