//! Events and times for the rules: small, readable, and different where it matters.

use jiff::{SignedDuration, Timestamp};
use loa_domain::{
    AreaId, Article, ArticleId, ArticleKey, Category, CategorySlug, Change, Content, Document, Event, EventKey,
    EventType, PortalSlug, Withdrawal,
};
use loa_store::{Lease, Submission};
use std::hash::{Hash, Hasher};

/// The portal that all events come from.
pub const SOURCE: &str = "https://portal.example.gov.vn";

/// So many minutes after the beginning of the story, 2026-03-01T00:00:00Z.
pub fn at(minute: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

/// An article's id.
pub fn id(text: &str) -> ArticleKey {
    text.parse().unwrap()
}

/// An area's id.
pub fn area(text: &str) -> AreaId {
    AreaId::new(text).unwrap()
}

/// A category's slug.
pub fn slug(text: &str) -> CategorySlug {
    CategorySlug::new(text).unwrap()
}

/// A lease of `holder` from minute `now` for ten minutes.
pub fn lease(holder: &str, now: i64) -> Lease {
    Lease { holder: holder.into(), now: at(now), until: at(now + 10) }
}

/// A submission of an article: what came in first, or an edit.
pub fn submission(article: &str, revision: u64, expect: Option<u64>) -> Submission {
    Submission {
        key: EventKey { source: SOURCE.into(), id: format!("{article}-{revision}") },
        event_type: if revision == 1 { EventType::ArticlePublished } else { EventType::ArticleUpdated },
        article: id(article),
        revision,
        fingerprint: format!("print-{article}-{revision}"),
        expect,
        category: "kinh-te".into(),
        routing_key: "article.published.kinh-te".into(),
        lane: loa_domain::Lane::Live,
        body: format!("{{\"revision\":{revision}}}").into_bytes(),
        at: at(0),
    }
}

/// An event to be: an article at revision 1, in the category `kinh-te`, about no area, published at minute 0.
#[derive(Debug, Clone)]
pub struct Draft {
    portal: Option<PortalSlug>,
    id: ArticleId,
    revision: u64,
    event: Option<String>,
    source: String,
    category: String,
    label: String,
    areas: Vec<AreaId>,
    published_at: Timestamp,
    title: String,
}

impl Draft {
    /// About the article with this id.
    pub fn of(article: &str) -> Self {
        Self {
            portal: None,
            id: ArticleId::new(article).unwrap(),
            revision: 1,
            event: None,
            source: SOURCE.into(),
            category: "kinh-te".into(),
            label: "Kinh tế".into(),
            areas: Vec::new(),
            published_at: at(0),
            title: format!("Tin {article}"),
        }
    }

    /// At this revision.
    pub fn revision(mut self, revision: u64) -> Self {
        self.revision = revision;
        self
    }

    /// By an event of this id; otherwise one made of article, revision and change.
    pub fn event(mut self, event: &str) -> Self {
        self.event = Some(event.into());
        self
    }

    /// In this category, with this label.
    pub fn category(mut self, slug: &str, label: &str) -> Self {
        self.category = slug.into();
        self.label = label.into();
        self
    }

    /// About (and reaching) these areas.
    pub fn areas(mut self, areas: &[&str]) -> Self {
        self.areas = areas.iter().map(|text| area(text)).collect();
        self.areas.sort();
        self
    }

    /// Published at this minute.
    pub fn published(mut self, minute: i64) -> Self {
        self.published_at = at(minute);
        self
    }

    /// Published at this instant.
    pub fn published_at(mut self, at: Timestamp) -> Self {
        self.published_at = at;
        self
    }

    /// Of this producer.
    pub fn source(mut self, source: &str) -> Self {
        self.source = source.into();
        self
    }

    /// Of another portal than the home portal, by its own source.
    pub fn portal(mut self, slug: &str) -> Self {
        self.portal = Some(slug.parse().unwrap());
        self.source(&format!("https://{slug}.example/"))
    }

    /// With this title.
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    /// The event of its publication or edit.
    pub fn live(self) -> Event {
        let kind = if self.revision == 1 { EventType::ArticlePublished } else { EventType::ArticleUpdated };
        let article = Article {
            id: self.id.clone(),
            revision: self.revision,
            url: format!("{SOURCE}/tin/{}", self.id).parse().unwrap(),
            title: self.title.clone(),
            summary: String::new(),
            content_html: "<p>Nội dung.</p>".into(),
            language: "vi".into(),
            category: Category { slug: slug(&self.category), label: self.label.clone() },
            areas: self.areas.clone(),
            source_name: String::new(),
            images: Vec::new(),
            attachments: Vec::new(),
            published_at: self.published_at,
            modified_at: self.published_at,
        };
        self.made("live", kind, Change::Live(Box::new(Content::Article(article))))
    }

    /// The event of its issue, as an official paper.
    pub fn document(self) -> Event {
        let document = Document {
            id: self.id.clone(),
            revision: self.revision,
            number: "1184/KL-UBND".into(),
            kind: "Kết luận".into(),
            issuer: String::new(),
            issued_on: None,
            title: self.title.clone(),
            url: format!("{SOURCE}/van-ban/{}", self.id).parse().unwrap(),
            areas: self.areas.clone(),
            attachments: Vec::new(),
            published_at: self.published_at,
        };
        self.made("live", EventType::DocumentIssued, Change::Live(Box::new(Content::Document(document))))
    }

    /// The event of its withdrawal, at `published_at`.
    pub fn withdrawn(self, reason: &str) -> Event {
        let withdrawal =
            Withdrawal { id: self.id.clone(), revision: self.revision, reason: reason.into(), at: self.published_at };
        self.made("gone", EventType::ArticleWithdrawn, Change::Withdrawn(withdrawal))
    }

    fn made(self, what: &str, event_type: EventType, change: Change) -> Event {
        let event_id = self.event.unwrap_or_else(|| format!("{}-{}-{what}", self.id, self.revision));
        let reach = if event_type.is_withdrawal() { Vec::new() } else { self.areas };
        // as good as a hash: equal for equal contents
        let mut hash = std::hash::DefaultHasher::new();
        format!("{change:?}").hash(&mut hash);
        Event {
            content_hash: format!("{:032x}", hash.finish()),
            original_bytes: format!("{{\"id\":\"{event_id}\"}}").into_bytes(),
            key: EventKey { source: self.source, id: event_id },
            portal: self.portal,
            event_type,
            change,
            reach,
            time: None,
        }
    }
}
