//! `loa token create|list|revoke`: tokens of the HTTP API.
//!
//! `access.rs` makes a token; the access ledger keeps it. The secret is printed once.

use super::Context;
use crate::{access, cli::Tokens, output::table};
use anyhow::Context as _;
use loa_domain::{PortalSlug, Scope};
use loa_store::{AccessLedger, StoreErrorKind};
use serde_json::json;

/// Most portals that a token is bound to.
const PORTALS_MAX: usize = 100;

/// Runs the command.
pub async fn run(context: &Context, command: Tokens) -> anyhow::Result<()> {
    let ledger = context.app.access_ledger().await?;
    match command {
        Tokens::Create { scope, name, portals } => {
            let portals = bound_to(context, portals).await?;
            create(context, &*ledger, scope.into(), name, &portals).await
        }
        Tokens::List => list(context, &*ledger).await,
        Tokens::Revoke { name } => {
            match ledger.revoke_token(&name, context.app.world.now()).await {
                Err(error) if error.kind == StoreErrorKind::NotFound => {
                    anyhow::bail!("there is no token named {name}; `loa token list` names them")
                }
                other => other.context("cannot revoke the token")?,
            }
            context.output.result(&json!({ "name": name, "revoked": true }), |_| format!("{name} works no longer."))
        }
    }
}

async fn create(
    context: &Context,
    ledger: &dyn AccessLedger,
    scope: Scope,
    name: Option<String>,
    portals: &[PortalSlug],
) -> anyhow::Result<()> {
    anyhow::ensure!(
        portals.is_empty() || scope == Scope::Publish,
        "a token of the scope `{}` is for all portals; only `publish` can be bound to some with --portal",
        scope.as_str()
    );
    let name = name.unwrap_or_else(|| {
        let suffix: [u8; 3] = context.app.world.bytes();
        format!("{}-{:02x}{:02x}{:02x}", scope.as_str(), suffix[0], suffix[1], suffix[2])
    });
    let fits = !name.is_empty() && name.len() <= 60 && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    anyhow::ensure!(fits, "a token's name is 1 to 60 letters, digits, `-`, `_` or `.`; {name:?} is not");
    let secret = match access::create(ledger, &context.app.world, &name, scope, portals).await {
        Err(error) if error.kind == StoreErrorKind::Conflict => {
            anyhow::bail!("there is a token named {name} already; choose another with --name")
        }
        other => other.context("cannot keep the token")?,
    };
    let value = json!({ "name": name, "scope": scope.as_str(), "portals": portals, "secret": secret });
    context.output.result(&value, |_| {
        let of = if portals.is_empty() { String::new() } else { format!(", only for {}", slugs(portals)) };
        format!("{secret}\n\nThis is the only time it is shown. Name: {name}, scope: {}{of}.", scope.as_str())
    })
}

async fn list(context: &Context, ledger: &dyn AccessLedger) -> anyhow::Result<()> {
    let words = context.output.language.words();
    let tokens = ledger.tokens().await.context("cannot read the tokens")?;
    context.output.result(&tokens, |tokens| {
        let rows: Vec<Vec<String>> = tokens
            .iter()
            .map(|token| {
                let revoked =
                    token.revoked_at.map_or_else(|| "works".to_owned(), |at| format!("revoked {}", context.local(at)));
                vec![
                    token.name.clone(),
                    words.scope(token.scope).to_owned(),
                    if token.portals.is_empty() { "all".to_owned() } else { slugs(&token.portals) },
                    context.local(token.created_at),
                    revoked,
                ]
            })
            .collect();
        if rows.is_empty() {
            "no tokens yet; `loa token create --scope publish` makes one".to_owned()
        } else {
            table(&["NAME", "SCOPE", "PORTALS", "CREATED", "STATE"], &rows)
        }
    })
}

/// The portals that a token is to be bound to; each must be known, for a slip of the pen would let it publish for nobody.
async fn bound_to(context: &Context, slugs: Vec<String>) -> anyhow::Result<Vec<PortalSlug>> {
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    anyhow::ensure!(slugs.len() <= PORTALS_MAX, "a token is bound to at most {PORTALS_MAX} portals");
    let portals = context.app.portals().await?;
    portals.refresh().await.context("cannot read the portals")?;
    slugs.into_iter().map(|slug| Ok(portals.get(&PortalSlug::new(slug)?)?.slug)).collect()
}

fn slugs(portals: &[PortalSlug]) -> String {
    portals.iter().map(PortalSlug::as_str).collect::<Vec<_>>().join(", ")
}
