//! The input of a digest mail: the run, the wish in words, and the items to tell.

use crate::wish_words::WishWords;
use loa_domain::{Content, ItemKind, RunKey};

/// One digest for everyone who wished the same and is owed the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The run: its frequency and civil date stand in the head of the mail, all of it in the `Message-ID`.
    pub run: RunKey,
    /// What was wished for, in words, for the foot of the mail.
    pub wish: WishWords,
    /// The lines, in the order of reading within each kind. Empty is refused by rendering: no digest is empty.
    pub items: Vec<MailItem>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailItem {
    /// Why it is there.
    pub kind: ItemKind,
    /// What it says; for a correction, what was last known of it.
    pub content: Content,
    /// For a correction: the reason given, may be empty.
    pub reason: String,
    /// The name of the portal whose it is, where several publish; otherwise empty.
    pub portal: String,
}

impl Digest {
    /// A digest of one invented article, for documentation and trial mails.
    pub fn example() -> Self {
        use loa_domain::{Article, ArticleId, Category, CategorySlug, Frequency};
        let (id, slug) = (ArticleId::new("thong-bao-1"), CategorySlug::new("tin-tuc"));
        let at = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(472_320);
        let items = match (id, slug, url::Url::parse("https://example.gov.vn/thong-bao-1")) {
            (Ok(id), Ok(slug), Ok(url)) => vec![MailItem {
                kind: ItemKind::News,
                content: Content::Article(Article {
                    id,
                    revision: 1,
                    url,
                    title: "Thông báo lịch tiếp công dân".into(),
                    summary: "Lịch tiếp công dân định kỳ của Chủ tịch Ủy ban nhân dân xã.".into(),
                    content_html: String::new(),
                    language: "vi".into(),
                    category: Category { slug, label: "Tin tức".into() },
                    areas: Vec::new(),
                    source_name: String::new(),
                    images: Vec::new(),
                    attachments: Vec::new(),
                    published_at: at,
                    modified_at: at,
                }),
                reason: String::new(),
                portal: String::new(),
            }],
            _ => Vec::new(),
        };
        let run = RunKey {
            frequency: Frequency::Daily,
            on: at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
            slot: String::new(),
            zone: "Asia/Ho_Chi_Minh".into(),
        };
        Self { run, wish: WishWords::default(), items }
    }
}
