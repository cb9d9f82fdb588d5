//! Builders: an article, a withdrawal, and the events they become, with every field filled and
//! nothing random.

use jiff::{Timestamp, tz::TimeZone};
use loa_domain::{
    AreaId, Article, ArticleId, Calendar, Category, CategorySlug, Change, Content, Event, EventKey, EventType, Portal,
    PortalList, Withdrawal,
};
use loa_worker::Portals;

/// The portal that the builders speak for.
pub const SOURCE: &str = "https://dienbiendong.example/";

/// The days of Vietnam.
pub fn calendar() -> Calendar {
    Calendar::new(TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone"))
}

/// An article at a revision, dated an hour after midnight in Vietnam; each further revision is an hour younger and says so in its title.
pub fn article(id: &str, revision: u64) -> Article {
    let published_at: Timestamp = "2023-11-15T18:02:22Z".parse().expect("an instant");
    let edits = jiff::SignedDuration::from_hours(i64::try_from(revision.saturating_sub(1)).unwrap_or(0));
    Article {
        id: ArticleId::new(id).expect("an article id"),
        revision,
        url: format!("{SOURCE}bai-viet/{id}").parse().expect("an address"),
        title: if revision == 1 {
            format!("Bản tin {id}")
        } else {
            format!("Bản tin {id} (sửa lần {})", revision - 1)
        },
        summary: format!("Tóm tắt của bản tin {id}."),
        content_html: format!("<p>Nội dung của bản tin {id}, bản {revision}.</p>"),
        language: "vi".into(),
        category: Category { slug: CategorySlug::new("tin-tuc").expect("a slug"), label: "Tin tức".into() },
        areas: vec![AreaId::new("na-son").expect("an area id")],
        source_name: "Nguyễn Thịnh".into(),
        images: Vec::new(),
        attachments: Vec::new(),
        published_at,
        modified_at: published_at + edits,
    }
}

/// The event that publishes (revision 1) or updates an article. Its id is `{article}-{revision}`.
pub fn published(article: Article) -> Event {
    let event_type = if article.revision == 1 { EventType::ArticlePublished } else { EventType::ArticleUpdated };
    let data = serde_json::to_value(&article).expect("articles serialise");
    let (key, time) = (key(&article.id, article.revision), article.modified_at);
    Event {
        content_hash: loa_event::content_hash(event_type, &data),
        original_bytes: original_bytes(&key, event_type, article.id.as_str(), time, data),
        reach: article.areas.clone(),
        time: Some(time),
        change: Change::Live(Box::new(Content::Article(article))),
        event_type,
        portal: None,
        key,
    }
}

/// The event that withdraws an article at a revision.
pub fn withdrawn(id: &str, revision: u64) -> Event {
    let at: Timestamp = "2023-11-17T01:00:00Z".parse().expect("an instant");
    let withdrawal =
        Withdrawal { id: ArticleId::new(id).expect("an article id"), revision, reason: "Đăng nhầm".into(), at };
    let key = key(&withdrawal.id, revision);
    let data = serde_json::to_value(&withdrawal).expect("withdrawals serialise");
    Event {
        content_hash: loa_event::content_hash(EventType::ArticleWithdrawn, &data),
        original_bytes: original_bytes(&key, EventType::ArticleWithdrawn, id, at, data),
        reach: Vec::new(),
        time: Some(at),
        change: Change::Withdrawn(withdrawal),
        event_type: EventType::ArticleWithdrawn,
        portal: None,
        key,
    }
}

/// The list of portals that has the home portal alone: the one of [`SOURCE`].
pub fn portals() -> Portals {
    Portals::fixed(PortalList::only(portal(loa_domain::HOME, SOURCE)))
}

/// A portal at an address, which is its source, too.
///
/// # Panics
/// On what is no slug or no address.
pub fn portal(slug: &str, address: &str) -> Portal {
    Portal {
        slug: slug.parse().expect("a slug"),
        name: format!("Cổng thông tin {slug}"),
        url: address.parse().expect("an address"),
        source: address.to_owned(),
        tag_authority: format!("{slug}.loa.example"),
        tag_date: "2026-07-01".parse().expect("a day"),
        area: None,
        added_at: Timestamp::UNIX_EPOCH,
        retired_at: None,
    }
}

fn key(id: &ArticleId, revision: u64) -> EventKey {
    EventKey { source: SOURCE.into(), id: format!("{id}-{revision}") }
}

fn original_bytes(
    key: &EventKey,
    event_type: EventType,
    subject: &str,
    time: Timestamp,
    data: serde_json::Value,
) -> Vec<u8> {
    let event = serde_json::json!({
        "specversion": "1.0", "id": key.id, "source": key.source, "type": event_type.as_str(), "subject": subject,
        "time": time.to_string(), "datacontenttype": "application/json", "data": data,
    });
    event.to_string().into_bytes()
}
