//! `loa import PATH…`: publishes portal pages, and reports what could not be read in them.
//!
//! `loa-portal` reads a page into an article; intake takes it in, as it takes what the API is sent.
//! A page that cannot be read stops nothing: the report names it, and the command exits with 1.

use super::{Context, publish::relay};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use loa_portal::PortalPage;
use loa_svc_intake::{ImportReport, Imported};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

/// Runs the command. Exit 1 when a page or a part of one was refused; the others are in.
pub async fn run(context: &Context, paths: &[PathBuf], dry_run: bool) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for path in paths {
        std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        collect(path, &mut BTreeSet::new(), &mut files)?;
    }
    anyhow::ensure!(!files.is_empty(), "no page files (.txt, .html, .htm) in there");
    let service = context.app.intake_service().await?;
    let bar = if context.output.progress() { ProgressBar::new(files.len() as u64) } else { ProgressBar::hidden() };
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let (mut values, mut refused, mut taken) = (Vec::new(), 0_u64, 0_u64);
    for file in &files {
        bar.set_message(file.display().to_string());
        let value = match read(file) {
            Err(error) => {
                refused += 1;
                let sentence = crate::output::sentence(&error);
                bar.suspend(|| context.output.say(format!("{}: refused: {sentence}", file.display())))?;
                json!({ "file": file, "refused": sentence })
            }
            Ok(page) if dry_run => {
                bar.suspend(|| context.output.say(format!("{}\n{}", file.display(), describe(&page))))?;
                json!({ "file": file, "article": page.article.id, "documents": page.documents.len(),
                        "not_understood": page.report.iter().map(ToString::to_string).collect::<Vec<_>>() })
            }
            Ok(page) => {
                let report = service
                    .import_page(page, None)
                    .await
                    .with_context(|| format!("{} was not imported whole", file.display()))?;
                let parts = std::iter::once(&report.article).chain(&report.documents);
                for part in parts {
                    match part.outcome {
                        Ok(_) => taken += 1,
                        Err(_) => refused += 1,
                    }
                }
                bar.suspend(|| context.output.say(format!("{}\n{}", file.display(), tell(&report))))?;
                json!({ "file": file, "report": as_json(&report) })
            }
        };
        // for people it is told already: what years of pages came to is not held in memory
        if context.output.json {
            values.push(value);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let relayed = dry_run || relay(&context.app, &service).await?;
    context.output.result(&values, |_| {
        let mut text = format!("{} pages; {taken} articles and documents taken in, {refused} refused", files.len());
        if !relayed {
            text.push_str("\nstored, but the broker does not take them yet; `loa up` or `loa intake` sends them on");
        }
        text
    })?;
    anyhow::ensure!(refused == 0, "not everything was taken in; the report above says what and why");
    Ok(())
}

/// A page, read and understood.
fn read(file: &Path) -> anyhow::Result<PortalPage> {
    let mut bytes = Vec::new();
    let about = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    // a pipe would be waited for without end
    anyhow::ensure!(about.is_file(), "it is no file");
    std::fs::File::open(file)
        .and_then(|opened| opened.take(loa_portal::PAGE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", file.display()))?;
    Ok(loa_portal::read(&bytes, None)?)
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

/// What a page holds, before anything is published.
pub fn describe(page: &PortalPage) -> String {
    let article = &page.article;
    let mut lines = vec![
        format!("  article    {}", article.title),
        format!("  id         {}", article.id),
        format!("  posted     {}", article.published_at.map_or_else(|| "unsaid".to_owned(), |at| at.to_string())),
    ];
    if !article.source_name.is_empty() {
        lines.push(format!("  source     {}", article.source_name));
    }
    lines.extend(page.documents.iter().map(|document| {
        let kind = if document.kind.is_empty() { String::new() } else { format!("{}: ", document.kind) };
        format!("  document   {}  {kind}{}", document.number, document.title)
    }));
    lines.extend(page.report.iter().map(|line| format!("  NOT UNDERSTOOD  {line}")));
    lines.join("\n")
}

/// What became of a page.
pub fn tell(report: &ImportReport) -> String {
    let one = |what: &str, part: &Imported| match &part.outcome {
        Ok(receipt) => {
            let news = if receipt.unchanged { "no change" } else { "taken in" };
            let notes: String = receipt.notes.iter().map(|note| format!("\n             {note}")).collect();
            format!(
                "  {what:9}  {} (revision {}, {news})\n             {}{notes}",
                part.title, receipt.revision, part.id
            )
        }
        Err(refusal) => format!("  {what:9}  {}: REFUSED: {refusal}", part.title),
    };
    let mut lines = vec![one("article", &report.article)];
    lines.extend(report.documents.iter().map(|document| one("document", document)));
    if !report.other_items.is_empty() {
        let place = report
            .pager
            .map_or_else(String::new, |pager| format!(" ({}-{} of {})", pager.first, pager.last, pager.total));
        lines.push(format!("  other      {} other articles named{place}; not imported", report.other_items.len()));
    }
    lines.extend(report.assumed.iter().map(|sentence| format!("  assumed    {sentence}")));
    lines.extend(report.not_understood.iter().map(|line| format!("  NOT UNDERSTOOD  {line}")));
    lines.join("\n")
}

fn as_json(report: &ImportReport) -> Value {
    let one = |part: &Imported| match &part.outcome {
        Ok(receipt) => {
            json!({ "id": part.id, "title": part.title, "revision": receipt.revision, "unchanged": receipt.unchanged,
                               "event_id": receipt.event_id, "notes": receipt.notes })
        }
        Err(refusal) => json!({ "id": part.id, "title": part.title, "refused": refusal.to_string() }),
    };
    json!({
        "article": one(&report.article),
        "documents": report.documents.iter().map(one).collect::<Vec<_>>(),
        "other_items": report.other_items.iter().map(|item| json!({ "title": item.title, "posted_on": item.posted_on.map(|on| on.to_string()),
                                                                    "url": item.url.as_ref().map(url::Url::as_str) })).collect::<Vec<_>>(),
        "assumed": report.assumed,
        "not_understood": report.not_understood.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let refused = read(&root.join("lost.txt")).unwrap_err();
        assert!(crate::output::sentence(&refused).contains("cannot read"), "{refused}");
    }

    #[test]
    fn what_is_no_file_is_refused_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("x.txt");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(read(&socket).unwrap_err().to_string(), "it is no file");
    }
}
