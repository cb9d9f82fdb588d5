//! `loa import PATH|URL…`: publishes portal pages, and reports what of them was left out.
//!
//! `loa-portal` reads a page into an article; intake takes it in, as it takes what the API is sent.
//! A page that cannot be read stops nothing: the report names it, and the command exits with 1. A dry
//! run shows the whole article (`import/shown.rs`), opens no ledger and writes no file.

pub mod shown;

use super::{Context, publish::relay};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use loa_event::Refusal;
use loa_portal::{PageField, PortalPage};
use loa_svc_intake::{ImportOptions, ImportReport, Imported, Service, not_yet_posted};
use loa_words::Words;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

/// What was asked beside the paths.
pub struct Asked {
    /// Where the one page stands.
    pub address: Option<url::Url>,
    /// Whether pages with another text are the articles of their title and time.
    pub same: bool,
    /// Whether nothing is to be published.
    pub dry_run: bool,
    /// Whose pages they are; `None`: the home portal's.
    pub portal: Option<loa_domain::PortalSlug>,
}

/// Runs the command. Exit 1 when a page or a part of one was refused; the others are in.
pub async fn run(context: &Context, paths: &[PathBuf], asked: Asked) -> anyhow::Result<()> {
    let files = files(paths, &asked)?;
    let (zone, words) = (&context.app.zone, context.output.language.words());
    let options = ImportOptions { is_same: asked.same, portal: asked.portal.clone() };
    let service = if asked.dry_run { None } else { Some(context.app.intake_service().await?) };
    let bar = progress_bar(context, files.len());
    let (mut values, mut counts) = (Vec::new(), Counts::default());
    for file in &files {
        bar.set_message(file.display().to_string());
        let page = match web_address(file) {
            Some(address) => fetched(context, &address, asked.address.as_ref()).await,
            None => read(file, asked.address.as_ref(), zone, words),
        };
        let (told, value) = match &service {
            Some(service) => imported(service, file, page, &options, (&mut counts, words)).await?,
            None => {
                show(file, page.and_then(|page| posted(page, context.app.world.now(), words)), (&mut counts, words))
            }
        };
        bar.suspend(|| context.output.say(told))?;
        // for people it is told already: what years of pages came to is not held in memory
        if context.output.json {
            values.push(value);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let relayed = match &service {
        Some(service) => relay(&context.app, service).await?,
        None => true,
    };
    let Counts { taken, refused } = counts;
    context.output.result(&values, |_| {
        let mut text = match asked.dry_run {
            true => format!("{} pages read, nothing published; {refused} refused", files.len()),
            false => format!("{} pages; {taken} articles and documents taken in, {refused} refused", files.len()),
        };
        if !relayed {
            text.push_str("\nstored, but the broker does not take them yet; `loa up` or `loa intake` sends them on");
        }
        text
    })?;
    anyhow::ensure!(refused == 0, "not everything was taken in; the report above says what and why");
    Ok(())
}

/// How many articles and documents were taken in, and how many pages or parts of them were refused.
#[derive(Default)]
struct Counts {
    taken: u64,
    refused: u64,
}

fn progress_bar(context: &Context, files: usize) -> ProgressBar {
    let bar = if context.output.progress() { ProgressBar::new(files as u64) } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}

/// Imports a page that was read; what is told to people, and to machines.
async fn imported(
    service: &Service,
    file: &Path,
    page: anyhow::Result<PortalPage>,
    options: &ImportOptions,
    (counts, words): (&mut Counts, &dyn Words),
) -> anyhow::Result<(String, Value)> {
    let page = match page {
        Ok(page) => page,
        Err(error) => return Ok(refused(file, &error, counts)),
    };
    let report = service
        .import_page(page, options.clone())
        .await
        .with_context(|| format!("{} was not imported whole", file.display()))?;
    for part in report.article.iter().chain(&report.documents) {
        match part.outcome {
            Ok(_) => counts.taken += 1,
            Err(_) => counts.refused += 1,
        }
    }
    let value = json!({ "file": file, "report": as_json(&report, words) });
    Ok((format!("{}\n{}", file.display(), tell(&report, words)), value))
}

/// Shows a page that was read, for a dry run.
fn show(file: &Path, page: anyhow::Result<PortalPage>, (counts, words): (&mut Counts, &dyn Words)) -> (String, Value) {
    match page {
        Ok(page) => {
            let value = json!({ "file": file, "page": shown::as_json(&page, words) });
            (format!("{}\n{}", file.display(), shown::lines(&page, words)), value)
        }
        Err(error) => refused(file, &error, counts),
    }
}

fn refused(file: &Path, error: &anyhow::Error, counts: &mut Counts) -> (String, Value) {
    counts.refused += 1;
    let sentence = crate::output::sentence(error);
    (format!("{}: refused: {sentence}", file.display()), json!({ "file": file, "refused": sentence }))
}

/// A page whose time of posting has come; a dry run shows no other.
fn posted(page: PortalPage, now: jiff::Timestamp, words: &dyn Words) -> anyhow::Result<PortalPage> {
    match page.article.as_ref().and_then(|article| not_yet_posted(article, now)) {
        Some(refusal) => anyhow::bail!(words.flaw(&refusal.flaw)),
        None => Ok(page),
    }
}

/// The files to read, in the order of their names.
fn files(paths: &[PathBuf], asked: &Asked) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if web_address(path).is_some() {
            files.push(path.clone());
            continue;
        }
        std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        collect(path, &mut BTreeSet::new(), &mut files)?;
    }
    anyhow::ensure!(!files.is_empty(), "no page files (.txt, .html, .htm) in there");
    if let Some(address) = &asked.address {
        anyhow::ensure!(
            matches!(address.scheme(), "http" | "https") && address.host_str().is_some(),
            "`--address {address}` is no address of a page; it begins with https:// or http://"
        );
        let count = files.len();
        anyhow::ensure!(count == 1, "`--address` says where one page stands, and {count} pages are given");
    }
    Ok(files)
}

/// The address of a page that is read from its portal; `None`: it is a file.
fn web_address(path: &Path) -> Option<url::Url> {
    let written = path.to_str()?;
    let begins = |scheme: &str| written.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    if begins("https://") || begins("http://") { written.parse().ok() } else { None }
}

/// A page of a portal, as the watch reads it: by the site's rules, within the limits of `[watch]`.
async fn fetched(context: &Context, address: &url::Url, of: Option<&url::Url>) -> anyhow::Result<PortalPage> {
    let read = context.app.watch_visitor()?.read_article(address, of).await;
    read.map_err(|failure| anyhow::anyhow!(context.output.language.words().watch_failure(&failure)))
}

/// A page, read and understood.
fn read(
    file: &Path,
    address: Option<&url::Url>,
    zone: &jiff::tz::TimeZone,
    words: &dyn Words,
) -> anyhow::Result<PortalPage> {
    let mut bytes = Vec::new();
    let about = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    // a pipe would be waited for without end
    anyhow::ensure!(about.is_file(), "it is no file");
    std::fs::File::open(file)
        .and_then(|opened| opened.take(loa_portal::PAGE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", file.display()))?;
    loa_portal::read(&bytes, address, zone).map_err(|error| anyhow::anyhow!(words.page_error(&error)))
}

/// Files named, and page files in folders, in the order of their names. What cannot be read is a file like any other: it
/// is refused with its reason when its turn comes, and keeps no other out. `inside`: the folders on the way here; a link
/// back to one of them is not followed.
fn collect(path: &Path, inside: &mut BTreeSet<PathBuf>, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let cannot = || format!("cannot read the folder {}", path.display());
    let real = path.canonicalize().with_context(cannot)?;
    if !inside.insert(real.clone()) {
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).with_context(cannot)? {
        entries.push(entry.with_context(cannot)?.path());
    }
    entries.sort();
    for path in entries {
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        let page = extension.is_some_and(|e| ["txt", "html", "htm"].contains(&e.as_str()));
        if path.is_dir() || page {
            collect(&path, inside, files)?;
        }
    }
    inside.remove(&real);
    Ok(())
}

/// What became of a page.
pub fn tell(report: &ImportReport, words: &dyn Words) -> String {
    let one = |what: &str, part: &Imported| match &part.outcome {
        Ok(receipt) => {
            let news = if receipt.unchanged { "no change" } else { "taken in" };
            let notes: String = receipt.notes.iter().map(|note| format!("\n             {note}")).collect();
            format!(
                "  {what:9}  {} (revision {}, {news})\n             {}{notes}",
                part.title, receipt.revision, part.id
            )
        }
        Err(refusal) => format!("  {what:9}  {}: REFUSED: {}", part.title, refused_part(refusal, words)),
    };
    let mut lines: Vec<String> = report.article.iter().map(|article| one("article", article)).collect();
    lines.extend(report.documents.iter().map(|document| one("document", document)));
    if !report.other_items.is_empty() {
        let place = report
            .pager
            .map_or_else(String::new, |pager| format!(" ({}-{} of {})", pager.first, pager.last, pager.total));
        lines.push(format!("  other      {} other articles named{place}; not imported", report.other_items.len()));
    }
    lines.extend(report.assumed.iter().map(|assumed| format!("  assumed    {}", words.assumption(assumed))));
    let assumed = report.evidence.iter().filter(|evidence| evidence.is_assumed && evidence.field != PageField::Summary);
    lines.extend(assumed.map(|evidence| {
        let (field, why) = (words.page_field(evidence.field), words.clues(&evidence.clues));
        format!("  assumed    {field}: {:?} ({why})", evidence.value)
    }));
    lines.extend(report.not_understood.iter().map(|left| format!("  LEFT OUT   {}", shown::left_out(left, words))));
    lines.join("\n")
}

/// Why a part of a page was refused, and where.
fn refused_part(refusal: &Refusal, words: &dyn Words) -> String {
    let (flaw, position) = (words.flaw(&refusal.flaw), refusal.position());
    if position.is_empty() { flaw } else { format!("{flaw} ({position})") }
}

fn as_json(report: &ImportReport, words: &dyn Words) -> Value {
    let one = |part: &Imported| match &part.outcome {
        Ok(receipt) => {
            json!({ "id": part.id, "title": part.title, "revision": receipt.revision, "unchanged": receipt.unchanged,
                               "event_id": receipt.event_id, "notes": receipt.notes })
        }
        Err(refusal) => json!({ "id": part.id, "title": part.title, "refused": refused_part(refusal, words),
                                  "kind": refusal.kind().as_str() }),
    };
    json!({
        "article": report.article.as_ref().map(one),
        "documents": report.documents.iter().map(one).collect::<Vec<_>>(),
        "other_items": report.other_items.iter().map(|item| json!({ "title": item.title, "posted_on": item.posted_on.map(|on| on.to_string()),
                                                                    "url": item.url.as_ref().map(url::Url::as_str) })).collect::<Vec<_>>(),
        "evidence": shown::all_evidence(&report.evidence, words),
        "assumed": shown::all_assumed(&report.assumed, words),
        "left_out": shown::all_left_out(&report.not_understood, words),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_words::Language;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_gives_its_pages_in_order_and_a_link_back_ends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("b")).unwrap();
        for name in ["c.txt", "a.HTML", "b/d.htm", "bai.pdf"] {
            std::fs::write(root.join(name), "").unwrap();
        }
        symlink(root, root.join("b/back")).unwrap();
        symlink(root.join("nowhere"), root.join("lost.txt")).unwrap();
        let mut files = Vec::new();
        collect(root, &mut BTreeSet::new(), &mut files).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.strip_prefix(root).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a.HTML", "b/d.htm", "c.txt", "lost.txt"]);
        let refused =
            read(&root.join("lost.txt"), None, &jiff::tz::TimeZone::UTC, Language::English.words()).unwrap_err();
        assert!(crate::output::sentence(&refused).contains("cannot read"), "{refused}");
    }

    #[test]
    fn what_is_no_file_is_refused_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("x.txt");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let refused = read(&socket, None, &jiff::tz::TimeZone::UTC, Language::English.words());
        assert_eq!(refused.unwrap_err().to_string(), "it is no file");
    }
}
