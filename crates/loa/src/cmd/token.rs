//! `loa token create|list|revoke`: tokens of the HTTP API.
//!
//! `access.rs` makes a token; the access ledger keeps it. The secret is printed once.

use super::Context;
use crate::{access, cli::Tokens, output::table};
use anyhow::Context as _;
use loa_store::StoreErrorKind;
use serde_json::json;

/// Runs the command.
pub async fn run(context: &Context, command: Tokens) -> anyhow::Result<()> {
    let ledger = context.app.access_ledger().await?;
    match command {
        Tokens::Create { scope, name } => {
            let scope = loa_domain::Scope::from(scope);
            let name = name.unwrap_or_else(|| {
                let suffix: [u8; 3] = context.app.world.bytes();
                format!("{}-{:02x}{:02x}{:02x}", scope.as_str(), suffix[0], suffix[1], suffix[2])
            });
            let fits =
                !name.is_empty() && name.len() <= 60 && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
            anyhow::ensure!(fits, "a token's name is 1 to 60 letters, digits, `-`, `_` or `.`; {name:?} is not");
            let secret = match access::create(&*ledger, &context.app.world, &name, scope).await {
                Err(error) if error.kind == StoreErrorKind::Conflict => {
                    anyhow::bail!("there is a token named {name} already; choose another with --name")
                }
                other => other.context("cannot keep the token")?,
            };
            context.output.result(&json!({ "name": name, "scope": scope.as_str(), "secret": secret }), |_| {
                format!("{secret}\n\nThis is the only time it is shown. Name: {name}, scope: {}.", scope.as_str())
            })
        }
        Tokens::List => {
            let tokens = ledger.tokens().await.context("cannot read the tokens")?;
            context.output.result(&tokens, |tokens| {
                let rows: Vec<Vec<String>> = tokens
                    .iter()
                    .map(|token| {
                        let revoked = token
                            .revoked_at
                            .map_or_else(|| "works".to_owned(), |at| format!("revoked {}", context.local(at)));
                        vec![
                            token.name.clone(),
                            token.scope.as_str().to_owned(),
                            context.local(token.created_at),
                            revoked,
                        ]
                    })
                    .collect();
                if rows.is_empty() {
                    "no tokens yet; `loa token create --scope publish` makes one".to_owned()
                } else {
                    table(&["NAME", "SCOPE", "CREATED", "STATE"], &rows)
                }
            })
        }
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
