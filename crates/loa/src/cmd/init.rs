//! `loa init`: asks whose installation this is, and writes `loa.toml`.
//!
//! Options answer questions before they are asked; without a terminal they must answer all that have no honest default. What is
//! never to change (source, authority and day of ids) is never changed here: a file that is replaced hands it on, and ledgers
//! of an installation that ran before make it a question of its own.

mod answers;
mod asking;
mod file;

use crate::{
    cli::InitArguments,
    config::{self, Config},
    output::Output,
};
use answers::{Answers, Areas, MailServer, is_here};
use anyhow::{Context as _, bail, ensure};
use asking::{Asking, Question, Terminal};
use jiff::{civil::Date, tz::TimeZone};
use loa_domain::EmailAddress;
use loa_svc_digest::Tls;
use loa_worker::World;
use serde_json::json;
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// What the file is called where no other name is given.
pub const FILE: &str = "loa.toml";

/// Where Loa is reached on a machine of one's own: `site.public_url` of the manual.
const TRYING_OUT: &str = "http://127.0.0.1:8080/";

/// Where the command runs.
pub struct Place {
    /// The file to be written, if one was named.
    pub file: Option<PathBuf>,
    /// The environment, whose settings win over the file.
    pub environment: Vec<(OsString, OsString)>,
    /// Clock and dice.
    pub world: World,
}

const NAME: Question = Question {
    what: "The portal's name",
    why: "It stands in feeds, mails and pages.",
    example: "Cổng thông tin điện tử xã Na Son",
    flag: "--name",
};
const ADDRESS: Question = Question {
    what: "The portal's address",
    why: "Where its articles stand; links in them begin there. It becomes the source of its events, too.",
    example: "https://nason.example/",
    flag: "--address",
};
const SOURCE: Question = Question {
    what: "The source of its events, as it was",
    why: "There are ledgers of an installation that ran before. This is `portal.source` as it was then.",
    example: "https://nason.example/",
    flag: "--source",
};
const AREA: Question = Question {
    what: "The areas",
    why: "Communes, a former district or the province that the news is about; readers choose among them. Several with `;` between.",
    example: "Xã Na Son, Tỉnh Điện Biên",
    flag: "--area (or --no-areas)",
};
const ID_DOMAIN: Question = Question {
    what: "A domain for ids",
    why: "Ids of entries are made of it, and must never change, also when the portal moves. Take one that is yours.",
    example: "nason.example",
    flag: "--id-domain",
};
const TAG_DATE: Question = Question {
    what: "A day on which that domain was yours",
    why: "The other part of ids (RFC 4151). It never changes either.",
    example: "2026-01-01",
    flag: "--tag-date",
};
const PUBLIC_URL: Question = Question {
    what: "Where readers reach Loa",
    why: "Its own address in feeds, mails and pages; https. The one offered is for trying out on this machine.",
    example: "https://tin.nason.example/",
    flag: "--public-url",
};
const SMTP_HOST: Question = Question {
    what: "The mail server",
    why: "It takes the mails that Loa sends. 127.0.0.1 is one on this machine.",
    example: "mail.nason.example",
    flag: "--smtp-host",
};
const SMTP_PORT: Question = Question {
    what: "Its port",
    why: "25 on this machine; 587 with starttls; 465 with tls.",
    example: "587",
    flag: "--smtp-port",
};
const SMTP_TLS: Question = Question {
    what: "How the connection to it is encrypted",
    why: "`none` only on this machine; else `starttls` or `tls`.",
    example: "starttls",
    flag: "--smtp-tls",
};
const SMTP_USER: Question = Question {
    what: "The user's name at the mail server",
    why: "None where it takes our mail without a login.",
    example: "loa",
    flag: "--smtp-user",
};
const SMTP_PASSWORD_FILE: Question = Question {
    what: "A file with that user's password",
    why: "The password is never typed here: write it into this file, alone, readable by Loa's user only.",
    example: "/etc/loa/smtp.password",
    flag: "--smtp-password-file",
};
const FROM: Question = Question {
    what: "The sender of mails",
    why: "People see it, and it must be allowed to send (SPF, DKIM).",
    example: "ban-tin@nason.example",
    flag: "--from",
};

/// What must stay as it was.
#[derive(Debug, Default, PartialEq, Eq)]
struct Before {
    source: Option<String>,
    id_domain: Option<String>,
    tag_date: Option<String>,
    list_id: Option<String>,
    /// Whether there are ledgers: then what is not known must be told, and is not made up.
    has_ledgers: bool,
}

/// Runs the command.
pub fn run(output: Output, place: Place, arguments: InitArguments) -> anyhow::Result<()> {
    let Place { file, environment, world } = place;
    let path = file.unwrap_or_else(|| PathBuf::from(FILE));
    let old = old_file(&path, arguments.force)?;
    let before = before(&path, old.as_deref(), &environment)?;
    let mut terminal = Console;
    let terminal = output.is_attended().then_some(&mut terminal as &mut dyn Terminal);
    // RFC 4151 counts days by UTC
    let today = world.now().to_zoned_datetime(TimeZone::UTC).date();
    let answers = gather(&mut Asking::of(terminal), &arguments, &before, today)?;
    let text = file::text(&answers, today);
    hold_against(&path, &text)?;
    let kept = file::write(&path, &text, old.is_some(), world.now())?;
    tell(output, &path, kept.as_deref(), &answers, &winning(&environment))
}

/// The text of a file that is to be replaced.
fn old_file(path: &Path, replace: bool) -> anyhow::Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    ensure!(
        replace,
        "{} is there already, and stays as it is; `--force` replaces it, and keeps it under another name",
        path.display()
    );
    let text = std::fs::read_to_string(path);
    text.map(Some).with_context(|| format!("cannot read {}, which is to be replaced", path.display()))
}

/// What the installation was, by the file so far, by the environment, and by whether there are ledgers.
fn before(path: &Path, old: Option<&str>, environment: &[(OsString, OsString)]) -> anyhow::Result<Before> {
    let read: Config = config::layered(old.map(|text| (path, text)), environment.iter().cloned())
        .context("what there is of settings cannot be read; mend it, or move it away to begin anew")?;
    let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Before {
        source: set(&read.portal.source),
        id_domain: set(&read.site.tag_authority),
        tag_date: set(&read.site.tag_date),
        list_id: set(&read.digest.list_id).or_else(|| read.has_sender().then(|| list_id(&read.digest.from_address))),
        has_ledgers: read.data_dir.join("intake.db").exists(),
    })
}

/// The list's id that follows from a sender.
fn list_id(from: &EmailAddress) -> String {
    format!("ban-tin.{}", from.as_str().rsplit('@').next().unwrap_or_default())
}

/// All answers.
fn gather(asking: &mut Asking<'_>, given: &InitArguments, before: &Before, today: Date) -> anyhow::Result<Answers> {
    unchanged("--source", given.source.as_deref(), before.source.as_deref())?;
    unchanged("--id-domain", given.id_domain.as_deref(), before.id_domain.as_deref())?;
    unchanged("--tag-date", given.tag_date.as_deref(), before.tag_date.as_deref())?;
    ensure!(
        given.smtp_user.is_some() == given.smtp_password_file.is_some(),
        "`--smtp-user` and `--smtp-password-file` go together: a password stands in a file, never on the command line"
    );
    let name = asking.answer(&NAME, given.name.as_deref(), (None, None), answers::name)?;
    let address = asking.answer(&ADDRESS, given.address.as_deref(), (None, None), answers::address)?;
    let own_source = address.as_ref().filter(|_| !before.has_ledgers).map(ToString::to_string);
    let source = given.source.as_deref().or(before.source.as_deref()).or(own_source.as_deref());
    // without an address it is missing already
    let source = match (source, &address, before.has_ledgers) {
        (None, None, false) => None,
        (source, ..) => asking.answer(&SOURCE, source, (None, None), answers::source)?,
    };
    let areas = areas(asking, given, today)?;
    let (id_domain, tag_date) = ids(asking, given, before, address.as_ref().and_then(url::Url::domain), today)?;
    let public_url = given.public_url.as_deref();
    let public_url = asking.answer(&PUBLIC_URL, public_url, (Some(TRYING_OUT), Some(TRYING_OUT)), answers::address)?;
    let mail_server = mail_server(asking, given)?;
    let host = id_domain.as_deref().map(|domain| domain.rsplit('@').next().unwrap_or_default());
    let own_sender = host.map(|host| format!("ban-tin@{host}"));
    let from = match (&given.from, &own_sender) {
        (None, None) => None, // the domain is missing already
        (given, own) => asking.answer(&FROM, given.as_deref(), (own.as_deref(), own.as_deref()), answers::from)?,
    };
    asking.all_is_there()?;
    let all = (name, address, source, areas, id_domain, tag_date, public_url, from, mail_server);
    let (
        Some(name),
        Some(address),
        Some(source),
        Some(areas),
        Some(id_domain),
        Some(tag_date),
        Some(public_url),
        Some(from),
        Some(mail_server),
    ) = all
    else {
        bail!("not every question has an answer; nothing was written");
    };
    let list_id = before.list_id.clone().filter(|id| *id != list_id(&from));
    Ok(Answers { name, address, source, areas, id_domain, tag_date, public_url, from, list_id, mail_server })
}

/// What is for ever stays what it is.
fn unchanged(flag: &str, given: Option<&str>, before: Option<&str>) -> anyhow::Result<()> {
    match (given, before) {
        (Some(given), Some(before)) if given != before => bail!(
            "{flag} is {given:?}, and this installation has {before:?}, which never changes: readers would take every old entry for a \
             new one. To begin anew, move its settings and data away"
        ),
        _ => Ok(()),
    }
}

fn areas(asking: &mut Asking<'_>, given: &InitArguments, today: Date) -> anyhow::Result<Option<Areas>> {
    if given.no_areas {
        return Ok(Some(Areas::default()));
    }
    let joined = (!given.areas.is_empty()).then(|| given.areas.join(";"));
    asking.answer(&AREA, joined.as_deref(), (Some(""), None), |text| {
        let named: Vec<String> =
            text.split(';').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
        answers::areas(&named, today)
    })
}

/// Authority and day of ids. `host`: of the portal's address, which is an honest offer on a terminal, but nothing to assume.
fn ids(
    asking: &mut Asking<'_>,
    given: &InitArguments,
    before: &Before,
    host: Option<&str>,
    today: Date,
) -> anyhow::Result<(Option<String>, Option<Date>)> {
    let host = host.filter(|_| !before.has_ledgers);
    let domain = given.id_domain.as_deref().or(before.id_domain.as_deref());
    let domain = asking.answer(&ID_DOMAIN, domain, (host, None), answers::id_domain)?;
    let day = (!before.has_ledgers).then(|| today.to_string());
    let given_day = given.tag_date.as_deref().or(before.tag_date.as_deref());
    let read = |text: &str| answers::tag_date(text, today);
    let day = asking.answer(&TAG_DATE, given_day, (day.as_deref(), day.as_deref()), read)?;
    Ok((domain, day))
}

fn mail_server(asking: &mut Asking<'_>, given: &InitArguments) -> anyhow::Result<Option<MailServer>> {
    let host = given.smtp_host.as_deref();
    let Some(host) = asking.answer(&SMTP_HOST, host, (Some("127.0.0.1"), None), answers::mail_host)? else {
        return Ok(None);
    };
    let usual = if is_here(&host) { "25" } else { "587" };
    let port = given.smtp_port.map(|port| port.to_string());
    let port = asking.answer(&SMTP_PORT, port.as_deref(), (Some(usual), Some(usual)), answers::port)?;
    let usual = match port {
        Some(465) => Tls::Tls,
        _ if is_here(&host) => Tls::None,
        _ => Tls::Starttls,
    };
    let usual = Some(answers::tls_word(usual));
    let tls = asking.answer(&SMTP_TLS, given.smtp_tls.as_deref(), (usual, usual), answers::tls)?;
    let user =
        asking.answer(&SMTP_USER, given.smtp_user.as_deref(), (Some(""), Some("")), |text| Ok(text.to_owned()))?;
    let login = match user.filter(|user| !user.is_empty()) {
        None => None,
        Some(user) => {
            let file = given.smtp_password_file.as_deref().map(Path::to_string_lossy);
            let file = asking.answer(&SMTP_PASSWORD_FILE, file.as_deref(), (None, None), answers::secret_file)?;
            file.map(|file| (user, file))
        }
    };
    Ok(port.zip(tls).map(|(port, tls)| MailServer { host, port, tls, login }))
}

/// What is about to be written is read as every command will read it.
fn hold_against(path: &Path, text: &str) -> anyhow::Result<()> {
    let held = || -> anyhow::Result<()> {
        let config: Config = config::layered(Some((path, text)), [])?;
        config.check()?;
        config.home_portal()?.check()?;
        config.areas.load().map(drop)
    };
    held().context("these answers do not make good settings; nothing was written")
}

/// Variables that win over what was written.
fn winning(environment: &[(OsString, OsString)]) -> Vec<String> {
    const SECTIONS: [&str; 5] =
        ["LOA__PORTAL__", "LOA__SITE__", "LOA__AREAS__", "LOA__DIGEST__FROM", "LOA__DIGEST__SMTP__"];
    let set = environment.iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| name.to_str());
    let mut names: Vec<String> =
        set.filter(|name| SECTIONS.iter().any(|section| name.starts_with(section))).map(str::to_owned).collect();
    names.sort();
    names
}

/// Says what was written, and what to do next.
fn tell(output: Output, path: &Path, kept: Option<&Path>, answers: &Answers, winning: &[String]) -> anyhow::Result<()> {
    let loa = if path == Path::new(FILE) { "loa".to_owned() } else { format!("loa --config {}", path.display()) };
    let next = [format!("{loa} migrate"), format!("{loa} check"), format!("{loa} up")];
    let password = answers.mail_server.login.as_ref().map(|(_, file)| file.display().to_string());
    let value =
        json!({ "file": path, "kept": kept, "next": next, "environment_wins": winning, "password_file": password });
    output.result(&value, |_| {
        let mut lines = vec![format!("{} is written; only you can read it.", path.display())];
        lines.extend(kept.map(|kept| format!("What was there is kept as {}.", kept.display())));
        lines.extend(
            password.map(|file| format!("Write the password for the mail server into {file}, alone on its line.")),
        );
        if answers.public_url.as_str() == TRYING_OUT {
            lines.push("Only this machine reaches Loa: set `site.public_url` in it before readers come.".to_owned());
        }
        if !winning.is_empty() {
            lines.push(format!("The environment wins over this file: {}.", winning.join(", ")));
        }
        let whats =
            ["makes ledgers and queues", "says what is in order, one line each", "runs everything in one process"];
        let width = next.iter().map(String::len).max().unwrap_or_default();
        lines.push("Next:".to_owned());
        lines.extend(next.iter().zip(whats).map(|(command, what)| format!("  {command:width$}   {what}")));
        lines.join("\n")
    })
}

/// The terminal that the command was started from.
struct Console;

impl Terminal for Console {
    fn tell(&mut self, line: &str) {
        crate::output::ask(line, "\n");
    }

    #[allow(clippy::disallowed_methods, reason = "a command that asks reads the answers")]
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>> {
        crate::output::ask(prompt, "");
        let mut line = String::new();
        Ok((io::stdin().read_line(&mut line)? > 0).then_some(line))
    }
}

#[cfg(test)]
#[path = "init/tests.rs"]
mod tests;
