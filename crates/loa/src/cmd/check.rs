//! `loa check`: configuration and reachability, one line each; exit 1 when a line is not ok.

use super::Context;
use crate::output::sentence;
use anyhow::Context as _;
use serde::Serialize;

#[derive(Serialize)]
struct Line {
    what: &'static str,
    ok: bool,
    detail: String,
}

/// Runs the command.
pub async fn run(context: &Context) -> anyhow::Result<()> {
    let house = &context.house;
    let mut lines = vec![
        Line { what: "configuration", ok: true, detail: format!("read; data in {}", house.config.data_dir.display()) },
        Line { what: "areas", ok: true, detail: format!("{} areas", house.directory.len()) },
    ];
    let mut note = |what: &'static str, outcome: anyhow::Result<String>| {
        let (ok, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(error) => (false, sentence(&error)),
        };
        lines.push(Line { what, ok, detail });
    };
    note(
        "ledger intake",
        async { Ok(house.intake_ledger().await?.ping().await.map(|()| "reached".to_owned())?) }.await,
    );
    note("ledger feed", async { Ok(house.feed_ledger().await?.ping().await.map(|()| "reached".to_owned())?) }.await);
    note(
        "ledger digest",
        async { Ok(house.digest_ledger().await?.ping().await.map(|()| "reached".to_owned())?) }.await,
    );
    note("ledger push", async { Ok(house.push_ledger().await?.ping().await.map(|()| "reached".to_owned())?) }.await);
    note(
        "ledger access",
        async { Ok(house.access_ledger().await?.ping().await.map(|()| "reached".to_owned())?) }.await,
    );
    note(
        "ledger receipts",
        async { Ok(house.receipt_ledger().await?.ping().await.map(|()| "reached".to_owned())?) }.await,
    );
    note(
        "bus",
        async {
            let bus = house.bus().await?;
            house.wait_for_bus(&bus).await?;
            bus.check().await.context("`loa migrate` makes what is missing")?;
            Ok("reached; the topology is there".to_owned())
        }
        .await,
    );
    // each service reads its own section, and the files that are named in it
    for (what, made) in [
        ("service intake", house.intake_service().await.map(drop)),
        ("service feed", house.feed_service().await.map(drop)),
        ("service digest", house.digest_service().await.map(drop)),
        ("service push", house.push_service().await.map(drop)),
    ] {
        note(what, made.map(|()| "its settings are good".to_owned()));
    }
    note("mail server", super::digest::reach(context).await);
    let good = lines.iter().all(|line| line.ok);
    context.output.result(&lines, |lines| {
        let rows: Vec<String> = lines
            .iter()
            .map(|line| format!("{:4}  {:15}  {}", if line.ok { "ok" } else { "FAIL" }, line.what, line.detail))
            .collect();
        rows.join("\n")
    })?;
    anyhow::ensure!(good, "not everything is in order");
    Ok(())
}
