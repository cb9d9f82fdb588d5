//! What a dry run shows of a page: the whole article as it would be published, each value with its
//! evidence, and what was left out.
//!
//! A page in, lines or JSON out.

use loa_domain::Assumption;
use loa_portal::{Evidence, NotUnderstood, PortalArticle, PortalDocument, PortalPage};
use loa_words::Words;
use serde::Serialize;
use serde_json::{Value, json};

/// The page for people.
pub fn lines(page: &PortalPage, words: &dyn Words) -> String {
    let mut lines = Vec::new();
    if let Some(article) = &page.article {
        let id = article.address_id.as_ref().unwrap_or(&article.id);
        lines.push(format!("  article          {id}"));
        if article.address_id.is_some() {
            lines.push(format!("                   {} where it was published by its title and time", article.id));
        }
    }
    lines.extend(page.evidence.iter().map(|evidence| one(evidence, words)));
    if page.article.as_ref().is_some_and(|article| article.published_at.is_none()) {
        lines.push("  time of posting  unsaid; the time of its first import is taken".to_owned());
    }
    if let Some(article) = &page.article {
        lines.push("  html".to_owned());
        lines.extend(article.content_html.lines().map(|line| format!("    {line}")));
    }
    lines.extend(page.documents.iter().map(document));
    lines.extend(page.files.iter().map(|file| format!("  file             {}  {}", file.title, file.url)));
    if !page.other_items.is_empty() {
        lines.push(format!("  other            {} other articles named; not imported", page.other_items.len()));
    }
    lines.extend(page.report.iter().map(|left| format!("  LEFT OUT         {}", left_out(left, words))));
    lines.join("\n")
}

/// A value, where it stands, and why it was taken.
fn one(evidence: &Evidence, words: &dyn Words) -> String {
    let Evidence { field, value, line, clues, is_assumed } = evidence;
    let value = value.replace('\n', "\n                   ");
    let why = words.evidence(*line, clues, *is_assumed);
    format!("  {:15}  {value}\n                   [{why}]", words.page_field(*field))
}

/// A line that was left out: where it stands, why, and its beginning.
pub fn left_out(left: &NotUnderstood, words: &dyn Words) -> String {
    words.report_line(left.line, &left.text, &left.why)
}

/// A fact for machines, with its sentence beside it.
#[derive(Serialize)]
struct Told<'f, F> {
    #[serde(flatten)]
    fact: &'f F,
    why: String,
}

/// Lines that were left out, for machines.
pub fn all_left_out(lines: &[NotUnderstood], words: &dyn Words) -> Value {
    json!(lines.iter().map(|left| Told { fact: left, why: words.left_out(&left.why) }).collect::<Vec<_>>())
}

/// What an import chose, for machines.
pub fn all_assumed(assumed: &[Assumption], words: &dyn Words) -> Value {
    json!(assumed.iter().map(|one| Told { fact: one, why: words.assumption(one) }).collect::<Vec<_>>())
}

/// Why values were taken, for machines.
pub fn all_evidence(evidence: &[Evidence], words: &dyn Words) -> Value {
    json!(evidence.iter().map(|one| Told { fact: one, why: words.clues(&one.clues) }).collect::<Vec<_>>())
}

fn document(document: &PortalDocument) -> String {
    let kind = if document.kind.is_empty() { String::new() } else { format!("{}: ", document.kind) };
    let issued = document.issued_on.map_or_else(String::new, |day| format!(", issued on {day}"));
    let issuer = if document.issuer.is_empty() { String::new() } else { format!(", by {}", document.issuer) };
    format!(
        "  document         {}  {kind}{}{issued}{issuer}\n                   {}",
        document.number, document.title, document.id
    )
}

/// The page for machines.
pub fn as_json(page: &PortalPage, words: &dyn Words) -> Value {
    json!({
        "article": page.article.as_ref().map(article),
        "documents": page.documents.iter().map(|document| json!({
            "id": document.id, "number": document.number, "kind": document.kind, "title": document.title,
            "issuer": document.issuer, "issued_on": document.issued_on.map(|day| day.to_string()),
            "url": document.url.as_ref().map(url::Url::as_str),
        })).collect::<Vec<_>>(),
        "files": page.files.iter().map(|file| json!({ "title": file.title, "url": file.url.as_str() })).collect::<Vec<_>>(),
        "other_items": page.other_items.iter().map(|item| json!({
            "title": item.title, "posted_on": item.posted_on.map(|on| on.to_string()),
            "url": item.url.as_ref().map(url::Url::as_str),
        })).collect::<Vec<_>>(),
        "evidence": all_evidence(&page.evidence, words),
        "left_out": all_left_out(&page.report, words),
    })
}

fn article(article: &PortalArticle) -> Value {
    json!({
        "id": article.address_id.as_ref().unwrap_or(&article.id),
        "id_by_title_and_time": article.id,
        "url": article.url.as_ref().map(url::Url::as_str),
        "title": article.title,
        "published_at": article.published_at.map(|at| at.to_string()),
        "summary": article.summary,
        "content_html": article.content_html,
        "source_name": article.source_name,
        "author": article.author,
        "images": article.images.iter().map(|image| json!({
            "name": image.name, "url": image.url.as_ref().map(url::Url::as_str), "alt": image.alt,
        })).collect::<Vec<_>>(),
    })
}
