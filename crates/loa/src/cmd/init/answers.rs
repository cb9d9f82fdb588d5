//! What the answers may be: each reader takes a text as it was typed, and returns what it means or one sentence why not.
//!
//! Pure, but for the directory of areas that is part of the binary.

use crate::config::VIET_NAM;
use jiff::civil::Date;
use loa_area::{AreaFile, Directory, ids_named, within};
use loa_domain::{AreaId, EmailAddress, clean_line, is_tag_authority};
use loa_svc_digest::Tls;
use std::{net::IpAddr, path::PathBuf};
use url::{Host, Url};

/// Why an answer is not taken, as one sentence.
pub type Refusal = String;

/// Everything that `loa.toml` is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The portal's name.
    pub name: String,
    /// The portal's address.
    pub address: Url,
    /// The events' `source`.
    pub source: String,
    /// What articles are about.
    pub areas: Areas,
    /// The authority of ids.
    pub id_domain: String,
    /// A day on which it was ours.
    pub tag_date: Date,
    /// Where readers come to.
    pub public_url: Url,
    /// The sender of mails.
    pub from: EmailAddress,
    /// The list's id, where it was another than the one that follows from the sender.
    pub list_id: Option<String>,
    /// Who takes them.
    pub mail_server: MailServer,
}

/// Which areas an installation knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Areas {
    /// Parts of the directory, spelled as there.
    pub within: Vec<String>,
    /// The one commune that the portal is of, with its name.
    pub own: Option<(AreaId, String)>,
}

/// The mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// A user and the file of that user's password.
    pub login: Option<(String, PathBuf)>,
}

/// A portal's name.
pub fn name(text: &str) -> Result<String, Refusal> {
    let name = clean_line(text);
    let length = name.chars().count();
    if (1..=200).contains(&length) {
        Ok(name)
    } else {
        Err(format!("a name has 1 to 200 characters; this has {length}"))
    }
}

/// An address on the web, of a portal or of ours.
pub fn address(text: &str) -> Result<Url, Refusal> {
    let text = text.trim();
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    let url =
        url.ok_or_else(|| format!("{text:?} is no address of a page: it begins with https:// and a host's name"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a user or a password in it is not taken".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{text:?} has more than host and path; leave out what follows `?` or `#`"));
    }
    Ok(url)
}

/// The `source` of events.
pub fn source(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let is_plain = text.len() <= 1_000 && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && Url::parse(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no absolute URI of at most 1,000 bytes of ASCII, as https://portal.example/ is"))
}

/// A domain that ids are made from.
pub fn id_domain(text: &str) -> Result<String, Refusal> {
    let domain = text.trim().to_ascii_lowercase();
    if domain.contains("://") || domain.contains('/') {
        return Err(format!("{domain:?} is an address; the domain alone is wanted, without https:// and path"));
    }
    let host = domain.rsplit('@').next().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    let is_name = labels.len() > 1 && labels.iter().all(|label| !label.is_empty()) && domain.parse::<IpAddr>().is_err();
    if is_name && is_tag_authority(&domain) {
        return Ok(domain);
    }
    Err(format!("{domain:?} is no domain, as portal.example is: letters, digits, hyphens and dots"))
}

/// A day on which the domain was ours; not one to come.
pub fn tag_date(text: &str, today: Date) -> Result<Date, Refusal> {
    let day: Date = text.trim().parse().map_err(|_| format!("{:?} is no day, as 2026-01-01 is", text.trim()))?;
    if day > today {
        Err(format!("{day} is still to come; a day on which the domain was yours is wanted"))
    } else {
        Ok(day)
    }
}

/// A sender of mails, at a domain that can send.
pub fn from(text: &str) -> Result<EmailAddress, Refusal> {
    let address =
        EmailAddress::parse(text).map_err(|error| format!("{:?} is no mail address: {error}", text.trim()))?;
    if address.as_str().ends_with(".localhost") {
        return Err(format!("{address} is an address from which no mail can be sent (RFC 6761)"));
    }
    Ok(address)
}

/// A mail server's name or address, without scheme and port.
pub fn mail_host(text: &str) -> Result<String, Refusal> {
    let host = text.trim().trim_start_matches('[').trim_end_matches(']');
    if host.parse::<IpAddr>().is_ok() {
        return Ok(host.to_owned());
    }
    if host.contains("://") || host.contains(['/', '@', ':']) {
        return Err(format!(
            "{host:?} is more than a server's name; its port is asked for by itself, and no user stands in it"
        ));
    }
    match Host::parse(host) {
        Ok(Host::Domain(name)) if !name.is_empty() => Ok(name),
        _ => Err(format!("{host:?} is no name or address of a server, as mail.example is")),
    }
}

/// A port.
pub fn port(text: &str) -> Result<u16, Refusal> {
    text.trim()
        .parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| format!("{:?} is no port from 1 to 65535", text.trim()))
}

/// How a connection is encrypted.
pub fn tls(text: &str) -> Result<Tls, Refusal> {
    match text.trim().to_ascii_lowercase().as_str() {
        "none" => Ok(Tls::None),
        "starttls" => Ok(Tls::Starttls),
        "tls" => Ok(Tls::Tls),
        other => Err(format!("{other:?} is none of `none`, `starttls` and `tls`")),
    }
}

/// The word of the settings for it.
pub fn tls_word(tls: Tls) -> &'static str {
    match tls {
        Tls::None => "none",
        Tls::Starttls => "starttls",
        Tls::Tls => "tls",
    }
}

/// Whether a server is this machine: then mail is handed over unencrypted, at port 25.
pub fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A file that Loa reads later, wherever it is started.
pub fn secret_file(text: &str) -> Result<PathBuf, Refusal> {
    let path = PathBuf::from(text.trim());
    if path.is_absolute() && path.to_str().is_some() {
        return Ok(path);
    }
    Err(format!("{text:?} is no whole path, as /etc/loa/smtp.password is; services are started in other folders"))
}

/// All areas that were named.
pub fn areas(texts: &[String], today: Date) -> Result<Areas, Refusal> {
    let mut areas = Areas::default();
    for text in texts {
        let (part, own) = area(&clean_line(text), today)?;
        if !areas.within.contains(&part) {
            areas.within.push(part);
        }
        areas.own = own.filter(|_| texts.len() == 1);
    }
    Ok(areas)
}

/// Of a province or a former district: itself. Of a commune of today: its province, and itself.
fn area(text: &str, today: Date) -> Result<(String, Option<(AreaId, String)>), Refusal> {
    let by_id = AreaId::new(text).is_ok();
    let part = within(VIET_NAM, &[text.to_owned()]);
    if part.is_ok() && !by_id {
        return Ok((text.to_owned(), None));
    }
    let ids =
        if part.is_ok() { vec![text] } else { ids_named(VIET_NAM, text.split(',').next().unwrap_or_default().trim()) };
    if let (true, Err(error)) = (ids.is_empty(), part) {
        return Err(error.to_string());
    }
    let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    let directory = directory(&ids)?;
    let area = directory.by_name(text, today).map_err(|error| error.to_string())?;
    if !area.is_in_force(today) {
        let successors: Vec<&str> = directory.successors(&area.id, today).iter().map(|one| one.id.as_str()).collect();
        return Err(format!("{} has ended; its place was taken by {}", area.label(), successors.join(", ")));
    }
    Ok((area.province.clone(), Some((area.id.clone(), area.label()))))
}

fn directory(ids: &[String]) -> Result<Directory, Refusal> {
    let texts = within(VIET_NAM, ids).map_err(|error| error.to_string())?;
    let files: Vec<AreaFile<'_>> = texts.iter().map(|text| AreaFile { label: "config/areas/viet-nam", text }).collect();
    Directory::load(&files).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 30);

    #[test]
    fn an_address_is_https_host_and_path_and_nothing_else() {
        assert_eq!(address(" https://nason.example ").unwrap().as_str(), "https://nason.example/");
        for wrong in
            ["nason.example", "ftp://x.example/", "https://", "https://a:b@x.example/", "https://x.example/?p=1", ""]
        {
            let said = address(wrong).unwrap_err();
            assert!(!said.is_empty() && !said.contains("a:b"), "{wrong}: {said}");
        }
    }

    #[test]
    fn ids_are_made_from_a_domain_alone() {
        assert_eq!(id_domain("NaSon.Dienbien.gov.vn").unwrap(), "nason.dienbien.gov.vn");
        for wrong in ["https://x.example/", "localhost", "127.0.0.1", "x y.example", "x..example", "", "xã.example"] {
            id_domain(wrong).expect_err(wrong);
        }
        assert_eq!(tag_date("2026-11-30", TODAY).unwrap(), TODAY);
        assert!(tag_date("2026-12-01", TODAY).unwrap_err().contains("still to come"));
        assert!(tag_date("30/11/2026", TODAY).unwrap_err().contains("2026-01-01"));
    }

    #[test]
    fn a_mail_server_is_a_name_or_an_address() {
        for right in ["mail.example", "127.0.0.1", "::1", "[2001:db8::5]", "localhost"] {
            mail_host(right).unwrap_or_else(|said| panic!("{right}: {said}"));
        }
        for wrong in ["smtp://mail.example", "mail.example:587", "user@mail.example", "", "a b"] {
            mail_host(wrong).expect_err(wrong);
        }
        assert!(is_here("::1") && is_here("localhost") && !is_here("mail.example"));
        assert_eq!((port("587"), port("0").is_err(), port("x").is_err()), (Ok(587), true, true));
        for word in ["none", "starttls", "tls"] {
            assert_eq!(tls_word(tls(word).unwrap()), word);
        }
        tls("ssl").unwrap_err();
    }

    #[test]
    fn a_sender_can_send() {
        assert_eq!(from("ban-tin@nason.example").unwrap().as_str(), "ban-tin@nason.example");
        assert!(from("ban-tin@loa.localhost").unwrap_err().contains("RFC 6761"));
        assert!(from("ban-tin").unwrap_err().contains("is no mail address"));
    }

    #[test]
    fn an_area_is_found_by_name_code_or_id_and_stands_in_its_province() {
        for text in ["Xã Na Son", "xã na son", "na-son-03203-2025", "03203", "Na Son, Tỉnh Điện Biên"] {
            let found = areas(&[text.to_owned()], TODAY).unwrap_or_else(|said| panic!("{text}: {said}"));
            assert_eq!(found.within, ["Tỉnh Điện Biên"], "{text}");
            let (own, label) = found.own.unwrap();
            assert_eq!((own.as_str(), label.as_str()), ("na-son-03203-2025", "Xã Na Son, Tỉnh Điện Biên"), "{text}");
        }
        let district = areas(&["Huyện Điện Biên Đông".to_owned()], TODAY).unwrap();
        assert_eq!((district.within, district.own), (vec!["Huyện Điện Biên Đông".to_owned()], None));
        let two = areas(&["Xã Na Son".to_owned(), "Xã Pu Nhi".to_owned()], TODAY).unwrap();
        assert_eq!((two.within, two.own), (vec!["Tỉnh Điện Biên".to_owned()], None));
    }

    #[test]
    fn an_area_that_is_none_or_several_is_refused_with_what_to_write() {
        let fault = |text: &str| areas(&[text.to_owned()], TODAY).unwrap_err();
        assert!(fault("Gondor").contains("no province, former district or area"), "{}", fault("Gondor"));
        assert!(fault("Tân Lập").contains("is the name of"), "{}", fault("Tân Lập"));
        assert!(
            fault("tia-dinh-03384-2004").contains("na-son-03203-2025")
                || fault("tia-dinh-03384-2004").contains("has ended")
        );
        assert!(fault("Phì Nhừ").contains("xa-dung-03208-2025"), "{}", fault("Phì Nhừ"));
    }
}
