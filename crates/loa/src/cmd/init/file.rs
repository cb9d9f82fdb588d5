//! The file of settings: its text, and how it comes to its place.
//!
//! It is written beside its place and named when it is whole. What is there already is replaced only when that is asked for,
//! and kept under a name of its own.

use super::answers::{Answers, MailServer, tls_word};
use crate::config::NONE;
use anyhow::Context;
use jiff::{Timestamp, civil::Date};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The text of `loa.toml`.
pub fn text(answers: &Answers, today: Date) -> String {
    let Answers { name, address, source, areas, id_domain, tag_date, public_url, from, list_id, mail_server } = answers;
    let parts = if areas.within.is_empty() { vec![NONE.to_owned()] } else { areas.within.clone() };
    let within: Vec<String> = parts.iter().map(|part| quoted(part)).collect();
    let own = match &areas.own {
        Some((id, name)) => {
            format!("# Of what names no area and shows none: {name}.\narea = {}\n", quoted(id.as_str()))
        }
        None => String::new(),
    };
    let list_id = list_id
        .as_deref()
        .map_or_else(String::new, |id| format!("# As it was: never change it.\nlist_id = {}\n", quoted(id)));
    format!(
        "# Written by `loa init` on {today}. These values win over those of config/default.toml, which says what each setting is,
# and has many more. `loa check` says what came of them. Secrets do not stand here: `…_file` names a file for each.

[portal]
name = {name}
url = {url}
# Part of every event's identity: never change it, not even when the address changes.
source = {source}
{own}
[site]
# Where readers come to: stands in feeds, mails and pages.
public_url = {public_url}
# Entries' ids are made of these two: never change them.
tag_authority = {id_domain}
tag_date = \"{tag_date}\"

[areas]
# Provinces, former districts or areas of the directory of Việt Nam. [\"none\"]: articles have no areas.
within = [{within}]

[digest]
# The sender of mails. The list's id is made of its domain: set list_id before you change it.
from_address = {from}
{list_id}# A mailbox that somebody reads, for unsubscribing by mail: unsubscribe_address = \"…\"

{smtp}",
        name = quoted(name),
        url = quoted(address.as_str()),
        source = quoted(source),
        public_url = quoted(public_url.as_str()),
        id_domain = quoted(id_domain),
        within = within.join(", "),
        from = quoted(from.as_str()),
        smtp = smtp_text(mail_server),
    )
}

/// The section of the mail server.
fn smtp_text(server: &MailServer) -> String {
    let MailServer { host, port, tls, login } = server;
    let login = match login {
        Some((user, file)) => {
            let file = quoted(&file.to_string_lossy());
            format!(
                "username = {}\n# The password alone stands in this file, which Loa's user can read.\npassword_file = {file}\n",
                quoted(user)
            )
        }
        None => {
            "# With a login: username = \"…\", and its password in a file: password_file = \"/etc/loa/smtp.password\"\n"
                .to_owned()
        }
    };
    format!(
        "[digest.smtp]
host = {host}
port = {port}
tls = \"{tls}\"
{login}",
        host = quoted(host),
        tls = tls_word(*tls),
    )
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Puts the text into its place, readable by its owner alone. Returns where a file that was there is kept.
///
/// # Errors
/// There is a file and it is not to be replaced; the folder cannot be written. Then what was there is there.
pub fn write(path: &Path, text: &str, replace: bool, now: Timestamp) -> anyhow::Result<Option<PathBuf>> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut written = tempfile::Builder::new().prefix(".loa-init-").tempfile_in(folder).with_context(cannot)?;
    written.write_all(text.as_bytes()).and_then(|()| written.as_file().sync_all()).with_context(cannot)?;
    let kept = if replace { keep(path, now)? } else { None };
    let placed = if replace { written.persist(path) } else { written.persist_noclobber(path) };
    placed.map_err(|error| error.error).with_context(cannot)?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(cannot)?;
    Ok(kept)
}

/// Gives what is there a second name, under which it stays.
fn keep(path: &Path, now: Timestamp) -> anyhow::Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    let kept = path.with_added_extension(format!("before-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    let cannot = || format!("cannot keep {} as {}; nothing was changed", path.display(), kept.display());
    fs::hard_link(path, &kept).with_context(cannot)?;
    Ok(Some(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cmd::init::answers::Areas,
        config::{Config, layered},
    };
    use loa_domain::{AreaId, EmailAddress};
    use loa_svc_digest::Tls;
    use std::os::unix::fs::PermissionsExt;

    fn answers() -> Answers {
        Answers {
            name: "Cổng \"thông tin\" xã \\ Na Son".to_owned(),
            address: "https://nason.example/".parse().unwrap(),
            source: "https://nason.example/".to_owned(),
            areas: Areas {
                within: vec!["Tỉnh Điện Biên".to_owned()],
                own: Some((AreaId::new("na-son-03203-2025").unwrap(), "Xã Na Son, Tỉnh Điện Biên".to_owned())),
            },
            id_domain: "nason.example".to_owned(),
            tag_date: "2026-07-01".parse().unwrap(),
            public_url: "https://tin.nason.example/".parse().unwrap(),
            from: EmailAddress::parse("ban-tin@nason.example").unwrap(),
            list_id: Some("ban-tin.old.example".to_owned()),
            mail_server: MailServer {
                host: "mail.nason.example".to_owned(),
                port: 587,
                tls: Tls::Starttls,
                login: Some(("loa".to_owned(), "/etc/loa/smtp \"password\"".into())),
            },
        }
    }

    fn read(answers: &Answers) -> Config {
        let text = text(answers, "2026-11-30".parse().unwrap());
        layered(Some((Path::new("loa.toml"), &text)), []).unwrap_or_else(|error| panic!("{error:#}\n{text}"))
    }

    #[test]
    fn what_is_written_is_read_again_as_it_was_answered() {
        let answers = answers();
        let config = read(&answers);
        config.check().unwrap();
        let home = config.home_portal().unwrap();
        home.check().unwrap();
        assert_eq!(
            (home.name.as_str(), &home.url, home.source.as_str()),
            (answers.name.as_str(), &answers.address, answers.source.as_str())
        );
        assert_eq!((home.tag_authority, home.tag_date), (answers.id_domain, answers.tag_date));
        assert_eq!(home.area.map(|area| area.to_string()).as_deref(), Some("na-son-03203-2025"));
        assert_eq!((config.areas.within, config.site.public_url), (answers.areas.within, answers.public_url));
        assert_eq!((config.digest.from_address, Some(config.digest.list_id)), (answers.from, answers.list_id));
        let (smtp, server) = (config.digest.smtp, answers.mail_server);
        assert_eq!((smtp.host, smtp.port, smtp.tls), (server.host, server.port, server.tls));
        assert_eq!(Some((smtp.username, smtp.password_file)), server.login);
    }

    #[test]
    fn without_areas_and_login_it_is_a_file_as_well() {
        let mut answers = answers();
        answers.areas = Areas::default();
        (answers.mail_server.login, answers.list_id) = (None, None);
        let config = read(&answers);
        assert!(config.home_portal().unwrap().area.is_none() && config.areas.load().unwrap().is_empty());
        assert_eq!(config.digest.smtp.username, "");
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_is_to_be_replaced_and_then_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, now) = (folder.path().join("loa.toml"), Timestamp::UNIX_EPOCH);
        assert_eq!(write(&path, "first", false, now).unwrap(), None);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write(&path, "second", false, now).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        let kept = write(&path, "second", true, now).unwrap().unwrap();
        assert_eq!(kept, folder.path().join("loa.toml.before-19700101T000000Z"));
        assert_eq!(
            (fs::read_to_string(&kept).unwrap(), fs::read_to_string(&path).unwrap()),
            ("first".into(), "second".into())
        );
        write(&path, "third", true, now).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second", "what would be lost is not replaced");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing unfinished is left");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = write(Path::new("/nowhere/loa.toml"), "x", false, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.to_string(), "cannot write /nowhere/loa.toml");
    }
}
