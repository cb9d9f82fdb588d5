//! `loa portals add|list|show|retire`: who publishes in this installation.
//!
//! The home portal is the configuration's; the others stand in the access ledger, which every running process reads every few
//! seconds.

use super::Context;
use crate::{cli::PortalsCommand, output::table};
use anyhow::Context as _;
use loa_domain::{Portal, PortalSlug};
use loa_svc_intake::NewPortal;

/// Runs the command.
pub async fn run(context: &Context, command: PortalsCommand) -> anyhow::Result<()> {
    let portals = context.app.portals().await?;
    portals.refresh().await.context("cannot read the portals")?;
    match command {
        PortalsCommand::Add(new) => {
            let slug = PortalSlug::new(new.slug)?;
            let area = new.area.map(loa_domain::AreaId::new).transpose()?;
            let portal = NewPortal {
                slug,
                name: new.name,
                url: new.url,
                source: new.source,
                tag_authority: new.tag_authority,
                tag_date: new.tag_date,
                area,
            };
            let service = context.app.intake_service().await?;
            let (portal, was_there) = service.add_portal(portal).await.context("the portal was not added")?;
            context.output.result(&portal, |portal| {
                let state = if was_there { "was there already, just so" } else { "is added" };
                format!(
                    "{} {state}. Its events have the source {}; its feed is portal-{}.\nEvents of it that wait in the dead \
                     letters come to life by `loa dead-letters redrive`.",
                    portal.slug, portal.source, portal.slug
                )
            })
        }
        PortalsCommand::List => {
            let listed: Vec<Portal> = portals.list().iter().cloned().collect();
            context.output.result(&listed, |listed| {
                let rows: Vec<Vec<String>> = listed.iter().map(|portal| row(context, portal)).collect();
                table(&["SLUG", "NAME", "SOURCE", "STATE"], &rows)
            })
        }
        PortalsCommand::Show { slug } => {
            let portal = portals.get(&PortalSlug::new(slug)?)?;
            context.output.result(&portal, |portal| shown(context, portal))
        }
        PortalsCommand::Retire { slug } => {
            let slug = PortalSlug::new(slug)?;
            let retired = portals.retire(&slug, context.app.world.now()).await.context("the portal was not retired")?;
            context.output.result(&retired, |portal| {
                format!(
                    "{} publishes no more: its new events go to the dead letters. What it published stays, and can be withdrawn.",
                    portal.slug
                )
            })
        }
    }
}

fn state(context: &Context, portal: &Portal) -> String {
    match portal.retired_at {
        Some(at) => format!("retired {}", context.local(at)),
        None if portal.is_home() => "home portal".to_owned(),
        None => "publishes".to_owned(),
    }
}

fn row(context: &Context, portal: &Portal) -> Vec<String> {
    vec![portal.slug.to_string(), portal.name.clone(), portal.source.clone(), state(context, portal)]
}

fn shown(context: &Context, portal: &Portal) -> String {
    let lines = [
        ("slug", portal.slug.to_string()),
        ("name", portal.name.clone()),
        ("address", portal.url.to_string()),
        ("source", portal.source.clone()),
        ("ids", format!("tag:{},{}:", portal.tag_authority, portal.tag_date)),
        ("area", portal.area.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)),
        ("state", state(context, portal)),
    ];
    lines.map(|(name, value)| format!("{name:8} {value}")).join("\n")
}
