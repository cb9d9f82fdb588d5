//! `loa watch …`: adds, lists, tries and removes the portals that are looked at.
//!
//! The watch service does it; this file reads the arguments and prints the result. `test` opens no ledger.

use super::{Context, import, publish::relay};
use crate::{cli::Watches, output::table};
use loa_domain::{Fault, PortalSlug, WatchFailure, WatchedState};
use loa_store::{StoreErrorKind, WatchView};
use loa_svc_watch::{NewWatch, Probe, ProbedSource, Service};
use loa_words::Words;
use serde_json::{Value, json};
use std::time::Duration;

/// Titles of a list that are shown.
const SHOWN_MAX: usize = 20;
/// Between two tries to have a source's turn.
const TURN: Duration = Duration::from_millis(300);

/// The slug of a portal that is known; empty: the home portal.
async fn slug_of(context: &Context, portal: Option<String>) -> anyhow::Result<String> {
    let Some(slug) = portal else { return Ok(String::new()) };
    let portals = context.app.portals().await?;
    portals.refresh().await?;
    let portal = portals.get(&PortalSlug::new(slug)?)?;
    Ok(portal.key_slug().map(PortalSlug::to_string).unwrap_or_default())
}

/// Runs the command.
pub async fn run(context: &Context, command: Watches) -> anyhow::Result<()> {
    let words = context.output.language.words();
    match command {
        Watches::Add { url, name, portal, kind, since, every, selectors } => {
            let portal = slug_of(context, portal).await?;
            let service = context.app.watch_service().await?;
            let kind = kind.map(Into::into);
            let asked =
                NewWatch { name, portal, address: url, kind, selectors: selectors.into(), since, every_seconds: every };
            let view = service.add(asked).await?;
            context.output.result(&summary(&view, words), |_| {
                let (name, kind) = (&view.source.name, view.source.kind.as_str());
                let known = match view.source.since {
                    Some(since) => format!("what was published before {} is known and told to nobody", context.local(since)),
                    None => "what it names already is known and told to nobody".to_owned(),
                };
                format!("source   {name} ({kind})\n\nIt is looked at from now on; {known}. `loa watch list` shows how it is.")
            })
        }
        Watches::List => {
            let views = context.app.watch_service().await?.watches().await?;
            context.output.result(&summaries(&views, words), |_| list(context, &views))
        }
        Watches::Test { url, pages, selectors } => {
            let probe = context.app.watch_visitor()?.probe(&url, &selectors.into(), usize::from(pages)).await;
            context.output.result(&probe_json(&probe, words), |_| probed(context, &probe))?;
            anyhow::ensure!(probe.source.is_ok(), "{url} cannot be watched as it is");
            Ok(())
        }
        Watches::Run { name } => {
            let service = context.app.watch_service().await?;
            let names = match name {
                Some(name) => vec![name],
                None => service.watches().await?.into_iter().map(|view| view.source.name).collect(),
            };
            let mut views = Vec::with_capacity(names.len());
            for name in names {
                views.push(look(context, &service, &name).await?);
            }
            let relayed = relay(&context.app, &context.app.intake_service().await?).await?;
            context.output.result(&summaries(&views, words), |_| {
                let later = "\nstored, but the broker does not take it yet; `loa up` or `loa intake` sends it on";
                format!("{}{}", list(context, &views), if relayed { "" } else { later })
            })?;
            let failed = views.iter().filter(|view| view.state.error.is_some()).count();
            anyhow::ensure!(failed == 0, "{failed} of {} sources could not be looked at", views.len());
            Ok(())
        }
        Watches::Remove { name } => {
            context.app.watch_service().await?.remove(&name).await?;
            context.output.result(&json!({ "removed": name }), |_| {
                format!("{name} is not looked at any more; its articles stay published")
            })
        }
    }
}

/// Looks at a source; waits while the service looks at it, or at another one of its host.
async fn look(context: &Context, service: &Service, name: &str) -> anyhow::Result<WatchView> {
    let longest = Duration::from_secs(context.app.config.watch.look_seconds_max) + TURN;
    let deadline = tokio::time::Instant::now() + longest;
    loop {
        match service.look_now(name).await {
            Err(error) if error.kind == StoreErrorKind::Conflict && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(TURN).await;
            }
            looked => return Ok(looked?),
        }
    }
}

/// Sources for people: one line each, and one for each thing that is wrong.
fn list(context: &Context, views: &[WatchView]) -> String {
    if views.is_empty() {
        return "no sources yet; `loa watch test URL` shows what one would give, `loa watch add URL` adds it"
            .to_owned();
    }
    let at = |at: Option<jiff::Timestamp>| at.map_or_else(|| "never".to_owned(), |at| context.local(at));
    let (words, now) = (context.output.language.words(), context.app.world.now());
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            let is_odd = view.fault(now).is_some();
            let health = match (&view.state.error, !is_odd, view.state.looked_at) {
                (Some(_), ..) => "FAILED",
                (None, false, _) => "odd",
                (None, true, None) => "new",
                (None, true, Some(_)) => "good",
            };
            let count = |state| view.counts.iter().find(|(known, _)| *known == state).map_or(0, |(_, count)| *count);
            vec![
                view.source.name.clone(),
                view.source.kind.as_str().to_owned(),
                health.to_owned(),
                at(view.state.succeeded_at),
                at(view.state.newest_at),
                count(WatchedState::Published).to_string(),
                count(WatchedState::Waiting).to_string(),
                count(WatchedState::Refused).to_string(),
                view.source.address.clone(),
            ]
        })
        .collect();
    let mut text = table(
        &["SOURCE", "KIND", "STATE", "LAST GOOD LOOK", "NEWEST", "PUBLISHED", "WAITING", "REFUSED", "ADDRESS"],
        &rows,
    );
    for view in views {
        let failed = |error| format!("failed {} times: {}", view.state.failures, words.watch_failure(error));
        let error = view.state.error.iter().map(failed);
        let warnings = match view.fault(now) {
            Some(Fault::Watched { warnings, .. }) => warnings,
            _ => Vec::new(),
        };
        for sentence in error.chain(warnings.iter().map(|warning| words.watch_warning(warning, now))) {
            text.push_str(&format!("\n{}: {sentence}", view.source.name));
        }
    }
    text
}

fn summaries(views: &[WatchView], words: &dyn Words) -> Vec<Value> {
    views.iter().map(|view| summary(view, words)).collect()
}

fn summary(view: &WatchView, words: &dyn Words) -> Value {
    let source = &view.source;
    let at = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let counts: serde_json::Map<String, Value> =
        view.counts.iter().map(|(state, count)| (state.as_str().to_owned(), json!(count))).collect();
    json!({
        "name": source.name, "portal": source.portal, "url": source.address, "kind": source.kind, "selectors": source.selectors,
        "since": at(source.since), "every_seconds": source.every_seconds, "created_at": source.created_at.to_string(),
        "due_at": view.due_at.to_string(), "looked_at": at(view.state.looked_at), "succeeded_at": at(view.state.succeeded_at),
        "failures": view.state.failures, "error": view.state.error.as_ref().map(|error| words.watch_failure(error)),
        "failure": view.state.error, "warnings": view.state.warnings,
        "listed": view.state.listed, "newest_at": at(view.state.newest_at), "usual_seconds": view.state.usual_seconds,
        "articles": counts,
    })
}

/// What a source would give, for people.
fn probed(context: &Context, probe: &Probe) -> String {
    let words = context.output.language.words();
    let mut lines = Vec::new();
    match &probe.source {
        Ok(source) => lines.extend(source_lines(context, source)),
        Err(why) => lines.push(format!("REFUSED  {}", words.watch_failure(why))),
    }
    for (address, source) in &probe.better {
        lines.push(match source {
            Ok(source) => format!(
                "better   {address}: a {} with {} articles, {} of them with their whole text",
                source.kind.as_str(),
                source.items.len(),
                source.whole_texts
            ),
            Err(why) => format!("named    {address}: REFUSED: {}", words.watch_failure(why)),
        });
    }
    for page in &probe.pages {
        let from = if page.is_from_source { " (from the source itself)" } else { "" };
        match &page.page {
            Ok(read) => lines.push(format!("{}{from}\n{}", page.address, import::shown::lines(read, words))),
            Err(why) => lines.push(format!("{}{from}\n  REFUSED: {}", page.address, words.watch_failure(why))),
        }
    }
    lines.push("nothing was written; `loa watch add` adds it".to_owned());
    lines.join("\n")
}

fn source_lines(context: &Context, source: &ProbedSource) -> Vec<String> {
    let words = context.output.language.words();
    let mut lines = vec![format!("kind     {} ({})", source.kind.as_str(), words.source_clue(&source.why))];
    if let Some(to) = &source.moved_to {
        lines.push(format!("moved    to {to} for good: add that address"));
    }
    lines.push(format!("items    {}, {} of them with their whole text", source.items.len(), source.whole_texts));
    for (address, title, at) in source.items.iter().take(SHOWN_MAX) {
        let at = at.map_or_else(|| "no time".to_owned(), |at| context.local(at));
        lines.push(format!("  {at:19}  {title}\n                       {address}"));
    }
    if source.items.len() > SHOWN_MAX {
        lines.push(format!("  … and {} more", source.items.len() - SHOWN_MAX));
    }
    lines.push(match &source.next {
        Some(next) => format!("goes on  at {next}"),
        None => "goes on  nowhere: only what stands on this page is seen".to_owned(),
    });
    lines.extend(source.left_out.iter().map(|left| format!("LEFT OUT {}", import::shown::left_out(left, words))));
    lines
}

fn probe_json(probe: &Probe, words: &dyn Words) -> Value {
    let source = |source: &Result<ProbedSource, WatchFailure>| match source {
        Ok(source) => json!({
            "kind": source.kind, "why": words.source_clue(&source.why), "clue": source.why, "moved_to": source.moved_to.as_ref().map(url::Url::as_str),
            "items": source.items.iter().map(|(address, title, at)| json!({
                "url": address, "title": title, "published_at": at.map(|at| at.to_string()),
            })).collect::<Vec<_>>(),
            "whole_texts": source.whole_texts, "next": source.next.as_ref().map(url::Url::as_str),
            "left_out": import::shown::all_left_out(&source.left_out, words),
        }),
        Err(why) => json!({ "refused": words.watch_failure(why), "failure": why }),
    };
    json!({
        "source": source(&probe.source),
        "better": probe.better.iter().map(|(address, found)| json!({ "url": address.as_str(), "source": source(found) })).collect::<Vec<_>>(),
        "pages": probe.pages.iter().map(|page| match &page.page {
            Ok(read) => json!({ "url": page.address, "from_source": page.is_from_source, "page": import::shown::as_json(read, words) }),
            Err(why) => json!({ "url": page.address, "from_source": page.is_from_source, "refused": words.watch_failure(why), "failure": why }),
        }).collect::<Vec<_>>(),
    })
}
