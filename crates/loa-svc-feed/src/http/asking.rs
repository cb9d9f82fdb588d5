//! Answers what is asked of the page of all feeds: looking for a feed, and putting one together, in
//! a browser without scripts.
//!
//! What was asked comes from the address (`page/query.rs`), which feeds there are from the list of
//! all feeds. `build` leads on to the feed itself.

use crate::{
    error::FeedError,
    keep::writer::Overview,
    names::{finding::Found, listing::Listed},
    page::{
        pages::ListOfFeeds,
        query::{Asked, Unbuilt},
    },
    service::Service,
};
use loa_domain::FeedName;
use std::sync::Arc;

/// What to answer.
pub(super) enum Reply {
    /// Nothing was asked: the page as it stands.
    Plain(Arc<Overview>),
    /// The feed that was put together.
    Feed(FeedName),
    /// The text of a page.
    Html(String),
}

/// Answers what was asked of the page of all feeds. `is_shown`: a page of ours asked, and its words may be shown.
pub(super) async fn reply(service: &Service, query: &str, is_shown: bool) -> Result<Reply, FeedError> {
    let writer = &service.0.writer;
    let overview = service.0.overviews.get().await?;
    let mut asked = Asked::read(query);
    if asked.text.is_empty() {
        asked.page = 0;
    }
    if asked == Asked::default() {
        return Ok(Reply::Plain(overview));
    }
    let (names, pages, today) = (writer.names.clone(), writer.pages.clone(), writer.names.day(writer.now()));
    asked.picks.retain(|pick| names.knows(pick) || overview.summaries.contains_key(pick));
    let unbuilt = match asked.built() {
        Ok(name) if asked.is_built => return Ok(Reply::Feed(names.since(&name, today))),
        Ok(_) => None,
        Err(Unbuilt::TooMany) => Some(Unbuilt::TooMany),
        Err(fault) => asked.is_built.then_some(fault),
    };
    let page = tokio::task::spawn_blocking(move || -> Result<String, minijinja::Error> {
        let found = match asked.text.as_str() {
            "" => Found::default(),
            text => names.found(text, asked.page.max(1), &overview.summaries, &overview.listed, today),
        };
        let picked = asked.picks.iter().map(|name| names.listed_one(name.clone(), &overview.summaries));
        pages.asked(&ListOfFeeds {
            lists: &overview.listed,
            latest: &overview.latest,
            asked: &asked,
            is_shown,
            found: &found,
            picked: &picked.collect::<Vec<Listed>>(),
            unbuilt,
        })
    })
    .await??;
    Ok(Reply::Html(page))
}
