//! Tests of `loa init`: which options are needed, what is assumed, and what stays as it was.

use super::*;

const TODAY: Date = jiff::civil::date(2026, 11, 30);

fn whole() -> InitArguments {
    InitArguments {
        name: Some("Xã Na Son".to_owned()),
        address: Some("https://nason.example/".to_owned()),
        areas: vec!["Xã Na Son".to_owned()],
        id_domain: Some("nason.example".to_owned()),
        smtp_host: Some("127.0.0.1".to_owned()),
        ..InitArguments::default()
    }
}

fn gathered(given: &InitArguments, before: &Before) -> Result<Answers, String> {
    gather(&mut Asking::of(None), given, before, TODAY).map_err(|error| error.to_string())
}

#[test]
fn five_options_are_enough_and_the_rest_is_assumed() {
    let answers = gathered(&whole(), &Before::default()).unwrap();
    assert_eq!((answers.source.as_str(), answers.tag_date), ("https://nason.example/", TODAY));
    assert_eq!(answers.from.as_str(), "ban-tin@nason.example");
    assert_eq!(answers.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!((answers.mail_server.port, answers.mail_server.tls), (25, Tls::None));
}

#[test]
fn a_mail_server_elsewhere_is_reached_encrypted() {
    for (port, tls) in [(None, Tls::Starttls), (Some(465), Tls::Tls), (Some(25), Tls::Starttls)] {
        let given = InitArguments { smtp_host: Some("mail.example".to_owned()), smtp_port: port, ..whole() };
        let server = gathered(&given, &Before::default()).unwrap().mail_server;
        assert_eq!((server.port, server.tls), (port.unwrap_or(587), tls));
    }
}

#[test]
fn all_options_that_are_missing_are_named_at_once() {
    let said = gathered(&InitArguments::default(), &Before::default()).unwrap_err();
    for flag in ["--name", "--address", "--area (or --no-areas)", "--id-domain", "--smtp-host"] {
        assert!(said.contains(flag), "{flag}: {said}");
    }
    assert!(!said.contains("--source") && !said.contains("--tag-date") && !said.contains("--from"), "{said}");
    gathered(&InitArguments { areas: Vec::new(), no_areas: true, ..whole() }, &Before::default()).unwrap();
}

#[test]
fn what_an_option_says_wrongly_is_told_with_its_name() {
    let said =
        gathered(&InitArguments { id_domain: Some("https://x.example/".to_owned()), ..whole() }, &Before::default());
    assert!(said.unwrap_err().starts_with("--id-domain: "));
    let said =
        gathered(&InitArguments { smtp_user: Some("loa".to_owned()), ..whole() }, &Before::default()).unwrap_err();
    assert!(said.contains("--smtp-password-file"), "{said}");
}

#[test]
fn ledgers_of_before_make_ids_a_question_of_their_own() {
    let before = Before { has_ledgers: true, ..Before::default() };
    let said = gathered(&whole(), &before).unwrap_err();
    assert!(said.contains("--source") && said.contains("--tag-date") && !said.contains("--name"), "{said}");
    let given = InitArguments {
        source: Some("https://old.example/".to_owned()),
        tag_date: Some("2023-01-01".to_owned()),
        ..whole()
    };
    let answers = gathered(&given, &before).unwrap();
    assert_eq!(
        (answers.source.as_str(), answers.tag_date.to_string().as_str()),
        ("https://old.example/", "2023-01-01")
    );
}

#[test]
fn what_never_changes_is_taken_from_the_file_before_and_held_against_options() {
    let before = Before {
        source: Some("https://old.example/".to_owned()),
        id_domain: Some("old.example".to_owned()),
        tag_date: Some("2023-01-01".to_owned()),
        list_id: Some("ban-tin.old.example".to_owned()),
        has_ledgers: true,
    };
    let moved = InitArguments { id_domain: None, from: Some("ban-tin@new.example".to_owned()), ..whole() };
    assert_eq!(gathered(&moved, &before).unwrap().list_id.as_deref(), Some("ban-tin.old.example"));
    let answers = gathered(&InitArguments { id_domain: None, ..whole() }, &before).unwrap();
    assert_eq!(answers.list_id, None, "it follows from the sender");
    assert_eq!((answers.source.as_str(), answers.id_domain.as_str()), ("https://old.example/", "old.example"));
    assert_eq!(answers.tag_date.to_string(), "2023-01-01");
    let said = gathered(&whole(), &before).unwrap_err();
    assert!(said.starts_with("--id-domain is \"nason.example\"") && said.contains("never changes"), "{said}");
}

#[test]
fn the_file_before_is_read_for_what_it_was() {
    let (path, folder) = (Path::new("loa.toml"), tempfile::tempdir().unwrap());
    let data = [(OsString::from("LOA__DATA_DIR"), folder.path().as_os_str().to_owned())];
    let text = "[portal]\nsource = \"https://old.example/\"\n[site]\ntag_authority = \"old.example\"\n[digest]\nfrom_address = \"a@old.example\"";
    let found = before(path, Some(text), &data).unwrap();
    assert_eq!(
        (found.source.as_deref(), found.id_domain.as_deref()),
        (Some("https://old.example/"), Some("old.example"))
    );
    assert_eq!((found.tag_date, found.has_ledgers), (None, false));
    assert_eq!(found.list_id.as_deref(), Some("ban-tin.old.example"));
    assert_eq!(before(path, None, &data).unwrap(), Before::default());
    std::fs::write(folder.path().join("intake.db"), "").unwrap();
    assert!(before(path, None, &data).unwrap().has_ledgers);
    before(path, Some("[portal"), &data).unwrap_err();
}

#[test]
fn variables_that_win_over_the_file_are_named() {
    let set = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
    let environment = [set("LOA__SITE__PUBLIC_URL", "x"), set("LOA__PORTAL__NAME", ""), set("LOA__DATA_DIR", "x")];
    assert_eq!(winning(&environment), ["LOA__SITE__PUBLIC_URL"]);
}
