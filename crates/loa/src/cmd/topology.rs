//! `loa topology print|check`: the exchanges, queues and bindings as they should be, for the broker's administrator; and how
//! they are.
//!
//! The adapter knows both. This file prints them, and makes the line of `loa check`.

use super::Context;
use crate::{cli::Topology, config::BusKind};
use anyhow::Context as _;
use loa_bus::Finding;
use loa_domain::TopologyState;
use loa_words::Words;
use loa_worker::topology_fault;
use serde::Serialize;

/// Runs the command.
pub async fn run(context: &Context, command: Topology) -> anyhow::Result<()> {
    match command {
        Topology::Print => print(context),
        Topology::Check => check(context).await,
    }
}

fn print(context: &Context) -> anyhow::Result<()> {
    let bus = &context.app.config.bus;
    anyhow::ensure!(
        bus.kind == BusKind::Rabbitmq,
        "`bus.kind` is \"sqlite\": the queues are a file of Loa's own, and there is no broker to import anything into"
    );
    let definitions = loa_bus_rabbitmq::definitions(&bus.rabbitmq.ready()?.vhost_name()?);
    let text = serde_json::to_string_pretty(&definitions)?;
    context.output.result(&definitions, |_| text)
}

#[derive(Serialize)]
struct Line {
    what: String,
    ok: bool,
    /// `right`, `remark`, `not_asked`, `not_known`, `wrong`.
    found: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

async fn check(context: &Context) -> anyhow::Result<()> {
    let findings = inspect(context).await?;
    if findings.is_empty() {
        let nothing: Vec<Line> = Vec::new();
        return context.output.result(&nothing, |_| NOTHING.to_owned());
    }
    let is_good = !findings.iter().any(Finding::is_fault);
    let words = context.output.language.words();
    let there = findings.into_iter().filter(|finding| finding.state != TopologyState::Absent);
    let lines: Vec<Line> = there.map(|finding| line(finding, words)).collect();
    context.output.result(&lines, |lines| {
        let rows: Vec<String> = lines.iter().map(shown).collect();
        rows.join("\n")
    })?;
    anyhow::ensure!(is_good, "the topology is not as it should be");
    Ok(())
}

/// Said where the queues are a file.
const NOTHING: &str = "there is nothing to check: the queues are a file of Loa's own, which nobody else changes";

/// For `loa check`: one line about all of it.
pub async fn summary(context: &Context) -> anyhow::Result<String> {
    let findings = inspect(context).await?;
    context.no_faults(findings.iter().filter_map(topology_fault).collect())?;
    let not_asked = findings.iter().filter(|it| matches!(it.state, TopologyState::NotAsked { .. }));
    let not_asked: Vec<String> = not_asked.map(|it| it.thing.to_string()).collect();
    Ok(match (findings.is_empty(), not_asked.is_empty()) {
        (true, _) => NOTHING.to_owned(),
        (false, true) => "arguments, bindings and policies are as they should be".to_owned(),
        (false, false) => {
            format!(
                "as it should be, as far as it is told; not looked at: {} (`loa topology check`)",
                not_asked.join(", ")
            )
        }
    })
}

async fn inspect(context: &Context) -> anyhow::Result<Vec<Finding>> {
    let app = &context.app;
    if app.config.bus.kind == BusKind::Sqlite {
        return Ok(Vec::new());
    }
    let bus = app.bus().await?;
    app.wait_for_bus(&bus).await?;
    bus.inspect().await.context("cannot look at the topology")
}

fn line(finding: Finding, words: &dyn Words) -> Line {
    let ok = !finding.is_fault();
    let (found, mend) = match &finding.state {
        TopologyState::Right | TopologyState::Absent => ("right", None),
        TopologyState::Noted { .. } => ("remark", None),
        TopologyState::NotAsked { .. } => ("not_asked", None),
        TopologyState::NotKnown { .. } => ("not_known", None),
        TopologyState::Wrong { mend, .. } => ("wrong", Some(words.topology_mend(mend))),
    };
    Line { what: finding.thing.to_string(), ok, found, detail: words.topology_state(&finding.state), mend }
}

fn shown(line: &Line) -> String {
    let state = match line.found {
        _ if !line.ok => "FAIL",
        "not_asked" => "?",
        _ => "ok",
    };
    let mend = line.mend.as_ref().map_or_else(String::new, |mend| format!("\n      to mend it: {mend}"));
    format!("{state:4}  {:32}  {}{mend}", line.what, line.detail)
}
