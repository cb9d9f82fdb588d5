//! `loa subscribers add|list`: mailboxes and what they wish for.
//!
//! The digest service does it; this file reads the arguments and prints the result.

use super::Context;
use crate::{cli::Subscribers, output::table};
use anyhow::Context as _;
use loa_domain::{AreaId, CategorySlug, EmailAddress, Wish};
use serde_json::{Value, json};

/// Mailboxes read from the ledger at a time.
const PAGE: u32 = 500;

/// Runs the command.
pub async fn run(context: &Context, command: Subscribers) -> anyhow::Result<()> {
    match command {
        Subscribers::Add { email, areas, categories, frequency } => {
            let address =
                EmailAddress::parse(&email).with_context(|| format!("{email:?} is not an address Loa can send to"))?;
            let wish = wish(context, &areas, &categories)?;
            let service = context.app.digest_service().await?;
            let subscription = service
                .add_subscriber(address, wish, frequency.into())
                .await
                .context("the subscriber was not added")?;
            let value = json!({
                "email": subscription.email.as_str(), "subscription": subscription.id, "state": subscription.state.as_str(),
                "frequency": subscription.frequency.as_str(), "areas": subscription.wish.areas, "categories": subscription.wish.categories,
            });
            context.output.result(&value, |_| {
                format!(
                    "{}: {}, {}",
                    subscription.email,
                    context.output.language.words().frequency(subscription.frequency),
                    shown(context, &subscription.wish)
                )
            })
        }
        Subscribers::List => {
            let (ledger, words) = (context.app.digest_ledger().await?, context.output.language.words());
            let (mut after, mut values, mut rows) = (String::new(), Vec::<Value>::new(), Vec::new());
            loop {
                let page = ledger.subscribers(&after, PAGE).await.context("cannot read the subscribers")?;
                let Some(last) = page.last() else { break };
                after = last.email.key();
                for subscription in page.iter().flat_map(|subscriber| &subscriber.subscriptions) {
                    values.push(json!({
                        "email": subscription.email.as_str(), "subscription": subscription.id, "state": subscription.state.as_str(),
                        "frequency": subscription.frequency.as_str(), "areas": subscription.wish.areas, "categories": subscription.wish.categories,
                    }));
                    rows.push(vec![
                        subscription.email.to_string(),
                        words.frequency(subscription.frequency).to_owned(),
                        words.subscription_state(subscription.state).to_owned(),
                        shown(context, &subscription.wish),
                    ]);
                }
            }
            context.output.result(&values, |_| {
                if rows.is_empty() {
                    "no subscribers yet; `loa subscribers add EMAIL --area NAME` adds one".to_owned()
                } else {
                    table(&["MAILBOX", "FREQUENCY", "STATE", "WISH"], &rows)
                }
            })
        }
    }
}

/// A wish from what was typed: areas by name or id. A former area stands for what it became.
pub fn wish(context: &Context, areas: &[String], categories: &[String]) -> anyhow::Result<Wish> {
    let directory = &context.app.directory;
    let today = context.app.world.now().to_zoned_datetime(context.app.zone.clone()).date();
    let mut wish = Wish::default();
    for text in areas {
        let by_id = AreaId::new(text.as_str()).ok().and_then(|id| directory.get(&id));
        let area = match by_id {
            Some(area) => area,
            None => directory.by_name(text, today)?,
        };
        if area.is_in_force(today) {
            wish.areas.insert(area.id.clone());
        } else {
            let successors = directory.successors(&area.id, today);
            anyhow::ensure!(!successors.is_empty(), "{} is no longer in force, and nothing succeeded it", area.label());
            wish.areas.extend(successors.iter().map(|successor| successor.id.clone()));
        }
    }
    for slug in categories {
        wish.categories.insert(CategorySlug::new(slug.as_str())?);
    }
    Ok(wish)
}

/// A wish for people.
fn shown(context: &Context, wish: &Wish) -> String {
    let areas: Vec<String> = wish
        .areas
        .iter()
        .map(|id| context.app.directory.get(id).map_or_else(|| id.to_string(), |area| area.full_name()))
        .collect();
    let categories: Vec<&str> = wish.categories.iter().map(CategorySlug::as_str).collect();
    let or_all = |text: String, all: &str| if text.is_empty() { all.to_owned() } else { text };
    format!("{}; {}", or_all(areas.join(", "), "all areas"), or_all(categories.join(", "), "all categories"))
}
