//! Lists in JSON: posts of WordPress's REST door (`/wp-json/wp/v2/posts`), and JSON Feed 1.1.

use super::{Listed, ListedItem, SourceForm, entries::plain, instant};
use crate::{PageError, element::absolute};
use jiff::tz::TimeZone;
use loa_domain::{LeftOut, NoSource, SourceClue, escape_html};
use serde_json::Value;
use std::collections::HashSet;
use url::Url;

/// Posts on a page of WordPress where the address does not say.
const PER_PAGE: usize = 10;

/// Reads either.
pub(super) fn read(text: &str, address: &Url, zone: &TimeZone) -> Result<Listed, PageError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| PageError::BrokenJson { line: error.line(), said: error.to_string().into() })?;
    match &value {
        Value::Array(posts) => Ok(posts_of(posts, address)),
        Value::Object(feed)
            if feed.get("version").is_some_and(|v| v.as_str().is_some_and(|v| v.contains("jsonfeed"))) =>
        {
            Ok(json_feed(&value, address, zone))
        }
        // what WordPress says instead of posts
        Value::Object(error) if error.contains_key("code") && error.contains_key("message") => {
            let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            Err(PageError::NoSource {
                why: NoSource::WordPress { said: format!("{} ({})", plain(word("message")), word("code")).into() },
            })
        }
        _ => Err(PageError::NoSource { why: NoSource::OtherJson }),
    }
}

fn posts_of(posts: &[Value], address: &Url) -> Listed {
    let mut listed = Listed::of(SourceForm::WordPress, SourceClue::WordPressPosts);
    let mut addresses = HashSet::new();
    for post in posts {
        let rendered =
            |name: &str| post.pointer(&format!("/{name}/rendered")).and_then(Value::as_str).unwrap_or_default();
        let word = |name: &str| post.get(name).and_then(Value::as_str).unwrap_or_default();
        let title = plain(rendered("title"));
        let Some(link) = absolute(Some(address), word("link")).filter(|_| !word("link").is_empty()) else {
            listed.leave_out(title, LeftOut::EntryWithoutAddress);
            continue;
        };
        if !matches!(word("status"), "" | "publish") {
            listed.leave_out(title, LeftOut::NotPublished);
            continue;
        }
        let is_protected = post.pointer("/content/protected").and_then(Value::as_bool).unwrap_or_default();
        let content = Some(rendered("content").to_owned()).filter(|text| !text.trim().is_empty() && !is_protected);
        let item = ListedItem {
            title,
            published_at: instant::utc(word("date_gmt")),
            changed_at: instant::utc(word("modified_gmt")),
            summary: rendered("excerpt").to_owned(),
            content,
            ..ListedItem::at(link)
        };
        listed.push(item, &mut addresses);
    }
    let number =
        |name: &str| address.query_pairs().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok());
    if posts.len() >= number("per_page").unwrap_or(PER_PAGE) {
        let page = number("page").unwrap_or(1).saturating_add(1).to_string();
        let kept: Vec<(String, String)> = address.query_pairs().into_owned().filter(|(key, _)| key != "page").collect();
        let mut next = address.clone();
        next.query_pairs_mut().clear().extend_pairs(kept).append_pair("page", &page);
        listed.next = Some(next);
    }
    listed
}

fn json_feed(feed: &Value, address: &Url, zone: &TimeZone) -> Listed {
    let mut listed = Listed::of(SourceForm::Feed, SourceClue::JsonFeed);
    let mut addresses = HashSet::new();
    for entry in feed.get("items").and_then(Value::as_array).into_iter().flatten() {
        let word = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let title = plain(word("title"));
        let Some(link) = absolute(Some(address), word("url")).filter(|_| !word("url").is_empty()) else {
            listed.leave_out(title, LeftOut::EntryWithoutAddress);
            continue;
        };
        let item = ListedItem {
            title,
            published_at: instant::read(word("date_published"), zone),
            changed_at: instant::read(word("date_modified"), zone),
            summary: escape_html(word("summary")),
            content: Some(word("content_html").to_owned()).filter(|text| !text.trim().is_empty()),
            author: entry.pointer("/authors/0/name").and_then(Value::as_str).map(plain).unwrap_or_default(),
            ..ListedItem::at(link)
        };
        listed.push(item, &mut addresses);
    }
    listed.next = feed.get("next_url").and_then(Value::as_str).and_then(|next| absolute(Some(address), next));
    listed
}
